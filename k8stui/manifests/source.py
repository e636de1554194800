"""The stretch of a text that one object was read from."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from k8stui.manifests import json_text, tree
from k8stui.manifests.events import YamlFault
from k8stui.manifests.manifest import Path
from k8stui.manifests.text import Text
from k8stui.record import record

if TYPE_CHECKING:
    from k8stui.manifests.layout import Layouts


@record(eq=False)
class SourceText:
    """A document, or one element of a ``List``; a `Locator`."""

    text: Text
    start: int
    end: int
    json: bool
    cut: bool = False
    """It was read by the shapes of its lines (`dump`): an element of a long list."""

    def piece(self) -> tuple[str, int]:
        """Give the object's own text and the offset in `text` of the piece's first character.

        A block element of a list keeps its columns: blanks stand for what is left of it, so the
        offset may be smaller than `start`.
        """
        column = 0 if self.json else self.text.line_column(self.start)[1]
        return " " * column + self.text.content[self.start : self.end], self.start - column

    def find(self, path: Path) -> tuple[int, int]:
        if self.cut:
            return _cut(self).find(path)
        return _position(self, path)

    def has(self, path: Path) -> bool:
        """Whether every part of `path` is written."""
        if self.json:
            data, _ = json_text.value_at(self.text.content, self.start)
            for part in path:
                if not isinstance(data, dict) or part not in data:
                    return False
                data = data[part]
            return True
        node = _tree(self)[0]
        for part in path:
            entry = node.child(part) if node else None
            if entry is None:
                return False
            node = entry.node
        return node is not None

    def offset(self, path: Path) -> int:
        if self.json:
            return json_text.find(self.text.content, self.start, path)
        root, base = _tree(self)
        if root is None:
            return self.start
        entry, node = tree.find(root, path)
        return base + (entry.start if entry else node.start)

    def scalars(self, path: Path) -> list[tuple[int, int]]:
        """Start and end of every scalar at and below `path`, quotes left out."""
        if self.json:
            return json_text.strings(self.text.content, self.start, path)
        root, base = _tree(self)
        if root is None:
            return []
        found: list[tuple[int, int]] = []
        node = root
        for part in path:
            entry = node.child(part)
            if entry is None:
                return []
            node = entry.node
        _scalars(node, base, found)
        return found


def _scalars(node: tree.TreeNode, base: int, found: list[tuple[int, int]]) -> None:
    if node.text is None:
        for entry in node.entries:
            _scalars(entry.node, base, found)
        return
    start, end = base + node.start, base + node.end
    # Quotes and the head of a block scalar stay, so that the text can still be parsed.
    found.append((start + 1, end - 1) if node.style in ("'", '"') else (start, end))


@lru_cache(maxsize=512)
def _position(source: SourceText, path: Path) -> tuple[int, int]:
    """Ten thousand pods of one template ask for the same few places, again and again."""
    return source.text.position(source.offset(path))


@lru_cache(maxsize=8)
def _tree(source: SourceText) -> tuple[tree.TreeNode | None, int]:
    piece, base = source.piece()
    try:
        return tree.tree(piece), base
    except YamlFault:
        # A value that libyaml refuses was refused at load; what is left cannot be placed.
        return None, base


class _Cut:
    """An element of a long list, with the number of its first line."""

    def __init__(self, source: SourceText) -> None:
        from k8stui.manifests.layout import ElementLayout  # noqa: PLC0415 - for big inputs

        self._source = source
        piece, base = source.piece()
        self._above = source.text.line_column(base)[0]
        self._element = ElementLayout(piece, _layouts())

    def find(self, path: Path) -> tuple[int, int]:
        spot = self._element.find(path)
        if spot is None:
            return _position(self._source, path)
        line, column = spot
        return self._source.text.placed(self._above + line, column)


@lru_cache(maxsize=8)
def _cut(source: SourceText) -> _Cut:
    return _Cut(source)


@lru_cache(maxsize=1)
def _layouts() -> Layouts:
    from k8stui.manifests.layout import Layouts  # noqa: PLC0415 - for big inputs

    return Layouts()


def forget() -> None:
    """Let go of the trees that were built: they hold text that may have to go (Secrets)."""
    _position.cache_clear()
    _tree.cache_clear()
    _cut.cache_clear()
    _layouts.cache_clear()
