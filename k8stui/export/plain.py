"""Lines of text for any terminal: wrapped, and in ASCII where nothing else will do."""

from __future__ import annotations

from collections.abc import Iterator

WIDTH = 80
"""Columns that every line fits in, unless one word of it does not."""

_ASCII = str.maketrans(
    {
        "─": "-",
        "│": "|",
        "├": "|",
        "└": "`",
        "▶": ">",
        "→": "->",
        "⇒": "=>",
        "⇐": "<=",
        "…": "...",
        "●": "*",
        "○": "o",
        "·": ".",
        "×": "x",
        "–": "-",
        "≥": ">=",
        "≤": "<=",
        "✓": "+",
        "✗": "x",
        "≠": "!=",
    }
)


def to_ascii(text: str) -> str:
    r"""Replace arrows and lines by ASCII; any other character becomes ``\u…``."""
    return text.translate(_ASCII).encode("ascii", "backslashreplace").decode("ascii")


def wrap(text: str, first: str, following: str, width: int = WIDTH) -> Iterator[str]:
    """Break `text` at blanks; the lines start with `first` and then `following`.

    Written out because `textwrap` compiles regular expressions on import (3 ms).
    """
    line, room = first, False
    for word in text.split():
        if room and len(line) + 1 + len(word) > width:
            yield line
            line, room = following, False
        line += f" {word}" if room else word
        room = True
    yield line.rstrip()
