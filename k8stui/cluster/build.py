"""Objects in, cluster out: what a control plane would make of them, decided in its own order.

Ranges and nodes, then Services with their addresses, then pods and where they run, then the
endpoints. What a dump holds is kept as it was seen; only what it lacks is decided here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from k8stui.cluster import api_server
from k8stui.cluster.addresses import PodAllocator, ServiceAllocator
from k8stui.cluster.configurations import embedded_in
from k8stui.cluster.decode_service import decode_service
from k8stui.cluster.draft import Draft
from k8stui.cluster.endpoints import gather_slices
from k8stui.cluster.fields import Object, array, labels, table
from k8stui.cluster.hints import cpu_by_zone
from k8stui.cluster.inventory import Inventory, take_stock
from k8stui.cluster.model import Cluster, Node, Pod, PodPhase, Service
from k8stui.cluster.nodes import enough_nodes, gather_nodes
from k8stui.cluster.options import ClusterOptions
from k8stui.cluster.proxy_configuration import read_proxy
from k8stui.cluster.scheduler import schedule
from k8stui.cluster.seen_nodes import asked_nodes, seen_nodes
from k8stui.cluster.settings import Settings, read_settings
from k8stui.cluster.workloads import Expansion, expand

if TYPE_CHECKING:
    from k8stui.manifests import Manifests

_DEFAULT_OPTIONS = ClusterOptions()
_PLACE_LABELS = ("topology.kubernetes.io/zone", "topology.kubernetes.io/region")


def build(manifests: Manifests, options: ClusterOptions = _DEFAULT_OPTIONS) -> Cluster:
    """Make the cluster of everything that was read.

    Raises:
        ProxyConfigurationError: it is not clear which KubeProxyConfiguration counts.

    """
    inventory = take_stock(manifests.objects)
    proxy = read_proxy(
        tuple(inventory.of("KubeProxyConfiguration").values()),
        tuple(embedded_in(inventory, "KubeProxyConfiguration")),
        options,
    )
    kubeadm = (
        *embedded_in(inventory, "ClusterConfiguration"),
        *inventory.of("ClusterConfiguration").values(),
    )
    settings = read_settings(inventory, kubeadm, proxy)
    wanted = enough_nodes(inventory) if options.nodes is None else options.nodes
    nodes = gather_nodes(inventory, settings, seen_nodes(inventory), asked_nodes(inventory), wanted)
    services = _services(inventory, settings)
    expansion = expand(inventory, nodes)
    allocatable = {
        name: table(manifest.data, "status", "allocatable")
        or table(manifest.data, "status", "capacity")
        for name, manifest in inventory.of("Node").items()
    }
    pods = _pods(expansion, inventory, nodes, allocatable)
    slices = gather_slices(inventory, services, pods, nodes, cpu_by_zone(nodes, allocatable))
    dumped = any(manifest.observed for manifest in manifests.objects)
    if nodes and not dumped and not inventory.of("Node") and api_server.KEY not in services:
        cidr = next(iter(settings.service_cidrs.values()))
        services[api_server.KEY] = api_server.kubernetes_service(cidr)
        slices[api_server.KEY] = (
            api_server.kubernetes_slice(next(iter(nodes.values())), cidr.address.version),
        )
    return Cluster(
        nodes=nodes,
        pods=pods,
        services=services,
        endpoint_slices=slices,
        workloads=tuple(expansion.workloads),
        proxy=proxy,
        pod_cidr=next(iter(settings.pod_cidrs.values())),
        service_cidr=next(iter(settings.service_cidrs.values())),
        cluster_domain=settings.cluster_domain,
        flannel=settings.flannel,
        pod_cidrs=tuple(settings.pod_cidrs.values()),
        service_cidrs=tuple(settings.service_cidrs.values()),
        remarks=tuple(expansion.remarks),
        origins=settings.origins,
    )


def _services(inventory: Inventory, settings: Settings) -> dict[str, Service]:
    manifests = inventory.of("Service")
    decoded = {
        key: decode_service(manifest, settings.families) for key, manifest in manifests.items()
    }
    allocator = ServiceAllocator(decoded.values(), settings.service_cidrs)
    return {
        key: service if manifests[key].observed else allocator.complete(service)
        for key, service in decoded.items()
    }


def _pods(
    expansion: Expansion,
    inventory: Inventory,
    nodes: Mapping[str, Node],
    allocatable: Mapping[str, Object],
) -> dict[str, Pod]:
    """Place, start and address every pod."""
    drafts = expansion.drafts
    if not all(draft.observed for draft in drafts):
        namespaces = {
            name: labels(manifest.data, "metadata", "labels")
            for name, manifest in inventory.of("Namespace").items()
        }
        schedule(drafts, nodes, allocatable, namespaces)
        _start(expansion, nodes)
    return {draft.key: draft.finish() for draft in expansion.drafts}


def _start(expansion: Expansion, nodes: Mapping[str, Node]) -> None:
    """What happens to the pods that got a node, in the order of the input."""
    held_back = dict.fromkeys(draft for draft in expansion.drafts if _is_held_back(draft))
    if held_back:
        expansion.drop(held_back.keys())
    taken = [address for draft in expansion.drafts for address in draft.addresses]
    taken += [address for node in nodes.values() for address in node.addresses]
    allocator = PodAllocator(nodes, taken)
    for draft in expansion.drafts:
        if draft.observed or draft.node_name is None:
            continue
        node = nodes[draft.node_name]
        draft.phase = PodPhase.RUNNING
        draft.ready = not array(draft.spec, "readinessGates")
        draft.addresses = allocator.addresses(node.name, host_network=draft.host_network)
        # Since 1.35 a bound pod gets its node's place (PodTopologyLabels admission).
        draft.labels |= {key: node.labels[key] for key in _PLACE_LABELS if key in node.labels}


def _is_held_back(draft: Draft) -> bool:
    """A StatefulSet waits until the pod before is running and ready: this one is not made."""
    earlier = draft.after
    return earlier is not None and (
        earlier.node_name is None
        or bool(array(earlier.spec, "readinessGates"))
        or _is_held_back(earlier)
    )
