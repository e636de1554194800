"""The lowest line: the keys needed most, and what the marks of origins mean."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from k8stui.export.drawing.ink import NOTHING, Ink, Line, cut, fit, join, line_width, run, sides
from k8stui.tui.keys import FIRST_TO_GO, FOOTER, footer_name

_GAPS = ("   ", "  ")
"""Between two entries; the wider one where there is room."""


@lru_cache(maxsize=8)
def footer(width: int, found: Line = ()) -> Line:
    """The bindings that are shown, and the legend where there is room for it.

    `found`: how much the check found; it comes first and other entries make room.
    """
    for gone, gap in ((n, gap) for n in range(len(FIRST_TO_GO) + 1) for gap in _GAPS):
        left = _entries(found, FIRST_TO_GO[:gone], gap)
        if line_width(left) <= width:
            break
    legend = run("○ assumed  ● declared ", Ink.DIM)
    if line_width(left) + line_width(legend) < width:
        return sides(left, legend, width)
    return fit(cut(left, width, ellipsis=False), width)


def _entries(found: Line, gone: tuple[str, ...], gap: str) -> Line:
    first = join((run("f ", Ink.KEY), found, run(gap))) if found else NOTHING
    shown = ((footer_name(one), one.description) for one in FOOTER if one.id not in gone)
    return named_keys(shown, gap, first)


def named_keys(
    entries: Iterable[tuple[str, str]], gap: str = _GAPS[0], first: Line = NOTHING
) -> Line:
    """Keys, each with what it does; before them what comes `first`."""
    parts = [run(" "), first]
    for name, said in entries:
        parts += [run(f"{name} ", Ink.KEY), run(f"{said}{gap}", Ink.DIM)]
    return join(parts)
