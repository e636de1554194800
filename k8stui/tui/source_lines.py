"""The lines of a manifest around a place; never a line of a Secret."""

from __future__ import annotations

import io
import re
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple, TextIO

from k8stui.errors import K8sTuiError
from k8stui.manifests import packed
from k8stui.origin import Place, is_file

_BORDER = re.compile(r"^(?:---|- |  - apiVersion:|\.\.\.\s*$)")
"""Where one object of a YAML stream, or one item of a dump, gives way to the next."""
_SECRET = re.compile(r"""["']?kind["']?\s*:\s*["']?Secret["']?\s*(?:,|#|$)""")


class Numbered(NamedTuple):
    number: int
    """1-based."""
    text: str


class UnreadableError(K8sTuiError):
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
        with _opened(place.file) as stream:
            found = _object_around(stream, place.line, around)
    except OSError as error:
        raise UnreadableError(f"{place.file}: {error.strerror or error}") from None
    if found is None:
        raise UnreadableError(
            f"{place.file} has no line {place.line}: it has changed since it was read"
        )
    return found


def _opened(path: str) -> TextIO:
    if path.endswith(packed.PACKED):
        unpacked = io.BytesIO(packed.read(path))
        return io.TextIOWrapper(unpacked, encoding="utf-8", errors="replace")
    return open(path, encoding="utf-8", errors="replace")  # noqa: PTH123 - the caller closes


def _object_around(lines: Iterable[str], wanted: int, around: int) -> tuple[Numbered, ...] | None:
    """Find a line and its neighbours, a line at a time: a dump of 100 MB is not kept.

    Raises:
        UnreadableError: the object is a Secret.

    """
    shown: deque[Numbered] = deque(maxlen=around + 1)
    is_secret = is_there = False
    for number, line in enumerate(lines, start=1):
        if _BORDER.match(line):
            if is_there:
                break
            shown.clear()
            is_secret = False
        is_secret = is_secret or _SECRET.search(line) is not None
        if number <= wanted + around:
            shown.append(Numbered(number, line.rstrip("\n")))
        if number == wanted:
            is_there = True
            shown = deque(shown)
    if not is_there:
        return None
    if is_secret:
        raise UnreadableError("a Secret stands there: its lines are never shown")
    return tuple(shown)
