"""The Nodes pane: the rows of the tree that are in sight, drawn."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from k8stui.export.drawing.ink import Ink, Line, cut, fit, join, line_width, middle, run
from k8stui.export.drawing.words import ORIGINS
from k8stui.neutralise import neutralise
from k8stui.origin import OriginKind
from k8stui.tui.sheet import Sheet
from k8stui.tui.tree import Item, RowKind, Tree

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
        over = Ink.TRAIL if walked else None
        if row == self._tree.cursor:
            over = Ink.CURSOR if self._focused else Ink.KEY
        origin = said.aside_origin
        return _drawn(
            _Row(
                lead=" " + "  " * item.depth + fold + " ",
                label=said.label,
                aside=said.aside,
                origin=origin.kind if origin is not None else None,
                mark=self._mark(item),
                ink=ink,
                over=over,
            ),
            self._width,
        )

    def _mark(self, item: Item) -> Line:
        """What the check found: in a closed branch how often, else of what kind."""
        sign = self._tree.marks.get(item.key)
        if sign is None or (sign.word.isdigit() and item.key in self._tree.opened):
            return ()
        return run(f"{sign.glyph} {sign.word}", sign.ink)

    def copied(self, row: int) -> str:
        said = self._tree.say(self._tree.items[row])
        return f"{said.label} {said.aside}".strip()

    def searched(self, row: int) -> str:
        return self.copied(row).lower()


class _Row(NamedTuple):
    """All that a row's look depends on but its width."""

    lead: str
    label: str
    aside: str
    origin: OriginKind | None
    """Of `aside`."""
    mark: Line
    ink: Ink
    over: Ink | None
    """In which ink all of it is drawn, if in one."""


@lru_cache(maxsize=1024)  # a step of the walk changes none of them
def _drawn(row: _Row, width: int) -> Line:
    name = neutralise(row.label)
    left = run(row.lead + name, row.ink)
    right = _aside(row, width)
    room = width - line_width(right) - 1
    if row.mark and line_width(left) + line_width(row.mark) + 1 <= width:
        both = join((row.mark, run(" "), right))
        right = both if line_width(left) + line_width(both) < width else row.mark
        room = width - line_width(right) - 1
    if room < line_width(left):  # the name comes first; half an address helps nobody
        right, room = (), width
    if line_width(left) > room:  # names that begin alike differ at their end
        left = run(row.lead + middle(name, room - len(row.lead)), row.ink)
    line = join((fit(left, room), run(" ") if right else (), right))
    if row.over is None:
        return line
    return tuple((text, row.over) for text, _ in fit(line, width))


def _aside(row: _Row, width: int) -> Line:
    text = cut(run(neutralise(row.aside), Ink.DIM), max(0, width - 10))
    if row.origin in (OriginKind.ASSUMED, OriginKind.DEFAULTED):
        return join((text, run(ORIGINS[row.origin].glyph, Ink.ASSUMED)))
    return join((text, run(" "))) if text else text
