"""Where the YAML documents of a text begin and end, however broken they are."""

from __future__ import annotations

import re
from collections.abc import Iterator

_MARKS = "---", "..."
_EMPTY = re.compile(r"(?:---)?(?:\s|(?<=\s)#[^\n]*+)*+")


def documents(content: str) -> Iterator[tuple[int, int]]:
    """Start and end of each YAML document that is not empty.

    ``---`` or ``...`` at column 0 with nothing, or white space, behind it ends a document
    whatever stands around it (YAML 1.1, section 9.1.2), so a broken one costs only itself.
    """
    start = 0
    for mark in _boundaries(content):
        if content[mark] == ".":
            end = content.find("\n", mark)
            if not _EMPTY.fullmatch(content, start, mark):
                yield start, mark
            start = end if end >= 0 else len(content)
        # Directives (%YAML) belong to the document that they stand before.
        elif mark > start and not _only_directives(content, start, mark):
            if not _EMPTY.fullmatch(content, start, mark):
                yield start, mark
            start = mark
    if not _EMPTY.fullmatch(content, start):
        yield start, len(content)


def _boundaries(content: str) -> Iterator[int]:
    """Offset of each mark, in order. Each stretch is searched once for either."""
    found = [0 if content.startswith(mark) else _find(content, mark, 0) for mark in _MARKS]
    while (at := min(found)) < len(content):
        if content[at + 3 : at + 4] in ("", " ", "\t", "\n"):
            yield at
        which = found.index(at)
        found[which] = _find(content, _MARKS[which], at + 3)


def _find(content: str, mark: str, at: int) -> int:
    """Where `mark` begins a line behind `at`, else the end."""
    found = content.find(f"\n{mark}", at)
    return found + 1 if found >= 0 else len(content)


def _only_directives(content: str, start: int, end: int) -> bool:
    found = False
    while start < end:
        stop = content.find("\n", start, end) + 1 or end
        line = content[start:stop]
        start = stop
        if line.startswith("%"):
            found = True
        elif line.strip() and line[0] != "#":
            return False
    return found
