"""conntrack, state, mark and connmark: what netfilter remembers of a packet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from k8stui.kernel.context import PacketContext
from k8stui.kernel.matches.base import MatchGrammar, Option, Test, bang, one_by_one, opaque
from k8stui.kernel.matches.header import Network, ProtocolTest
from k8stui.kernel.matches.ports import Ports
from k8stui.kernel.packet import Packet

_STATES = ("INVALID", "NEW", "RELATED", "ESTABLISHED", "UNTRACKED", "SNAT", "DNAT")
"""In the order in which iptables-save prints them (libxt_conntrack.c conntrack_print_state)."""

_NO_CONNECTION = {"INVALID", "UNTRACKED"}
"""States of a packet that has no conntrack entry."""


class StateTest(NamedTuple):
    """``--ctstate`` and ``--state`` (xt_conntrack.c conntrack_mt, xt_state.c state_mt)."""

    option: str
    states: frozenset[str]
    negated: bool = False

    @classmethod
    def build(cls, option: Option) -> StateTest:
        states = frozenset(option.values[0].upper().split(","))
        if not states <= set(_STATES):
            raise ValueError(f"not a connection state: {option.values[0]}")
        return cls(option.name, states, option.negated)

    def holds(self, packet: Packet, context: PacketContext) -> bool:  # noqa: ARG002
        states = self.states
        hit = context.ct_state in states
        if not hit and context.ct_state not in _NO_CONNECTION:
            hit = (context.ct_dnat and "DNAT" in states) or (context.ct_snat and "SNAT" in states)
        return hit is not self.negated

    def __str__(self) -> str:
        states = ",".join(state for state in _STATES if state in self.states)
        return f"{bang(self.negated)}{self.option} {states}"


class OriginalAddressTest(NamedTuple):
    """``--ctorigsrc``, ``--ctorigdst``: the connection's first packet before any NAT."""

    option: str
    network: Network
    negated: bool = False

    @classmethod
    def build(cls, option: Option) -> OriginalAddressTest:
        return cls(option.name, Network.parse(option.values[0]), option.negated)

    def holds(self, packet: Packet, context: PacketContext) -> bool:
        if context.ct_state in _NO_CONNECTION:
            return False
        original = context.original or packet
        address = original.src if self.option == "--ctorigsrc" else original.dst
        return self.network.has(address) is not self.negated

    def __str__(self) -> str:
        text = str(self.network).removesuffix("/32" if self.network.version == 4 else "/128")
        return f"{bang(self.negated)}{self.option} {text}"


class OriginalPortTest(NamedTuple):
    """``--ctorigsrcport``, ``--ctorigdstport``."""

    option: str
    ports: Ports
    negated: bool = False

    @classmethod
    def build(cls, option: Option) -> OriginalPortTest:
        return cls(option.name, Ports.parse(option.values[0]), option.negated)

    def holds(self, packet: Packet, context: PacketContext) -> bool:
        if context.ct_state in _NO_CONNECTION:
            return False
        original = context.original or packet
        port = original.sport if self.option == "--ctorigsrcport" else original.dport
        return (self.ports.first <= port <= self.ports.last) is not self.negated

    def __str__(self) -> str:
        return f"{bang(self.negated)}{self.option} {self.ports}"


class ConnectionProtocolTest(NamedTuple):
    """``--ctproto``."""

    protocol: ProtocolTest

    @classmethod
    def build(cls, option: Option) -> ConnectionProtocolTest:
        return cls(ProtocolTest.build(option))

    def holds(self, packet: Packet, context: PacketContext) -> bool:
        if context.ct_state in _NO_CONNECTION:
            return False
        return self.protocol.holds(context.original or packet, context)

    def __str__(self) -> str:
        return f"{bang(self.protocol.negated)}--ctproto {self.protocol.name}"


class ConnectionDirectionTest(NamedTuple):
    """``--ctdir ORIGINAL`` or ``REPLY``."""

    reply: bool
    negated: bool = False

    @classmethod
    def build(cls, option: Option) -> ConnectionDirectionTest:
        if option.values[0] not in {"ORIGINAL", "REPLY"}:
            raise ValueError(f"not a direction: {option.values[0]}")
        return cls(option.values[0] == "REPLY", option.negated)

    def holds(self, packet: Packet, context: PacketContext) -> bool:  # noqa: ARG002
        if context.ct_state in _NO_CONNECTION:
            return False
        return (context.ct_reply is self.reply) is not self.negated

    def __str__(self) -> str:
        # libxt_conntrack.c prints the direction itself, a negation is folded into it
        reply = self.reply is not self.negated
        return f"--ctdir {'REPLY' if reply else 'ORIGINAL'}"


def masked(text: str) -> tuple[int, int]:
    """Read ``VALUE[/MASK]`` of a mark, any C notation; the mask defaults to all 32 bits.

    Raises:
        ValueError: not two 32-bit numbers.

    """
    value_text, slash, mask_text = text.partition("/")
    value, mask = int(value_text, 0), int(mask_text, 0) if slash else 0xFFFFFFFF
    if not (0 <= value <= 0xFFFFFFFF and 0 <= mask <= 0xFFFFFFFF):
        raise ValueError(f"not a mark: {text}")
    return value, mask


class MarkTest(NamedTuple):
    """``--mark VALUE/MASK`` of ``-m mark`` or, with `connection`, of ``-m connmark``."""

    connection: bool
    value: int
    mask: int
    negated: bool = False

    @classmethod
    def build_packet(cls, option: Option) -> MarkTest:
        return cls(False, *masked(option.values[0]), option.negated)

    @classmethod
    def build_connection(cls, option: Option) -> MarkTest:
        return cls(True, *masked(option.values[0]), option.negated)

    def holds(self, packet: Packet, context: PacketContext) -> bool:
        if self.connection and context.ct_state in _NO_CONNECTION:
            return False
        mark = context.ct_mark if self.connection else packet.mark
        return (mark & self.mask == self.value) is not self.negated

    def __str__(self) -> str:
        mask = "" if self.mask == 0xFFFFFFFF else f"/{self.mask:#x}"
        return f"{bang(self.negated)}--mark {self.value:#x}{mask}"


_CONNTRACK: Mapping[str, Callable[[Option], Test]] = {
    "--ctstate": StateTest.build,
    "--ctproto": ConnectionProtocolTest.build,
    "--ctorigsrc": OriginalAddressTest.build,
    "--ctorigdst": OriginalAddressTest.build,
    "--ctreplsrc": opaque,
    "--ctrepldst": opaque,
    "--ctorigsrcport": OriginalPortTest.build,
    "--ctorigdstport": OriginalPortTest.build,
    "--ctreplsrcport": opaque,
    "--ctrepldstport": opaque,
    "--ctstatus": opaque,
    "--ctexpire": opaque,
    "--ctdir": ConnectionDirectionTest.build,
}
"""In the order of libxt_conntrack.c conntrack_dump."""

GRAMMARS = {
    "conntrack": MatchGrammar(arity=dict.fromkeys(_CONNTRACK, 1), build=one_by_one(_CONNTRACK)),
    "state": MatchGrammar(arity={"--state": 1}, build=one_by_one({"--state": StateTest.build})),
    "mark": MatchGrammar(arity={"--mark": 1}, build=one_by_one({"--mark": MarkTest.build_packet})),
    "connmark": MatchGrammar(
        arity={"--mark": 1}, build=one_by_one({"--mark": MarkTest.build_connection})
    ),
}
