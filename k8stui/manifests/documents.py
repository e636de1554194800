"""Where the YAML documents of a text begin and end, however broken they are."""

from __future__ import annotations

from collections.abc import Iterator


def documents(content: str) -> Iterator[tuple[int, int]]:
    """Start and end of each YAML document.

    ``---`` or ``...`` at column 0 with nothing, or white space, behind it ends a document
    whatever stands around it (YAML 1.1, section 9.1.2), so a broken one costs only itself.
    """
    start = at = 0
    while True:
        mark, at = _boundary(content, at)
        if mark < 0:
            yield start, len(content)
            return
        if content[mark] == ".":
            end = content.find("\n", mark)
            yield start, mark
            start = at = end if end >= 0 else len(content)
        else:
            # Directives (%YAML) belong to the document that they stand before.
            if mark > start and not _only_directives(content[start:mark]):
                yield start, mark
                start = mark
            at = mark + 3


def _boundary(content: str, at: int) -> tuple[int, int]:
    while True:
        if at == 0 and content.startswith(("---", "...")):
            mark = 0
        else:
            hyphens = content.find("\n---", max(0, at - 1))
            dots = content.find("\n...", max(0, at - 1), hyphens if hyphens >= 0 else None)
            mark = dots if dots >= 0 else hyphens
            if mark < 0:
                return -1, len(content)
            mark += 1
        if content[mark + 3 : mark + 4] in ("", " ", "\t", "\n"):
            return mark, mark + 3
        at = mark + 3


def _only_directives(stretch: str) -> bool:
    lines = [line for line in stretch.splitlines() if line.strip() and line[0] != "#"]
    return bool(lines) and all(line.startswith("%") for line in lines)
