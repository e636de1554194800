"""A table of cases: the same question asked in several ways, and what comes of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING

from k8stui.kernel.address import Address
from k8stui.kernel.exchange import Result
from k8stui.kernel.step import Direction, StepKind
from k8stui.record import record
from k8stui.walk.breakage import BranchEnd, answers, connected
from k8stui.walk.outcome import RESULT_WORDS
from k8stui.walk.trace import Request, Trace
from k8stui.walk.walk import walks

if TYPE_CHECKING:
    from k8stui.walk.world import World

MOST_BRANCHES = 20
"""Branches of a case that are walked for its answers."""
_REWRITES = {
    StepKind.DNAT: "DNAT",
    StepKind.SNAT: "SNAT",
    StepKind.PROXY: "proxy",
    StepKind.ENCAPSULATE: "wrap",
}


@record(kw_only=True, eq=False)
class Case:
    """One request in one world: a cell of a table."""

    name: str
    """What makes it this case: ``outside ─▶ node/node-1:30001``, ``proxy-mode userspace``."""
    world: World
    trace: Trace
    """The branch that stands for it."""
    answers: Mapping[BranchEnd, Fraction]
    """Over the branches walked."""
    turned: str = ""
    """What is so in its world alone: ``what if cni docker0``; empty: it is the one looked at."""
    change: str = ""
    """The same from what was to what is: ``cni flannel → docker0``."""

    @property
    def chance(self) -> Fraction:
        """How often it is connected, over the branches walked."""
        return connected(self.answers)

    @property
    def is_delivered(self) -> bool:
        return self.trace.outcome.result is Result.CONNECTED

    @property
    def changes(self) -> tuple[str, ...]:
        """What is done to the packet on its way there: ``DNAT``, ``SNAT``, ``proxy``, ``wrap``.

        A masquerade that gives the packet the address it has already is none.
        """
        found: list[str] = []
        for hop in self.trace.hops:
            if hop.direction is not Direction.FORWARD:
                break
            for step in hop.steps:
                word = _REWRITES.get(step.kind)
                if word is None or step.before is None or step.after is None:
                    continue
                if step.kind is StepKind.SNAT and step.before.src == step.after.src:
                    continue
                if step.kind is StepKind.DNAT and step.before == step.after:
                    continue
                found.append(word)
        return tuple(found)

    @property
    def sent(self) -> Address | None:
        """The source address with which the client's packet begins."""
        return next((s.before.src for s in self.trace.steps if s.before is not None), None)

    @property
    def seen(self) -> Address | None:
        """The source that the server sees; None where none was reached."""
        return self.trace.outcome.source_seen_by_server

    @property
    def sees_client(self) -> bool:
        """Whether the server sees the client's own address."""
        return self.seen is not None and self.seen == self.sent


@record(kw_only=True)
class CaseRow:
    """One line of a table."""

    name: str
    cells: tuple[Case | None, ...]
    """One a column; None: nobody can ask that."""
    ports: tuple[int, ...] = ()
    """The port numbers of this way, from the asked one to the container's."""
    service: str = ""
    """``namespace/name`` of the Service, where rows are of several."""


@record(kw_only=True)
class Cases:
    """A table of cases."""

    title: str
    about: str = ""
    """What holds for all of it, in a few words."""
    columns: tuple[str, ...]
    rows: tuple[CaseRow, ...]
    along: bool = False
    """Whether a case is compared with the first one of its row; else of its column."""
    left_out: str = ""
    """What was not asked, in a sentence."""

    def at(self, row: int, column: int) -> Case | None:
        return self.rows[row].cells[column]

    def first(self, row: int, column: int) -> Case | None:
        """The first case of a cell's row or column: the others are compared with it."""
        return next(self._line(row, column), None)

    def partner(self, row: int, column: int) -> Case | None:
        """The case that one is compared with: the first of its row or column, else the next."""
        mine = self.at(row, column)
        return next((each for each in self._line(row, column) if each is not mine), None)

    def _line(self, row: int, column: int) -> Iterator[Case]:
        line = self.rows[row].cells if self.along else [r.cells[column] for r in self.rows]
        return (each for each in line if each is not None)


def is_usable(cases: Cases) -> bool:
    """Whether every way (row) leads somebody there."""
    return all(any(one is not None and one.is_delivered for one in row.cells) for row in cases.rows)


def case(world: World, name: str, request: Request) -> Case:
    """Walk a request in a world; its first branch stands for it."""
    return of_traces(world, name, tuple(islice(walks(world, request), MOST_BRANCHES)))


def of_traces(world: World, name: str, traces: Iterable[Trace], shown: Trace | None = None) -> Case:
    """The case that some branches (at least one) make; `shown` stands for it, else the first."""
    every = tuple(traces)
    return Case(name=name, world=world, trace=shown or every[0], answers=answers(every))


def in_turned(one: Case, turned: str, change: str) -> Case:
    """The same case, of a world in which something is otherwise: see `Case.turned`."""
    return replace(one, turned=turned, change=change)


def outcome_words(trace: Trace) -> str:
    """What comes of a walk: ``connected, pod sees 192.168.0.11``; ``timed out after 134 s``."""
    done = trace.outcome
    if done.result is Result.CONNECTED:
        who = "pod" if done.server_pod is not None else "server"
        seen = done.source_seen_by_server
        return "connected" + (f", {who} sees {seen}" if seen is not None else "")
    word = RESULT_WORDS[done.result]
    if done.result is Result.TIMEOUT and done.seconds:
        return f"{word} after {done.seconds:.0f} s"
    return word


def difference_words(what: str, before: Trace, after: Trace) -> str:
    """What was and what is, in a line.

    ``externalTrafficPolicy Cluster → Local: connected, pod sees 192.168.0.11 → timed out after
    134 s``; where nothing changed for client and server it says whether the way did.
    """
    was, now = outcome_words(before), outcome_words(after)
    servers = (before.outcome.server_pod, after.outcome.server_pod)
    if all(servers) and servers[0] != servers[1]:
        was, now = _with_server(before, was), _with_server(after, now)
    if was != now:
        return f"{what}: {was} → {now}"
    from k8stui.walk.compare import common_steps  # noqa: PLC0415 - no circle, but a big module

    common = common_steps(before, after)
    if common == len(before.steps) == len(after.steps):
        return f"{what}: the packet goes the same way, step by step; {was}"
    return f"{what}: still {was}; another way from step {common + 1} on"


def _with_server(trace: Trace, words: str) -> str:
    pod = trace.outcome.server_pod
    return words.replace("pod sees", f"{pod.rpartition('/')[2]} sees") if pod else words
