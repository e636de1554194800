"""The outline of YAML text that no parser takes: indents, keys, and which lines are structure.

All lines and columns count from 0.
"""

from __future__ import annotations

import re

_LEAD = re.compile(r"[ \t]*(?:-[ \t]+)*")
KEY = re.compile(r"[ ]*(?:- +)*(?P<key>\"[^\"]*\"|'[^']*'|[^\s\"'#\[\]{},][^#\[\]{},]*?):(?:\s|$)")
_BLOCK_SCALAR = re.compile(r"(?:^|[:\-]\s)\s*(?:[!&]\S+\s+)*[|>][-+0-9]*\s*(?:#.*)?$")


def columns_for(lines: list[str], line: int, *, items: bool) -> list[int]:
    """Columns (0-based) at which a field, or a list item, may begin in `line`."""
    open_: list[tuple[int, bool]] = []
    for n in structural(lines):
        if n >= line:
            break
        text = lines[n]
        at = indent_of(text)
        open_ = [
            one
            for one in open_
            if one[0] < at or (one[0] == at and one[1] != text[at:].startswith("-"))
        ]
        while text[at : at + 2] == "- ":
            open_.append((at, True))
            at += 2 + len(text[at + 2 :]) - len(text[at + 2 :].lstrip(" "))
        if KEY.match(text):
            open_.append((at, False))
    return sorted({column for column, item in open_ if item == items})


def structural(lines: list[str]) -> list[int]:
    """Lines that are YAML structure: no comment, nothing empty, no text of a block scalar."""
    found, inside = [], -1
    for n, text in enumerate(lines):
        if not text.strip():
            continue
        if inside >= 0:
            if indent_of(text) > inside:
                continue
            inside = -1
        if not counts(text):
            continue
        found.append(n)
        if _BLOCK_SCALAR.search(text):
            inside = indent_of(text)
    return found


def above(lines: list[str], line: int, limit: int = 50) -> list[int]:
    """Up to `limit` lines above `line` that count, the nearest first."""
    found: list[int] = []
    for n in range(min(line, len(lines)) - 1, -1, -1):
        if len(found) == limit:
            break
        if counts(lines[n]):
            found.append(n)
    return found


def colon_before(text: str, column: int) -> bool:
    """Whether the line has a key before the colon at `column`."""
    key = KEY.match(text)
    return key is not None and text.find(":", key.start("key")) < column and key.end() <= column


def counts(text: str) -> bool:
    """Whether a line is more than blanks and a comment."""
    stripped = text.strip()
    return bool(stripped) and not stripped.startswith("#")


def lead_of(text: str) -> str:
    """Blanks and dashes before the text."""
    match = _LEAD.match(text)
    return match[0] if match else ""


def indent_of(text: str) -> int:
    """Blanks before the text."""
    return len(text) - len(text.lstrip(" "))


def dash_column(lines: list[str], line: int, indent: int) -> int:
    """Column of the dash: two to the left when the next fields stand right below this one."""
    above = next((n for n in range(line - 1, -1, -1) if counts(lines[n])), -1)
    parent = indent_of(lines[above]) if above >= 0 else 0
    below = next((n for n in range(line + 1, len(lines)) if counts(lines[n])), -1)
    sibling = (
        below >= 0
        and indent_of(lines[below]) == indent
        and not lines[below].lstrip().startswith("-")
    )
    return indent - 2 if sibling and indent - 2 >= parent else indent
