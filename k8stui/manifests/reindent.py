"""One line that is indented wrongly, found by trying: moved, the object has no fault any more.

YAML tells of such a line only by what comes after it ("spec has no template", twelve lines below),
so neighbours of the first fault are moved one at a time to where the lines around them begin.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from k8stui.manifests.outline import indent_of, structural
from k8stui.record import record

_READ = 12_000
"""Lines that are read in all tries together: some 0.3 s at most."""
_GLUED = re.compile(r"^ *(?:- +)*[\w.-]+:(?!//)\S", re.MULTILINE)
"""A colon without a space: then that is what is wrong."""
_FIELD = re.compile(r"(?:- +)*[\w\"'./-]+:(?: |$)|- ")
"""Only what is a field or an item by itself is moved."""
_NEAR = 30
"""Lines above and below the fault that are tried."""


@record()
class Shift:
    """A line, from 0, and the column at which it was meant to begin."""

    line: int
    column: int


def misplaced(lines: list[str], fault: int, sound: Callable[[str], bool]) -> Shift | None:
    """The line whose move makes the object sound; `fault` is where the first fault was told."""
    if any(_GLUED.match(line) for line in lines[max(0, fault - _NEAR) : fault + 2]):
        return None
    for count, shift in enumerate(_tries(lines, fault), 1):
        if count * len(lines) > _READ:
            return None
        text = lines[shift.line].lstrip(" ")
        moved = [*lines[: shift.line], " " * shift.column + text, *lines[shift.line + 1 :]]
        if sound("\n".join(moved)):
            return shift
    return None


def _tries(lines: list[str], fault: int) -> Iterator[Shift]:
    """Lines at an odd column first, then those above the fault, the nearest first.

    The columns of a line's neighbours come first.
    """
    there = structural(lines)
    near = [place for place, line in enumerate(there) if abs(line - fault) <= _NEAR]
    for place in sorted(near, key=lambda at: _order(lines, there[at], fault)):
        line = there[place]
        if not _FIELD.match(lines[line].lstrip(" ")):
            continue
        own = indent_of(lines[line])
        around = there[max(0, place - 1) : place + 2]
        columns = [indent_of(lines[other]) for other in around if other != line]
        for column in dict.fromkeys((*columns, own - 2, own + 2, own - 1, own + 1)):
            if column not in (own, -1, -2):
                yield Shift(line, column)


def _order(lines: list[str], line: int, fault: int) -> tuple[bool, int, bool]:
    return indent_of(lines[line]) % 2 == 0, abs(line - fault), line > fault
