"""What a pane shows: a frame's title, fixed lines above and below, and a body that scrolls."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Self

from k8stui.export.drawing.ink import NOTHING, Ink, Line, text_of
from k8stui.tui.needle import understood


class Sheet(ABC):
    """The content of one pane for one state and width. Cheap to make; rows are made when drawn."""

    title: Line = NOTHING
    """In the upper edge of the frame."""
    note: Line = NOTHING
    """In the lower edge of the frame, right."""
    head: tuple[Line, ...] = ()
    foot: tuple[Line, ...] = ()
    cursor: int | None = None
    """Body row that has to be in view."""
    extent: int = 1
    """Rows from the cursor on that belong to it: in view too, where not at the first one's cost."""
    column: int = 0
    """Body column that has to be in view, for a body wider than the pane."""
    width: int = 0
    """Cells that the widest body row takes; 0: the body is made for the pane's width."""
    centred: bool = False
    """Whether a body smaller than the pane stands in its middle."""
    fill: Ink = Ink.TEXT

    @abstractmethod
    def __len__(self) -> int:
        """Rows of the body."""

    @abstractmethod
    def line(self, row: int) -> Line:
        """One row of the body."""

    def moved(self, row: int, by: int) -> int:
        """The row `by` entries below (or above) the one on `row`."""
        return max(0, min(row + by, len(self) - 1))

    def copied(self, row: int) -> str:
        """What ``y`` copies of a row: the line as Linux prints it, where it is one."""
        return text_of(self.line(row)).strip()

    def find(self, needle: str, start: int, direction: int) -> int | None:
        """The next row at or after (before) `start` that holds `needle`, round the end."""
        count = len(self)
        is_it = understood(needle).finder()
        for n in range(count):
            row = (start + n * direction) % count
            if is_it(self.searched(row)):
                return row
        return None

    def searched(self, row: int) -> str:
        """What ``/`` looks at, in lower case."""
        return text_of(self.line(row)).lower()


def moved_over(lit: int | None, lines: int, row: int, by: int, count: int) -> int:
    """As `Sheet.moved`, where the entry that starts on row `lit` takes `lines` rows, not one.

    The cursor stands on an entry's first row.
    """
    if lit is None or lines < 2:
        return max(0, min(row + by, count - 1))
    more = lines - 1
    entry = row if row < lit else max(lit, row - more)
    entry = max(0, min(entry + by, count - more - 1))
    return entry if entry <= lit else entry + more


class Spread:
    """Entries of a body that has room for all rows of each: none of them is cut."""

    def __init__(self, entries: Sequence[Sequence[Line]]) -> None:
        self._entries = entries
        self.rows = [(n, part) for n, lines in enumerate(entries) for part in range(len(lines))]
        """By row: the entry, and the line of it."""
        self.first = [row for row, (_, part) in enumerate(self.rows) if not part]
        """By entry: its first row."""

    @classmethod
    def within(cls, room: int, entries: int, lines: Callable[[int], Sequence[Line]]) -> Self | None:
        """All of so many entries; None where they have not that many rows of room."""
        found: list[Sequence[Line]] = []
        for n in range(entries if entries <= room else 0):
            found.append(lines(n))
            room -= len(found[-1])
            if room < 0:
                return None
        return cls(found) if found else None

    def line(self, row: int) -> Line:
        """What stands on a row."""
        entry, part = self.rows[row]
        return self._entries[entry][part]

    def moved(self, row: int, by: int) -> int:
        """As `Sheet.moved`."""
        entry = self.rows[row][0] + by
        return self.first[max(0, min(entry, len(self.first) - 1))]


class Lines(Sheet):
    """A sheet of given lines: help, a manifest, a message."""

    def __init__(self, title: Line, lines: tuple[Line, ...], cursor: int | None = None) -> None:
        self.title = title
        self._lines = lines
        self.cursor = cursor

    def __len__(self) -> int:
        return len(self._lines)

    def line(self, row: int) -> Line:
        return self._lines[row]
