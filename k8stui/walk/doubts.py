"""Where a node is walked as it should be, though the input shows that it is not so.

A dump's Node without a range for its pods, kube-proxy's pod that does not run: which rules and
routes stand there then, the input does not say. Sources: flannel pkg/subnet/kube (AcquireLease:
"node %q pod cidr not assigned"), host-local's use of podCIDR.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from k8stui.cluster.model import Cluster, Node
from k8stui.cluster.node_daemons import lost_proxies
from k8stui.kernel.derived import Derived
from k8stui.origin import OriginKind

if TYPE_CHECKING:
    from k8stui.kernel.exchange import Exchange
    from k8stui.nodes.network import ClusterNetwork
    from k8stui.walk.trace import Request
    from k8stui.walk.world import World

_BY_POD_CIDR = ("flannel", "canal", "kindnet", "kubenet", "kube-router")
"""Plug-ins that give out the addresses of spec.podCIDR, and do not start without it."""


def doubts(world: World, request: Request, exchange: Exchange) -> Iterator[str]:
    """What is taken for granted of the nodes that the packets came to."""
    cluster = world.cluster
    lost = lost_proxies(cluster) if request.service is not None else {}
    bare = {node.name for node in _bare.of(cluster)}
    if not lost and not bare:
        return
    for name in dict.fromkeys(step.namespace for step in exchange.steps):
        node, pod = cluster.nodes.get(name), lost.get(name)
        if node is not None and name in bare and uses_pod_cidr(world.network, node):
            yield (
                f"node {name} has no podCIDR, as others have: without one the network plug-in does "
                f"not start there; {', '.join(map(str, node.pod_cidrs))} is taken"
            )
        if node is not None and pod is not None and not world.network.has_observed_rules(node):
            said = f" ({pod.unready_reason})" if pod.unready_reason else ""
            yield (
                f"kube-proxy's pod {pod.name} does not run on {name}{said}: walked as if it did; "
                f"what it wrote last stands there, or nothing: see {name}'s own rules (--iptables)"
            )


def without_pod_cidr(cluster: Cluster, network: ClusterNetwork) -> Iterator[Node]:
    """Nodes on which the network plug-in does not start, for want of a range."""
    yield from (node for node in _bare.of(cluster) if uses_pod_cidr(network, node))


def uses_pod_cidr(network: ClusterNetwork, node: Node) -> bool:
    return network.plugin_of(node).startswith(_BY_POD_CIDR)


def _find_bare(cluster: Cluster) -> Sequence[Node]:
    """Nodes of the input without a range, where others have theirs, and their pods none either."""
    nodes = [n for n in cluster.nodes.values() if n.origin.kind is not OriginKind.ASSUMED]
    bare = [node for node in nodes if _range_origin(node) is OriginKind.ASSUMED]
    if not bare or len(bare) == len(nodes):
        return ()
    at_home = {
        pod.node_name
        for pod in cluster.pods.values()
        if pod.origin.kind is OriginKind.OBSERVED and pod.addresses and not pod.host_network
    }
    return tuple(node for node in bare if node.name not in at_home)


def _range_origin(node: Node) -> OriginKind:
    return node.origins.get("pod_cidrs", node.origin).kind


_bare: Derived[Cluster, Sequence[Node]] = Derived(_find_bare)
"""Asked of every walk."""
