"""Cells to draw on: characters with inks, boxes and wires that join where they meet."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import groupby
from types import MappingProxyType
from typing import NamedTuple

from k8stui.export.drawing.ink import Ink, Line, middle, width_of

_ONE_CELL_EACH = re.compile(r"[\x20-\x7e…─-▟←-⇿▸▾▶◀●○◌◆◇✓✗]*").fullmatch
"""Of a text whose characters surely take a cell each."""

_NO_WORD = frozenset("─━│┯┷┴┬├┤╭╮╰╯┌┐└┘╥╨▸▾")
"""Characters of lines, which end a word."""

Cell = tuple[int, int]
"""(column, row), 0-based."""


NOTHING_OVER: Mapping[Cell, tuple[str, Ink]] = MappingProxyType({})


class Rect(NamedTuple):
    """Where a box stands, in cells."""

    x: int
    y: int
    width: int
    height: int


class Canvas:
    """A rectangle of cells. Whatever falls outside is not drawn."""

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self._text = [[" "] * width for _ in range(height)]
        self._ink = [[Ink.TEXT] * width for _ in range(height)]

    def at(self, x: int, y: int) -> str:
        """The character on a cell of the canvas."""
        return self._text[y][x]

    def words(self, x: int, y: int) -> range:
        """Columns of the words on a cell, with a blank between two of them; none beside words."""
        row = self._text[y]

        def is_word(at: int) -> bool:
            return 0 <= at < self.width and row[at] != " " and row[at] not in _NO_WORD

        def goes_on(at: int, by: int) -> bool:
            return is_word(at) or (0 <= at < self.width and row[at] == " " and is_word(at + by))

        if not (is_word(x) or (row[x] == " " and is_word(x - 1) and is_word(x + 1))):
            return range(x, x)
        first = last = x
        while goes_on(first - 1, -1):
            first -= 1
        while goes_on(last + 1, 1):
            last += 1
        return range(first, last + 1)

    def line_beside(self, words: range, y: int) -> str:
        """The line that words stand on, as in the edge of a box or on a bridge; else a blank."""
        beside = (words.start - 2, words.start - 1, words.stop, words.stop + 1)
        found = {self._text[y][at] for at in beside if 0 <= at < self.width}
        return next((line for line in "━─" if line in found), " ")

    def put(self, x: int, y: int, text: str, ink: Ink = Ink.TEXT) -> list[Cell]:
        """Write `text`; gives the cells written."""
        cells: list[Cell] = []
        end = x + len(text)
        if 0 <= y < self.height and x >= 0 and end <= self.width and _ONE_CELL_EACH(text):
            self._text[y][x:end] = text
            self._ink[y][x:end] = [ink] * len(text)
            return [(at, y) for at in range(x, end)]
        if 0 <= y < self.height:
            at = x
            for char in text:
                cells += self._set(at, y, char, ink)
                at += width_of(char)
        return cells

    def _set(self, x: int, y: int, char: str, ink: Ink) -> list[Cell]:
        """Write one character; the second cell of a wide one is empty."""
        size = width_of(char)
        if not size or x < 0 or x + size > self.width:
            return []
        written = [char, *[""] * (size - 1)]
        for n, part in enumerate(written):
            self._text[y][x + n] = part
            self._ink[y][x + n] = ink
        return [(x + n, y) for n in range(size)]

    def box(self, at: Rect, title: str, room: int = 0, ink: Ink = Ink.STRONG) -> None:
        """Draw a box with its title (at most `room` cells of it) in the upper edge."""
        x, y, width, height = at
        self.put(x, y, "╭" + "─" * (width - 2) + "╮", Ink.FAINT)
        for row in range(y + 1, y + height - 1):
            self.put(x, row, "│", Ink.FAINT)
            self.put(x + width - 1, row, "│", Ink.FAINT)
        self.put(x, y + height - 1, "╰" + "─" * (width - 2) + "╯", Ink.FAINT)
        room = min(room or width, width - 4)
        shown = middle(title, room)
        self.put(x + 1, y, f" {shown} ", ink)

    def down(self, x: int, first: int, last: int) -> list[Cell]:
        """A wire down a column, both rows included, behind what is written there; its cells."""
        rows = range(max(first, 0), min(last + 1, self.height))
        blank = (y for y in rows if 0 <= x < self.width and self._text[y][x] == " ")
        return [cell for y in blank for cell in self.put(x, y, "│", Ink.FAINT)]

    def bar(self, y: int, first: int, last: int) -> list[Cell]:
        """Draw a bus (a bridge, the wire) along a row; gives its cells."""
        return self.put(first, y, "━" * (last - first + 1), Ink.FAINT)

    def line(self, y: int) -> Line:
        """One row."""
        return _runs(self._text[y], self._ink[y])

    def lines(self, over: Mapping[Cell, tuple[str, Ink]] = NOTHING_OVER) -> list[Line]:
        """All rows, with some cells in another ink, or another character where one is given."""
        texts, inks = self._text, self._ink
        if over:
            texts, inks = [[*row] for row in texts], [[*row] for row in inks]
        for (x, y), (char, ink) in over.items():
            if 0 <= y < self.height and 0 <= x < self.width:
                texts[y][x] = char or texts[y][x]
                inks[y][x] = ink
        return [*map(_runs, texts, inks)]


def _runs(text: list[str], inks: list[Ink]) -> Line:
    """Cells of one row, neighbours of the same ink together."""
    runs: list[tuple[str, Ink]] = []
    end = 0
    for ink, cells in groupby(inks):
        first, end = end, end + len([*cells])
        runs.append(("".join(text[first:end]), ink))
    return tuple(runs)
