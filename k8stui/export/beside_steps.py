"""The steps of two walks, side by side: what is the same stands once, over both columns.

As much is said of each step as there is room for; where not all steps have room, those that are
no decisions are folded.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from k8stui.export.drawing.decisions import decision
from k8stui.export.drawing.ink import Ink, Line, fit, join, line_width, repaint, run, wrap
from k8stui.export.drawing.words import sentence, step_sign
from k8stui.kernel.step import StepKind
from k8stui.neutralise import neutralise
from k8stui.walk.align import Likeness, Pair
from k8stui.walk.trace import Trace, TraceStep

_MARKS = {Likeness.SAME: " ", Likeness.ALIKE: "≈", Likeness.UNLIKE: "≠"}
_FOLDED = {
    Likeness.SAME: "the same in both",
    Likeness.ALIKE: "alike, of another packet",
    Likeness.UNLIKE: "on their way",
}
_WORD = 12
"""Cells of glyph and word of a step, in a side wide enough for columns."""
_NAMED_FROM = 56
"""Cells of a side from which on each step names its place, in columns."""
_INDENT = 6
"""Cells before the text of a step's further rows: behind its number."""
_MOST_ROWS = 3
"""Of one step; all of the step under the cursor stands below the list."""
DIVIDER = run("│", Ink.FAINT)


class _Item(NamedTuple):
    """A pair of steps, or a stretch of like ones."""

    first: int
    last: int
    likeness: Likeness


class StepPairs:
    """Rows of pairs of steps; a function of width, height and place."""

    def __init__(self, traces: tuple[Trace, Trace], pairs: Sequence[Pair]) -> None:
        self._traces = traces
        self._pairs = pairs
        self._steps = tuple(each.placed for each in traces)
        self._deciding = [any(self._decides(side, n) for side in (0, 1)) for n in range(len(pairs))]
        self._halves: dict[tuple[int, int, int, int], list[Line]] = {}
        """By pair, side (2: both), width and most rows."""

    def _own(self, side: int, n: int) -> int | None:
        pair = self._pairs[n]
        return pair.left if side == 0 else pair.right

    def _decides(self, side: int, n: int) -> bool:
        number = self._own(side, n)
        if number is None:
            return False
        return decision(self._steps[side][number][1], self._traces[side]) is not None

    def rows(self, side: int, height: int, at: int) -> list[Line]:
        """`height` rows round a place, two columns of `side` cells; all of it where that fits."""
        for folds, most in (
            (False, _MOST_ROWS),
            (False, 1),
            (True, _MOST_ROWS),
            (True, 2),
            (True, 1),
        ):
            items = self._items(at, folds=folds)
            if len(items) > height:
                continue
            blocks = [self._block(item, side, at, most) for item in items]
            if sum(map(len, blocks)) <= height:
                break
        else:
            blocks = [self._block(item, side, at, 1) for item in items]
        here = next((n for n, item in enumerate(items) if item.first <= at <= item.last), 0)
        shown = [row for block in blocks for row in block]
        above = sum(len(block) for block in blocks[:here])
        top = max(0, min(above - height // 2, len(shown) - height))
        shown = shown[top : top + height]
        return shown + [join((run(" " * side), DIVIDER))] * (height - len(shown))

    def _items(self, at: int, *, folds: bool) -> list[_Item]:
        """Pairs, and stretches of like ones; the one under the cursor stands alone.

        `folds`: what parts without deciding anything is a stretch, too.
        """

        def key(n: int) -> tuple[Likeness, int]:
            likeness = self._pairs[n].likeness
            is_own = likeness is Likeness.UNLIKE and (self._deciding[n] or not folds)
            return likeness, n if is_own or n == at else -1 if n < at else -2

        found = []
        for (likeness, _), group in groupby(range(len(self._pairs)), key):
            numbers = list(group)
            found.append(_Item(numbers[0], numbers[-1], likeness))
        return found

    def _block(self, item: _Item, side: int, at: int, most: int) -> list[Line]:
        """The rows of an item: over both columns where both have the same."""
        is_here = item.first == item.last == at
        if item.likeness is Likeness.SAME:
            whole = self._half(0, item, 2 * side + 1, most)
            return [repaint(row, Ink.CURSOR) for row in whole] if is_here else whole
        halves = [self._half(n, item, side, most) for n in (0, 1)]
        if is_here:
            halves = [[repaint(row, Ink.CURSOR) for row in half] for half in halves]
        ink = Ink.CURSOR if is_here else Ink.TEXT
        many = max(map(len, halves))
        left, right = ([*half, *[fit((), side, ink)] * (many - len(half))] for half in halves)
        return [join((a, DIVIDER, b)) for a, b in zip(left, right, strict=True)]

    def _numbers(self, side: int, item: _Item) -> list[int]:
        """0-based steps of one walk in an item."""
        found = (self._own(side, n) for n in range(item.first, item.last + 1))
        return [number for number in found if number is not None]

    def _half(self, side: int, item: _Item, width: int, most: int) -> list[Line]:
        own = self._numbers(side, item)
        if not own:
            return [fit((), width)]
        if item.first != item.last:
            said = _stretch(own)
            if item.likeness is Likeness.SAME and (others := self._numbers(1, item)) != own:
                said += f" = {_stretch(others)}"
            said = f" {_MARKS[item.likeness]} {said}  {_FOLDED[item.likeness]}"
            return [fit(run(said, Ink.DIM), width)]
        key = (item.first, side if item.likeness is not Likeness.SAME else 2, width, most)
        if key not in self._halves:
            self._halves[key] = self._step(side, item.first, width, most)
        return self._halves[key]

    def _step(self, side: int, n: int, width: int, most: int) -> list[Line]:
        """One step: its number, what it is, and its sentence in at most `most` rows."""
        number, likeness = self._own(side, n), self._pairs[n].likeness
        assert number is not None
        hop, step = self._steps[side][number]
        sign = decision(step, self._traces[side]) or step_sign(step)
        is_wide = width >= _NAMED_FROM
        what = f"{sign.glyph} {sign.word} "
        lead = [
            run(
                f" {_MARKS[likeness]}{step.number:>3} ",
                Ink.CHANGED if likeness is Likeness.UNLIKE else Ink.DIM,
            ),
            run(f"{what:<{_WORD}}" if is_wide else what, sign.ink),
        ]
        if is_wide:
            name = neutralise(hop.namespace.rpartition("/")[2][:10])
            lead.append(run(f"{name:<11}", Ink.DIM))
        taken = line_width(join(lead))
        indent = taken if is_wide else _INDENT
        texts = wrap(sentence(step), width - 1, indent=indent, lead=taken)
        if len(texts) > most and (becomes := _becomes(step)):
            texts = wrap(becomes, width - 1, indent=indent, lead=taken)
        if len(texts) > most:
            texts = texts[:most]
            texts[-1] = _fit_words(texts[-1], width - 1 - (taken if most == 1 else 0))
        rows = [join((*lead, run(texts[0]))), *(run(text) for text in texts[1:])]
        return [fit(row, width) for row in rows]


def _becomes(step: TraceStep) -> str:
    """What NAT writes into the header, where there is no room for what it was; else nothing."""
    after = step.after
    if after is None or step.kind not in (StepKind.DNAT, StepKind.SNAT):
        return ""
    is_source = step.kind is StepKind.SNAT
    address, port = (after.src, after.sport) if is_source else (after.dst, after.dport)
    return f"⇒ {address.with_port(port) if port is not None else address}"


def _stretch(numbers: Sequence[int]) -> str:
    """0-based steps, as they are counted."""
    first, last = numbers[0] + 1, numbers[-1] + 1
    return f"{first}–{last}" if first != last else f"{first}"


def _fit_words(text: str, width: int) -> str:
    """The text with ``…`` behind its last word that has room: there is more of it."""
    kept = text
    while len(kept) + 2 > width and " " in kept.strip():
        kept = kept.rstrip().rpartition(" ")[0]
    return f"{kept} …"
