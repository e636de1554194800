"""Who reaches whom as a map one can move in: rows ask, columns are asked; folded, filtered.

Only what is seen is drawn: a window of rows and columns around the cursor, whatever their number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from k8stui.cluster.model import Cluster
from k8stui.export.drawing.ink import (
    NOTHING,
    Ink,
    Line,
    cut,
    fit,
    hang,
    join,
    line_width,
    middle,
    run,
    width_of,
)
from k8stui.export.drawing.words import pair
from k8stui.export.reach_marks import MARKS, felt_words
from k8stui.neutralise import neutralise
from k8stui.reach.ends import Asked, Asker
from k8stui.reach.fold import Fold, Folding, Group, Mark, mark_of
from k8stui.reach.reach import Cell, Class, Reach
from k8stui.reach.told import told
from k8stui.record import record

_CELL = 3
"""Columns of a terminal that a cell takes; five where there is room for all."""
_FOLDS = tuple(Fold)
_LEAST_PAIR = 24
"""Cells that who asks whom keeps; where the walk ended is cut before."""


@record()
class Probe:
    """A pair to be walked, and what is expected of it."""

    asker: Asker
    asked: Asked
    known: Class


@record()
class _Seen:
    """What was drawn where."""

    rows: range
    columns: range
    heads: int
    """Lines above the first row."""
    left: int
    """Cells of the terminal before the first column."""
    size: int
    """Cells of the terminal for each column."""


class _Side:
    """Rows or columns: groups as they are folded, unfolded one by one, and filtered."""

    def __init__(self, groups: Mapping[Fold, Sequence[Group]], name: Callable[..., str]) -> None:
        self._all, self._name = groups, name
        self._single = {group.places[0]: group for group in groups[Fold.SINGLE]}
        self._opened: set[int] = set()
        """Places whose groups are unfolded."""
        self._kept: frozenset[int] | None = None
        self.fold = Fold.WORKLOADS
        self.groups: Sequence[Group] = ()
        self.names: list[str] = []
        """Of the groups, made harmless."""
        self.widest = 0
        """Of the names, in cells."""
        self._at: dict[int, int] = {}
        self.first = 0
        """The first group that is seen."""
        self._update()

    def _update(self) -> None:
        self.groups = list(self._shown())
        self.names = [neutralise(group.name) for group in self.groups]
        self.widest = max(map(width_of, self.names), default=0)
        self._at = {place: n for n, group in enumerate(self.groups) for place in group.places}

    def _shown(self) -> Iterator[Group]:
        for group in self._all[self.fold]:
            if self._opened and not self._opened.isdisjoint(group.places):
                yield from (self._single[place] for place in group.places if self._keeps(place))
            elif self._kept is None or self._kept.issuperset(group.places):
                yield group
            elif places := tuple(place for place in group.places if self._keeps(place)):
                yield Group(places, self._name(places))

    def _keeps(self, place: int) -> bool:
        return self._kept is None or place in self._kept

    def index(self, place: int) -> int:
        """The group that a place is in; the first one if it is filtered away."""
        return self._at.get(place, 0)

    def turn(self, fold: Fold) -> None:
        self.fold, self._opened = fold, set()
        self._update()

    def keep(self, kept: frozenset[int] | None) -> None:
        """Show these places alone; None: all."""
        self._kept = kept
        self._update()

    def toggle(self, place: int) -> None:
        """Unfold the group of a place, or fold it again."""
        if len(self.groups[self.index(place)].places) > 1:
            self._opened.add(place)
        else:
            whole = next(group.places for group in self._all[self.fold] if place in group.places)
            self._opened.difference_update(whole)
        self._update()

    def window(self, place: int, room: int) -> range:
        """The groups that are seen where there is room for so many; the one of `place` is."""
        at = self.index(place)
        first = max(min(self.first, at), at - room + 1)
        self.first = max(0, min(first, len(self.groups) - room))
        return range(self.first, min(self.first + room, len(self.groups)))


class ReachMap:
    """A matrix, and where one is in it."""

    def __init__(self, cluster: Cluster, found: Reach) -> None:
        self._cluster, self.found = cluster, found
        folding = Folding(cluster, found)
        self._rows = _Side({one: folding.rows(one) for one in Fold}, folding.row_name)
        self._columns = _Side({one: folding.columns(one) for one in Fold}, folding.column_name)
        self._fails = [folding.failing(place) for place in range(len(found.asked))]
        """Of each who is asked: who does not always get a connection, a set of bits."""
        self._counts: dict[Mark, int] = {}
        """Pairs by what their cells show."""
        for one in found.classes.values():
            mark = mark_of(one.felt)
            self._counts[mark] = self._counts.get(mark, 0) + one.pairs
        self.needle = ""
        """What rows and columns are filtered by, as typed."""
        self.row = self._rows.groups[0].places[0] if self._rows.groups else 0
        """Place of the asker under the cursor."""
        self.column = self._columns.groups[0].places[0] if self._columns.groups else 0
        """Place of the one who is asked there."""
        self._seen = _Seen(range(1), range(1), 0, 0, 1)

    # Moving

    @property
    def is_empty(self) -> bool:
        """Whether there is no cell: nobody asks, or nothing that the filter leaves is asked."""
        return not self._rows.groups or not self._columns.groups

    def move(self, down: int, right: int) -> None:
        """To another cell, as far as there are some."""
        if self.is_empty:
            return
        self.row = _moved(self._rows, self.row, down)
        self.column = _moved(self._columns, self.column, right)

    def page(self, direction: int) -> None:
        """A window of rows down (1) or up (-1)."""
        self.move(direction * max(1, len(self._seen.rows) - 1), 0)

    def point(self, x: int, y: int) -> bool:
        """To the cell that is drawn in a cell of the terminal; False: none is."""
        seen = self._seen
        row, column = y - seen.heads, (x - seen.left) // seen.size
        if self.is_empty or not (0 <= row < len(seen.rows) and 0 <= column < len(seen.columns)):
            return False
        self.row = self._rows.groups[seen.rows[row]].places[0]
        self.column = self._columns.groups[seen.columns[column]].places[0]
        return True

    def go_to_failure(self, direction: int) -> bool:
        """To the next cell that is not connected, row by row; False: there is none."""
        if self.is_empty:
            return False
        rows, columns = self._rows.groups, self._columns.groups
        fails = [self._fails[group.places[0]] for group in columns]
        some = 0
        for each in fails:
            some |= each
        at = self._rows.index(self.row), self._columns.index(self.column)
        for number in range(len(rows) + 1):
            row = (at[0] + direction * number) % len(rows)
            place = rows[row].places[0]
            if not some >> place & 1:
                continue
            found = [n for n, each in enumerate(fails) if each >> place & 1]
            if number == 0:
                found = [n for n in found if (n > at[1] if direction > 0 else n < at[1])]
            if found:
                self.row = place
                self.column = columns[found[0 if direction > 0 else -1]].places[0]
                return True
        return False

    # Folding and filtering

    def fold(self) -> Fold:
        """Fold otherwise, and say how."""
        fold = _FOLDS[(_FOLDS.index(self._rows.fold) + 1) % len(_FOLDS)]
        for side in (self._rows, self._columns):
            side.turn(fold)
        return fold

    def toggle_row(self) -> None:
        """Unfold the row under the cursor, or fold it again."""
        if not self.is_empty:
            self._rows.toggle(self.row)

    def toggle_column(self) -> None:
        """Unfold the column under the cursor, or fold it again."""
        if not self.is_empty:
            self._columns.toggle(self.column)

    def filter(
        self,
        needle: str,
        asks: Callable[[Asker], bool] | None,
        is_asked: Callable[[Asked], bool] | None,
    ) -> None:
        """Show those alone of whom the tests hold (None: all)."""
        self.needle = needle
        self._rows.keep(_places(self.found.askers, asks))
        self._columns.keep(_places(self.found.asked, is_asked))
        if not self.is_empty:
            self.row = self._rows.groups[self._rows.index(self.row)].places[0]
            self.column = self._columns.groups[self._columns.index(self.column)].places[0]

    # What is there

    def ask(self) -> Probe | None:
        """The pair under the cursor."""
        if self.is_empty:
            return None
        found = self.found
        known = found.classes[found.cell(self.row, self.column).number]
        return Probe(found.askers[self.row], found.asked[self.column], known)

    def title(self, width: int) -> Line:
        """How many there are of what."""
        found = self.found
        pairs = len(found.askers) * len(found.asked)
        text = (
            f"   {pairs:,} pairs, {len(found.classes):,} classes, {len(found.parts):,} walks"
            f"   {self._rows.fold.value}"
        )
        needle = run(f"   /{neutralise(self.needle)}", Ink.FOUND) if self.needle else NOTHING
        return fit(
            cut(join((run(" Who reaches whom", Ink.STRONG), run(text, Ink.DIM), needle)), width),
            width,
        )

    def legend(self, width: int) -> Line:
        """Each sign that there is, and of how many pairs."""
        parts = [run(" ")]
        for mark, sign in MARKS.items():
            if mark in self._counts:
                parts += [run(f" {sign.glyph} ", sign.ink), run(f"{sign.word} ")]
                parts.append(run(f"{self._counts[mark]:,}  ", Ink.DIM))
        return fit(cut(join(parts), width), width)

    def lines(self, width: int, height: int) -> list[Line]:
        """The map, and below what is said of the cell under the cursor."""
        if self.is_empty:
            said = f"Nothing holds {self.needle!r}" if self.needle else "There is nobody to ask"
            return [NOTHING, run(f" {neutralise(said)}", Ink.DIM)]
        below = 6 if height >= 18 else 4 if height >= 10 else 1
        above = height - below
        count = len(self._rows.groups)
        left = min(max(self._rows.widest, self._columns.widest) + 2, max(10, width * 2 // 5))
        size = _CELL + 2 if (_CELL + 2) * len(self._columns.groups) <= width - left else _CELL
        columns = self._columns.window(self.column, max(1, (width - left) // size))
        heads = min(len(columns), max(1, above // 3, above - count))
        rows = self._rows.window(self.row, max(1, above - heads))
        self._seen = _Seen(rows, columns, heads, left, size)
        lines = [*self._heads(columns, heads, left, size)]
        lines += [self._row(n, columns, left, size) for n in rows]
        lines = [fit(cut(line, width), width) for line in lines[:above]]
        lines += [NOTHING] * (above - len(lines))
        return [*lines, *self._verdict(width, below)]

    def _heads(self, columns: range, heads: int, left: int, size: int) -> Iterator[Line]:
        """Names of columns, the last one on top, each with a line down to its column.

        Where there is room for some only, those around the cursor have theirs.
        """
        at = self._columns.index(self.column)
        first = max(columns.start, min(at - heads // 2, columns.stop - heads))
        named = range(first, first + heads)
        for column in reversed(named):
            here = left + (column - columns.start) * size + size // 2
            is_it = column == at
            name = middle(self._columns.names[column], max(1, here - 2))
            blank = here - 1 - width_of(name)
            parts = [run(" " * blank), run(name, Ink.CURSOR if is_it else Ink.DIM), run(" ")]
            parts.append(run("┐", Ink.FRAME if is_it else Ink.FAINT))
            for other in range(column + 1, named.stop):
                parts.append(run(" " * (size - 1)))
                parts.append(run("│", Ink.FRAME if other == at else Ink.FAINT))
            yield join(parts)

    def _row(self, row: int, columns: range, left: int, size: int) -> Line:
        place = self._rows.groups[row].places[0]
        is_row = row == self._rows.index(self.row)
        at = self._columns.index(self.column)
        label = f" {middle(self._rows.names[row], left - 2)} "
        ink = Ink.CURSOR if is_row else Ink.TEXT
        parts = [run(label, ink), run(" " * (left - width_of(label)))]
        for column in columns:
            other = self._columns.groups[column].places[0]
            cell = self.found.cell(place, other)
            sign = MARKS[mark_of(self.found.classes[cell.number].felt)]
            if is_row and column == at:
                parts.append(run(f"[{sign.glyph}]".center(size), Ink.CURSOR))
            else:
                parts.append(run(sign.glyph.center(size), sign.ink))
        return join(parts)

    def _verdict(self, width: int, rows: int) -> list[Line]:
        """Of the cell under the cursor: what is felt, where that is decided, and why."""
        asker, asked = self.found.askers[self.row], self.found.asked[self.column]
        cell = self.found.cell(self.row, self.column)
        one = self.found.classes[cell.number]
        said = told(self._cluster, self.found.parts[cell.part], asker, asked, cell)
        sign = MARKS[mark_of(one.felt)]
        felt = run(f" {sign.glyph} {felt_words(one.felt)} ", sign.ink)
        where = run(f"  {neutralise(said.decided_at)}", Ink.DIM)
        room = max(_LEAST_PAIR, width - line_width(felt) - line_width(where) - 3)
        asks = run(f" {pair(asker.name, asked.name, room)}  ", Ink.STRONG)
        head = cut(join((asks, felt, where)), width)
        if rows == 1:
            return [fit(head, width)]
        why = hang(run(" "), neutralise(said.reason), width, indent=1, rows=rows - 3)
        lines = [run("─" * width, Ink.FAINT), head, *why]
        lines += [NOTHING] * (rows - 1 - len(lines))
        return [fit(line, width) for line in (*lines, cut(self._fold_line(cell, one), width))]

    def _fold_line(self, cell: Cell, one: Class) -> Line:
        """How many pairs are like this one, and how many stand behind this cell."""
        text = f" class {cell.number:,}: "
        text += f"nothing tells {one.pairs:,} pairs apart" if one.pairs > 1 else "this pair alone"
        rows = len(self._rows.groups[self._rows.index(self.row)].places)
        columns = len(self._columns.groups[self._columns.index(self.column)].places)
        if rows * columns > 1:
            text += f"; here {rows} × {columns} folded"
        return run(text, Ink.DIM)


_End = TypeVar("_End")


def _places(ends: Sequence[_End], test: Callable[[_End], bool] | None) -> frozenset[int] | None:
    return None if test is None else frozenset(n for n, one in enumerate(ends) if test(one))


def _moved(side: _Side, place: int, by: int) -> int:
    if not by:
        return place
    at = max(0, min(side.index(place) + by, len(side.groups) - 1))
    return side.groups[at].places[0]
