"""Moments of a picture that share what they have in common: a base, and what stands over it when.

Pages, films and recordings store each change once, however many moments show it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from k8stui.export.drawing.ink import Ink, Line, width_of
from k8stui.export.drawing.palette import INKS
from k8stui.export.drawing.svg import Patch

_Cell = tuple[str, Ink]
_BLANK: _Cell = (" ", Ink.TEXT)
_LEAP = 3
"""So many cells that are as beneath end a patch; a blank between two words does not."""


class Layer(NamedTuple):
    """What stands over the base in some moments, and only then."""

    shown: tuple[tuple[int, int], ...]
    """First and last moment of each stretch, 0-based."""
    patches: tuple[Patch, ...]


def layers(base: Sequence[Line], moments: Sequence[Sequence[Line]]) -> list[Layer]:
    """Find what differs from the base, and when; cells of one moment never overlap."""
    when: dict[Patch, list[int]] = defaultdict(list)
    ground = [cells(line) for line in base]
    for number, lines in enumerate(moments):
        for y in range(max(len(lines), len(ground))):
            now = cells(lines[y]) if y < len(lines) else []
            before = ground[y] if y < len(ground) else []
            for patch in changes(before, now, y):
                when[patch].append(number)
    together: dict[tuple[int, ...], list[Patch]] = defaultdict(list)
    for patch, numbers in when.items():
        together[tuple(numbers)].append(patch)
    return [Layer(_stretches(numbers), tuple(found)) for numbers, found in together.items()]


def cells(line: Line) -> list[_Cell]:
    """A character a cell; none in the second cell of a wide one, signs that combine with theirs."""
    found: list[_Cell] = []
    for text, ink in line:
        for char in text:
            size = width_of(char)
            if size:
                found.append((char, ink))
                found += [("", ink)] * (size - 1)
            elif found:
                found[-1] = (found[-1][0] + char, found[-1][1])
    return found


def changes(before: Sequence[_Cell], now: Sequence[_Cell], y: int) -> Iterator[Patch]:
    """What has to be written over `before` to get `now`."""
    width = max(len(before), len(now))
    before = [*before, *[_BLANK] * (width - len(before))]
    now = [*now, *[_BLANK] * (width - len(now))]
    start = end = 0
    for x in range(width + 1):
        is_over = x == width or x - end >= _LEAP or now[x][1] is not now[start][1]
        if start < end and is_over:
            yield _patch(now, start, end, y)
            start = end
        if x < width and not _looks_as(now[x], before[x]):
            start = start if start < end else x
            end = x + 1


def _patch(row: Sequence[_Cell], start: int, end: int, y: int) -> Patch:
    """A patch of whole characters: a wide one is not cut in half."""
    while start and not row[start][0]:
        start -= 1
    while end < len(row) and not row[end][0]:
        end += 1
    return Patch(start, y, "".join(char for char, _ in row[start:end]), row[start][1])


def _looks_as(one: _Cell, other: _Cell) -> bool:
    if one == other:
        return True
    return one[0] == other[0] == " " and not (INKS[one[1]].background or INKS[other[1]].background)


def _stretches(numbers: Sequence[int]) -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return tuple(found)
