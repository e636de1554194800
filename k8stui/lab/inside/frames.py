"""Frames as AF_PACKET gives them → their header fields.

Ethernet II, IPv4 (RFC 791), IPv6 (RFC 8200; of extension headers that of fragments), TCP, UDP,
SCTP, ICMP, ARP (RFC 826), VXLAN (RFC 7348).
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from k8stui.lab.plan import ICMP_ERRORS, Sight

_ARP, _IPV4, _IPV6 = 0x0806, 0x0800, 0x86DD
_ICMP, _TCP, _UDP, _ICMPV6, _SCTP = 1, 6, 17, 58, 132
_ETHERNET_BYTES, _VXLAN_BYTES, _UDP_BYTES = 14, 8, 8
_IPV6_BYTES = 40
_DONT_FRAGMENT = 0x40
_OFFSET = 0x1FFF
_FRAGMENT, _FRAGMENT_BYTES = 44, 8
"""IPv6's fragment header (RFC 8200 4.5)."""
_SYN, _PSH = 2, 8
_CONTROL_BITS = 0xDF
"""All but URG, which nobody sets."""
_TOO_BIG = 2
"""Of ICMPv6."""
_TCP_BYTES = 20
_LAST_OPTION, _NO_OPTION, _MSS_OPTION = 0, 1, b"\2\4"
_ECHO = {_ICMP: frozenset({0, 8}), _ICMPV6: frozenset({128, 129})}
_NOISE = frozenset({130, 131, 132, 133, 134, 137, 143})
"""ICMPv6 that a kernel sends by itself: listener reports, router discovery, and redirects, which
IPv6 has no switch for (RFC 3810, RFC 4861)."""


def parse(frame: bytes, vxlan_ports: Collection[int]) -> Sight | None:
    """The frame's fields; None for what no walk has: noise of the kernel's own, other protocols."""
    if len(frame) < _ETHERNET_BYTES:
        return None
    kind = int.from_bytes(frame[12:14], "big")
    body = frame[_ETHERNET_BYTES:]
    if kind == _ARP:
        found = _arp(body)
    elif kind == _IPV4:
        found = ipv4(body, vxlan_ports)
    elif kind == _IPV6:
        found = ipv6(body, vxlan_ports)
    else:
        return None
    if found is None:
        return None
    if found.inner is None and (found.vni is not None or found.is_error):
        return None  # what it carries or quotes is a further fragment, or noise
    return replace(found, dmac=frame[:6].hex(":"), smac=frame[6:12].hex(":"))


def _arp(body: bytes) -> Sight | None:
    if len(body) < 28:
        return None
    src, dst = socket.inet_ntoa(body[14:18]), socket.inet_ntoa(body[24:28])
    operation = int.from_bytes(body[6:8], "big")
    return Sight(arp=True, src=src, dst=dst, protocol=_ICMP, ttl=0, icmp_type=operation)


def ipv4(body: bytes, vxlan_ports: Collection[int] = ()) -> Sight | None:
    """An IPv4 packet, perhaps cut short."""
    if len(body) < 20 or body[0] >> 4 != 4:
        return None
    if int.from_bytes(body[6:8], "big") & _OFFSET:
        return None  # a further fragment: the walk has the first
    found = Sight(
        src=socket.inet_ntoa(body[12:16]),
        dst=socket.inet_ntoa(body[16:20]),
        protocol=body[9],
        ttl=body[8],
        length=int.from_bytes(body[2:4], "big"),
        dont_fragment=bool(body[6] & _DONT_FRAGMENT),
    )
    return _transport(found, body, (body[0] & 15) * 4, vxlan_ports)


def ipv6(body: bytes, vxlan_ports: Collection[int] = ()) -> Sight | None:
    """An IPv6 packet, perhaps cut short."""
    if len(body) < 40 or body[0] >> 4 != 6:
        return None
    src, dst = (socket.inet_ntop(socket.AF_INET6, body[at : at + 16]) for at in (8, 24))
    protocol, header_bytes = body[6], _IPV6_BYTES
    if protocol == _FRAGMENT and len(body) >= _IPV6_BYTES + _FRAGMENT_BYTES:
        if int.from_bytes(body[42:44], "big") >> 3:
            return None
        protocol, header_bytes = body[_IPV6_BYTES], _IPV6_BYTES + _FRAGMENT_BYTES
    if protocol not in (_TCP, _UDP, _SCTP, _ICMPV6):
        return None
    length = _IPV6_BYTES + int.from_bytes(body[4:6], "big")
    packet = Sight(src=src, dst=dst, protocol=protocol, ttl=body[7], length=length)
    found = _transport(packet, body, header_bytes, vxlan_ports)
    if protocol == _ICMPV6:
        if found.icmp_type in _NOISE:
            return None
        if found.icmp_type in (135, 136):
            # Neighbour discovery is to IPv6 what ARP is to IPv4.
            if len(body) >= 64:
                dst = socket.inet_ntop(socket.AF_INET6, body[48:64])
            kind = found.icmp_type - 134
            return replace(found, arp=True, dst=dst, icmp_type=kind, ttl=0, length=0)
    return found


def _transport(
    found: Sight, packet: bytes, header_bytes: int, vxlan_ports: Collection[int]
) -> Sight:
    body = packet[header_bytes:]
    protocol = found.protocol
    more: dict[str, Any] = {}
    if protocol in (_TCP, _UDP, _SCTP):
        if len(body) >= 4:
            more["sport"], more["dport"] = struct.unpack("!HH", body[:4])
        if protocol == _TCP and len(body) >= 14:
            more["sequence"] = int.from_bytes(body[4:8], "big")
            more["flags"] = body[13] & _CONTROL_BITS
            if header_bytes + (body[12] >> 4) * 4 < found.length:
                # What a kernel cuts into several has it in the last one only (tcp_fragment).
                more["flags"] |= _PSH
            more["mss"] = _mss(body) if body[13] & _SYN else 0
        if protocol == _UDP and more.get("dport") in vxlan_ports:
            more |= _vxlan(body[_UDP_BYTES:], vxlan_ports)
    elif protocol in ICMP_ERRORS and len(body) >= 8:
        more["icmp_type"], more["icmp_code"] = body[0], body[1]
        if (protocol, body[0]) == (_ICMPV6, _TOO_BIG):
            more["mtu"] = int.from_bytes(body[4:8], "big")
        elif (protocol, *body[:2]) == (_ICMP, 3, 4):
            more["mtu"] = int.from_bytes(body[6:8], "big")
        if body[0] in ICMP_ERRORS[protocol]:
            quoted = ipv4 if protocol == _ICMP else ipv6
            more["inner"] = quoted(body[8:], vxlan_ports)
        elif body[0] in _ECHO[protocol]:
            more["sport"] = int.from_bytes(body[4:6], "big")
    return replace(found, **more)


def _mss(segment: bytes) -> int:
    """The option of a SYN (RFC 9293 3.1); 0: it has none, or it is cut off."""
    options = segment[_TCP_BYTES : (segment[12] >> 4) * 4]
    at = 0
    while at < len(options) and options[at] != _LAST_OPTION:
        if options[at : at + 2] == _MSS_OPTION:
            return int.from_bytes(options[at + 2 : at + 4], "big")
        at += 1 if options[at] == _NO_OPTION else max(options[at + 1 : at + 2] or b"\xff")
    return 0


def _vxlan(body: bytes, vxlan_ports: Collection[int]) -> dict[str, Any]:
    if len(body) < _VXLAN_BYTES:
        return {}
    inner = parse(body[_VXLAN_BYTES:], vxlan_ports)
    return {"vni": int.from_bytes(body[4:7], "big"), "inner": inner}
