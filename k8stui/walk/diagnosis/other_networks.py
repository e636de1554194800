"""A node takes an address for a neighbour on a network of its own, and it is none.

The route decides, not who has the address: net/ipv4/route.c (ip_route_output_key_hash_rcu), and
the longest prefix of the table is often that of a bridge which another program has made.
"""

from __future__ import annotations

from k8stui.kernel.address import Address
from k8stui.kernel.namespace import LinkKind, Route
from k8stui.kernel.routing import Routing, route_line
from k8stui.kernel.step import DeviceCause, NeighbourCause, RouteCause, Step
from k8stui.walk.diagnosis.case import Case, Diagnosis
from k8stui.walk.diagnosis.direction import how_far
from k8stui.walk.diagnosis.owners import Behind, owner_of, what_it_is
from k8stui.walk.reason import origin_of

_MAKERS = (
    ("docker", "Docker"),
    ("br-", "Docker"),
    ("virbr", "libvirt"),
    ("lxdbr", "LXD"),
    ("lxcbr", "LXC"),
    ("podman", "podman"),
    ("cni-podman", "podman"),
    ("weave", "Weave Net"),
)
"""Beginnings of the names of bridges, and who makes those."""


def taken_for_a_neighbour(case: Case) -> Diagnosis | None:
    """Recognise a failed look for a neighbour on a network that the address is not on."""
    step = case.decided
    if step is None or not (_unanswered(step.cause) or _without_ports(step.cause)):
        return None
    route = route_taken(case, step)
    node = case.cluster.nodes.get(step.namespace)
    if node is None or route is None or route.gateway is not None or route.device is None:
        return None
    target = step.after.dst
    if route.destination.length >= target.bits or target in node.addresses:
        return None
    is_uplink = any(
        entry.address in node.addresses
        for device in case.network[node.name].interfaces
        for entry in device.addresses
        if device.name == route.device
    )
    behind = owner_of(case, target)
    if is_uplink or (behind is not None and behind.node == node.name):
        return None
    said = (
        f"{how_far(step)}{node.name} looks for {target}{what_it_is(case, target)} on "
        f"{route.device}, as its route {route_line(route)} says, and nobody answers its ARP there"
    )
    return Diagnosis(
        f"{said}{_because(route, behind)}",
        _mend(route, behind, node.name, target),
        origin_of(RouteCause(route=route)),
    )


def _unanswered(cause: object) -> bool:
    return isinstance(cause, NeighbourCause) and not cause.neighbour


def _without_ports(cause: object) -> bool:
    """A bridge that is up has a carrier by its ports: without one nobody is behind it."""
    device = cause.interface if isinstance(cause, DeviceCause) else None
    return (
        device is not None and device.kind is LinkKind.BRIDGE and device.up and not device.carrier
    )


def route_taken(case: Case, step: Step) -> Route | None:
    """The route that the packet was sent by, in the namespace of the step.

    A bridge that asks the tables itself, where a rule has led a packet to a neighbour of the one
    who sent it (br_netfilter), tells no step: then the tables are asked again.
    """
    steps = case.exchange.steps[: case.felt.deciding_step or 0]
    for each in reversed(steps):
        same = (each.namespace, each.packet_number) == (step.namespace, step.packet_number)
        if same and isinstance(each.cause, RouteCause) and each.cause.route is not None:
            return each.cause.route
    return routes_to(case, step.namespace, step.after.dst)


def routes_to(case: Case, namespace: str, target: Address) -> Route | None:
    """The route that a namespace has to an address."""
    found = case.network[namespace]
    return Routing(found, {one.name: one for one in found.interfaces}).look_up(target).route


def _because(route: Route, behind: Behind | None) -> str:
    if behind is not None:
        return (
            f": {route.device} has a network that holds the pods of {behind.node} too "
            f"({behind.network}), and no more specific route leads to them"
        )
    maker = _maker(route)
    whose = f"{maker}'s network" if maker else f"the network of {route.device}"
    return f": {whose} overlaps with the one that the address is really in"


def _mend(route: Route, behind: Behind | None, node: str, target: Address) -> str:
    if behind is not None:
        return (
            f"on {node}: ip route add {behind.network} via {behind.via} (the network plug-in's "
            f"route), or give {route.device} the network of {node}'s own pods only"
        )
    maker = _maker(route)
    if maker == "Docker":
        how = (
            '"bip" in /etc/docker/daemon.json moves docker0'
            if route.device == "docker0"
            else '"default-address-pools" in /etc/docker/daemon.json, and the network made anew'
        )
        return f"give Docker on {node} a network that nobody else has: {how}; then restart Docker"
    return f"give {route.device} on {node} a network that does not hold {target}, or take it away"


def _maker(route: Route) -> str:
    device = route.device or ""
    return next((maker for start, maker in _MAKERS if device.startswith(start)), "")
