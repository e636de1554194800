"""The IP layer: the path of a packet through a namespace, as the kernel walks it.

ip_rcv → PREROUTING → route → INPUT → socket, or → FORWARD → POSTROUTING → neighbour;
__ip_local_out → OUTPUT → POSTROUTING → neighbour.
After net/ipv4/ip_input.c, ip_forward.c, ip_output.c and netfilter.c (ip_route_me_harder).
"""

from __future__ import annotations

from k8stui.kernel import bridge, multipath, neighbour, netfilter
from k8stui.kernel.address import is_multicast
from k8stui.kernel.device import end_unknown, transmit
from k8stui.kernel.fib import LOOPBACK, Ports
from k8stui.kernel.header import changed, fragments
from k8stui.kernel.hooks import HookState
from k8stui.kernel.host import Host
from k8stui.kernel.icmp import TOO_BIG
from k8stui.kernel.link import NO_MAC
from k8stui.kernel.namespace import Interface
from k8stui.kernel.packet import BROADCAST_MAC, Packet, Protocol, group_mac
from k8stui.kernel.routing import Decision, Fate, route_line
from k8stui.kernel.skb import Skb
from k8stui.kernel.step import Cause, DeviceCause, Hook, RouteCause, StepKind, SysctlCause

_ICMP_FOR_ERROR = {
    4: {"ENETUNREACH": (3, 0), "EHOSTUNREACH": (3, 1), "EACCES": (3, 13)},
    6: {"ENETUNREACH": (1, 0), "EHOSTUNREACH": (1, 3), "EACCES": (1, 1)},
}
"""ip_error (net/ipv4/route.c), ip6_pkt_drop. A blackhole (EINVAL) is silent."""
_CUT = (Protocol.UDP, Protocol.ICMP, Protocol.ICMPV6)
_TIME_EXCEEDED = {4: (11, 0), 6: (3, 0)}


def receive(host: Host, device: str, skb: Skb) -> None:
    """An IP packet comes up from a device (ip_rcv)."""
    skb.device = device
    if skb.prerouted:
        skb.prerouted = False
        skb.fragment_bytes = -1 if skb.fragment_bytes else 0
    elif netfilter.run(host, skb, HookState(Hook.PREROUTING, device, None)):
        return
    decision = skb.decision
    if decision is None or device != LOOPBACK:
        decision = multipath.incoming(host, skb.packet, device)
        skb.decision = decision
        if not _explain(host, device, skb, decision):
            return
    elif decision.fate is Fate.LOCAL:
        # Over lo the packet brings the route along that it was sent by.
        skb.decision = decision._replace(incoming=True)
    if decision.fate in (Fate.LOCAL, Fate.BROADCAST):
        _local_deliver(host, device, skb)
    else:
        _forward(host, device, skb, decision)


def _explain(host: Host, device: str, skb: Skb, decision: Decision) -> bool:
    """Write down the routing decision; False when the packet ends by it."""
    journal = host.simulation.journal
    route = decision.route
    cause: Cause | None = RouteCause(route=route, rule=decision.rule)
    fate = decision.fate
    if fate in (Fate.LOCAL, Fate.FORWARD, Fate.BROADCAST):
        text = route_line(route) if route else f"{fate.value} {skb.packet.dst}"
        journal.step(host.name, skb, StepKind.ROUTE, text, cause=cause, device=device)
        return True
    if fate is Fate.ERROR:
        error = decision.error or ""
        text = route_line(route) if route else f"no route to {skb.packet.dst}"
        answer = _ICMP_FOR_ERROR[skb.packet.src.version].get(error)
        if answer and not host.may_tell_of_route(skb.packet.src, fragments(skb.packet)):
            answer = None
            text += "; it has been told too often already"
        if answer is None:
            journal.loss(host.name, skb, text, cause=cause, device=device)
        else:
            journal.step(host.name, skb, StepKind.DROP, text, cause=cause, device=device)
            host.simulation.stack.icmp_error(host, skb, *answer, 0)
        return False
    if fate is Fate.NO_FORWARDING:
        sysctls = host.namespace.sysctls
        of_ipv6 = sysctls.ipv6_forwarding is not None and skb.packet.dst.version == 6
        name = "net.ipv6.conf.all.forwarding" if of_ipv6 else "net.ipv4.ip_forward"
        if not of_ipv6 and sysctls.ip_forward:
            name = f"net.ipv4.conf.{device}.forwarding"
        text = f"{name.rpartition('.')[2]} is 0: this namespace does not route for others"
        told = host.routing.said("forwarding", device) or host.routing.said("ip_forward")
        told = sysctls.reasons.get(name) if of_ipv6 else told
        cause = SysctlCause(name=name, value="0", reason=told)
    elif fate is Fate.RP_FILTER:
        value = host.routing.rp_filter(device)
        text = f"rp_filter {value}: {skb.packet.src} would not be routed back by {device}"
        told = host.routing.said("rp_filter", device)
        cause = SysctlCause(name=f"net.ipv4.conf.{device}.rp_filter", value=str(value), reason=told)
    elif fate is Fate.MARTIAN_SOURCE:
        text = f"martian source: {skb.packet.src} cannot come in on {device}"
    else:
        text = f"martian destination: {skb.packet.dst} cannot come in on {device}"
    journal.loss(host.name, skb, text, cause=cause, device=device)
    return False


def _local_deliver(host: Host, device: str, skb: Skb) -> None:
    skb.put_together()
    blocked = netfilter.run(host, skb, HookState(Hook.INPUT, device, None))
    if blocked:
        bridge.refuse(host, skb, blocked)
        return
    handler = host.simulation.stack.protocols.get(skb.packet.protocol)
    if handler is not None:
        handler(host, skb)


def _forward(host: Host, device: str, skb: Skb, decision: Decision) -> None:
    """Pass the packet on (ip_forward)."""
    packet = skb.packet
    stack = host.simulation.stack
    out = host.interface(decision.device)
    if packet.ttl <= 1:
        host.simulation.journal.step(
            host.name, skb, StepKind.DROP, "the TTL ends here", device=device
        )
        stack.icmp_error(host, skb, *_TIME_EXCEEDED[packet.src.version], 0)
        return
    # ip6_pkt_too_big: of what was put together here, the longest fragment counts.
    longest = skb.fragment_bytes or packet.length_bytes
    fits = _forwards_bytes(host, packet, decision)
    if out and longest > fits and packet.dont_fragment:
        host.simulation.journal.step(
            host.name,
            skb,
            StepKind.DROP,
            _too_long(longest, decision),
            cause=_narrow(out, decision),
            device=out.name,
        )
        stack.icmp_error(host, skb, *TOO_BIG[packet.src.version], fits)
        return
    skb.packet = changed(packet, ttl=packet.ttl - 1)
    blocked = netfilter.run(host, skb, HookState(Hook.FORWARD, device, decision.device))
    if blocked:
        bridge.refuse(host, skb, blocked)
        return
    _output(host, skb, decision)


def _forwards_bytes(host: Host, packet: Packet, decision: Decision) -> int:
    """What may be passed on by a route.

    IPv6 asks the device, unless the route's own MTU is locked: what that does not take is refused
    only when it leaves (ip_dst_mtu_maybe_forward, ip6_dst_mtu_maybe_forward).
    """
    route = decision.route
    if packet.src.version == 6 and route is not None and not route.mtu_locked:
        decision = decision._replace(route=None)
    return host.mtu(decision)


def _too_long(longest: int, decision: Decision) -> str:
    route = decision.route
    if route is not None and route.mtu_bytes:
        return (
            f"{longest} bytes are more than the {route.mtu_bytes} of the route; it may not be cut"
        )
    return f"{longest} bytes do not fit through {decision.device} and may not be cut"


def _narrow(out: Interface, decision: Decision) -> Cause:
    route = decision.route
    if route is not None and route.mtu_bytes:
        return RouteCause(route=route, rule=decision.rule)
    return DeviceCause(interface=out)


def local_out(host: Host, skb: Skb) -> str | None:
    """Send a packet of the node's own by `skb.decision`; the errno of a send that fails.

    __ip_local_out; the second look-up after OUTPUT is ip_route_me_harder.
    """
    decision = skb.decision
    if decision is None:
        return None
    if decision.route is not None and decision.route.mtu_locked and skb.packet.src.version == 4:
        # ip_dont_fragment: with IP_PMTUDISC_WANT, as sockets are, only where the path is looked for
        skb.packet = changed(skb.packet, dont_fragment=False)
    _route_step(host, skb, decision)

    def reroute() -> str | None:
        packet = skb.packet
        again = multipath.outgoing(host, packet.dst, packet.src, packet.mark, Ports.of(packet))
        if again.fate is Fate.ERROR:
            text = f"no way to {packet.dst} from {packet.src} after the change"
            host.simulation.journal.loss(
                host.name,
                skb,
                text,
                cause=RouteCause(route=again.route, rule=again.rule),
                hook=Hook.OUTPUT,
            )
            return again.error
        if again.route is not decision.route:
            _route_step(host, skb, again)
        skb.decision = again
        return None

    blocked = netfilter.run(
        host, skb, HookState(Hook.OUTPUT, None, decision.device, reroute=reroute)
    )
    if blocked:
        bridge.refuse(host, skb, blocked)
        return blocked.errno
    return _output(host, skb, skb.decision or decision, is_own=True)


def _route_step(host: Host, skb: Skb, decision: Decision) -> None:
    route = decision.route
    host.simulation.journal.step(
        host.name,
        skb,
        StepKind.ROUTE,
        route_line(route) if route else f"{decision.fate.value} {skb.packet.dst}",
        cause=RouteCause(route=route, rule=decision.rule),
        device=decision.device,
    )


def _output(host: Host, skb: Skb, decision: Decision, *, is_own: bool = False) -> str | None:
    # ip_output, ip_finish_output2
    route = decision.route
    if route is not None and (route.encap or not decision.device):
        # BusyBox's ip shows no next hops where there are several.
        part = (
            f"encap {route.encap}, of" if route.encap else "where nobody has seen the next hops of"
        )
        what = f"not modelled: {part} the route {route_line(route)}"
        cause = RouteCause(route=route, rule=decision.rule)
        end_unknown(host, skb, what, cause, decision.device)
        return None
    blocked = netfilter.run(host, skb, HookState(Hook.POSTROUTING, None, decision.device))
    if blocked:
        return blocked.errno
    # A bridge that sends it on has nothing to do with the one it may have come in by.
    skb.physical_in = None
    skb.prerouted = False
    if not _fits(host, skb, decision, is_own=is_own):
        return "EMSGSIZE"
    _cut(host, skb, decision, is_own=is_own)
    packet = skb.packet
    if decision.device == LOOPBACK:
        skb.packet = changed(packet, smac=NO_MAC, dmac=NO_MAC)
        transmit(host, LOOPBACK, skb)
    elif is_multicast(packet.dst):
        neighbour.send_framed(host, decision.device, skb, group_mac(packet.dst))
    elif decision.fate is Fate.BROADCAST:
        neighbour.send_framed(host, decision.device, skb, BROADCAST_MAC)
    else:
        neighbour.output(host, decision.device, decision.next_hop or packet.dst, skb)
    return None


def _fits(host: Host, skb: Skb, decision: Decision, *, is_own: bool) -> bool:
    """Whether a packet that may not be cut fits; else its sender is told (ip6_fragment).

    Of the own ones that is a segment which was made for another device than the one where NAT has
    sent it, or what a tunnel sends over IPv6: nobody tells who is in there. Of what is passed on
    IPv6 knows what does not fit further on; IPv4 does not look (ip_dst_mtu_maybe_forward).
    """
    packet, device = skb.packet, decision.device
    out = host.interface(device)
    if out is None:
        return True
    longest, fits = packet.length_bytes, host.mtu(decision)
    is_six = packet.src.version == 6
    if not is_own:
        longest, fits = skb.fragment_bytes or longest, host.path_mtu(packet.dst, fits)
    is_tcp = packet.protocol is Protocol.TCP and packet.dont_fragment
    is_whole = is_tcp or (packet.vni is not None and is_six)
    if longest <= fits or not (is_whole if is_own else is_six):
        return True
    text, cause = _too_long(longest, decision), _narrow(out, decision)
    host.simulation.journal.step(host.name, skb, StepKind.DROP, text, cause=cause, device=device)
    how = TOO_BIG[packet.src.version]
    host.simulation.stack.icmp_error(host, skb, *how, fits)
    return False


def _cut(host: Host, skb: Skb, decision: Decision, *, is_own: bool) -> None:
    """Cut a datagram that is too long for the device, or that came in fragments.

    One of the node's own may have been written for another device, as after DNAT of what was for
    lo. A socket that looks for the path's MTU lets its own host cut all the same (ip_fragment and
    ip6_fragment, skb->ignore_df); of what a tunnel sends IPv4 is cut alone.
    """
    packet, takes = skb.packet, host.mtu(decision)
    is_error = packet.inner is not None and packet.vni is None
    is_cut = packet.protocol in _CUT or not packet.dont_fragment
    if not takes or not is_cut or is_error:
        return
    # ip_skb_dst_mtu: whom it sends itself it sends by what it knows of the whole path.
    mtu_bytes = host.path_mtu(packet.dst, takes) if is_own else takes
    if is_own and packet.length_bytes <= mtu_bytes:
        skb.fragment_bytes = 0
    elif packet.vni is None or packet.src.version == 4:
        skb.cut(mtu_bytes)
