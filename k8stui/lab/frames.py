"""Frames as AF_PACKET gives them → their header fields.

Ethernet II, IPv4 (RFC 791), IPv6 (RFC 8200, without extension headers), TCP, UDP, SCTP, ICMP, ARP
(RFC 826), VXLAN (RFC 7348).
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Collection

from k8stui.lab.plan import Frame

_ARP, _IPV4, _IPV6 = 0x0806, 0x0800, 0x86DD
_ICMP, _TCP, _UDP, _ICMPV6, _SCTP = 1, 6, 17, 58, 132
_ETHERNET_BYTES, _VXLAN_BYTES, _UDP_BYTES = 14, 8, 8
_IPV6_BYTES = 40
_DONT_FRAGMENT = 0x40
_SYN, _PSH = 2, 8
_TOO_BIG = 2
"""Of ICMPv6."""
_TCP_BYTES = 20
_LAST_OPTION, _NO_OPTION, _MSS_OPTION = 0, 1, b"\2\4"
_ERRORS = {_ICMP: frozenset({3, 4, 5, 11, 12}), _ICMPV6: frozenset(range(128))}
_ECHO = {_ICMP: frozenset({0, 8}), _ICMPV6: frozenset({128, 129})}
_NOISE = frozenset({130, 131, 132, 133, 134, 137, 143})
"""ICMPv6 that a kernel sends by itself: listener reports, router discovery, and redirects, which
IPv6 has no switch for (RFC 3810, RFC 4861)."""


def parse(frame: bytes, vxlan_ports: Collection[int]) -> Frame | None:
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
    if found is not None:
        found["dmac"], found["smac"] = frame[:6].hex(":"), frame[6:12].hex(":")
    return found


def _empty(src: str, dst: str, protocol: int, ttl: int) -> Frame:
    return Frame(
        space="", device="", incoming=False, time_ns=0, arp=False, src=src, dst=dst,
        protocol=protocol, sport=0, dport=0, ttl=ttl, smac="", dmac="", flags=0,
        icmp_type=0, icmp_code=0, vni=-1, length=0, dont_fragment=True, mss=0, mtu=0, inner=None,
    )  # fmt: skip


def _arp(body: bytes) -> Frame | None:
    if len(body) < 28:
        return None
    found = _empty(socket.inet_ntoa(body[14:18]), socket.inet_ntoa(body[24:28]), _ICMP, 0)
    found["arp"], found["icmp_type"] = True, int.from_bytes(body[6:8], "big")
    return found


def ipv4(body: bytes, vxlan_ports: Collection[int] = ()) -> Frame | None:
    """An IPv4 packet, perhaps cut short."""
    if len(body) < 20 or body[0] >> 4 != 4:
        return None
    src, dst = socket.inet_ntoa(body[12:16]), socket.inet_ntoa(body[16:20])
    found = _empty(src, dst, body[9], body[8])
    found["length"] = int.from_bytes(body[2:4], "big")
    found["dont_fragment"] = bool(body[6] & _DONT_FRAGMENT)
    return _transport(found, body, (body[0] & 15) * 4, vxlan_ports)


def ipv6(body: bytes, vxlan_ports: Collection[int] = ()) -> Frame | None:
    """An IPv6 packet, perhaps cut short."""
    if len(body) < 40 or body[0] >> 4 != 6:
        return None
    src, dst = (socket.inet_ntop(socket.AF_INET6, body[at : at + 16]) for at in (8, 24))
    protocol = body[6]
    if protocol not in (_TCP, _UDP, _SCTP, _ICMPV6):
        return None
    packet = _empty(src, dst, protocol, body[7])
    packet["length"] = _IPV6_BYTES + int.from_bytes(body[4:6], "big")
    found = _transport(packet, body, _IPV6_BYTES, vxlan_ports)
    if found is not None and protocol == _ICMPV6:
        if found["icmp_type"] in _NOISE:
            return None
        if found["icmp_type"] in (135, 136):
            # Neighbour discovery is to IPv6 what ARP is to IPv4.
            found["arp"], found["icmp_type"] = True, found["icmp_type"] - 134
            found["ttl"] = found["length"] = 0
            if len(body) >= 64:
                found["dst"] = socket.inet_ntop(socket.AF_INET6, body[48:64])
    return found


def _transport(
    found: Frame, packet: bytes, header_bytes: int, vxlan_ports: Collection[int]
) -> Frame | None:
    body = packet[header_bytes:]
    protocol = found["protocol"]
    if protocol in (_TCP, _UDP, _SCTP):
        if len(body) >= 4:
            found["sport"], found["dport"] = struct.unpack("!HH", body[:4])
        if protocol == _TCP and len(body) >= 14:
            found["flags"] = body[13] & 0x1F
            if header_bytes + (body[12] >> 4) * 4 < found["length"]:
                # What a kernel cuts into several has it in the last one only (tcp_fragment).
                found["flags"] |= _PSH
            found["mss"] = _mss(body) if body[13] & _SYN else 0
        if protocol == _UDP and found["dport"] in vxlan_ports:
            _vxlan(found, body[_UDP_BYTES:], vxlan_ports)
    elif protocol in _ERRORS and len(body) >= 8:
        found["icmp_type"], found["icmp_code"] = body[0], body[1]
        if (protocol, body[0]) == (_ICMPV6, _TOO_BIG):
            found["mtu"] = int.from_bytes(body[4:8], "big")
        elif (protocol, *body[:2]) == (_ICMP, 3, 4):
            found["mtu"] = int.from_bytes(body[6:8], "big")
        if body[0] in _ERRORS[protocol]:
            quoted = ipv4 if protocol == _ICMP else ipv6
            found["inner"] = quoted(body[8:], vxlan_ports)
        elif body[0] in _ECHO[protocol]:
            found["sport"] = int.from_bytes(body[4:6], "big")
    return found


def _mss(segment: bytes) -> int:
    """The option of a SYN (RFC 9293 3.1); 0: it has none, or it is cut off."""
    options = segment[_TCP_BYTES : (segment[12] >> 4) * 4]
    at = 0
    while at < len(options) and options[at] != _LAST_OPTION:
        if options[at : at + 2] == _MSS_OPTION:
            return int.from_bytes(options[at + 2 : at + 4], "big")
        at += 1 if options[at] == _NO_OPTION else max(options[at + 1 : at + 2] or b"\xff")
    return 0


def _vxlan(found: Frame, body: bytes, vxlan_ports: Collection[int]) -> None:
    if len(body) >= _VXLAN_BYTES:
        found["vni"] = int.from_bytes(body[4:7], "big")
        found["inner"] = parse(body[_VXLAN_BYTES:], vxlan_ports)
