"""Whether a port is really one of UDP or SCTP, though its container says nothing of that.

A ``containerPort`` without ``protocol`` is filled in with TCP, and nobody ever looks at it: the
process behind a syslog or DNS server listens on UDP all the same. What the Service, the workload or
the image are called tells, and so do the ports that IANA's registry gives to such protocols.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from k8stui.kernel.packet import Protocol

_WORDS = {
    Protocol.UDP: re.compile(
        r"udp|(?<![a-z])(?:k?dns|coredns|syslog|quic|http-?3|statsd|snmp|ntp|tftp|wireguard|wg"
        r"|openvpn|radius|sip|rtp|stun|turn|netflow|sflow|ipfix|gelf|coap|dtls|mdns|dhcp|vxlan"
        r"|geneve|gtp|collectd)(?![a-z])"
    ),
    Protocol.SCTP: re.compile(r"sctp|(?<![a-z])(?:ngap|s1ap|x2ap|diameter)(?![a-z])"),
}
_PORTS = {
    Protocol.TCP: frozenset({53}),
    Protocol.UDP: frozenset(
        {53, 67, 68, 69, 123, 137, 138, 161, 162, 500, 514, 520, 1194, 1701, 1812, 1813, 2055, 3478}
        | {4500, 4739, 4789, 5060, 5353, 6081, 6343, 6831, 6832, 8125, 8472, 12201, 25826, 51820}
    ),
    Protocol.SCTP: frozenset({2905, 36412, 36422, 38412}),
}
"""Numbers of which everybody knows the transport (IANA; statsd, flannel, jaeger, WireGuard)."""


def speaks_for(protocol: Protocol, names: Iterable[str], numbers: Iterable[int]) -> bool:
    """Whether something is called as what uses `protocol`, or has one of its known numbers."""
    word = _WORDS.get(protocol)
    return not _PORTS.get(protocol, frozenset()).isdisjoint(numbers) or (
        word is not None and any(word.search(name.lower()) for name in names)
    )
