"""A device kept the packet: it is down, or the packet does not fit through it."""

from __future__ import annotations

from k8stui.kernel.routing import route_line
from k8stui.kernel.step import DeviceCause, RouteCause, Step, StepKind
from k8stui.walk.diagnosis.case import Case, Diagnosis
from k8stui.walk.diagnosis.direction import what
from k8stui.walk.diagnosis.owners import owner_of
from k8stui.walk.reason import origin_of


def node_cut_off(case: Case) -> Diagnosis | None:
    """Recognise that a card of a node is down, with which its routes and its answers are gone."""
    step = case.decided
    if step is None or case.request.connect is None:
        return None
    packet = step.before
    asked = packet.dst
    behind = owner_of(case, asked)
    owner = behind.node if behind is not None else case.node_with(asked)
    for node in dict.fromkeys((step.namespace, owner or "")):
        found = case.network.get(node) if node in case.cluster.nodes else None
        for device in found.interfaces if found else ():
            own = {one.address for one in device.addresses}
            if device.up or not own & set(case.cluster.nodes[node].addresses):
                continue
            return Diagnosis(
                f"{device.name} of {node}, which has the node's address, is down: {node} reaches "
                "nobody by it, its routes by it are gone, and nobody reaches it",
                f"ip link set {device.name} up on {node}",
                origin_of(DeviceCause(interface=device)),
            )
    return None


def stopped_by_device(case: Case) -> Diagnosis | None:
    """Recognise a device that is down, or whose MTU is too small."""
    step = case.decided
    if step is None or not isinstance(step.cause, DeviceCause):
        return None
    device = step.cause.interface
    whose = f"{device.name} of {step.namespace}"
    if not device.up or not device.carrier:
        state = "down" if not device.up else "without a carrier"
        advice = f"ip link set {device.name} up"
        return Diagnosis(f"{whose} is {state}", advice, origin_of(step.cause))
    return _too_long(step, whose, device.mtu_bytes)


def too_long_for_route(case: Case) -> Diagnosis | None:
    """Recognise a route whose own MTU is too small."""
    step = case.decided
    if step is None or not isinstance(step.cause, RouteCause) or step.kind is not StepKind.DROP:
        return None
    route = step.cause.route
    if route is None or not route.mtu_bytes:
        return None
    return _too_long(step, f"route {route_line(route)} of {step.namespace}", route.mtu_bytes)


def _too_long(step: Step, whose: str, takes_bytes: int) -> Diagnosis | None:
    packet = step.before
    if packet.length_bytes <= takes_bytes:
        return None
    inner = packet.carried
    around = packet.length_bytes - inner.length_bytes if inner is not None else 0
    fits = takes_bytes - around
    return Diagnosis(
        f"{what(step)} has {packet.length_bytes} bytes, {whose} takes {takes_bytes} (its MTU), "
        "and it may not be cut",
        "give the pods' devices an MTU that fits through every device of the way (the "
        f"plug-in's mtu: {fits}{f', with {around} for the tunnel' if around else ''}), or let "
        "ICMP 3/4 (fragmentation needed) pass",
        origin_of(step.cause),
    )
