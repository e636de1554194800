"""What a packet meets: steps, their causes, and the forks where chance decides.

A step is one decision in one namespace. It holds the packet before and after, so that a view can
show exactly which header fields changed.
"""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from k8stui.because import Because
from k8stui.kernel.namespace import FdbEntry, Interface, Neighbour, PolicyRule, Route, Socket
from k8stui.kernel.packet import Packet
from k8stui.kernel.rules import Chain, Rule
from k8stui.record import record


class StepKind(StrEnum):
    """The kinds of the JSON contract (docs/json.md)."""

    RESOLVE = "resolve"
    ROUTE = "route"
    RULE = "rule"
    JUMP = "jump"
    DNAT = "dnat"
    SNAT = "snat"
    MARK = "mark"
    CONNTRACK = "conntrack"
    BRIDGE = "bridge"
    ARP = "arp"
    ENCAPSULATE = "encapsulate"
    DECAPSULATE = "decapsulate"
    PROXY = "proxy"
    DELIVER = "deliver"
    DROP = "drop"
    REJECT = "reject"
    UNKNOWN = "unknown"


class Direction(StrEnum):
    """Forward: away from the client (repeats and its ACK too); reply: towards it."""

    FORWARD = "forward"
    REPLY = "reply"


class Hook(StrEnum):
    """netfilter hooks."""

    PREROUTING = "PREROUTING"
    INPUT = "INPUT"
    FORWARD = "FORWARD"
    OUTPUT = "OUTPUT"
    POSTROUTING = "POSTROUTING"


class Met(NamedTuple):
    """An element of a set or map of nftables that a packet was looked up in."""

    name: str
    """Of the set."""
    element: Rule
    """Its text and reason."""
    decides: bool
    """It is a map's, and what it leads to was done."""


@record(kw_only=True)
class RuleCause:
    """A rule decided (or a chain's policy, when `rule` is None)."""

    table: str
    chain: Chain
    index: int
    """1-based place in the chain; 0 for the policy."""
    rule: Rule | None
    skipped: int = 0
    """Rules of this chain looked at since the last match that did not match."""
    met: tuple[Met, ...] = ()
    """Elements of named sets and maps that the rule found, in that order."""
    leads: str = ""
    """Of nftables the chain that the rule, or the element, leads to."""

    @property
    def reason(self) -> Because | None:
        """Of the rule; a map says less of why than the element that was found in it."""
        found = next((one.element.reason for one in reversed(self.met) if one.decides), None)
        return found or (self.rule.reason if self.rule is not None else self.chain.reason)

    @property
    def is_nft(self) -> bool:
        """Whether the table is one of nftables' own: it is called by its family, too."""
        return " " in self.table


@record(kw_only=True)
class RouteCause:
    """A route decided; None: no route matched."""

    route: Route | None
    rule: PolicyRule | None = None
    """The policy rule that led to it, or that refused; None: one of the kernel's own."""


@record(kw_only=True)
class BridgeCause:
    """A bridge decided: an FDB entry, or a flood when `entry` is None."""

    bridge: str
    entry: FdbEntry | None


@record(kw_only=True)
class NeighbourCause:
    """The neighbour table; None: nobody answered."""

    neighbour: Neighbour | None


@record(kw_only=True)
class ConntrackCause:
    """A connection-tracking entry, as conntrack -L prints it."""

    entry: str
    state: str
    """NEW, ESTABLISHED, RELATED, INVALID or UNTRACKED."""
    reason: Because | None = field(default=None, compare=False)
    """Of an entry that stood there before the walk."""


@record(kw_only=True)
class DeviceCause:
    """A device's own state or setting (down, hairpin off, MTU)."""

    interface: Interface


@record(kw_only=True)
class SocketCause:
    """A listening socket; None: nothing listens."""

    socket: Socket | None


@record(kw_only=True)
class SysctlCause:
    """A kernel setting decided."""

    name: str
    value: str
    reason: Because | None = None
    """Where somebody has seen it so."""


@record(kw_only=True)
class UnmodelledCause:
    """A program that is not modelled takes the packet."""

    name: str
    reason: Because


@record(kw_only=True)
class JudgeCause:
    """A program judged the packet by rules of its own."""

    name: str
    reason: Because


Cause = (
    RuleCause
    | RouteCause
    | BridgeCause
    | NeighbourCause
    | ConntrackCause
    | DeviceCause
    | SocketCause
    | SysctlCause
    | UnmodelledCause
    | JudgeCause
)


@record(kw_only=True)
class Step:
    """One decision about one packet in one namespace."""

    kind: StepKind
    namespace: str
    """Key of the Network."""
    direction: Direction
    packet_number: int
    """Which packet of the exchange: 1 the SYN, then each packet that a kernel or socket sends."""
    device: str | None = None
    """The device that the packet is on, or is about to leave by."""
    hook: Hook | None = None
    cause: Cause | None = None
    before: Packet
    after: Packet
    text: str
    """One sentence in the kernel's words: ``10.244.2.0/24 via 192.168.0.12 dev eth0``."""


NO_CHAIN = Chain(name="")
"""That of a fork that is none of rules."""


class Way(NamedTuple):
    """One of the things that chance can come to."""

    place: int | None
    """0-based place of the rule that then matches first; None: none of them does."""
    share: Fraction
    """How often. 1/n where kube-proxy prints rounded decimals."""
    number: int | None = None
    """The (first) number that is then drawn, where one is (nftables' numgen)."""


@record(kw_only=True)
class Fork:
    """Chance decides which rule of a chain matches first: n ways, whose shares sum to 1.

    One rule of ``-m statistic`` has two ways; kube-proxy's 1/n, 1/(n-1), … and whatever comes
    last are one fork of n. Or it decides by which of several next hops a route leads on.
    """

    namespace: str
    table: str = ""
    chain: Chain = NO_CHAIN
    hops: tuple[Route, ...] = ()
    """The next hops, one a way; empty: chance decides about rules."""
    ways: tuple[Way, ...]
    chosen: int = 0
    """Index of the way that was taken in this run; not yet meant while it is asked for."""

    @property
    def way(self) -> Way:
        return self.ways[self.chosen]

    @property
    def hop(self) -> Route | None:
        """The next hop that was taken; None: chance decided about rules."""
        return self.hops[self.chosen] if self.hops else None

    def rule(self, way: int) -> Rule | None:
        """The rule that matches on that way; None: none of those that chance decides about."""
        place = self.ways[way].place
        return None if place is None else self.chain.rules[place]


@record(kw_only=True)
class Capture:
    """A packet as tcpdump would show it on one device."""

    namespace: str
    device: str
    incoming: bool
    """As the device in that namespace sees it."""
    direction: Direction
    arp: bool
    packet: Packet
    time_seconds: float
