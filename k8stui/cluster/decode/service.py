"""Service objects: camelCase is translated here and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from k8stui.apiserver import defaults
from k8stui.apiserver.fields import Object, array, at, flag, labels, number, table, text, texts
from k8stui.apiserver.inventory import namespace_of
from k8stui.cluster.fields import Origins, addresses, protocol
from k8stui.cluster.model import LoadBalancerIngress, Service, ServicePort, ServiceType

if TYPE_CHECKING:
    from k8stui.manifests import Manifest
    from k8stui.origin import Origin

PATHS: dict[str, tuple[str | int, ...]] = {
    "namespace": ("metadata", "namespace"),
    "name": ("metadata", "name"),
    "labels": ("metadata", "labels"),
    "annotations": ("metadata", "annotations"),
    "type": ("spec", "type"),
    "cluster_ips": ("spec", "clusterIP"),
    "headless": ("spec", "clusterIP"),
    "ports": ("spec", "ports"),
    "selector": ("spec", "selector"),
    "external_ips": ("spec", "externalIPs"),
    "external_name": ("spec", "externalName"),
    "load_balancer_ingress": ("status", "loadBalancer", "ingress"),
    "load_balancer_source_ranges": ("spec", "loadBalancerSourceRanges"),
    "load_balancer_class": ("spec", "loadBalancerClass"),
    "external_traffic_policy": ("spec", "externalTrafficPolicy"),
    "internal_traffic_policy": ("spec", "internalTrafficPolicy"),
    "health_check_node_port": ("spec", "healthCheckNodePort"),
    "session_affinity": ("spec", "sessionAffinity"),
    "session_affinity_timeout_seconds": (
        "spec",
        "sessionAffinityConfig",
        "clientIP",
        "timeoutSeconds",
    ),
    "publish_not_ready_addresses": ("spec", "publishNotReadyAddresses"),
    "traffic_distribution": ("spec", "trafficDistribution"),
    "ip_families": ("spec", "ipFamilies"),
    "ip_family_policy": ("spec", "ipFamilyPolicy"),
    "allocate_load_balancer_node_ports": ("spec", "allocateLoadBalancerNodePorts"),
}
"""Where each attribute of a Service stands in its object."""

PORT_PATHS: dict[str, tuple[str | int, ...]] = {
    "name": ("name",),
    "protocol": ("protocol",),
    "port": ("port",),
    "target_port": ("targetPort",),
    "node_port": ("nodePort",),
    "app_protocol": ("appProtocol",),
}


_TYPES = {str(kind): kind for kind in ServiceType}


def decode_service(manifest: Manifest, families: tuple[int, ...]) -> Service:
    """A Service with the API server's defaults; clusterIPs and node ports only where written.

    `families`: the cluster's address families, the primary one first.
    """
    spec = table(manifest.data, "spec")
    kind = text(spec, "type") or "ClusterIP"
    written = texts(spec, "clusterIPs") or tuple(filter(None, (text(spec, "clusterIP"),)))
    external = kind == "ExternalName"
    ip_families, policy = defaults.families(spec, families)
    timeout = number(spec, "sessionAffinityConfig", "clientIP", "timeoutSeconds")
    return Service(
        namespace=namespace_of(manifest),
        name=manifest.name,
        labels=labels(manifest.data, "metadata", "labels"),
        annotations=labels(manifest.data, "metadata", "annotations"),
        type=_TYPES.get(kind, ServiceType.CLUSTER_IP),
        cluster_ips=() if external else addresses(written),
        headless=not external and "None" in written,
        ports=tuple(
            _port(manifest, entry, index)
            for index, entry in enumerate(array(spec, "ports"))
            if isinstance(entry, dict)
        ),
        selector=labels(spec, "selector") or None,
        external_ips=addresses(texts(spec, "externalIPs")),
        external_name=text(spec, "externalName"),
        load_balancer_ingress=tuple(
            _ingress(entry) for entry in array(manifest.data, "status", "loadBalancer", "ingress")
        ),
        load_balancer_source_ranges=texts(spec, "loadBalancerSourceRanges"),
        load_balancer_class=text(spec, "loadBalancerClass") or None,
        external_traffic_policy=defaults.external_traffic_policy(spec),
        internal_traffic_policy=defaults.internal_traffic_policy(spec),
        health_check_node_port=number(spec, "healthCheckNodePort") or None,
        session_affinity=text(spec, "sessionAffinity") or "None",
        session_affinity_timeout_seconds=defaults.TIMEOUT_SECONDS if timeout is None else timeout,
        publish_not_ready_addresses=flag(spec, "publishNotReadyAddresses") or False,
        traffic_distribution=text(spec, "trafficDistribution") or None,
        ip_families=ip_families,
        ip_family_policy=policy,
        allocate_load_balancer_node_ports=(
            flag(spec, "allocateLoadBalancerNodePorts") is not False
        ),
        origin=manifest.origin(),
        origins=Origins(manifest, PATHS, _selector_beside(manifest)),
    )


def _selector_beside(manifest: Manifest) -> Mapping[str, Origin]:
    """Where a selector stands that is not in spec, and so none."""
    for path in (("selector",), ("metadata", "selector")):
        if at(manifest.data, *path) is not None and at(manifest.data, "spec", "selector") is None:
            return {"selector": manifest.origin(*path)}
    return {}


def _port(manifest: Manifest, port: Object, index: int) -> ServicePort:
    base = ("spec", "ports", index)
    return ServicePort(
        name=text(port, "name"),
        protocol=protocol(text(port, "protocol")),
        port=number(port, "port") or 0,
        target_port=defaults.target_port(port),
        node_port=number(port, "nodePort") or None,
        app_protocol=text(port, "appProtocol") or None,
        origin=manifest.origin(*base),
        origins=Origins(manifest, PORT_PATHS, base=base),
    )


def _ingress(entry: object) -> LoadBalancerIngress:
    ip = text(entry, "ip")
    found = addresses((ip,)) if ip else ()
    return LoadBalancerIngress(
        ip=found[0] if found else None,
        ip_mode=text(entry, "ipMode") or "VIP",
        hostname=text(entry, "hostname"),
    )
