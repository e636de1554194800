"""Neighbours: ARP, and what happens to packets that wait for an answer.

After net/ipv4/arp.c and net/core/neighbour.c (mcast_solicit 3, retrans_time 1 s). IPv6 neighbours
are asked for in the same way; its frames stand for neighbour solicitations (RFC 4861).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from k8stui.kernel import netfilter
from k8stui.kernel.address import Address, link_local
from k8stui.kernel.device import transmit
from k8stui.kernel.header import changed
from k8stui.kernel.hooks import HookState
from k8stui.kernel.host import Host, IncompleteNeighbour
from k8stui.kernel.namespace import Interface, LinkKind, Neighbour, Scope
from k8stui.kernel.nft_ruleset import ARP
from k8stui.kernel.packet import BROADCAST_MAC, Packet, Protocol
from k8stui.kernel.routing import Fate
from k8stui.kernel.skb import REPLY, REQUEST, Skb
from k8stui.kernel.step import Hook, NeighbourCause, StepKind

_SOLICITATIONS = 3
_RETRANS_SECONDS = 1.0
_ARP_BYTES = 28
_SCOPED, _NEVER = 3, 8
"""Values of arp_ignore (Documentation/networking/ip-sysctl.rst)."""
_WITHOUT_ARP = frozenset({LinkKind.LOOPBACK, LinkKind.DUMMY, LinkKind.IPIP, LinkKind.OTHER})

Send = Callable[[Host, str, Skb, str], None]
"""What to do with a packet when the MAC address is known: (host, device, packet, MAC)."""


def send_framed(host: Host, device: str, skb: Skb, mac: str) -> None:
    """Put the link-layer header on and send (neigh_connected_output)."""
    interface = host.interface(device)
    skb.packet = changed(skb.packet, smac=interface.mac if interface else "", dmac=mac)
    transmit(host, device, skb)


def output(host: Host, device: str, next_hop: Address, skb: Skb, send: Send = send_framed) -> None:
    """Send a packet to a neighbour, asking for its MAC address first when it is not known."""
    interface = host.interface(device)
    if interface is not None and interface.kind in _WITHOUT_ARP:
        transmit(host, device, skb)
        return
    known = host.neighbour(device, next_hop)
    if known is not None:
        send(host, device, skb, known.mac)
        return
    if skb.entry:
        skb.entry.waiting += 1
    resolution = host.resolving.get((device, next_hop))
    if resolution is not None:
        resolution.queue.append((skb, send))
        return
    resolution = host.resolving[device, next_hop] = IncompleteNeighbour()
    resolution.queue.append((skb, send))
    host.simulation.journal.step(
        host.name,
        skb,
        StepKind.ARP,
        f"asks on {device} who has {next_hop}",
        device=device,
    )
    _ask(host, device, next_hop, resolution)


def _ask(host: Host, device: str, target: Address, resolution: IncompleteNeighbour) -> None:
    waiting = resolution.queue[0][0]
    resolution.asked += 1
    interface = host.interface(device)
    source = waiting.packet.src
    if target.version == 6:
        # ndisc_solicit: the packet's own source where this device has it; else link-local, so that
        # who is asked does not learn where the device's other addresses are.
        if interface is not None and not _has(host, interface, source):
            source = link_local(interface.mac)
    elif not host.routing.is_local(source):
        # arp_solicit, arp_announce 0: its source address where it is one of this node.
        source = host.routing.own_address(device, target) or source
    frame = Packet(
        src=source,
        dst=target,
        protocol=Protocol.ICMP if target.version == 4 else Protocol.ICMPV6,
        ttl=0,
        smac=interface.mac if interface else "",
        dmac=BROADCAST_MAC,
        icmp_type=REQUEST,
        length_bytes=_ARP_BYTES,
        dont_fragment=False,
    )
    asking = Skb(frame, waiting.number, waiting.direction)
    asking.arp = True
    host.simulation.events.timer(
        _RETRANS_SECONDS, partial(_time_out, host, device, target, resolution)
    )
    _transmit(host, device, asking)


def _transmit(host: Host, device: str, frame: Skb) -> None:
    # arp_xmit
    if not _stopped(host, frame, HookState(Hook.OUTPUT, None, device)):
        transmit(host, device, frame)


def _stopped(host: Host, frame: Skb, where: HookState) -> bool:
    """Whether a chain of ARP's hooks has the frame; IPv6's neighbours do not pass them."""
    is_arp = frame.packet.dst.version == 4
    return is_arp and netfilter.run(host, frame, where, ARP) is not None


def _has(host: Host, interface: Interface, address: Address) -> bool:
    """Whether a device has an address. One that is local on no device is taken to be on all."""
    having = [
        device
        for device in host.namespace.interfaces
        if any(one.address == address for one in device.addresses)
    ]
    return interface in having if having else host.routing.is_local(address)


def _time_out(host: Host, device: str, target: Address, resolution: IncompleteNeighbour) -> None:
    if host.resolving.get((device, target)) is not resolution:
        return
    if resolution.asked < _SOLICITATIONS:
        _ask(host, device, target, resolution)
        return
    del host.resolving[device, target]
    for skb, _ in resolution.queue:
        if skb.entry:
            skb.entry.waiting -= 1
        host.simulation.journal.loss(
            host.name,
            skb,
            f"nobody on {device} answers for {target}, asked {_SOLICITATIONS} times",
            cause=NeighbourCause(neighbour=None),
            device=device,
        )
        # ipv4_link_failure: host unreachable; ICMPv6: address unreachable (RFC 4443).
        kind, code = (3, 1) if target.version == 4 else (1, 3)
        host.simulation.stack.icmp_error(host, skb, kind, code, 0)


def receive(host: Host, device: str, skb: Skb) -> None:
    """An ARP frame for this node (arp_process)."""
    frame = skb.packet
    interface = host.interface(device)
    if interface is None:
        return
    where = HookState(Hook.INPUT, device, None)
    if frame.icmp_type == REQUEST:
        if not _answers_for(host, device, frame) or _stopped(host, skb, where):
            return
        _learn(host, device, frame.src, frame.smac, create=True)
        reply = changed(
            frame,
            src=frame.dst,
            dst=frame.src,
            smac=interface.mac,
            dmac=frame.smac,
            icmp_type=REPLY,
        )
        answer = Skb(reply, skb.number, skb.direction)
        answer.arp = True
        _transmit(host, device, answer)
    elif frame.dmac == interface.mac and not _stopped(host, skb, where):
        _learn(host, device, frame.src, frame.smac, create=False)
        host.answered.add((device, frame.src))


def _answers_for(host: Host, device: str, asked: Packet) -> bool:
    if asked.dst.version == 6:
        # An address of its own (ndisc_recv_ns); the one that each device makes of its MAC, too.
        interface = host.interface(device)
        is_its = interface is not None and asked.dst == link_local(interface.mac)
        return is_its or host.routing.is_local(asked.dst)
    # All that a packet from there would be delivered for, whatever device has it, be it by a rule
    # and a table of its own (arp_process asks ip_route_input_noref).
    routing = host.routing
    decision = routing.incoming(asked.dst, asked.src, device)
    if decision.fate is Fate.LOCAL:
        return not (_ignores(host, device, asked) or _filters(host, device, asked))
    if decision.fate is not Fate.FORWARD or not routing.forwards(device, asked.dst.version):
        return False
    if decision.device == device:
        return asked.src != asked.dst and routing.answers_for_its_own_side(device)
    return routing.answers_for_others(device)


def _ignores(host: Host, device: str, asked: Packet) -> bool:
    """arp_ignore 1: but for an address of that device; 2: for those of its networks alone.

    3: but for an address of some device, not of scope host; 8: all.
    """
    routing = host.routing
    how = routing.arp_ignore(device)
    if how not in (1, 2, _SCOPED):
        return how == _NEVER
    own = [
        (interface.name, one)
        for interface in host.namespace.interfaces
        for one in interface.addresses
        if one.address == asked.dst and (how == _SCOPED or interface.name == device)
    ]
    if how == _SCOPED:
        # inet_confirm_addr: with route_localnet on the device that has it, scope host is link.
        return not any(one.scope is not Scope.HOST or routing.localnet(name) for name, one in own)
    return not own or (how == 2 and not any(asked.src in one.network for _, one in own))


def _filters(host: Host, device: str, asked: Packet) -> bool:
    """Whether the answer is kept back, for it would leave by another device (arp_filter)."""
    if not host.routing.answers_only_back(device):
        return False
    back = host.routing.outgoing(asked.src, asked.dst)
    return back.fate is Fate.ERROR or back.device != device


def _learn(host: Host, device: str, address: Address, mac: str, *, create: bool) -> None:
    key = (device, address)
    resolution = host.resolving.pop(key, None)
    if resolution is None and (not create or host.neighbour(device, address)):
        # A second answer comes within the lock time and is ignored.
        return
    neighbour = Neighbour(address=address, device=device, mac=mac)
    host.neighbours_learned[key] = neighbour
    if resolution is None:
        return
    host.simulation.journal.step(
        host.name,
        resolution.queue[0][0],
        StepKind.ARP,
        f"{address} is at {mac}",
        cause=NeighbourCause(neighbour=neighbour),
        device=device,
    )
    for waiting, send in resolution.queue:
        if waiting.entry:
            waiting.entry.waiting -= 1
        send(host, device, waiting, mac)
