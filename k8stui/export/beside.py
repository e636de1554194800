"""Two walks side by side at one size: aligned, equal stretches folded, one place in both."""

from __future__ import annotations

from k8stui.export.beside_steps import DIVIDER, StepPairs
from k8stui.export.drawing.frame import Film, Frame
from k8stui.export.drawing.header import header
from k8stui.export.drawing.ink import (
    NOTHING,
    Ink,
    Line,
    cut,
    fit,
    fold,
    join,
    line_width,
    run,
    skip,
    wrap,
)
from k8stui.export.drawing.picture import film
from k8stui.export.drawing.words import DIRECTIONS, RESULTS, sentence, step_sign, told
from k8stui.neutralise import neutralise
from k8stui.walk.align import Likeness, align
from k8stui.walk.cases import Case, outcome_words
from k8stui.walk.trace import Hop, TraceStep

DRAWN_FROM = (100, 28)
"""Columns and rows from which on both drawings stand above the steps unasked."""
_LEAST_STEPS = 6
"""Rows of steps that stay below drawings."""
_LEAST_SHOWN = 3
"""Rows of steps that stay where the sentence below needs much room."""


class Beside:
    """Two cases that are compared. What is shown is a function of size and place (`at`)."""

    def __init__(self, left: Case, right: Case) -> None:
        self.cases = (left, right)
        self.pairs = align(left.trace, right.trace)
        self._steps = tuple(each.trace.placed for each in self.cases)
        self._own = tuple(
            [pair.left if side == 0 else pair.right for pair in self.pairs] for side in (0, 1)
        )
        self._list = StepPairs((left.trace, right.trace), self.pairs)
        self._films: dict[tuple[int, int], tuple[Film, Film]] = {}
        self._needed: dict[int, list[int]] = {}
        """By width of a side: how many rows say all of each place."""

    def __len__(self) -> int:
        return len(self.pairs)

    @property
    def is_same(self) -> bool:
        """Whether both go the same way, step by step."""
        return all(pair.likeness is Likeness.SAME for pair in self.pairs)

    @property
    def parting(self) -> int:
        """Where they part: the first unlike steps, else the first of another packet; else 0."""
        found = [pair.likeness for pair in self.pairs]
        for likeness in (Likeness.UNLIKE, Likeness.ALIKE):
            if likeness in found:
                return found.index(likeness)
        return 0

    def difference(self, at: int, by: int) -> int:
        """Find the next (1) or last (-1) place where they begin to be unlike; else an end."""
        unlike = [pair.likeness is Likeness.UNLIKE for pair in self.pairs]
        begins = [n for n, one in enumerate(unlike) if one and not (n and unlike[n - 1])]
        if by > 0:
            return next((n for n in begins if n > at), max(0, len(self) - 1))
        return next((n for n in reversed(begins) if n < at), 0)

    def index(self, side: int, at: int) -> int:
        """0-based step of one side at a place: its own, else the last one before it."""
        own = self._own[side]
        return next((n for n in reversed(own[: at + 1]) if n is not None), 0)

    def opening(self, step: int | None) -> int:
        """Where to look first: at a 0-based step of the second walk, else where they part."""
        return self.parting if step is None else self._own[1].index(step)

    # All of it

    def lines(self, width: int, height: int, at: int, *, drawn: bool | None = None) -> list[Line]:
        """Everything at a place: exactly `height` lines.

        `drawn`: whether the drawings are there; None: where there is room for both.
        """
        side = max(8, (width - 1) // 2)
        has_room = self.is_drawn(width, height)
        room = max(0, height - 4)
        needed = self._rows_needed(side)
        usual = min(max(needed, default=0), max(5, room // 2 - 1), room)
        said = max(usual, min(needed[at] if needed else 0, room - _LEAST_SHOWN))
        more, room = said - usual, room - usual
        pictured = 0
        if self.is_drawn(width, height, drawn=drawn) and all(self._steps):
            pictured = max(0, room - max(_LEAST_STEPS, room // 3)) if has_room else room
        rows = self._heads(side)
        rows.append(self._rule(side))
        if pictured:
            rows += self._beside([self._picture(n, side, pictured, at) for n in (0, 1)], side)
            if room > pictured:
                rows.append(self._rule(side))
                room -= 1
        rows += self._list.rows(side, max(0, room - pictured - more), at)
        rows.append(self._rule(side))
        if self._is_said_once(at):
            rows += self._said(0, 2 * side + 1, said, at)
        else:
            rows += self._beside([self._said(n, side, said, at) for n in (0, 1)], side)
        rows = rows[:height]
        return [fit(row, width) for row in [*rows, *[NOTHING] * (height - len(rows))]]

    @staticmethod
    def is_drawn(width: int, height: int, *, drawn: bool | None = None) -> bool:
        """Whether the drawings are there: as is said, else where there is room for both."""
        return (width >= DRAWN_FROM[0] and height >= DRAWN_FROM[1]) if drawn is None else drawn

    @staticmethod
    def _rule(side: int) -> Line:
        return run("─" * side + "┼" + "─" * side, Ink.FAINT)

    @staticmethod
    def _beside(columns: list[list[Line]], side: int) -> list[Line]:
        left, right = columns
        return [
            join((fit(one, side), DIVIDER, cut(other, side)))
            for one, other in zip(left, right, strict=True)
        ]

    def _heads(self, side: int) -> list[Line]:
        """Which cases they are, and what comes of each; ``≠`` between where that is unlike."""
        left, right = (self._head(n, side) for n in (0, 1))
        one, other = self.cases
        is_unlike = outcome_words(one.trace) != outcome_words(other.trace)
        sign = run("≠", Ink.CHANGED) if is_unlike else run("=", Ink.DIM)
        return [
            join((fit(a, side), between, cut(b, side)))
            for a, between, b in zip(left, (DIVIDER, sign), right, strict=True)
        ]

    def _head(self, side: int, width: int) -> list[Line]:
        one = self.cases[side]
        sign = RESULTS[one.trace.outcome.result]
        name = join((run(f" {'AB'[side]} ", Ink.KEY), run(neutralise(one.name), Ink.STRONG)))
        words = outcome_words(one.trace)
        changes = " ".join(one.changes)
        if changes and line_width(run(words)) + len(changes) + 7 <= width:
            words += f"   {changes}"
        return [cut(name, width), cut(run(f"   {sign.glyph} {words}", sign.ink), width)]

    # The drawings

    def _picture(self, side: int, width: int, height: int, at: int) -> list[Line]:
        films = self._films.get((width, height))
        if films is None:
            left, right = self.cases
            films = self._films[width, height] = (
                film(left.world, left.trace, width, height, (right.trace,)),
                film(right.world, right.trace, width, height, (left.trace,)),
            )
        return _window(films[side].frame(self.index(side, at)), width, height)

    # The step in full

    def _rows_needed(self, width: int) -> list[int]:
        """How many rows say all of each place, in a side of `width` cells."""
        if width not in self._needed:
            self._needed[width] = [
                len(self._all_said(0, 2 * width + 1, at))
                if self._is_said_once(at)
                else max(len(self._all_said(side, width, at)) for side in (0, 1))
                for at in range(len(self))
            ]
        return self._needed[width]

    def _is_said_once(self, at: int) -> bool:
        """Whether a place is the same in both walks; at the end each says what comes of it."""
        is_inside = 0 <= at < len(self) - 1
        return is_inside and self.pairs[at].likeness is Likeness.SAME

    def _said(self, side: int, width: int, height: int, at: int) -> list[Line]:
        lines = self._all_said(side, width, at)
        if len(lines) > height > 0:
            lines = [*lines[: height - 1], cut(join((lines[height - 1], run(" …"))), width)]
        return lines[:height] + [NOTHING] * (height - len(lines))

    def _all_said(self, side: int, width: int, at: int) -> list[Line]:
        """The step of one side at a place; at the end what comes of its walk."""
        own = self._own[side]
        trace = self.cases[side].trace
        lines: list[Line] = []
        number = own[at] if own else None
        if number is not None:
            lines += self._step_said(*self._steps[side][number], width)
        elif any(each is not None for each in own[at:]):
            lines.append(run(" no step here", Ink.DIM))
        elif own:
            lines.append(run(f" ended at step {len(trace.steps)}", Ink.DIM))
        if at + 1 >= len(self):
            lines = [lines[0]] if lines else []
            reason = trace.outcome.reason or outcome_words(trace)
            lines += [run(f" {each}") for each in wrap(told(reason), max(8, width - 2))]
            if trace.outcome.advice:
                texts = wrap(told(f"→ {trace.outcome.advice}"), max(8, width - 2), indent=2)
                lines += [run(f" {each}", Ink.KEY) for each in texts]
        return lines

    @staticmethod
    def _step_said(hop: Hop, step: TraceStep, width: int) -> list[Line]:
        """Where it is and what it is, the header, all of the sentence."""
        way = DIRECTIONS[hop.direction]
        place = f"pod {hop.namespace}" if "/" in hop.namespace else hop.namespace
        sign = step_sign(step)
        first = join(
            (
                run(f" {step.number} ", Ink.KEY),
                run(f"{way.glyph} ", Ink.DIM),
                run(neutralise(place), Ink.STRONG),
                run(f"  {sign.glyph} {sign.word}", sign.ink),
            )
        )
        source, destination, _, _ = header(step.before, step.after)
        return [
            cut(first, width),
            *fold(join((run(" "), source)), width - 1, indent=6),
            *fold(join((run(" "), destination)), width - 1, indent=6),
            *(run(f" {each}") for each in wrap(sentence(step), max(8, width - 2))),
        ]


def _window(frame: Frame, width: int, height: int) -> list[Line]:
    """The part of a drawing round the packet that has room; exactly `height` lines."""
    lines = frame.lines()
    across, down = frame.eye or (0, 0)
    left = max(0, min(across - width // 2, max(map(line_width, lines), default=0) - width))
    top = max(0, min(down - height // 2, len(lines) - height))
    shown = lines[top : top + height]
    above = (height - len(shown)) // 2
    blank = [NOTHING] * (height - len(shown))
    return [
        *blank[:above],
        *(cut(skip(line, left) if left else line, width, ellipsis=False) for line in shown),
        *blank[above:],
    ]
