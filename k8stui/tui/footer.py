"""The lowest line: the keys needed most, and what the marks of origins mean."""

from __future__ import annotations

from k8stui.export.drawing.ink import Ink, Line, cut, fit, join, line_width, run, sides
from k8stui.tui.keys import FIRST_TO_GO, FOOTER, footer_name


def footer(width: int, found: Line = ()) -> Line:
    """The bindings that are shown, and the legend where there is room for it.

    `found`: how much the check found; it comes first and other entries make room.
    """
    gone: tuple[str, ...] = ()
    while line_width(left := _entries(found, gone)) > width and len(gone) < len(FIRST_TO_GO):
        gone = (*gone, FIRST_TO_GO[len(gone)])
    legend = run("○ assumed  ● declared ", Ink.DIM)
    if line_width(left) + line_width(legend) < width:
        return sides(left, legend, width)
    return fit(cut(left, width, ellipsis=False), width)


def _entries(found: Line, gone: tuple[str, ...]) -> Line:
    parts = [run(" ")]
    if found:
        parts += [run("f ", Ink.KEY), found, run("   ")]
    for binding in FOOTER:
        if binding.id in gone:
            continue
        parts += [
            run(f"{footer_name(binding)} ", Ink.KEY),
            run(f"{binding.description}   ", Ink.DIM),
        ]
    return join(parts)
