"""The tree of the Nodes pane: which rows are in sight, and its cursor. No Textual.

What the rows are and how they read is another's to say (`Rows`): of a cluster that stands
(cluster_rows.py), or of one that is being read (found_rows.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

from k8stui.tui.index import Hits, Index

if TYPE_CHECKING:
    from k8stui.export.drawing.words import Sign
    from k8stui.origin import Origin
    from k8stui.walk.offers import Offer

_MOST_SHOWN = 200
"""Rows of what was found: more letters narrow it down sooner than scrolling."""


class RowKind(StrEnum):
    """What a row of the tree stands for."""

    NODE = "node"
    POD = "pod"
    CONTAINER = "container"
    SERVICES = "services"
    SERVICE = "service"
    OFFER = "offer"
    PENDING = "pending"
    WORKLOADS = "workloads"
    WORKLOAD = "workload"
    OUTSIDE = "outside"


_FOUND_WORDS = {RowKind.SERVICE: "svc ", RowKind.WORKLOAD: ""}
"""What stands before the name of something found, where it is not its kind."""


class Item(NamedTuple):
    """One row of the tree. Opening a branch makes 10,000 of them: all else is said when seen."""

    kind: RowKind
    key: str
    """Unique in the tree, and the same before and after the cluster stands."""
    depth: int
    subject: object = None
    """What it stands for."""
    has_children: bool = False

    @property
    def offer(self) -> Offer | None:
        return cast("Offer", self.subject) if self.kind is RowKind.OFFER else None


class Said(NamedTuple):
    """How a row reads."""

    label: str
    aside: str = ""
    """At the right: an address, a port."""
    origin: Origin | None = None
    """Of the object: what ``m`` shows."""
    aside_origin: Origin | None = None


class Rows(Protocol):
    """Everything that could be in sight."""

    index: Index
    """By which objects are found, whether or not they are in sight."""
    opened: Iterable[str]
    """Keys of the branches that are open at first."""

    def roots(self) -> list[Item]:
        """Give the rows that are always in sight."""

    def children(self, item: Item) -> list[Item]:
        """What a row opens into."""

    def item(self, key: str) -> Item:
        """Give the row of a node, pod or Service, which the index knows."""

    def branch(self, key: str) -> str:
        """Key of the root that a row is in; empty for a root."""

    def now(self, key: str) -> str:
        """Key of the row that shows what another tree of the same objects has under `key`."""

    def say(self, item: Item) -> Said:
        """How a row reads."""


class Tree:
    """The rows in sight. Children are made when a row is opened."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.cursor = 0
        self.is_touched = False
        """Whether somebody has done anything in it: the cursor moves by itself while it grows."""
        self.opened: set[str] = set()
        """Keys of open rows; of rows too that are still to come."""
        self.hits: Hits | None = None
        """What the filter found; None: the whole tree is shown."""
        self.marks: Mapping[str, Sign] = {}
        """What the check says of rows, by key."""
        self.needle = ""
        """What the filter looks for."""
        self._whole: tuple[list[Item], int] | None = None
        """Rows and cursor of the whole tree, while there is a filter."""
        self.items: list[Item] = rows.roots()
        for key in rows.opened:
            self.open(key)
            self.opened.add(key)

    @property
    def item(self) -> Item | None:
        return self.items[self.cursor] if self.cursor < len(self.items) else None

    def say(self, item: Item) -> Said:
        """How a row reads; one that was found says of which kind it is."""
        said = self.rows.say(item)
        if self.hits is None:
            return said
        word = _FOUND_WORDS.get(item.kind, f"{item.kind} ")
        return said._replace(label=word + said.label)

    def move(self, by: int) -> bool:
        self.is_touched = True
        to = max(0, min(self.cursor + by, len(self.items) - 1))
        moved, self.cursor = to != self.cursor, to
        return moved

    def toggle(self, row: int) -> None:
        """Open or close the row's children. Rows elsewhere are not touched."""
        item = self.items[row]
        if not item.has_children:
            return
        if item.key in self.opened:
            self.opened.discard(item.key)
            end = row + 1
            while end < len(self.items) and self.items[end].depth > item.depth:
                self.opened.discard(self.items[end].key)
                end += 1
            del self.items[row + 1 : end]
            if row < self.cursor < end:
                self.cursor = row
            elif self.cursor >= end:
                self.cursor -= end - row - 1
        else:
            self.opened.add(item.key)
            children = self.rows.children(item)
            self.items[row + 1 : row + 1] = children
            if self.cursor > row:
                self.cursor += len(children)

    def enter(self) -> bool:
        """Open or close the row under the cursor; show what was found in its place in the tree.

        Whether anything happened.
        """
        self.is_touched = True
        if self.hits is not None:
            self.unfilter(go=True)
        elif self.item is not None and self.item.has_children:
            self.toggle(self.cursor)
        else:
            return False
        return True

    def row_of(self, key: str) -> int | None:
        """Where a row is in sight."""
        return next((n for n, item in enumerate(self.items) if item.key == key), None)

    def go(self, row: int) -> None:
        """Put the cursor on a row that is in sight."""
        self.cursor, self.is_touched = row, True

    def open(self, key: str) -> None:
        """Open an item that is in sight; the cursor stays where it is."""
        row = self.row_of(key)
        if row is not None and key not in self.opened:
            self.toggle(row)

    def close_or_climb(self) -> bool:
        """Esc: close an open row, else go to its parent. Whether anything happened."""
        item = self.item
        if item is None:
            return False
        if item.key in self.opened and item.depth:
            self.toggle(self.cursor)
            return True
        row = self.cursor
        while row and self.items[row].depth >= item.depth:
            row -= 1
        if self.items[row].depth < item.depth:
            self.cursor = row
            return True
        return False

    def reveal(self, key: str) -> bool:
        """Put the cursor on a row; what it is in is opened. Whether there is such a row."""
        branch = self.rows.branch(key)
        if branch:
            self.open(branch)
        row = self.row_of(key)
        if row is not None:
            self.cursor = row
        return row is not None

    # Finding: over all objects, whether or not they are in sight

    @property
    def is_filtered(self) -> bool:
        return self.hits is not None

    def filter(self, needle: str) -> None:
        """Show only what holds `needle` (needle.py); all of the tree again when it is empty."""
        if self._whole is None:
            self._whole = (self.items, self.cursor)
        self.items, self.cursor = self._whole
        self.needle, self.hits = needle, None
        if needle:
            self.hits = self.rows.index.search(needle)
            self.items = [
                self.rows.item(key)._replace(depth=0, has_children=False)
                for key in self.hits.keys[:_MOST_SHOWN]
            ]
            self.cursor = 0

    def unfilter(self, *, go: bool) -> None:
        """Show the whole tree again; `go`: with the cursor on what was found."""
        if self._whole is None:
            return
        item = self.item if self.hits is not None else None
        (self.items, self.cursor), self._whole, self.hits = self._whole, None, None
        if go and item is not None:
            self.reveal(item.key)

    def find(self, needle: str, direction: int) -> bool:
        """Put the cursor on the next object that holds `needle`; closed branches are opened."""
        keys = self.rows.index.search(needle).keys
        if not keys:
            return False
        here = self.item.key if self.item is not None else ""
        at = (keys.index(here) + direction) % len(keys) if here in keys else 0
        return self.reveal(keys[at])

    # More objects, or the cluster made of them

    def grow(self) -> int:
        """Take in what the rows have found since. How many came in above the cursor."""
        found, here = self.hits is not None, self.item
        needle, is_asked = self.needle, self._whole is not None
        if self._whole is not None:
            (self.items, self.cursor), self._whole, self.hits = self._whole, None, None
        root = before = self.cursor
        while root and self.items[root].depth:
            root -= 1
        key = self.items[root].key if self.items else ""
        self.items, old = [], self.cursor - root
        for item in self.rows.roots():
            if item.key == key:
                self.cursor = len(self.items) + old
            self.items.append(item)
            if item.key in self.opened:
                self.items += self.rows.children(item)
        above = self.cursor - before
        if is_asked:
            self.filter(needle)
            if found and here is not None:
                self.cursor = self.row_of(here.key) or 0
                above = 0
        return above

    def follow(self, other: Tree) -> None:
        """Show what another tree of the same objects shows: open rows, cursor, filter."""
        for key in other.opened:
            self.open(key)
        items, cursor = other._whole or (other.items, other.cursor)
        if cursor < len(items):
            self.reveal(self.rows.now(items[cursor].key))
        if other._whole is not None:
            self.filter(other.needle)
            if other.hits is not None and other.item is not None:
                self.cursor = self.row_of(other.item.key) or 0
