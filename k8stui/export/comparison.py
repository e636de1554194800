"""A tour's comparison at one size: the table with its cursor, or two walks side by side."""

from __future__ import annotations

from k8stui.export.beside import Beside
from k8stui.export.cases import CaseTable
from k8stui.export.drawing.ink import NOTHING, Ink, Line, cut, join, run
from k8stui.neutralise import neutralise
from k8stui.tour.comparison import ShownComparison
from k8stui.walk.cases import difference_words


def comparison_title(shown: ShownComparison) -> Line:
    """What is compared, and what holds for all of it."""
    title, about = neutralise(shown.cases.title), neutralise(shown.cases.about)
    return join((run(title, Ink.STRONG), run(f"   {about}" if about else "", Ink.DIM)))


def comparison_lines(
    shown: ShownComparison, width: int, height: int, *, is_tight: bool = False
) -> list[Line]:
    """Draw it: `height` lines of at most `width` cells; `is_tight`: a small table on fewer."""
    if shown.pair is not None:
        beside = Beside(*shown.pair)
        return beside.lines(width, height, beside.opening(shown.step))
    table = CaseTable(shown.cases, width)
    if is_tight:
        height = min(height, table.height(shown.row, shown.column))
    lines = [cut(line, width) for line in table.page(height, shown.row, shown.column)]
    return [*lines, *[NOTHING] * (height - len(lines))]


def comparison_said(shown: ShownComparison) -> str:
    """What comes of it, in a line: what was and what is, or the case under the cursor."""
    if shown.pair is None:
        one = shown.cases.at(shown.row, shown.column)
        partner = shown.cases.partner(shown.row, shown.column)
        if one is None or partner is None:
            return ""
        return difference_words(f"{partner.name} → {one.name}", partner.trace, one.trace)
    one, other = shown.pair
    return difference_words(other.change or f"{one.name} → {other.name}", one.trace, other.trace)
