"""Where the fields of a dump's objects stand, found once for all that are laid out alike.

As `shapes`, for places: what varies between two stretches of one shape is the values of simple
one-line scalars, so every key and every list item stands on the same line and in the same column
of both. The parser sees one stretch of each shape.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from k8stui.manifests import tree
from k8stui.manifests.events import YamlFault
from k8stui.manifests.manifest import Path
from k8stui.manifests.shapes import MOST, IrregularError, ShapedLines, judged

FIELD = re.compile(r"\n(?=  [a-zA-Z])")
"""Where a field of an element begins; list items and what belongs to a field stand elsewhere."""
_KEY = re.compile(r"  ([a-zA-Z][\w.-]*):(?= |\n|$)")

Spot = tuple[int, int]
"""0-based line and column."""


class ElementLayout:
    """One element of a list, as `dump` cuts them: which field stands on which of its lines."""

    def __init__(self, content: str, layouts: Layouts) -> None:
        """`content`: with blanks for what stands left of it."""
        self._known = layouts
        self._fields: dict[str, tuple[int, str]] = {}
        self._layouts: dict[str, _Layout] = {}
        self._irregular = False
        line = 0
        for stretch in FIELD.split(content):
            key = _KEY.match(stretch)
            if key is None or key[1] in self._fields:
                self._irregular = True
                break
            self._fields[key[1]] = line, stretch
            line += stretch.count("\n") + 1

    def find(self, path: Path) -> Spot | None:
        """Find a field's key, a list item's first character; of what is not written the parent's.

        None: only the parser can tell.
        """
        if self._irregular:
            return None
        if not path:
            return 0, 2
        first = path[0]
        try:
            if first not in self._fields:
                for key in self._fields:  # a key in quotes would be hidden behind another one
                    self._layout(key)
                return 0, 2
            assert isinstance(first, str)
            line, column = self._layout(first)[path]
        except IrregularError:
            self._irregular = True
            return None
        return self._fields[first][0] + line, column

    def _layout(self, key: str) -> _Layout:
        found = self._layouts.get(key)
        if found is None:
            found = self._layouts[key] = self._known.layout(key, self._fields[key][1])
        return found


class _Layout(dict[Path, Spot]):
    """Of each path in a stretch its spot; of one that is not there, its parent's."""

    __slots__ = ()

    def __missing__(self, path: Path) -> Spot:
        return self[path[:-1]]


class Layouts:
    """The layouts of the shapes seen so far."""

    def __init__(self) -> None:
        self._lines = ShapedLines()
        self._layouts: dict[tuple[str, ...], _Layout | None] = {}

    def layout(self, key: str, stretch: str) -> _Layout:
        """Where things stand in a stretch, which is to hold one field of this name.

        Raises:
            IrregularError: it is laid out so that only the parser can tell.

        """
        lines = stretch.split("\n")
        shape = tuple(map(self._lines.__getitem__, lines))
        if shape not in self._layouts:
            if len(self._layouts) >= MOST:
                self._layouts.clear()
            self._layouts[shape] = _laid_out(key, stretch, lines, shape)
        found = self._layouts[shape]
        if found is None:
            raise IrregularError
        return found


def _laid_out(key: str, stretch: str, lines: list[str], shape: tuple[str, ...]) -> _Layout | None:
    try:
        root = tree.tree(stretch)
        if root is None:
            return None
        starts = judged(root, stretch, lines, shape)
    except (IrregularError, YamlFault):
        return None
    if not root.mapping or [entry.key for entry in root.entries] != [key]:
        return None
    found = _Layout()
    for path, start in _entries(root, ()):
        line = bisect_right(starts, start) - 1
        found[path] = line, start - starts[line]
    return found


def _entries(node: tree.TreeNode, path: Path) -> Iterator[tuple[Path, int]]:
    """Path and start of everything below a node."""
    for index, entry in enumerate(node.entries):
        below = (*path, index if entry.key is None else entry.key)
        yield below, entry.start
        yield from _entries(entry.node, below)
