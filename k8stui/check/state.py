"""What was seen of real nodes, for the rules that compare it: with itself, or with the objects."""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.because import Because
from k8stui.check.ground import Ground
from k8stui.cluster.model import Node, Pod
from k8stui.kernel.namespace import NetNamespace
from k8stui.nodes.observed import DumpLine
from k8stui.origin import OriginKind, Place


def collected(ground: Ground) -> Iterator[tuple[Node, NetNamespace]]:
    """The nodes of which all was collected, each with what stands there."""
    options = ground.world.options
    for name in ground.world.network.observed:
        if name in options.state:
            yield ground.cluster.nodes[name], ground.world.network[name]


def state_place(ground: Ground, node: str) -> Place | None:
    """The file that says what stands on the node; None: there is none."""
    file = ground.world.options.state.get(node) or ground.world.options.iptables.get(node)
    return DumpLine(file, 1) if file else None


def seen_at(ground: Ground, node: str, reason: Because | None) -> Place | None:
    """The line that shows something of the node; where that is not known, the whole file."""
    place = reason.origin.place if reason is not None else None
    return place or state_place(ground, node)


def is_assumed(pod: Pod) -> bool:
    """Whether its address was made up: what a node shows has nothing to do with it."""
    return pod.origins.get("addresses", pod.origin).kind is OriginKind.ASSUMED


def with_assumed_endpoints(ground: Ground) -> frozenset[str]:
    """Services some endpoint of which has an address that was made up."""
    pods = ground.cluster.pods
    return frozenset(
        service.key
        for service in ground.cluster.services.values()
        for endpoint in ground.endpoints(service)
        if endpoint.pod is not None
        and (pod := pods.get(endpoint.pod)) is not None
        and is_assumed(pod)
    )
