"""ICMP: errors a kernel sends, what they mean to a socket, echo, and REJECT.

After net/ipv4/icmp.c (__icmp_send, icmp_err_convert), net/ipv4/netfilter/nf_reject_ipv4.c and
docs/facts/outcomes.md, section 1.
"""

from __future__ import annotations

from k8stui.kernel import multipath
from k8stui.kernel.address import Address, is_link_local
from k8stui.kernel.address_routes import own_link_local
from k8stui.kernel.conntrack import CtState, is_icmp_error
from k8stui.kernel.device import transmit
from k8stui.kernel.fib import Ports
from k8stui.kernel.header import changed, segment_back
from k8stui.kernel.host import Host
from k8stui.kernel.packet import NO_FLAGS, Packet, Protocol, TcpFlags, is_group_mac
from k8stui.kernel.routing import Fate
from k8stui.kernel.skb import Skb

ECHO_REQUEST = {4: (Protocol.ICMP, 8), 6: (Protocol.ICMPV6, 128)}
ECHO_REPLY = {4: (Protocol.ICMP, 0), 6: (Protocol.ICMPV6, 129)}
PORT_UNREACHABLE = {4: (3, 3), 6: (1, 4)}
PROTOCOL_UNREACHABLE = {4: (3, 2), 6: (1, 4)}

REJECT_WITH: dict[str, tuple[int, int]] = {
    "icmp-net-unreachable": (3, 0),
    "icmp-host-unreachable": (3, 1),
    "icmp-proto-unreachable": (3, 2),
    "icmp-port-unreachable": (3, 3),
    "icmp-net-prohibited": (3, 9),
    "icmp-host-prohibited": (3, 10),
    "icmp-admin-prohibited": (3, 13),
    "icmp6-no-route": (1, 0),
    "icmp6-adm-prohibited": (1, 1),
    "icmp6-addr-unreachable": (1, 3),
    "icmp6-port-unreachable": (1, 4),
    "icmp6-policy-fail": (1, 5),
    "icmp6-reject-route": (1, 6),
}
"""``--reject-with`` → type and code (iptables-extensions(8))."""

_TCP_ERRNO = {
    (4, 3, 0): "ENETUNREACH",
    (4, 3, 1): "EHOSTUNREACH",
    (4, 3, 2): "ENOPROTOOPT",
    (4, 3, 3): "ECONNREFUSED",
    (4, 3, 9): "ENETUNREACH",
    (4, 3, 10): "EHOSTUNREACH",
    (4, 3, 13): "EHOSTUNREACH",
    (4, 11, 0): "EHOSTUNREACH",
    (6, 1, 0): "ENETUNREACH",
    (6, 1, 1): "EACCES",
    (6, 1, 3): "EHOSTUNREACH",
    (6, 1, 4): "ECONNREFUSED",
    (6, 1, 5): "EACCES",
    (6, 1, 6): "EACCES",
    (6, 3, 0): "EHOSTUNREACH",
}
"""connect() of a TCP socket, by IP version, type and code."""
_UDP_ERRNO = {
    (4, 3, 2): "ENOPROTOOPT",
    (4, 3, 3): "ECONNREFUSED",
    (4, 3, 4): "EMSGSIZE",
    (4, 3, 9): "ENETUNREACH",
    (4, 3, 10): "EHOSTUNREACH",
    (4, 3, 13): "EHOSTUNREACH",
    (6, 1, 1): "EACCES",
    (6, 1, 4): "ECONNREFUSED",
    (6, 2, 0): "EMSGSIZE",
}
"""A connected UDP socket hears only hard errors; net and host unreachable are not. What is too big
is one unless the socket cares for no MTU (__udp4_lib_err, __udp6_lib_err)."""

_ECHO_ERRNO = _TCP_ERRNO | {(4, 3, 4): "EMSGSIZE", (6, 2, 0): "EMSGSIZE"}
"""ping tells every error that comes back (iputils ping/ping.c pr_icmph)."""
_ERRNO = {
    Protocol.UDP: _UDP_ERRNO,
    Protocol.ICMP: _ECHO_ERRNO,
    Protocol.ICMPV6: _ECHO_ERRNO,
}
TOO_BIG = {4: (3, 4), 6: (2, 0)}
"""Type and code of the error that tells what fits, by IP version (RFC 1191, RFC 4443 3.2)."""
ICMP_OF = {4: Protocol.ICMP, 6: Protocol.ICMPV6}
_ERROR_BYTES = {4: 28, 6: 48}
_QUOTED_BYTES = {4: 576, 6: 1280}


def errno_of(protocol: Protocol, version: int, kind: int, code: int) -> str | None:
    """The errno that an ICMP error becomes; None: the socket feels nothing."""
    table = _ERRNO.get(protocol, _TCP_ERRNO)
    return table.get((version, kind, code))


def send_error(host: Host, skb: Skb, kind: int, code: int, mtu_bytes: int = 0) -> None:
    """Tell the sender of a packet that it ended (icmp_send).

    Never about an ICMP error, and never about what is sent to several. The source address is the
    one that was asked when it is this node's own, else the one by which the way back leaves.
    """
    packet = skb.packet
    if is_icmp_error(packet) or is_group_mac(packet.dmac):
        return
    version = packet.src.version
    decision = skb.decision
    is_own = decision is not None and decision.incoming and decision.fate is Fate.LOCAL
    if version == 6 and is_own:
        is_own = _has_address(host, packet.dst, skb.device)
    own = packet.dst if is_own else None
    way = multipath.outgoing(host, packet.src, own, ports=Ports(ICMP_OF[version]))
    if way.fate is Fate.ERROR or way.source is None:
        return
    source = way.source
    told = way.route.source if way.route else None
    came_by = skb.entered or skb.device
    if version == 6 and not is_own and told is None and way.fate is Fate.FORWARD and came_by:
        # icmp6_send: "a more meaningful saddr from input if"
        source = host.routing.nearest(came_by, packet.src) or source
    quoted = changed(packet, smac="", dmac="", mark=0)
    length = min(_QUOTED_BYTES[version], _ERROR_BYTES[version] + packet.length_bytes)
    error = Packet(
        src=source,
        dst=packet.src,
        protocol=ICMP_OF[version],
        ttl=host.namespace.sysctls.ip_default_ttl,
        icmp_type=kind,
        icmp_code=code,
        mtu_bytes=mtu_bytes,
        inner=quoted,
        length_bytes=length,
        dont_fragment=version == 6,
    )
    answer = Skb(error, host.simulation.journal.number(), skb.back)
    answer.decision = way
    answer.decided = host.simulation.journal.last()
    _attach(answer, skb)
    host.simulation.stack.local_out(host, answer)


def _has_address(host: Host, address: Address, device: str | None) -> bool:
    """Whether an IPv6 address is a device's, a link-local one of this very device (ipv6_chk_addr).

    What only a route calls local is none.
    """
    if is_link_local(address):
        own = host.interface(device or "")
        return own is not None and address in (
            own_link_local(own),
            *(one.address for one in own.addresses),
        )
    devices = host.namespace.interfaces
    return any(one.address == address for each in devices for one in each.addresses)


def _attach(answer: Skb, skb: Skb) -> None:
    # nf_ct_attach: what REJECT sends belongs to the rejected packet's connection.
    if skb.entry is not None:
        answer.entry = skb.entry
        answer.ct_state = CtState.RELATED
        answer.ct_reply = not skb.ct_reply


def reject(host: Host, skb: Skb, with_: str) -> None:
    """Carry out ``-j REJECT --reject-with`` (nf_send_unreach, nf_send_reset)."""
    if with_ == "tcp-reset":
        _reset(host, skb)
        return
    kind, code = REJECT_WITH.get(with_, (3, 3))
    send_error(host, skb, kind, code)


def reset_for(packet: Packet, ttl: int) -> Packet:
    """The RST that answers a segment (tcp_v4_send_reset)."""
    is_acknowledging = bool(packet.flags & TcpFlags.ACK)
    # A segment that acknowledges is answered by its own number, without ACK (RFC 9293 3.5.2).
    flags = TcpFlags.RST | (NO_FLAGS if is_acknowledging else TcpFlags.ACK)
    return segment_back(packet, ttl, flags, 40 if packet.src.version == 4 else 60)


def _reset(host: Host, skb: Skb) -> None:
    packet = skb.packet
    if packet.protocol is not Protocol.TCP or packet.flags & TcpFlags.RST:
        return
    rst = reset_for(packet, host.namespace.sysctls.ip_default_ttl)
    answer = Skb(rst, host.simulation.journal.number(), skb.back)
    answer.decided = host.simulation.journal.last()
    if skb.entry is not None:
        # nf_ct_set_closing
        skb.entry.enter("CLOSE", host.simulation.events.now)
    if skb.physical_in is not None:
        # What came by a bridge port is answered on that port at once, past all hooks: so the RST
        # of a DNATed connection keeps the wrong source address (nf_send_reset).
        answer.packet = changed(rst, smac=packet.dmac, dmac=packet.smac)
        transmit(host, skb.physical_in, answer)
        return
    way = multipath.outgoing(host, packet.src, packet.dst, ports=Ports.of(rst))
    if way.fate is Fate.ERROR:
        return
    answer.decision = way
    _attach(answer, skb)
    host.simulation.stack.local_out(host, answer)
