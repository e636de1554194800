"""A real node has no route to another node's pods, or one that leads to somebody else.

Asked of every pair of nodes that were collected: where the node's tables send what is for a pod of
the other, and, behind a tunnel, which node its neighbours and FDB name. A route that a daemon lost
(flanneld or a BGP session that is down, a route by hand) breaks one direction of one pair, so most
requests work.

Does not apply where no node has such routes (a cloud's own network knows the way), nor where the
walk gets through all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from k8stui.check.claim import Claim
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.check.state import collected, seen_at
from k8stui.cluster.model import Node, Pod
from k8stui.kernel.address import Address
from k8stui.kernel.fib import Tables
from k8stui.kernel.namespace import LinkKind, NetNamespace, Route
from k8stui.record import record

ID = "node-routes"


@record()
class _Way:
    """How a node sends to another's pods."""

    source: Node
    target: Pod
    route: Route | None
    """None: no more than a default route, or none at all."""
    to: Address | None
    """The node's address that it is sent to, where that can be told."""
    lost: str
    """What is missing behind a tunnel; empty: nothing."""


def look(ground: Ground) -> Iterator[Finding]:
    pods = _pods(ground)
    nodes = tuple(collected(ground))
    ways = [way for node, space in nodes for way in _ways(node, space, pods)]
    if all(way.route is None for way in ways):
        return  # whoever carries it between the nodes, their own tables do not
    for way in ways:
        why = _wrong(ground, way)
        if why:
            yield Finding(
                rule=ID,
                severity=Severity.ERROR,
                subject=f"Node {way.source.name}",
                place=seen_at(ground, way.source.name, way.route.reason if way.route else None),
                why=why,
                fix=f"restart the network plug-in's daemon on {way.source.name}, which writes its "
                "routes again, and look at its log; a route by hand stays only until the next boot",
                claim=Claim(f"node/{way.source.name}", f"pod/{way.target.key}:{_port(way.target)}"),
            )


def _wrong(ground: Ground, way: _Way) -> str:
    other = way.target.node_name
    pods = f"the pods of {other} ({way.target.addresses[0]})"
    if way.route is None:
        return f"it has no route to {pods}"
    if way.lost:
        return f"its route to {pods} leads into {way.route.device}, but {way.lost}"
    owner = next((n for n in ground.cluster.nodes.values() if way.to in n.addresses), None)
    if owner is not None and owner.name != other:
        return f"what it sends to {pods} goes to {owner.name} ({way.to}): {way.route.destination}"
    return ""


def _pods(ground: Ground) -> Mapping[str, Pod]:
    """Of each node the first pod that has a network of its own."""
    found: dict[str, Pod] = {}
    for pods in ground.senders.values():
        for pod in pods:
            found.setdefault(pod.node_name or "", pod)
    return found


def _ways(node: Node, space: NetNamespace, pods: Mapping[str, Pod]) -> Iterator[_Way]:
    devices = {one.name: one for one in space.interfaces}
    tables = Tables(space, devices)
    for name, pod in pods.items():
        if name == node.name or not pod.addresses:
            continue
        found = tables.look_up(pod.addresses[0]).route
        if found is None or not found.destination.length:
            yield _Way(node, pod, None, None, "")
            continue
        device = devices.get(found.device or "")
        to, lost = found.gateway, ""
        if device is not None and device.kind is LinkKind.VXLAN:
            to, lost = _through(space, device.name, found.gateway or pod.addresses[0])
        yield _Way(node, pod, found, to, lost)


def _through(space: NetNamespace, device: str, hop: Address) -> tuple[Address | None, str]:
    """The node that a tunnel leads to, or what it lacks for that."""
    near = next(
        (one.mac for one in space.neighbours if one.device == device and one.address == hop), None
    )
    if near is None:
        return None, f"there is no neighbour entry for {hop} on {device}"
    macs: Sequence[str] = (near, "00:00:00:00:00:00")
    for mac in macs:
        for entry in space.fdb:
            if entry.device == device and entry.mac == mac and entry.destination is not None:
                return (entry.destination, "") if mac == near else (None, "")
    return None, f"{device} has no FDB entry for {near} (the node that {hop} is on)"


def _port(pod: Pod) -> int:
    return next((port.number for c in pod.containers if not c.init for port in c.ports), 80)


RULE = CheckRule(
    id=ID,
    summary="A node has no route to another node's pods, or a wrong one",
    help=__doc__ or "",
    severity=Severity.ERROR,
    look=look,
)
