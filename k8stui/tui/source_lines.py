"""The lines of a manifest around a place, without the values that nobody asked to see."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterable
from typing import NamedTuple, TextIO

from k8stui.errors import K8sTuiError
from k8stui.manifests import folders, packed
from k8stui.manifests.secrecy import Veil, is_secret_list
from k8stui.origin import Place, is_file

_BORDER = re.compile(r"^(?:---|- |  - apiVersion:|\.\.\.\s*$)")
"""Where one object of a YAML stream, or one item of a dump, gives way to the next."""
_SAVED = re.compile(r"\*\w+$|:\S+ (?:[A-Z]+|-)(?: |$)|(?:\[\d+:\d+\] )?-A \S|COMMIT$")
"""A line of iptables-save: a table, a chain, a rule, the end (iptables-save.c, iptables.c)."""
_LIST_HEAD = 12
"""Lines of a document in which a list says that it is one of Secrets."""


class Numbered(NamedTuple):
    """A line of a file."""

    number: int
    """1-based."""
    text: str


class UnreadableError(K8sTuiError):
    """Why the lines cannot be shown, in one sentence."""


def lines_around(place: Place, around: int = 5, *, values: bool = False) -> tuple[Numbered, ...]:
    """The line of `place` and up to `around` lines on either side, of the same object only.

    Values of Secrets are ``…``; so are those of containers' ``env``, and passwords, unless
    `values` says that they are asked for. Rules of iptables-save hold none: they stand as they are.

    Raises:
        UnreadableError: the input was no file, is gone, or cannot be shown without a Secret.

    """
    if not is_file(place.file):
        whence = "standard input" if place.file in ("-", "") else "a live cluster"
        raise UnreadableError(f"it came from {whence}, which is not read again")
    try:
        with _opened(place.file) as stream:
            found = _stretch_around(stream, place.line)
    except OSError as error:
        raise UnreadableError(f"{place.file}: {error.strerror or error}") from None
    if found is None:
        raise UnreadableError(
            f"{place.file} has no line {place.line}: it has changed since it was read"
        )
    first, stretch, is_secret = found
    rows = stretch.split("\n")
    here = rows[place.line - first :][:1]  # none: a blank line at the object's end
    if not is_secret and here and _SAVED.match(here[0]):
        saved = (Numbered(first + at, text) for at, text in enumerate(rows) if _SAVED.match(text))
        return tuple(one for one in saved if abs(one.number - place.line) <= around)
    veil = Veil(stretch, secret=is_secret, values=values)
    if veil.is_closed:
        raise UnreadableError("a Secret stands there: its lines are never shown")
    shown = (Numbered(first + at, text) for at, text in enumerate(veil.lines()))
    return tuple(one for one in shown if abs(one.number - place.line) <= around)


def _opened(path: str) -> TextIO:
    if path.endswith(packed.PACKED) or not os.path.isfile(path):  # noqa: PTH113
        unpacked = io.BytesIO(folders.read(path))
        return io.TextIOWrapper(unpacked, encoding="utf-8", errors="replace")
    return open(path, encoding="utf-8", errors="replace")  # noqa: PTH123 - the caller closes


def _stretch_around(lines: Iterable[str], wanted: int) -> tuple[int, str, bool] | None:
    """Find the object that a line is in, a line at a time: a dump of 100 MB is not kept.

    Gives its first line's number, its text, the dash of an element blanked, and whether its list
    is one of Secrets.
    """
    stretch: list[str] = []
    head: list[str] = []
    first, is_there = 1, False
    for number, line in enumerate(lines, start=1):
        if _BORDER.match(line):
            if is_there:
                break
            stretch, first = [], number
        if line.startswith(("---", "...")):
            head = []
        elif len(head) < _LIST_HEAD:
            head.append(line)
        stretch.append(line)
        is_there = is_there or number == wanted
    if not is_there:
        return None
    text = "".join(stretch).rstrip("\n")
    return first, text, is_secret_list("".join(head), 0)
