"""The Services of the cluster, with everything that the API server fills in and allocates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from k8stui.apiserver.inventory import Inventory
from k8stui.cluster.addresses import RangeIsFullError, ServiceAllocator
from k8stui.cluster.decode.service import decode_service
from k8stui.cluster.fields import Origins
from k8stui.cluster.memory import NO_MEMORY, Memory
from k8stui.cluster.model import Remark, Service, ServicePort, ServiceType
from k8stui.cluster.settings import ClusterSettings
from k8stui.manifests.manifest import Manifest
from k8stui.origin import Origin


def gather_services(
    inventory: Inventory,
    settings: ClusterSettings,
    node_ports: range,
    earlier: Mapping[str, Service] = MappingProxyType({}),
    memory: Memory = NO_MEMORY,
) -> tuple[dict[str, Service], list[Remark]]:
    """Every Service by ``namespace/name``, in the order of the input, and what was refused.

    A Service of a dump is taken as it was seen; a manifest that changes one keeps what had been
    given to it. `node_ports`: those that the API server gives out; `earlier`: Services of a moment
    ago, which keep what was given to them too: one that nobody has applied since is as it was.
    """
    manifests = inventory.of("Service")
    found: dict[str, Service] = {}
    to_do: list[str] = []
    for key, manifest in manifests.items():
        stands: Service | None = memory.recall(("Service", key), (manifest, settings.families))
        if stands is not None and earlier.get(key) is stands:
            found[key] = stands
            continue
        service = decode_service(manifest, settings.families)
        before = inventory.replaced.get(("Service", key))
        if before is not None:
            service = _keep(service, decode_service(before, settings.families))
        elif key in earlier:
            service = _keep(service, earlier[key])
        found[key] = service
        to_do.append(key)
    remarks: list[Remark] = []
    if not to_do:
        return found, remarks
    allocator = ServiceAllocator(found.values(), settings.service_cidrs, node_ports)
    for key in to_do:
        service, manifest = found[key], manifests[key]
        if not _is_allocated(service, manifest):
            try:
                found[key] = allocator.complete(service)
            except RangeIsFullError as full:
                del found[key]
                remarks.append(
                    Remark(text=f"Service {key} is refused: {full}", origin=service.origin)
                )
                continue
        memory.keep(("Service", key), (manifest, settings.families), found[key])
    return found, remarks


def _is_allocated(service: Service, manifest: Manifest) -> bool:
    """Whether an API server has stored it: then it has an address, or asked for none.

    A Service without one whose status (a load balancer's address, say) was written by hand is
    no dump.
    """
    return manifest.observed and bool(service.cluster_ips or service.headless)


def _keep(changed: Service, before: Service) -> Service:
    """An applied change keeps clusterIPs and, by port, node ports of the Service as it was.

    Source: pkg/registry/core/service/strategy.go patchAllocatedValues.
    """
    decided: dict[str, Origin] = {}
    kept = changed
    with_address = ServiceType.EXTERNAL_NAME not in (changed.type, before.type)
    if with_address and not changed.cluster_ips and before.cluster_ips and not changed.headless:
        decided["cluster_ips"] = before.origins.get("cluster_ips", before.origin)
        kept = replace(
            kept,
            cluster_ips=before.cluster_ips,
            ip_families=before.ip_families,
            ip_family_policy=before.ip_family_policy,
        )
    if changed.type in (ServiceType.NODE_PORT, ServiceType.LOAD_BALANCER):
        had = {(port.protocol, port.port): port for port in before.ports if port.node_port}
        ports = (_port_kept(one, had.get((one.protocol, one.port))) for one in kept.ports)
        kept = replace(kept, ports=tuple(ports))
    if (
        changed.type is before.type is ServiceType.LOAD_BALANCER
        and changed.external_traffic_policy == before.external_traffic_policy == "Local"
        and not changed.health_check_node_port
        and before.health_check_node_port
    ):
        attribute = "health_check_node_port"
        kept = replace(kept, health_check_node_port=before.health_check_node_port)
        decided[attribute] = before.origins.get(attribute, before.origin)
    origins = kept.origins
    if decided and isinstance(origins, Origins):
        kept = replace(kept, origins=origins.deciding(decided))
    return kept


def _port_kept(port: ServicePort, before: ServicePort | None) -> ServicePort:
    """A port with the node port that one like it had, where it asks for none."""
    if before is None or port.node_port:
        return port
    origins = port.origins
    if isinstance(origins, Origins):
        decided = before.origins.get("node_port", before.origin)
        origins = origins.deciding({"node_port": decided})
    return replace(port, node_port=before.node_port, origins=origins)
