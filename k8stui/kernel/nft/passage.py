"""One packet on its way through one base chain: what it is now, and what was met so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NoReturn

from k8stui.kernel.context import PacketContext
from k8stui.kernel.nft.element import Found
from k8stui.kernel.nft.errors import UnknownError
from k8stui.kernel.nft.index import Finds
from k8stui.kernel.nft.verdict import Said
from k8stui.kernel.nft_ruleset import NftSet, NftTable
from k8stui.kernel.packet import Packet
from k8stui.kernel.rules import Rule
from k8stui.kernel.step import Fork, Met, RuleCause, StepKind, Way
from k8stui.kernel.traverse import MatchedRule, Traversal
from k8stui.kernel.verdict import (
    CannotEvaluate,
    Dnat,
    Drop,
    Masquerade,
    Netmap,
    Redirect,
    Reject,
    Snat,
    Verdict,
)

_KINDS: Mapping[type, StepKind] = {
    Drop: StepKind.DROP,
    Reject: StepKind.REJECT,
    Dnat: StepKind.DNAT,
    Redirect: StepKind.DNAT,
    Netmap: StepKind.DNAT,
    Snat: StepKind.SNAT,
    Masquerade: StepKind.SNAT,
    CannotEvaluate: StepKind.UNKNOWN,
}
_NOWHERE = frozenset({"INVALID", "UNTRACKED"})
"""States of a packet that belongs to no connection."""


class Ended(Exception):  # noqa: N818 - no error
    """The passage is over."""

    def __init__(self, result: Traversal) -> None:
        self.result = result


class Led(Exception):  # noqa: N818 - no error
    """The rule ends with a verdict that stays in the table: return, jump, goto."""

    def __init__(self, said: Said) -> None:
        self.said = said


class Passage:
    """What the statements and expressions of the rules ask, and change."""

    def __init__(
        self,
        table: NftTable,
        packet: Packet,
        context: PacketContext,
        index_of: Callable[[NftSet], Finds[Found]],
    ) -> None:
        self.table = table
        self.packet = packet
        self.context = context
        self._index_of = index_of
        self._cause: RuleCause | None = None
        self._untracked = False
        self._visits: list[MatchedRule] = []
        self._forks: list[Fork] = []
        self._notes: list[str] = []

    @property
    def cause(self) -> RuleCause:
        """The rule that is looked at."""
        assert self._cause is not None
        return self._cause

    def at(self, cause: RuleCause) -> None:
        """A rule is looked at."""
        self._cause = cause

    def meet(self, name: str, found: Found) -> None:
        """The rule found an element of a set."""
        element = Rule(found.element.text, found.element.reason)
        met = Met(name, element, decides=found.held.data is not None)
        self._cause = replace(self.cause, met=(*self.cause.met, met))

    def lead(self, chain: str) -> None:
        """The rule leads to a chain."""
        self._cause = replace(self.cause, leads=chain)

    # What expressions ask

    @property
    def version(self) -> int:
        return self.packet.dst.version

    @property
    def is_tracked(self) -> bool:
        """Whether the packet belongs to a connection."""
        return self.context.ct_state not in _NOWHERE

    def named(self, name: str) -> tuple[NftSet, Finds[Found]]:
        """A set or map of the table.

        Raises:
            UnknownError: there is none.

        """
        found = self.table.sets.get(name)
        if found is None:
            raise UnknownError(f"@{name}: no such set")
        return found, self._index_of(found)

    def draw(self, ways: tuple[Way, ...]) -> int:
        """Chance decides: which of several ways of the rule."""
        fork = Fork(
            namespace=self.context.namespace,
            table=self.table.called,
            chain=self.cause.chain,
            ways=ways,
        )
        fork = replace(fork, chosen=self.context.choose(fork))
        self._forks.append(fork)
        return fork.chosen

    # What statements do

    def note(self, text: str) -> None:
        """Something is assumed, or left out."""
        if text not in self._notes:
            self._notes.append(text)

    def visit(self, kind: StepKind) -> None:
        """The rule did something; the packet stays as it is."""
        self._visits.append(MatchedRule(kind, self.cause, self.packet, self.packet))

    def become(self, packet: Packet, kind: StepKind) -> None:
        """The rule changed the packet."""
        self._visits.append(MatchedRule(kind, self.cause, self.packet, packet))
        self.packet = packet

    def mark_connection(self, mark: int) -> None:
        if self.is_tracked:
            self.context = replace(self.context, ct_mark=mark)

    def untrack(self) -> None:
        self._untracked = True
        self.context = replace(self.context, ct_state="UNTRACKED")

    def end(self, verdict: Verdict) -> NoReturn:
        """A verdict for the hook."""
        self.visit(_KINDS.get(type(verdict), StepKind.RULE))
        raise Ended(self.result(verdict, self.cause))

    def result(self, verdict: Verdict, cause: RuleCause) -> Traversal:
        """What became of the packet here."""
        return Traversal(
            verdict=verdict,
            cause=cause,
            packet=self.packet,
            ct_mark=self.context.ct_mark,
            untracked=self._untracked,
            visits=tuple(self._visits),
            forks=tuple(self._forks),
            notes=tuple(self._notes),
        )
