"""The Nodes pane: the rows of the tree that are in sight, drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8stui.export.drawing.ink import Ink, Line, cut, fit, join, line_width, middle, run
from k8stui.export.drawing.words import ORIGINS
from k8stui.neutralise import neutralise
from k8stui.origin import OriginKind
from k8stui.tui.sheet import Sheet
from k8stui.tui.tree import Item, RowKind, Said, Tree

if TYPE_CHECKING:
    from k8stui.walk.trace import Request


class NodesSheet(Sheet):
    """The Nodes pane."""

    def __init__(
        self,
        tree: Tree,
        width: int,
        request: Request | None,
        *,
        focused: bool,
        growing: bool = False,
    ) -> None:
        """`growing`: more rows will come."""
        self._tree = tree
        self._width = width
        self._focused = focused
        self._request = request
        self.title = join((run("1 ", Ink.KEY), run("Nodes", Ink.STRONG)))
        self.cursor = tree.cursor
        self.note = run("○ assumed" if width >= 20 and not growing else "")
        if tree.hits is not None:
            count = len(tree.hits.keys)
            self.note = run(f"{count:,}{'+' if tree.hits.is_capped else ''} found")
        if growing:
            self.note = join((self.note, run(" so far" if self.note else "so far")))

    def __len__(self) -> int:
        return len(self._tree.items)

    def line(self, row: int) -> Line:
        item = self._tree.items[row]
        said = self._tree.say(item)
        fold = ("▾" if item.key in self._tree.opened else "▸") if item.has_children else " "
        walked = item.offer is not None and item.offer.request == self._request
        if walked:
            fold = "▶"
        ink = Ink.STRONG if item.depth == 0 else Ink.TEXT
        if item.kind is RowKind.CONTAINER:
            ink = Ink.DIM
        left = run(" " + "  " * item.depth + fold + " " + neutralise(said.label), ink)
        right = self._aside(said)
        room = self._width - line_width(right) - 1
        mark = self._mark(item)
        if mark and line_width(left) + line_width(mark) + 1 <= self._width:
            both = join((mark, run(" "), right))
            right = both if line_width(left) + line_width(both) < self._width else mark
            room = self._width - line_width(right) - 1
        if room < line_width(left):  # the name comes first; half an address helps nobody
            right, room = (), self._width
        if line_width(left) > room:  # names that begin alike differ at their end
            lead = " " + "  " * item.depth + fold + " "
            left = run(lead + middle(neutralise(said.label), room - len(lead)), ink)
        line = join((fit(left, room), run(" ") if right else (), right))
        if row == self._tree.cursor:
            cursor = Ink.CURSOR if self._focused else Ink.KEY
            return tuple((text, cursor) for text, _ in fit(line, self._width))
        if walked:
            return tuple((text, Ink.TRAIL) for text, _ in line)
        return line

    def _mark(self, item: Item) -> Line:
        """What the check found: in a closed branch how often, else of what kind."""
        sign = self._tree.marks.get(item.key)
        if sign is None or (sign.word.isdigit() and item.key in self._tree.opened):
            return ()
        return run(f"{sign.glyph} {sign.word}", sign.ink)

    def _aside(self, said: Said) -> Line:
        text = cut(run(neutralise(said.aside), Ink.DIM), max(0, self._width - 10))
        origin = said.aside_origin
        if origin is not None and origin.kind in (OriginKind.ASSUMED, OriginKind.DEFAULTED):
            return join((text, run(ORIGINS[origin.kind].glyph, Ink.ASSUMED)))
        return join((text, run(" "))) if text else text

    def copied(self, row: int) -> str:
        said = self._tree.say(self._tree.items[row])
        return f"{said.label} {said.aside}".strip()

    def searched(self, row: int) -> str:
        return self.copied(row).lower()
