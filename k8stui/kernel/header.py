"""The header of a frozen packet: changed quickly, turned round, and in words.

`dataclasses.replace` costs 7 µs for a packet of twenty fields and a walk changes a hundred; slot
descriptors do the same copy in about 1.5 µs.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter

from k8stui.kernel.packet import Packet, Protocol, TcpFlags

_NAMES = tuple(Packet.__annotations__)
_values = attrgetter(*_NAMES)
_PUT: dict[str, Callable[[Packet, object], None]] = {
    name: getattr(Packet, name).__set__ for name in _NAMES
}
_PUTS = tuple(_PUT.values())
_new = object.__new__

WITH_PORTS = frozenset({Protocol.TCP, Protocol.UDP, Protocol.SCTP})
"""Protocols whose header begins with a source and a destination port."""
ECHO = frozenset({Protocol.ICMP, Protocol.ICMPV6})
"""Protocols that have an identifier instead, the same in question and answer."""


def changed(packet: Packet, **fields_changed: object) -> Packet:
    """A copy of `packet` with some fields changed; as `dataclasses.replace`."""
    copy = _new(Packet)
    for put, value in zip(_PUTS, _values(packet), strict=True):
        put(copy, value)
    for name, value in fields_changed.items():
        _PUT[name](copy, value)
    return copy


_LONGEST_BYTES = 65535
"""Of an IPv4 packet: lo takes a byte more (IPV4_MAX_PMTU, include/net/ip.h)."""
MSS_HEADERS_BYTES = {4: 40, 6: 60}
"""Headers of IP and TCP without options: what an MSS leaves out of the MTU (RFC 6691)."""
HEADER_BYTES = {4: 20, 6: 40}
"""Of IP, without options."""
_FRAGMENT_HEADER_BYTES = {4: 0, 6: 8}


def first_fragment(packet: Packet, mtu_bytes: int) -> Packet:
    """What a datagram begins with that is sent through less than it takes.

    All fragments but the last carry a multiple of eight bytes; IPv6 tells of them in a header of
    its own (RFC 791 3.2, RFC 8200 4.5; ip_append_data, ip_do_fragment, ip6_fragment). Where the
    first one would not be shorter than the datagram is, it is sent whole.
    """
    whole = packet.whole_bytes or packet.length_bytes
    version = packet.src.version
    header = HEADER_BYTES[version] + _FRAGMENT_HEADER_BYTES[version]
    return changed(
        packet,
        length_bytes=(mtu_bytes - header) // 8 * 8 + header,
        whole_bytes=whole,
        dont_fragment=version == 6,
    )


def fragments(packet: Packet) -> int:
    """Of how many fragments `packet` is the first; 1: it is whole."""
    if not packet.whole_bytes:
        return 1
    header = HEADER_BYTES[packet.src.version]
    each = packet.length_bytes - header - _FRAGMENT_HEADER_BYTES[packet.src.version]
    return -(-(packet.whole_bytes - header) // each)


def segment_back(
    packet: Packet, ttl: int, flags: TcpFlags, length_bytes: int, mss_bytes: int = 0
) -> Packet:
    """A new TCP segment from whom `packet` went to, to whom it came from."""
    return Packet(
        src=packet.dst,
        dst=packet.src,
        protocol=Protocol.TCP,
        sport=packet.dport,
        dport=packet.sport,
        ttl=ttl,
        flags=flags,
        mss_bytes=mss_bytes,
        length_bytes=length_bytes,
    )


def endpoints(packet: Packet) -> str:
    """``10.244.1.2:40000 > 10.96.0.12:80``; without ports for ICMP."""
    if packet.protocol in WITH_PORTS:
        return f"{packet.src.with_port(packet.sport)} > {packet.dst.with_port(packet.dport)}"
    return f"{packet.src} > {packet.dst}"


def mss_of(mtu_bytes: int, version: int) -> int:
    """The MSS that a SYN asks for by a device (ipv4_default_advmss, ip6_default_advmss)."""
    whole = min(mtu_bytes, _LONGEST_BYTES) if version == 4 else mtu_bytes
    return max(whole - MSS_HEADERS_BYTES[version], 0)
