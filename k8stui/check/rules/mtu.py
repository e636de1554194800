"""The MTUs of a real node do not fit: a packet that a pod may send is too large further on.

A tunnel's device has to be smaller than the card below by what it puts around a packet, else the
outer packet is too large: fragmented, or dropped where the way between the nodes forbids it. A
pod's device has to be no larger than the tunnel's, else each first large packet costs an ICMP
error, and where a firewall drops those, connections hang once data flows. Small requests work, so
it is found late. Does not apply to tunnels that no route leads to.

Sources: drivers/net/vxlan (50 bytes over IPv4, 70 over IPv6), net/ipv4/ipip.c (20), wireguard (60,
80), geneve (50 and options).
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.check.state import seen_at
from k8stui.cluster.model import Node
from k8stui.kernel.namespace import Interface, NetNamespace
from k8stui.origin import OriginKind

ID = "mtu"
_AROUND_BYTES = {"vxlan": 50, "ipip": 20, "sit": 20, "gre": 24, "wireguard": 60, "geneve": 50}
"""What a tunnel over IPv4 puts around a packet, by the kind of its device."""
_WIDER = 20
"""By how much the outer header of IPv6 is longer."""


def look(ground: Ground) -> Iterator[Finding]:
    pods = {pod.key for pods in ground.senders.values() for pod in pods}
    tunnels: dict[tuple[str, str], list[tuple[int, Node]]] = {}
    for node, space in _with_devices(ground):
        used = {route.device for route in space.routes if route.destination.length}
        for tunnel in space.interfaces:
            kind = _kind(tunnel)
            if kind not in _AROUND_BYTES or not tunnel.up or tunnel.name not in used:
                continue
            tunnels.setdefault((kind, tunnel.name), []).append((tunnel.mtu_bytes, node))
            yield from _below(ground, node, tunnel, _card(space, tunnel, node))
            yield from _inside(ground, node, tunnel, space, pods)
    for (_, name), those in tunnels.items():
        usual = max(those, key=lambda one: sum(mtu == one[0] for mtu, _ in those))
        for mtu, node in those:
            if mtu != usual[0]:
                yield _finding(
                    ground, node, None,
                    f"{name} has an MTU of {mtu}, that of {usual[1].name} {usual[0]}",
                    "give the plug-in the same mtu on all nodes",
                )  # fmt: skip


def _with_devices(ground: Ground) -> Iterator[tuple[Node, NetNamespace]]:
    """The nodes whose devices were seen, each with what stands there."""
    options = ground.world.options
    for name in ground.world.network.observed:
        if name in options.state or name in options.ip_addr:
            yield ground.cluster.nodes[name], ground.world.network[name]


def _kind(device: Interface) -> str:
    return device.driver or device.kind.value


def _card(space: NetNamespace, tunnel: Interface, node: Node) -> Interface | None:
    """The device by which the outer packet leaves."""
    wanted = tunnel.vxlan.device if tunnel.vxlan is not None else ""
    return next(
        (
            one
            for one in space.interfaces
            if one.name == wanted or any(a.address in node.addresses for a in one.addresses)
        ),
        None,
    )


def _below(
    ground: Ground, node: Node, tunnel: Interface, card: Interface | None
) -> Iterator[Finding]:
    around = _AROUND_BYTES[_kind(tunnel)]
    if tunnel.vxlan is not None and tunnel.vxlan.local.version == 6:
        around += _WIDER
    if card is None or tunnel.mtu_bytes + around <= card.mtu_bytes:
        return
    yield _finding(
        ground, node, tunnel,
        f"{tunnel.name} takes packets of {tunnel.mtu_bytes} bytes and puts {around} around them, "
        f"and {card.name} below takes {card.mtu_bytes}: what pods send in full packets to other "
        "nodes is fragmented, or lost",
        f"give the plug-in an mtu of {card.mtu_bytes - around}",
    )  # fmt: skip


def _inside(
    ground: Ground, node: Node, tunnel: Interface, space: NetNamespace, pods: set[str]
) -> Iterator[Finding]:
    """The first pod of the node whose device takes more than the tunnel."""
    for near in space.interfaces:
        if near.peer is None or near.peer[0] not in pods or not _is_seen(near):
            continue
        far = ground.world.network[near.peer[0]].interfaces
        device = next((one for one in far if one.name == near.peer[1]), None)
        if device is not None and device.mtu_bytes > tunnel.mtu_bytes:
            yield _finding(
                ground, node, tunnel,
                f"pod {near.peer[0]} sends packets of {device.mtu_bytes} bytes, and {tunnel.name} "
                f"takes {tunnel.mtu_bytes}: each way to another node costs an ICMP error first, "
                "and where those are dropped a connection hangs as soon as data flows",
                f"give the plug-in an mtu of {tunnel.mtu_bytes}, and start the pods again",
            )  # fmt: skip
            return


def _is_seen(device: Interface) -> bool:
    return device.reason is not None and device.reason.origin.kind is OriginKind.OBSERVED


def _finding(ground: Ground, node: Node, device: Interface | None, why: str, fix: str) -> Finding:
    return Finding(
        rule=ID,
        severity=Severity.WARNING,
        subject=f"Node {node.name}",
        place=seen_at(ground, node.name, device.reason if device is not None else None),
        why=why,
        fix=fix,
    )


RULE = CheckRule(
    id=ID,
    summary="MTUs on a node do not fit",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
