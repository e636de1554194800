"""Two walks side by side at one size: aligned, equal stretches folded, one place in both."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from k8stui.export.drawing.frame import Film, Frame
from k8stui.export.drawing.header import header
from k8stui.export.drawing.ink import (
    NOTHING,
    Ink,
    Line,
    cut,
    fit,
    join,
    line_width,
    repaint,
    run,
    skip,
    wrap,
)
from k8stui.export.drawing.picture import film
from k8stui.export.drawing.words import DIRECTIONS, RESULTS, sentence, step_sign
from k8stui.neutralise import neutralise
from k8stui.walk.align import Likeness, align
from k8stui.walk.cases import Case, outcome_words
from k8stui.walk.trace import Hop, TraceStep

_MARKS = {Likeness.SAME: " ", Likeness.ALIKE: "≈", Likeness.UNLIKE: "≠"}
_FOLDED = {Likeness.SAME: "the same", Likeness.ALIKE: "alike, of another packet"}
DRAWN_FROM = (100, 28)
"""Columns and rows from which on both drawings stand above the steps unasked."""
_LEAST_STEPS = 6
"""Rows of steps that stay below drawings."""
_WORD = 12
"""Cells of glyph and word of a step."""
_NAMED_FROM = 56
"""Cells of a side from which on each step names its place."""


class _Item(NamedTuple):
    """One row of the list: a pair, or a stretch of like ones."""

    first: int
    last: int
    likeness: Likeness


class Beside:
    """Two cases that are compared. What is shown is a function of size and place (`at`)."""

    def __init__(self, left: Case, right: Case) -> None:
        self.cases = (left, right)
        self.pairs = align(left.trace, right.trace)
        self._steps = tuple(each.trace.placed for each in self.cases)
        self._own = tuple(
            [pair.left if side == 0 else pair.right for pair in self.pairs] for side in (0, 1)
        )
        self._films: dict[tuple[int, int], tuple[Film, Film]] = {}

    def __len__(self) -> int:
        return len(self.pairs)

    @property
    def is_same(self) -> bool:
        """Whether both go the same way, step by step."""
        return all(pair.likeness is Likeness.SAME for pair in self.pairs)

    @property
    def parting(self) -> int:
        """Where they part; 0 where they never do."""
        rest = (n for n, pair in enumerate(self.pairs) if pair.likeness is not Likeness.SAME)
        return next(rest, 0)

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

    # All of it

    def lines(self, width: int, height: int, at: int, *, drawn: bool | None = None) -> list[Line]:
        """Everything at a place: exactly `height` lines.

        `drawn`: whether the drawings are there; None: where there is room for both.
        """
        side = max(8, (width - 1) // 2)
        has_room = self.is_drawn(width, height)
        said = min(7 if height >= 20 else 5, max(0, height - 6))
        room = max(0, height - 4 - said)
        pictured = 0
        if self.is_drawn(width, height, drawn=drawn) and all(self._steps):
            pictured = max(0, room - max(_LEAST_STEPS, room // 3)) if has_room else room
        heads = [self._heads(n, side) for n in (0, 1)]
        rows = self._beside(heads, side)
        rows.append(self._rule(side))
        if pictured:
            rows += self._beside([self._picture(n, side, pictured, at) for n in (0, 1)], side)
            if room > pictured:
                rows.append(self._rule(side))
                room -= 1
        rows += self._list(side, room - pictured, at)
        rows.append(self._rule(side))
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
            join((fit(one, side), run("│", Ink.FAINT), cut(other, side)))
            for one, other in zip(left, right, strict=True)
        ]

    def _heads(self, side: int, width: int) -> list[Line]:
        """Which case it is, and what comes of it."""
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

    # The steps

    def _items(self, at: int) -> Iterator[_Item]:
        """Pairs, and stretches of like ones; the one under the cursor stands alone."""
        key = [
            (pair.likeness, n if pair.likeness is Likeness.UNLIKE or n == at else n > at)
            for n, pair in enumerate(self.pairs)
        ]
        for (likeness, _), group in groupby(range(len(key)), lambda n: key[n]):
            found = list(group)
            yield _Item(found[0], found[-1], likeness)

    def _list(self, side: int, height: int, at: int) -> list[Line]:
        items = list(self._items(at))
        here = next((n for n, item in enumerate(items) if item.first <= at <= item.last), 0)
        top = max(0, min(here - height // 2, len(items) - height))
        rows = []
        for item in items[top : top + height]:
            is_here = item.first == item.last == at
            halves = [self._half(n, item, side, is_here=is_here) for n in (0, 1)]
            rows.append(join((halves[0], run("│", Ink.FAINT), halves[1])))
        return rows + [self._blank(side)] * (height - len(rows))

    @staticmethod
    def _blank(side: int) -> Line:
        return join((run(" " * side), run("│", Ink.FAINT)))

    def _half(self, side: int, item: _Item, width: int, *, is_here: bool) -> Line:
        numbers = [n for n in self._own[side][item.first : item.last + 1] if n is not None]
        mark = _MARKS[item.likeness]
        if not numbers:
            return fit(run(f" {mark}" if is_here else "", Ink.DIM), width)
        ink = Ink.CHANGED if item.likeness is Likeness.UNLIKE else Ink.DIM
        if item.first != item.last:
            said = f"{numbers[0] + 1}–{numbers[-1] + 1}  {_FOLDED[item.likeness]}"
            return fit(run(f" {mark} {said}", Ink.DIM), width)
        hop, step = self._steps[side][numbers[0]]
        sign = step_sign(step)
        where = ""
        if width >= _NAMED_FROM:
            where = f"{hop.namespace.rpartition('/')[2][:10]:<11}"
        line = join(
            (
                run(f" {mark}{step.number:>3} ", ink),
                run(f"{sign.glyph} {sign.word}".ljust(_WORD), sign.ink),
                run(neutralise(where), Ink.DIM),
                run(sentence(step)),
            )
        )
        line = fit(cut(line, width - 1), width)
        return repaint(line, Ink.CURSOR) if is_here else line

    # The step in full

    def _said(self, side: int, width: int, height: int, at: int) -> list[Line]:
        own = self._own[side]
        trace = self.cases[side].trace
        lines: list[Line] = []
        number = own[at] if own else None
        if number is not None:
            lines += self._step_said(*self._steps[side][number], width)
        elif own:
            lines.append(run(" no step here", Ink.DIM))
        if at + 1 >= len(self):
            lines = [lines[0]] if lines else []
            reason = trace.outcome.reason or outcome_words(trace)
            lines += [run(f" {each}") for each in wrap(neutralise(reason), max(8, width - 2))]
            if trace.outcome.advice:
                texts = wrap(neutralise(f"→ {trace.outcome.advice}"), max(8, width - 2), indent=2)
                lines += [run(f" {each}", Ink.KEY) for each in texts]
        lines = lines[:height]
        return lines + [NOTHING] * (height - len(lines))

    @staticmethod
    def _step_said(hop: Hop, step: TraceStep, width: int) -> list[Line]:
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
        texts = wrap(sentence(step), max(8, width - 2))
        if len(texts) > 3:
            texts = [*texts[:2], f"{texts[2]} …"]
        texts += [""] * (3 - len(texts))
        return [
            cut(first, width),
            *(cut(run(f" {each}"), width) for each in texts),
            cut(join((run(" "), source)), width),
            cut(join((run(" "), destination)), width),
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
