"""The bridge: learning, forwarding, flooding, and br_netfilter.

After net/bridge/br_input.c, br_forward.c, br_device.c and br_netfilter_hooks.c.
"""

from __future__ import annotations

from k8stui.kernel import device, judge, multipath, neighbour, netfilter
from k8stui.kernel.header import changed
from k8stui.kernel.hooks import Blocked, HookState
from k8stui.kernel.host import Host
from k8stui.kernel.icmp import TOO_BIG
from k8stui.kernel.namespace import BridgePort, FdbEntry, Interface
from k8stui.kernel.nft_ruleset import BRIDGE
from k8stui.kernel.packet import is_group_mac
from k8stui.kernel.routing import Decision, Fate
from k8stui.kernel.skb import Skb
from k8stui.kernel.step import BridgeCause, DeviceCause, Hook, StepKind

_DEFAULT_PORT = BridgePort()


def handle_frame(host: Host, port: Interface, skb: Skb) -> None:
    """A frame comes in on a port (br_handle_frame)."""
    settings = port.port or _DEFAULT_PORT
    if not settings.forwarding:
        host.simulation.journal.loss(
            host.name,
            skb,
            f"{port.name} is not in state forwarding",
            cause=DeviceCause(interface=port),
            device=port.name,
        )
        return
    if _stopped(host, skb, HookState(Hook.PREROUTING, port.name, None)):
        return
    if skb.arp or not host.namespace.sysctls.bridge_nf_call_iptables:
        _finish(host, port, skb)
    else:
        _pre_routing(host, port, skb)


def _stopped(host: Host, skb: Skb, where: HookState) -> bool:
    """Whether a chain of the bridge's own hooks has the frame.

    Not asked of ARP: the packet that waits for the answer meets the same hooks.
    """
    return not skb.arp and netfilter.run(host, skb, where, BRIDGE) is not None


def _pre_routing(host: Host, port: Interface, skb: Skb) -> None:
    # br_nf_pre_routing: IP PREROUTING, with the bridge as the input device.
    bridge = port.master or ""
    skb.physical_in = port.name
    skb.prerouted = True
    asked = skb.packet.dst
    if netfilter.run(host, skb, HookState(Hook.PREROUTING, bridge, None)):
        return
    if skb.packet.dst == asked:
        _finish(host, port, skb)
        return
    # br_nf_pre_routing_finish: where does the new destination lie?
    packet = skb.packet
    decision = multipath.incoming(host, packet, bridge)
    if decision.fate is Fate.FORWARD and decision.device == bridge:
        _bridged_dnat(host, port, skb, decision)
        return
    own = host.interface(bridge)
    skb.entered = decision.device or None
    skb.packet = changed(packet, dmac=own.mac if own else packet.dmac)
    _finish(host, port, skb)


def _bridged_dnat(host: Host, port: Interface, skb: Skb, decision: Decision) -> None:
    # Not routed: only the destination MAC is replaced; the frame shows on the bridge as outgoing,
    # but for a neighbour that has answered of late: that one's goes straight on
    # (br_nf_pre_routing_finish_bridge: NUD_CONNECTED).
    bridge = port.master or ""
    sender = skb.packet.smac
    known = host.neighbour(bridge, decision.next_hop) if decision.next_hop is not None else None
    if known is not None and (bridge, known.address) in host.answered:
        skb.decision = decision
        skb.packet = changed(skb.packet, dmac=known.mac)
        _finish(host, port, skb)
        return

    def send(host: Host, bridge: str, skb: Skb, mac: str) -> None:
        skb.packet = changed(skb.packet, smac=sender, dmac=mac)
        simulation = host.simulation
        simulation.journal.capture(host.name, skb, bridge, simulation.events.now, incoming=False)
        _finish(host, port, skb)

    if decision.next_hop is not None:
        skb.decision = decision
        neighbour.output(host, bridge, decision.next_hop, skb, send)


def _finish(host: Host, port: Interface, skb: Skb) -> None:
    # br_handle_frame_finish
    bridge = port.master or ""
    settings = port.port or _DEFAULT_PORT
    packet = skb.packet
    if settings.learning:
        _learn(host, bridge, port.name, packet.smac)
    if is_group_mac(packet.dmac):
        _flood(host, bridge, skb, came_by=port)
        _pass_up(host, bridge, skb)
        return
    if _is_own(host, bridge, packet.dmac):
        if not skb.arp:
            host.simulation.journal.step(
                host.name,
                skb,
                StepKind.BRIDGE,
                f"{packet.dmac} is {bridge} itself",
                cause=BridgeCause(bridge=bridge, entry=host.fdb(bridge, packet.dmac)),
                device=bridge,
            )
        _pass_up(host, bridge, skb)
        return
    target = _known_port(host, bridge, packet.dmac)
    if target is None:
        _flood(host, bridge, skb, came_by=port)
        return
    _forward(host, bridge, skb, port, target)


def _forward(host: Host, bridge: str, skb: Skb, port: Interface, target: Interface) -> None:
    entry = host.fdb(bridge, skb.packet.dmac)
    cause = BridgeCause(bridge=bridge, entry=entry)
    if target.name == port.name and not (target.port or _DEFAULT_PORT).hairpin:
        host.simulation.journal.loss(
            host.name,
            skb,
            f"hairpin mode of {port.name} is off: a frame does not leave by the port it came in by",
            cause=DeviceCause(interface=target),
            device=bridge,
        )
        return
    if not _may_deliver(port, target):
        host.simulation.journal.loss(
            host.name,
            skb,
            f"{port.name} and {target.name} are isolated from each other",
            cause=DeviceCause(interface=target),
            device=bridge,
        )
        return
    if not skb.arp:
        host.simulation.journal.step(
            host.name,
            skb,
            StepKind.BRIDGE,
            f"{skb.packet.dmac} is behind {target.name}",
            cause=cause,
            device=target.name,
        )
    _forward_hooks(host, bridge, skb, target)


def _forward_hooks(host: Host, bridge: str, skb: Skb, target: Interface) -> None:
    if _stopped(host, skb, HookState(Hook.FORWARD, skb.physical_in, target.name)):
        return
    # br_nf_forward, br_nf_post_routing: a bridged packet passes IP FORWARD and POSTROUTING.
    if skb.physical_in is not None and not skb.arp:
        blocked = netfilter.run(
            host, skb, HookState(Hook.FORWARD, bridge, bridge, physical_out=target.name)
        )
        if blocked:
            refuse(host, skb, blocked)
            return
        if netfilter.run(
            host, skb, HookState(Hook.POSTROUTING, None, bridge, physical_out=target.name)
        ):
            return
    elif judge.bridged(host, skb, bridge, target.name):
        return
    _push(host, skb, target)


def refuse(host: Host, skb: Skb, blocked: Blocked) -> None:
    """Carry out what REJECT asks for; a mere drop needs nothing."""
    if blocked.reject is not None:
        host.simulation.stack.reject(host, skb, blocked.reject)


def xmit(host: Host, bridge: Interface, skb: Skb) -> None:
    """The node itself sends through the bridge (br_dev_xmit)."""
    packet = skb.packet
    if is_group_mac(packet.dmac):
        _flood(host, bridge.name, skb, came_by=None)
        return
    target = _known_port(host, bridge.name, packet.dmac)
    if target is None:
        _flood(host, bridge.name, skb, came_by=None)
        return
    if not skb.arp:
        host.simulation.journal.step(
            host.name,
            skb,
            StepKind.BRIDGE,
            f"{packet.dmac} is behind {target.name}",
            cause=BridgeCause(bridge=bridge.name, entry=host.fdb(bridge.name, packet.dmac)),
            device=target.name,
        )
    _send(host, skb, target)


def _send(host: Host, skb: Skb, target: Interface) -> None:
    # __br_forward, for the node's own: NF_BR_LOCAL_OUT.
    if not _stopped(host, skb, HookState(Hook.OUTPUT, None, target.name)):
        _push(host, skb, target)


def _push(host: Host, skb: Skb, target: Interface) -> None:
    if _stopped(host, skb, HookState(Hook.POSTROUTING, None, target.name)):
        return
    # br_dev_queue_push_xmit: what is too long for the port is dropped in silence; there is room for
    # a VLAN tag (is_skb_forwardable).
    room_bytes = target.mtu_bytes + device.VLAN_TAG_BYTES
    may_go, bridge = _cut(host, skb, target), _of(host, target)
    if not may_go or skb.packet.length_bytes > room_bytes:
        narrow = target if may_go else min(bridge, target, key=lambda one: one.mtu_bytes)
        host.simulation.journal.loss(
            host.name,
            skb,
            f"longer than the {narrow.mtu_bytes} bytes that {narrow.name} takes",
            cause=DeviceCause(interface=narrow),
            device=target.name,
        )
        if not may_go and skb.packet.src.version == 6:
            # IPv6's sender is told (ip6_fragment, fail_toobig), IPv4's is not (br_nf_ip_fragment).
            host.simulation.stack.icmp_error(host, skb, *TOO_BIG[6], bridge.mtu_bytes)
        return
    device.transmit(host, target.name, skb)


def _cut(host: Host, skb: Skb, target: Interface) -> bool:
    """Cut what br_netfilter put together, or the port does not take; whether it may be cut.

    By what the bridge takes, not the port (br_nf_dev_queue_xmit; the MTU of fake_rtable is the
    bridge's), and no longer than the fragments that it was put together from. Of IPv6 also what was
    whole is cut (ip6_fragment), though routers may not.
    """
    packet, together_bytes = skb.packet, max(skb.fragment_bytes, 0)
    fits_bytes = min(target.mtu_bytes, together_bytes or target.mtu_bytes)
    if skb.physical_in is None or skb.arp or packet.length_bytes <= fits_bytes:
        return True
    takes_bytes = _of(host, target).mtu_bytes
    is_six = packet.src.version == 6
    longest = together_bytes or (packet.length_bytes if is_six else 0)
    if longest > takes_bytes or (packet.dont_fragment and not is_six and not together_bytes):
        return False
    skb.cut(takes_bytes, always=is_six)
    return True


def _of(host: Host, port: Interface) -> Interface:
    """The bridge of a port."""
    return host.interface(port.master or "") or port


def _flood(host: Host, bridge: str, skb: Skb, came_by: Interface | None) -> None:
    # br_flood: a copy to each port but the one it came in by.
    is_group = is_group_mac(skb.packet.dmac)  # mcast_flood and bcast_flood are on
    targets = [
        port
        for port in host.ports(bridge)
        if (port.port or _DEFAULT_PORT).forwarding
        and (is_group or (port.port or _DEFAULT_PORT).flood)
        and (
            came_by is None
            or (port.name != came_by.name and _may_deliver(came_by, port))
            or (port.name == came_by.name and (port.port or _DEFAULT_PORT).hairpin)
        )
        and host.has_carrier(port.name)
    ]
    if not skb.arp:
        names = tuple(port.name for port in targets)
        kind = "is for all" if is_group else "is not known"
        host.simulation.journal.step(
            host.name,
            skb,
            StepKind.BRIDGE,
            f"{skb.packet.dmac} {kind}: floods to {', '.join(names) or 'no port'}",
            cause=BridgeCause(bridge=bridge, entry=None),
            device=bridge,
        )
        if not names and not is_group:
            host.simulation.journal.loss(
                host.name,
                skb,
                f"{bridge} knows no port for {skb.packet.dmac}",
                cause=BridgeCause(bridge=bridge, entry=None),
                device=bridge,
            )
    for target in targets:
        copy = skb.copied()
        if came_by is not None:
            _forward_hooks(host, bridge, copy, target)
        else:
            _send(host, copy, target)


def _pass_up(host: Host, bridge: str, skb: Skb) -> None:
    # br_pass_frame_up: the bridge device receives it like any device.
    own = host.interface(bridge)
    if own is None or not own.up:
        cause = DeviceCause(interface=own) if own else None
        if not skb.arp:
            host.simulation.journal.loss(
                host.name, skb, f"{bridge} is down", cause=cause, device=bridge
            )
        return
    host.simulation.journal.capture(
        host.name, skb, bridge, host.simulation.events.now, incoming=True
    )
    if _stopped(host, skb, HookState(Hook.INPUT, bridge, None)):
        return
    device.deliver(host, own, skb, is_mine=True)


def _learn(host: Host, bridge: str, port: str, mac: str) -> None:
    known = host.fdb(bridge, mac)
    if known is None or (not known.permanent and known.device != port):
        host.fdb_learned[bridge, mac] = FdbEntry(mac=mac, device=port)


def _is_own(host: Host, bridge: str, mac: str) -> bool:
    # The bridge's own address and those of its ports are local entries of the FDB.
    own = host.interface(bridge)
    if own is not None and own.mac == mac:
        return True
    return host.is_port_mac(bridge, mac)


def _known_port(host: Host, bridge: str, mac: str) -> Interface | None:
    entry = host.fdb(bridge, mac)
    if entry is None or not host.has_carrier(entry.device):
        return None
    port = host.interface(entry.device)
    return port if port is not None and port.master == bridge else None


def _may_deliver(port: Interface, target: Interface) -> bool:
    # br_skb_isolated
    return not ((port.port or _DEFAULT_PORT).isolated and (target.port or _DEFAULT_PORT).isolated)
