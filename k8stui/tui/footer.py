"""The lowest line: the keys needed most, and what the marks of origins mean."""

from __future__ import annotations

from k8stui.tui.ink import Ink, Line, cut, fit, join, line_width, run, sides
from k8stui.tui.keys import FOOTER, footer_name


def footer(width: int) -> Line:
    """The bindings that are shown, and the legend where there is room for it."""
    parts = [run(" ")]
    for binding in FOOTER:
        parts += [
            run(f"{footer_name(binding)} ", Ink.KEY),
            run(f"{binding.description}   ", Ink.DIM),
        ]
    left = cut(join(parts), width, ellipsis=False)
    legend = run("○ assumed  ● declared ", Ink.DIM)
    if line_width(left) + line_width(legend) < width:
        return sides(left, legend, width)
    return fit(left, width)
