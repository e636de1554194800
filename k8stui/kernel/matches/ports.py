"""tcp, udp, sctp, multiport and icmp: what stands behind the IP header."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from k8stui.kernel.context import PacketContext
from k8stui.kernel.matches.base import MatchGrammar, Option, bang, one_by_one, opaque
from k8stui.kernel.packet import Packet

_LAST_PORT = 65535


class Ports(NamedTuple):
    """A range of ports, both ends included."""

    first: int
    last: int

    @classmethod
    def parse(cls, text: str) -> Ports:
        """Read ``80``, ``80:90``, ``:90`` or ``80:``.

        Raises:
            ValueError: not numbers (service names are not looked up), or out of order.

        """
        first_text, colon, last_text = text.partition(":")
        first = int(first_text) if first_text or not colon else 0
        last = (int(last_text) if last_text else _LAST_PORT) if colon else first
        if not 0 <= first <= last <= _LAST_PORT:
            raise ValueError(f"not a port range: {text}")
        return cls(first, last)

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}:{self.last}"


class PortTest(NamedTuple):
    """``--sport``, ``--dport``, and multiport's ``--sports``, ``--dports``, ``--ports``."""

    option: str
    ranges: tuple[Ports, ...]
    negated: bool = False

    @classmethod
    def build(cls, option: Option) -> PortTest:
        return cls(option.name, (Ports.parse(option.values[0]),), option.negated)

    @classmethod
    def build_list(cls, option: Option) -> PortTest:
        ranges = tuple(Ports.parse(text) for text in option.values[0].split(","))
        return cls(option.name, ranges, option.negated)

    def holds(self, packet: Packet, context: PacketContext) -> bool:  # noqa: ARG002
        dport, sport = packet.dport, packet.sport
        for first, last in self.ranges:
            if (self.option[2] != "s" and first <= dport <= last) or (
                self.option[2] != "d" and first <= sport <= last
            ):
                return not self.negated
        return self.negated

    def __str__(self) -> str:
        return f"{bang(self.negated)}{self.option} {','.join(map(str, self.ranges))}"


_TCP_FLAGS = {"FIN": 1, "SYN": 2, "RST": 4, "PSH": 8, "ACK": 16, "URG": 32}
_TCP_FLAG_WORDS = {**_TCP_FLAGS, "ALL": 63, "NONE": 0}


class TcpFlagsTest(NamedTuple):
    """``--tcp-flags MASK SET``; ``--syn`` is ``FIN,SYN,RST,ACK SYN`` (iptables-extensions(8))."""

    mask: int
    expected: int
    negated: bool = False

    @classmethod
    def build(cls, option: Option) -> TcpFlagsTest:
        if option.name == "--syn":
            return cls(1 | 2 | 4 | 16, 2, option.negated)
        mask, expected = (
            sum({_TCP_FLAG_WORDS[word.upper()] for word in value.split(",")})
            if set(value.upper().split(",")) <= _TCP_FLAG_WORDS.keys()
            else -1
            for value in option.values
        )
        if mask < 0 or expected < 0:
            raise ValueError("not TCP flags")
        return cls(mask, expected, option.negated)

    def holds(self, packet: Packet, context: PacketContext) -> bool:  # noqa: ARG002
        return (packet.flags & self.mask == self.expected) is not self.negated

    def __str__(self) -> str:
        mask, expected = (
            ",".join(name for name, bit in _TCP_FLAGS.items() if value & bit) or "NONE"
            for value in (self.mask, self.expected)
        )
        return f"{bang(self.negated)}--tcp-flags {mask} {expected}"


_ICMP_TYPES = {
    "any": (255, None),
    "echo-reply": (0, None),
    "pong": (0, None),
    "destination-unreachable": (3, None),
    "network-unreachable": (3, 0),
    "host-unreachable": (3, 1),
    "protocol-unreachable": (3, 2),
    "port-unreachable": (3, 3),
    "fragmentation-needed": (3, 4),
    "source-quench": (4, None),
    "redirect": (5, None),
    "echo-request": (8, None),
    "ping": (8, None),
    "router-advertisement": (9, None),
    "router-solicitation": (10, None),
    "time-exceeded": (11, None),
    "ttl-exceeded": (11, None),
    "parameter-problem": (12, None),
    "timestamp-request": (13, None),
    "timestamp-reply": (14, None),
}
_ICMPV6_TYPES = {
    "destination-unreachable": (1, None),
    "no-route": (1, 0),
    "communication-prohibited": (1, 1),
    "address-unreachable": (1, 3),
    "port-unreachable": (1, 4),
    "packet-too-big": (2, None),
    "time-exceeded": (3, None),
    "ttl-exceeded": (3, None),
    "parameter-problem": (4, None),
    "echo-request": (128, None),
    "ping": (128, None),
    "echo-reply": (129, None),
    "pong": (129, None),
    "router-solicitation": (133, None),
    "router-advertisement": (134, None),
    "neighbour-solicitation": (135, None),
    "neighbor-solicitation": (135, None),
    "neighbour-advertisement": (136, None),
    "neighbor-advertisement": (136, None),
    "redirect": (137, None),
}
_ANY_ICMP = 255


class IcmpTest(NamedTuple):
    """``--icmp-type`` or ``--icmpv6-type``: type, and code where one is given."""

    option: str
    type: int
    code: int | None
    negated: bool = False

    @classmethod
    def build(cls, option: Option) -> IcmpTest:
        text = option.values[0].lower()
        names: Mapping[str, tuple[int, int | None]] = (
            _ICMPV6_TYPES if option.name == "--icmpv6-type" else _ICMP_TYPES
        )
        if text in names:
            type_, code = names[text]
        else:
            type_text, slash, code_text = text.partition("/")
            type_, code = int(type_text), int(code_text) if slash else None
        return cls(option.name, type_, code, option.negated)

    @property
    def _any(self) -> bool:
        return self.option == "--icmp-type" and self.type == _ANY_ICMP

    def holds(self, packet: Packet, context: PacketContext) -> bool:  # noqa: ARG002
        hit = self._any or (packet.icmp_type == self.type and self.code in {None, packet.icmp_code})
        return hit is not self.negated

    def __str__(self) -> str:
        code = "" if self.code is None else f"/{self.code}"
        kind = "any" if self._any else f"{self.type}{code}"
        return f"{bang(self.negated)}{self.option} {kind}"


_PORT_ALIASES = {"--source-port": "--sport", "--destination-port": "--dport"}
_PORTS_ONLY = MatchGrammar(
    arity={"--sport": 1, "--dport": 1},
    aliases=_PORT_ALIASES,
    build=one_by_one({"--sport": PortTest.build, "--dport": PortTest.build}),
)


class LengthTest(NamedTuple):
    """``-m length`` (xt_length.c): of the whole IP packet, its header counted."""

    range: Ports
    negated: bool = False

    @classmethod
    def build(cls, option: Option) -> LengthTest:
        return cls(Ports.parse(option.values[0]), option.negated)

    def holds(self, packet: Packet, context: PacketContext) -> bool:  # noqa: ARG002
        first, last = self.range
        return (first <= packet.length_bytes <= last) is not self.negated

    def __str__(self) -> str:
        return f"{bang(self.negated)}--length {self.range}"


GRAMMARS = {
    "length": MatchGrammar(arity={"--length": 1}, build=one_by_one({"--length": LengthTest.build})),
    "tcp": MatchGrammar(
        arity={"--sport": 1, "--dport": 1, "--tcp-option": 1, "--tcp-flags": 2, "--syn": 0},
        aliases=_PORT_ALIASES,
        build=one_by_one(
            {
                "--sport": PortTest.build,
                "--dport": PortTest.build,
                "--tcp-option": opaque,
                "--tcp-flags": TcpFlagsTest.build,
                "--syn": TcpFlagsTest.build,
            }
        ),
    ),
    "udp": _PORTS_ONLY,
    "udplite": _PORTS_ONLY,
    "sctp": MatchGrammar(
        arity={"--sport": 1, "--dport": 1, "--chunk-types": 2},
        aliases=_PORT_ALIASES,
        build=one_by_one(
            {"--sport": PortTest.build, "--dport": PortTest.build, "--chunk-types": opaque}
        ),
    ),
    "multiport": MatchGrammar(
        arity={"--sports": 1, "--dports": 1, "--ports": 1},
        aliases={"--source-ports": "--sports", "--destination-ports": "--dports"},
        build=one_by_one(
            {
                "--sports": PortTest.build_list,
                "--dports": PortTest.build_list,
                "--ports": PortTest.build_list,
            }
        ),
    ),
    "icmp": MatchGrammar(
        arity={"--icmp-type": 1}, build=one_by_one({"--icmp-type": IcmpTest.build})
    ),
    "icmp6": MatchGrammar(
        arity={"--icmpv6-type": 1}, build=one_by_one({"--icmpv6-type": IcmpTest.build})
    ),
}
