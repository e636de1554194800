"""A frame comes to nobody: a cable hangs on nothing, a neighbour's or a tunnel's entry is wrong.

net/ethernet/eth.c (eth_type_trans: PACKET_OTHERHOST), net/core/neighbour.c, drivers/net/veth.c
(carrier), drivers/net/vxlan/vxlan_core.c (vxlan_xmit, vxlan_rcv).
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.cluster.model import Pod
from k8stui.kernel.address import Address
from k8stui.kernel.namespace import Interface, LinkKind, Neighbour
from k8stui.kernel.routing import route_line
from k8stui.kernel.step import (
    DeviceCause,
    NeighbourCause,
    RouteCause,
    Step,
    StepKind,
)
from k8stui.nodes.cni import node_annotations
from k8stui.origin import Origin
from k8stui.walk.diagnosis.case import Case, Diagnosis
from k8stui.walk.diagnosis.direction import how_far, what
from k8stui.walk.diagnosis.other_networks import route_taken
from k8stui.walk.diagnosis.owners import owner_of
from k8stui.walk.reason import origin_of

_LOST = (StepKind.DROP, StepKind.ARP)
_PLUGIN = "restart the network plug-in's pod on {}, which writes such entries itself"


def loose_cable(case: Case) -> Diagnosis | None:
    """Recognise a pod's veth whose end on the node is down, or hangs on another bridge or none."""
    step = case.decided
    if step is None:
        return None
    for pod in _pods(case, step):
        node, inside = case.network.get(pod.node_name or ""), case.network.get(pod.key)
        if node is None or inside is None or pod.host_network:
            continue
        gateways = {route.gateway for route in inside.routes if route.gateway is not None}
        for peer in (device.peer for device in inside.interfaces):
            end = node.interface(peer[1]) if peer is not None and peer[0] == node.name else None
            if end is None:
                continue
            said = f"{end.name} of {node.name}, the node's end of pod {pod.key}'s cable,"
            origin = origin_of(DeviceCause(interface=end))
            if not end.up:
                return Diagnosis(
                    f"{said} is down: nothing comes from the pod, and nothing gets there",
                    f"on {node.name}: ip link set {end.name} up",
                    origin,
                )
            bridge = next(
                (d for d in node.devices_with(gateways) if d.kind is LinkKind.BRIDGE), None
            )
            if bridge is not None and end.master != bridge.name:
                hangs = f"hangs on {end.master}" if end.master else "hangs on no bridge"
                return Diagnosis(
                    f"{said} {hangs}, and the pod's gateway is {bridge.name}",
                    f"on {node.name}: ip link set {end.name} master {bridge.name}; what takes it "
                    "away is often NetworkManager or systemd-networkd (let them leave veth* alone)",
                    origin,
                )
    return None


def _pods(case: Case, step: Step) -> Iterator[Pod]:
    """Whose cables the packet needs: who asks, who is asked, and where it was lost."""
    ends = (case.pod_with(one) for one in (step.before.src, step.before.dst, step.after.dst))
    found = (case.client, case.reached, case.cluster.pods.get(step.namespace), *ends)
    yield from {pod.key: pod for pod in found if pod is not None}.values()


def wrong_neighbour(case: Case) -> Diagnosis | None:
    """Recognise a frame for a MAC address that whoever it is meant for has not."""
    step = case.decided
    if step is None or step.kind not in _LOST or not step.before.dmac:
        return None
    found = _resolved(case, step)
    if found is None:
        return None
    here, entry = found
    owner = _owner(case, entry.address)
    device = _device(case, owner, entry.address) if owner is not None else None
    if owner is None or device is None:
        return None
    sender = case.network[here].interface(entry.device)
    is_tunnel = sender is not None and sender.kind is LinkKind.VXLAN
    origin = origin_of(NeighbourCause(neighbour=entry))
    if device.mac != entry.mac:
        return Diagnosis(
            f"{here} sends {what(step)} for {entry.address} to {entry.mac}, which stands in its "
            f"table of neighbours, and {device.name} of {owner} has {device.mac}: nobody takes it",
            (_PLUGIN.format(here) + "; by hand " if is_tunnel else f"on {here}: ")
            + f"ip neigh replace {entry.address} lladdr {device.mac} dev {entry.device}"
            + (" nud permanent" if is_tunnel else f" (or ip neigh del {entry.address} dev "
               f"{entry.device}: it asks again); look who else has that address"),
            origin,
        )  # fmt: skip
    node = case.cluster.nodes.get(owner)
    if not is_tunnel or node is None:
        return None
    return Diagnosis(
        f"{entry.device} of {here} has no entry for {entry.mac}, {device.name} of {owner}: it "
        f"does not know at which node {what(step)} is to come out",
        f"{_PLUGIN.format(here)}; by hand bridge fdb append {entry.mac} dev {entry.device} dst "
        f"{node.address(device.vxlan.local.version) if device.vxlan else owner}",
        origin,
    )


def _resolved(case: Case, step: Step) -> tuple[str, Neighbour] | None:
    """Who has sent a frame to its MAC address, by which entry of its table."""
    for name in reversed(dict.fromkeys(one.namespace for one in case.exchange.steps)):
        for entry in case.network[name].neighbours:
            if entry.mac == step.before.dmac:
                return name, entry
    return None


def _owner(case: Case, address: Address) -> str | None:
    """The namespace one of whose devices has the address."""
    pod = case.pod_with(address)
    if pod is not None and not pod.host_network:
        return pod.key
    return case.node_with(address)


def _device(case: Case, owner: str, address: Address) -> Interface | None:
    return (
        next(case.network[owner].devices_with((address,)), None) if owner in case.network else None
    )


def tunnel_without_neighbour(case: Case) -> Diagnosis | None:
    """Recognise that a tunnel's far end is no neighbour: no ARP passes there, flannel writes it.

    flannel pkg/backend/vxlan/vxlan_network.go (AddARP, AddFDB): entries by hand, nolearning.
    """
    step = case.decided
    if step is None or not isinstance(step.cause, NeighbourCause) or step.cause.neighbour:
        return None
    here, route = step.namespace, route_taken(case, step)
    if here not in case.cluster.nodes or route is None or route.gateway is None:
        return None
    device = case.network[here].interface(route.device or "")
    behind = owner_of(case, step.after.dst)
    if device is None or device.vxlan is None or behind is None or behind.node == here:
        return None
    ends = case.network[behind.node].interfaces
    end = next((d for d in ends if d.vxlan and d.vxlan.vni == device.vxlan.vni), None)
    own = end.addresses[0].address if end is not None and end.addresses else None
    if end is None or own is None:
        return None
    origin = origin_of(RouteCause(route=route))
    if own != route.gateway:
        return Diagnosis(
            f"{how_far(step)}{here}'s route {route_line(route)} leads to {route.gateway}, which "
            f"nobody has: {end.name} of {behind.node} has {own}",
            f"{_PLUGIN.format(here)}; by hand ip route replace {behind.network} via {own} dev "
            f"{device.name} onlink",
            origin,
        )
    return Diagnosis(
        f"{how_far(step)}{here} has no neighbour {own} on {device.name}, the end of the tunnel on "
        f"{behind.node} ({end.mac}): no ARP passes there, the network plug-in writes it",
        f"{_PLUGIN.format(here)}; by hand ip neigh replace {own} lladdr {end.mac} dev "
        f"{device.name} nud permanent",
        origin,
    )


def other_tunnel(case: Case) -> Diagnosis | None:
    """Recognise two ends of a tunnel that are of different networks (VNI)."""
    step = case.decided
    device = step.cause.interface if step and isinstance(step.cause, DeviceCause) else None
    if step is None or device is None or device.vxlan is None or step.before.vni is None:
        return None
    here, sender = step.namespace, case.node_with(step.before.src) or str(step.before.src)
    inner = step.before.inner
    if device.vxlan.vni == step.before.vni and inner is not None and inner.smac == device.mac:
        return Diagnosis(
            f"{what(step)} comes from {sender}, whose tunnel has the MAC address {device.mac} as "
            f"{device.name} of {here} has: the kernel takes it for a packet of its own that has "
            "come round, and drops it (cloned machines: systemd-udevd makes the address of "
            "/etc/machine-id)",
            "give each machine a machine-id of its own (systemd-machine-id-setup), or set "
            f"MACAddressPolicy=none for {device.name}; then on {here}: ip link delete "
            f"{device.name}, and restart the network plug-in's pod",
            _vni_told(case, here) or origin_of(step.cause),
        )
    if device.vxlan.vni == step.before.vni:
        return None
    return Diagnosis(
        f"{what(step)} comes in {sender}'s tunnel of VNI {step.before.vni}, and {device.name} "
        f"of {here} has VNI {device.vxlan.vni}",
        "give all nodes the same network (flannel: Backend.VNI of net-conf.json), and restart the "
        f"network plug-in's pods on {here} and {sender}, which makes the devices anew",
        _vni_told(case, here) or origin_of(step.cause),
    )


def _vni_told(case: Case, here: str) -> Origin | None:
    node = case.cluster.nodes.get(here)
    told = node is not None and node_annotations.vni(node, 4) is not None
    return node_annotations.vtep_origin(node, 4) if node is not None and told else None
