"""The lines of a manifest around a place; never a line of a Secret."""

from __future__ import annotations

import re
from typing import NamedTuple

from k8stui.manifests import packed
from k8stui.manifests.origin import Place, is_file

_BORDER = re.compile(r"^(?:---|- |  - apiVersion:|\.\.\.\s*$)")
"""Where one object of a YAML stream, or one item of a dump, gives way to the next."""
_SECRET = re.compile(r"""["']?kind["']?\s*:\s*["']?Secret["']?\s*(?:,|#|$)""")


class Numbered(NamedTuple):
    number: int
    """1-based."""
    text: str


class UnreadableError(Exception):
    """Why the lines cannot be shown, in one sentence."""


def lines_around(place: Place, around: int = 5) -> tuple[Numbered, ...]:
    """The line of `place` and up to `around` lines on either side, of the same object only.

    Raises:
        UnreadableError: the input was no file, is gone, or the object is a Secret.

    """
    if not is_file(place.file):
        whence = "standard input" if place.file in ("-", "") else "a live cluster"
        raise UnreadableError(f"it came from {whence}, which is not read again")
    try:
        text = packed.read(place.file).decode(errors="replace")
    except OSError as error:
        raise UnreadableError(f"{place.file}: {error.strerror or error}") from None
    lines = text.splitlines()
    at = place.line - 1
    if not 0 <= at < len(lines):
        raise UnreadableError(
            f"{place.file} has no line {place.line}: it has changed since it was read"
        )
    first = at
    while first and not _BORDER.match(lines[first]):
        first -= 1
    last = at
    while last + 1 < len(lines) and not _BORDER.match(lines[last + 1]):
        last += 1
    if any(_SECRET.search(line) for line in lines[first : last + 1]):
        raise UnreadableError("a Secret stands there: its lines are never shown")
    first, last = max(first, at - around), min(last, at + around)
    return tuple(Numbered(n + 1, lines[n]) for n in range(first, last + 1))
