"""Objects in, cluster out: what a control plane would make of them, decided in its own order.

Ranges and nodes, then Services with their addresses, then pods and where they run, then the
endpoints. What a dump holds is kept as it was seen; only what it lacks is decided here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from k8stui.cluster.addresses import ServiceAllocator
from k8stui.cluster.decode_endpoints import decode_slice
from k8stui.cluster.decode_service import decode_service
from k8stui.cluster.inventory import take_stock
from k8stui.cluster.model import Cluster, EndpointSlice, Service
from k8stui.cluster.nodes import gather_nodes
from k8stui.cluster.options import ClusterOptions
from k8stui.cluster.proxy_configuration import read_proxy
from k8stui.cluster.settings import Settings, read_settings

if TYPE_CHECKING:
    from k8stui.cluster.inventory import Inventory
    from k8stui.manifests import Manifests

_DEFAULT_OPTIONS = ClusterOptions()


def build(manifests: Manifests, options: ClusterOptions = _DEFAULT_OPTIONS) -> Cluster:
    """Make the cluster of everything that was read.

    Raises:
        ProxyConfigurationError: `options.proxy_config` names a file without a configuration.

    """
    inventory = take_stock(manifests.objects)
    proxy = read_proxy(tuple(inventory.of("KubeProxyConfiguration").values()), options)
    settings = read_settings(inventory, inventory.of("ClusterConfiguration").values(), proxy)
    nodes = gather_nodes(inventory, settings, {}, (), options.nodes)
    services = _services(inventory, settings)
    slices = _slices(inventory)
    return Cluster(
        nodes=nodes,
        pods={},
        services=services,
        endpoint_slices=slices,
        workloads=(),
        proxy=proxy,
        pod_cidr=next(iter(settings.pod_cidrs.values())),
        service_cidr=next(iter(settings.service_cidrs.values())),
        cluster_domain=settings.cluster_domain,
        flannel=settings.flannel,
        pod_cidrs=tuple(settings.pod_cidrs.values()),
        service_cidrs=tuple(settings.service_cidrs.values()),
        origins=settings.origins,
    )


def _services(inventory: Inventory, settings: Settings) -> dict[str, Service]:
    decoded = {
        key: decode_service(manifest, settings.families)
        for key, manifest in inventory.of("Service").items()
    }
    allocator = ServiceAllocator(decoded.values(), settings.service_cidrs)
    observed = {key for key, manifest in inventory.of("Service").items() if manifest.observed}
    return {
        key: service if key in observed else allocator.complete(service)
        for key, service in decoded.items()
    }


def _slices(inventory: Inventory) -> Mapping[str, tuple[EndpointSlice, ...]]:
    found: dict[str, list[EndpointSlice]] = {}
    for manifest in inventory.of("EndpointSlice").values():
        decoded = decode_slice(manifest)
        if decoded is not None:
            found.setdefault(f"{decoded.namespace}/{decoded.service}", []).append(decoded)
    return {key: tuple(of_service) for key, of_service in found.items()}
