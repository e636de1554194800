"""The one state of the screen: what is loaded, which walk, and the cursor in it. No Textual.

All panes are functions of this object. It computes nothing about networking: it moves a cursor
over a finished Trace and remembers what is open.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from k8stui.export.drawing.decisions import is_decision
from k8stui.kernel.step import Hook, RuleCause

if TYPE_CHECKING:
    from k8stui.walk.trace import Hop, Trace, TraceStep
    from k8stui.walk.world import World


WHAT_IF = "what if "
"""Before each setting that was turned."""


@dataclass(slots=True)
class ChainView:
    """What is open in the Chain pane; forgotten when the step changes."""

    unfolded: bool = False
    cursor: int | None = None
    """Row under the cursor; None: the row that decided."""
    browsed: tuple[tuple[str, str], ...] = ()
    """(table, chain) opened with Enter on a jump, innermost last."""


@dataclass(slots=True)
class State:
    """Everything the screen shows."""

    world: World | None = None
    trace: Trace | None = None
    index: int = 0
    """0-based place in `trace.steps`."""
    progress: str = "walking"
    """What is being waited for, while there is no world or no trace; empty: nothing."""
    turned: tuple[str, ...] = ()
    """What is otherwise than it was read, the last one last: ``what if hairpin off``."""
    failure: str = ""
    """Why there is nothing to show."""
    chain: ChainView = field(default_factory=ChainView)
    _steps: tuple[TraceStep, ...] = ()
    _hops: tuple[tuple[int, Hop], ...] = ()
    """By step: (0-based number of its hop, hop)."""

    @property
    def turned_words(self) -> str:
        """What is otherwise, in one go: ``what if hairpin off, cni docker0``."""
        said = ""
        for before, one in zip(("", *self.turned), self.turned, strict=False):
            is_more = one.startswith(WHAT_IF) and before.startswith(WHAT_IF)
            said += (", " if said else "") + (one.removeprefix(WHAT_IF) if is_more else one)
        return said

    def show(self, trace: Trace, index: int = 0) -> None:
        """Take up a walk."""
        self.trace = trace
        self._steps = trace.steps
        self._hops = tuple((n, hop) for n, hop in enumerate(trace.hops) for _ in hop.steps)
        self.progress = ""
        self.index = -1
        self.go(index)

    def clear(self, why: str) -> None:
        """There is no walk, and this is why."""
        self.trace = None
        self._steps, self._hops = (), ()
        self.index = 0
        self.progress, self.failure = "", why
        self.chain = ChainView()

    @property
    def steps(self) -> tuple[TraceStep, ...]:
        return self._steps

    @property
    def step(self) -> TraceStep | None:
        """The step under the cursor."""
        return self._steps[self.index] if self._steps else None

    @property
    def hop(self) -> Hop | None:
        return self._hops[self.index][1] if self._hops else None

    @property
    def hop_index(self) -> int:
        """0-based number of the hop that the cursor is in."""
        return self._hops[self.index][0] if self._hops else 0

    def go(self, index: int) -> bool:
        """Put the cursor on a step, as near as there is one. Whether it moved."""
        index = max(0, min(index, len(self._steps) - 1))
        if index == self.index or not self._steps:
            return False
        self.index = index
        self.chain = ChainView()
        return True

    def move(self, by: int) -> bool:
        return self.go(self.index + by)

    def decision(self, direction: int) -> bool:
        """To the next (1) or previous (-1) step that changes the packet, chooses or ends."""
        at = self.index + direction
        while 0 <= at < len(self._steps):
            if self.trace is not None and is_decision(self._steps[at], self.trace):
                return self.go(at)
            at += direction
        return False

    def breadcrumb(self) -> tuple[str, ...]:
        """Chains that the packet jumped through to the rule under the cursor, outermost first.

        A chain that returned (explicitly or at its end) is no longer in it.
        """
        step = self.step
        if step is None or not isinstance(step.cause, RuleCause):
            return ()
        number, _ = self._hops[self.index]
        place = (step.hook, step.cause.table)
        first = self.index
        while first and self._same_traversal(first - 1, number, place):
            first -= 1
        stack: list[str] = []
        for each in self._steps[first : self.index + 1]:
            if isinstance(each.cause, RuleCause):
                name = each.cause.chain.name
                if name in stack:
                    del stack[stack.index(name) + 1 :]
                else:
                    stack.append(name)
        return tuple(stack)

    def matched_rules(self) -> frozenset[int]:
        """1-based places, in the chain of this step, of all rules that matched up to it."""
        step = self.step
        if step is None or not isinstance(step.cause, RuleCause):
            return frozenset()
        number, _ = self._hops[self.index]
        place, name = (step.hook, step.cause.table), step.cause.chain.name
        found = {step.cause.index}
        at = self.index
        while at and self._same_traversal(at - 1, number, place):
            at -= 1
            cause = self._steps[at].cause
            if isinstance(cause, RuleCause) and cause.chain.name == name:
                found.add(cause.index)
        return frozenset(found)

    def _same_traversal(self, at: int, hop: int, place: tuple[Hook | None, str]) -> bool:
        step = self._steps[at]
        return (
            self._hops[at][0] == hop
            and isinstance(step.cause, RuleCause)
            and (step.hook, step.cause.table) == place
        )
