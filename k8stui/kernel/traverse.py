"""One chain of one table sees one packet: which rules match, and what becomes of it.

What netfilter knows besides the header comes in as `PacketContext`, random choices are asked for,
and everything that happened is in the `Traversal`; nothing is changed but `PacketContext.recent`.
Nothing here knows routing or conntrack; what a NAT verdict does to the packet is the caller's
business.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import dropwhile
from typing import assert_never

from k8stui.kernel.address import Address
from k8stui.kernel.compile import CompiledRule, compile_rule
from k8stui.kernel.context import (
    NothingRecent,
    PacketContext,
    RecentLookup,
    SetLookup,
)
from k8stui.kernel.draw import blind, draw
from k8stui.kernel.header import MSS_HEADERS_BYTES
from k8stui.kernel.index import candidates
from k8stui.kernel.packet import Packet
from k8stui.kernel.rules import Chain, Rule, Table
from k8stui.kernel.step import Fork, Hook, RuleCause, StepKind
from k8stui.kernel.targets.base import (
    CopyMark,
    Decide,
    GoOn,
    Jump,
    LowerMss,
    Return,
    SetConnectionMark,
    SetMark,
    Target,
    UnknownTarget,
    Untrack,
)
from k8stui.kernel.verdict import (
    Accept,
    AddressRange,
    CannotEvaluate,
    Dnat,
    Drop,
    Masquerade,
    Netmap,
    PortRange,
    Redirect,
    Reject,
    Snat,
    Verdict,
)
from k8stui.record import record

__all__ = [
    "Accept",
    "AddressRange",
    "CannotEvaluate",
    "Dnat",
    "Drop",
    "Masquerade",
    "MatchedRule",
    "Netmap",
    "NothingRecent",
    "PacketContext",
    "PortRange",
    "RecentLookup",
    "Redirect",
    "Reject",
    "SetLookup",
    "Snat",
    "Traversal",
    "Verdict",
    "traverse",
]


@record()
class MatchedRule:
    """A rule that matched."""

    kind: StepKind
    """RULE (ACCEPT, RETURN, LOG, no target …), JUMP (also goto), MARK (also CONNMARK), DNAT (also
    REDIRECT), SNAT (also MASQUERADE), REJECT, DROP, UNKNOWN."""
    cause: RuleCause
    before: Packet
    after: Packet
    """Only the mark and the MSS can differ: NAT verdicts are carried out by the caller."""


@record(kw_only=True)
class Traversal:
    """What one chain did."""

    verdict: Verdict
    cause: RuleCause | None
    """The rule that gave the verdict, or the policy (`rule` None, `index` 0; `skipped` then counts
    the rules that did not match since the last visit to the chain). None: no such chain."""
    packet: Packet
    """Mark as the chain left it."""
    ct_mark: int
    untracked: bool = False
    """``CT --notrack`` or NOTRACK was met. Not a verdict: the kernel goes on (xt_CT.c)."""
    visits: tuple[MatchedRule, ...] = ()
    """In order, that of `cause` last (a policy has none)."""
    forks: tuple[Fork, ...] = ()
    recent_set: tuple[tuple[str, Address], ...] = ()
    """``-m recent --set``: (list, address) entries written or refreshed on the way."""
    notes: tuple[str, ...] = ()
    """What was assumed: ``-m limit`` taken as not exceeded."""


def traverse(table: Table, chain: str, packet: Packet, context: PacketContext) -> Traversal:
    """Run `packet` through `chain`, jumps and returns included (ip_tables.c ipt_do_table).

    A chain that the table lacks accepts, with no cause: a hook without the table does nothing.
    """
    start = table.chains.get(chain)
    if start is None:
        return Traversal(verdict=Accept(), cause=None, packet=packet, ct_mark=context.ct_mark)
    return _Passage(table, packet, context).run(start)


class _Frame:
    """A chain that the packet is in."""

    __slots__ = ("candidates", "chain", "last", "left", "trail")

    def __init__(self, chain: Chain, packet: Packet, trail: tuple[str, ...]) -> None:
        self.chain = chain
        self.candidates = candidates(chain, packet)
        self.last = -1
        """Place of the last rule that matched."""
        self.left = False
        """Left before its end: the rules behind `last` are not looked at."""
        self.trail = trail
        """Chains that led here, goto included: to meet one of them again is a loop."""

    def leave(self) -> None:
        self.left = True
        self.candidates = iter(())


class _Passage:
    """One packet on its way through one table at one hook."""

    def __init__(self, table: Table, packet: Packet, context: PacketContext) -> None:
        self._table = table
        self._packet = packet
        self._context = context
        self._untracked = False
        self._visits: list[MatchedRule] = []
        self._forks: list[Fork] = []
        self._recent_set: list[tuple[str, Address]] = []
        self._notes: list[str] = []
        self._stack: list[_Frame] = []

    def run(self, start: Chain) -> Traversal:
        self._stack.append(_Frame(start, self._packet, (start.name,)))
        while True:
            frame = self._stack[-1]
            place = next(frame.candidates, None)
            if place is not None:
                ended = self._look(frame, place)
                if ended is not None:
                    return ended
            else:
                self._stack.pop()
                if not self._stack:
                    return self._policy(frame)

    def _look(self, frame: _Frame, place: int) -> Traversal | None:
        """Look at one rule; the end of the passage if it ends here."""
        rule = frame.chain.rules[place]
        compiled = compile_rule(rule.text)
        matched = self._matches(compiled)
        if matched is False:
            return None
        if matched is True and compiled.chances:
            drawn = self._draw(frame, place)
            if drawn is None:
                return None
            place = drawn
            rule = frame.chain.rules[place]
            compiled = compile_rule(rule.text)
        cause = self._cause(frame, place, rule)
        frame.last = place
        if matched is not True:
            return self._cannot(cause, matched)
        self._remember(compiled)
        return self._act(frame, cause, compiled)

    def _cause(self, frame: _Frame, place: int, rule: Rule) -> RuleCause:
        return RuleCause(
            table=self._table.name,
            chain=frame.chain,
            index=place + 1,
            rule=rule,
            skipped=place - frame.last - 1,
        )

    def _matches(self, compiled: CompiledRule) -> bool | str:
        """Whether the rule matches, chance aside; where that cannot be known, what is in the way.

        All that is known is asked first, so that an unknown match in a rule which the packet does
        not meet anyway does no harm; chance is asked last, and only where it decides.
        """
        packet, context = self._packet, self._context
        unknown = ""
        for test in compiled.tests:
            holds = test.holds(packet, context)
            if holds is False:
                return False
            if holds is None:
                unknown = unknown or f"match {test}"
        if unknown:
            stranger = context.stranger
            if stranger and any(pattern in unknown.split() for pattern in stranger.patterns):
                unknown = f"{unknown}: {stranger.said}"
            return False if _changes_nothing(compiled.target) else unknown
        return True

    def _draw(self, frame: _Frame, place: int) -> int | None:
        """From a random rule on: the place of the one that matches first, None if none does."""
        chain, packet = frame.chain, self._packet
        drawn = blind(chain, place)
        if drawn is None:
            rest = dropwhile(lambda other: other < place, candidates(chain, packet))
            drawn = draw(chain, rest, self._matches)
        ways = drawn.ways
        if not ways:
            return None
        fork = Fork(
            namespace=self._context.namespace, table=self._table.name, chain=chain, ways=ways
        )
        if len(ways) > 1:
            fork = replace(fork, chosen=self._context.choose(fork))
            self._forks.append(fork)
        found = fork.way.place
        after = drawn.end if found is None else found + 1
        frame.candidates = dropwhile(lambda other: other < after, candidates(chain, packet))
        return found

    def _act(self, frame: _Frame, cause: RuleCause, compiled: CompiledRule) -> Traversal | None:
        """Do what a rule that matched says; the end of the passage if that ends it."""
        match compiled.target:
            case Decide(verdict):
                if _draws_port(verdict):
                    return self._cannot(cause, f"target {compiled.target}: it draws the port")
                return self._end(self._in_family(verdict), cause)
            case Jump(name):
                return self._jump(frame, cause, name, goto=compiled.goto)
            case Return():
                self._visit(StepKind.RULE, cause)
                frame.leave()
            case SetMark(value, mask):
                self._visit(StepKind.MARK, cause, (self._packet.mark & ~mask) ^ value)
            case SetConnectionMark(value, mask):
                self._connection_mark((self._context.ct_mark & ~mask) ^ value)
                self._visit(StepKind.MARK, cause)
            case CopyMark() as copy:
                self._visit(StepKind.MARK, cause, self._copy_mark(copy))
            case Untrack():
                self._untracked = True
                self._context = replace(self._context, ct_state="UNTRACKED")
                self._visit(StepKind.RULE, cause)
            case LowerMss(mss_bytes):
                return self._lower_mss(cause, mss_bytes)
            case UnknownTarget(text):
                return self._cannot(cause, f"target {text}")
            case GoOn() | None:
                self._visit(StepKind.RULE, cause)
            case _ as unreachable:
                assert_never(unreachable)
        return None

    def _remember(self, compiled: CompiledRule) -> None:
        for recent in compiled.writes:
            recent.write(self._packet, self._context)
            if recent.sets:
                self._recent_set.append((recent.name, recent.entry(self._packet)))
        for assumed in compiled.assumptions:
            if assumed.note not in self._notes:
                self._notes.append(assumed.note)

    def _jump(self, frame: _Frame, cause: RuleCause, name: str, *, goto: bool) -> Traversal | None:
        chain = self._table.chains.get(name)
        if chain is None:
            return self._cannot(cause, f"target {name}: neither known nor a chain of this table")
        if name in frame.trail:
            return self._cannot(cause, f"target {name}: the chains jump in a circle")
        self._visit(StepKind.JUMP, cause)
        if goto and len(self._stack) > 1:
            self._stack.pop()
        elif goto:
            # from a built-in chain: what falls out of the other one meets the built-in's policy
            frame.leave()
        self._stack.append(_Frame(chain, self._packet, (*frame.trail, name)))
        return None

    def _lower_mss(self, cause: RuleCause, mss_bytes: int | None) -> Traversal | None:
        """TCPMSS never makes it larger (xt_TCPMSS.c tcpmss_mangle_packet)."""
        packet = self._packet
        if mss_bytes is None:
            if self._context.path_mtu is None:
                return self._cannot(cause, "target TCPMSS: the MTU of the path is not known")
            headers = MSS_HEADERS_BYTES[packet.dst.version]
            mss_bytes = self._context.path_mtu(packet) - headers
            if mss_bytes <= 0:
                return self._end(Drop(), cause)
        self._visit(StepKind.RULE, cause)
        if packet.mss_bytes > mss_bytes:
            self._packet = replace(packet, mss_bytes=mss_bytes)
            self._visits[-1] = replace(self._visits[-1], after=self._packet)
        return None

    def _copy_mark(self, copy: CopyMark) -> int:
        """CONNMARK --save-mark or --restore-mark: the packet's mark afterwards."""
        mark, connection = self._packet.mark, self._context.ct_mark
        if self._context.ct_state in {"INVALID", "UNTRACKED"}:
            return mark
        if copy.save:
            self._connection_mark((connection & ~copy.connection_mask) ^ (mark & copy.packet_mask))
            return mark
        return (mark & ~copy.packet_mask) ^ (connection & copy.connection_mask)

    def _connection_mark(self, mark: int) -> None:
        if self._context.ct_state not in {"INVALID", "UNTRACKED"}:
            self._context = replace(self._context, ct_mark=mark & 0xFFFFFFFF)

    def _visit(self, kind: StepKind, cause: RuleCause, mark: int | None = None) -> None:
        before = self._packet
        if mark is not None and mark & 0xFFFFFFFF != before.mark:
            self._packet = replace(before, mark=mark & 0xFFFFFFFF)
        self._visits.append(MatchedRule(kind, cause, before, self._packet))

    def _in_family(self, verdict: Verdict) -> Verdict:
        """A bare REJECT has the family's own default (libip6t_REJECT.c)."""
        if (
            isinstance(verdict, Reject)
            and self._packet.dst.version == 6
            and verdict.with_.startswith("icmp-")
        ):
            return Reject("icmp6-port-unreachable")
        return verdict

    def _cannot(self, cause: RuleCause, what: str) -> Traversal:
        return self._end(CannotEvaluate(cause, what), cause)

    def _policy(self, frame: _Frame) -> Traversal:
        skipped = 0 if frame.left else len(frame.chain.rules) - frame.last - 1
        cause = RuleCause(
            table=self._table.name, chain=frame.chain, index=0, rule=None, skipped=skipped
        )
        return self._result(Drop() if frame.chain.policy == "DROP" else Accept(), cause)

    def _end(self, verdict: Verdict, cause: RuleCause) -> Traversal:
        self._visit(_kind(verdict, self._context.hook), cause)
        return self._result(verdict, cause)

    def _result(self, verdict: Verdict, cause: RuleCause) -> Traversal:
        return Traversal(
            verdict=verdict,
            cause=cause,
            packet=self._packet,
            ct_mark=self._context.ct_mark,
            untracked=self._untracked,
            visits=tuple(self._visits),
            forks=tuple(self._forks),
            recent_set=tuple(self._recent_set),
            notes=tuple(self._notes),
        )


def _changes_nothing(target: Target | None) -> bool:
    """Whether a rule may as well not be there, so that it need not be understood."""
    return target is None or isinstance(target, GoOn | LowerMss)


def _draws_port(verdict: Verdict) -> bool:
    """Whether the kernel draws lots for the port that is asked (DNAT or REDIRECT --random)."""
    if not isinstance(verdict, (Dnat, Redirect)) or not verdict.random or verdict.ports is None:
        return False
    # A base port fixes it (nf_nat_l4proto_unique_tuple: NF_NAT_RANGE_PROTO_OFFSET comes first).
    is_fixed = isinstance(verdict, Dnat) and verdict.base_port is not None
    return not is_fixed and verdict.ports[0] != verdict.ports[1]


def _kind(verdict: Verdict, hook: Hook) -> StepKind:
    match verdict:
        case Accept():
            return StepKind.RULE
        case Drop():
            return StepKind.DROP
        case Reject():
            return StepKind.REJECT
        case Dnat() | Redirect():
            return StepKind.DNAT
        case Snat() | Masquerade():
            return StepKind.SNAT
        case Netmap():
            return StepKind.SNAT if hook in {Hook.POSTROUTING, Hook.INPUT} else StepKind.DNAT
        case CannotEvaluate():
            return StepKind.UNKNOWN
    assert_never(verdict)
