"""Stretches of a text by start and end: as runs within lines, joined, cut."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

Span = tuple[int, int]


def lines(text: str, start: int, end: int) -> Iterator[Span]:
    """The lines between `start` and `end`."""
    while start < end:
        stop = text.find("\n", start, end)
        stop = stop if stop >= 0 else end
        yield start, stop
        start = stop + 1


def runs(text: str, start: int, end: int) -> Iterator[Span]:
    """The lines between `start` and `end` that are not blank, without the blanks around them."""
    for first, last in lines(text, start, end):
        line = text[first:last]
        if line.strip():
            yield first + len(line) - len(line.lstrip()), first + len(line.rstrip())


def merged(spans: Iterable[Span]) -> list[Span]:
    """Sorted, and apart from each other."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return found


def overlapping(spans: list[Span], start: int, end: int) -> list[Span]:
    """Those of `spans`, sorted and apart from each other, that reach into ``start..end``."""
    first = bisect_right(spans, start, key=lambda span: span[1])
    return spans[first : bisect_left(spans, end, key=lambda span: span[0])]
