"""Box-drawing characters as strokes: on a page they join whatever the font's line height is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

from k8stui.export.drawing.ink import Ink

CELL = 9
"""Width of a cell in SVG's pixels (a whole number: edges of cells stay sharp); so all here."""
ROW = 18
_ROUND = 5
_APART = 1.5
"""Of a double line, from the middle of its cell."""

_ARMS = {
    "─": "0101", "│": "1010", "━": "0202", "┃": "2020", "═": "0303", "║": "3030",
    "┌": "0110", "┐": "0011", "└": "1100", "┘": "1001",
    "╭": "0110", "╮": "0011", "╰": "1100", "╯": "1001",
    "├": "1110", "┤": "1011", "┬": "0111", "┴": "1101", "┼": "1111",
    "┏": "0220", "┓": "0022", "┗": "2200", "┛": "2002",
    "┣": "2220", "┫": "2022", "┳": "0222", "┻": "2202", "╋": "2222",
    "┯": "0212", "┷": "1202", "┿": "1212", "┠": "2120", "┨": "2021", "┰": "0121", "┸": "2101",
    "╂": "2121", "╞": "1310", "╡": "1013", "╤": "0313", "╧": "1303", "╪": "1313",
    "╒": "0310", "╕": "0013", "╘": "1300", "╛": "1003",
    "╟": "3130", "╢": "3031", "╥": "0131", "╨": "3101", "╫": "3131",
    "╺": "0200", "╸": "0002", "╻": "0020", "╹": "2000",
}  # fmt: skip
"""Up, right, down, left: 0 nothing, 1 light, 2 heavy, 3 double (the Unicode chart U+2500)."""

WEIGHTS = {"1": "l", "2": "h", "3": "l"}
"""The class of a stroke by its weight."""
_CORNERS = {"╭": (1, 1), "╮": (-1, 1), "╰": (1, -1), "╯": (-1, -1)}
"""Where their arms go: right or left, down or up."""


class Glyph(NamedTuple):
    """A character at the cell whose upper left corner is here."""

    x: float
    y: float
    char: str
    ink: Ink


def is_stroke(char: str) -> bool:
    """Whether it is drawn as lines."""
    return char in _ARMS


def paths(spots: Iterable[Glyph]) -> Iterator[str]:
    """Write a path for each ink and weight; what goes on from cell to cell is one line."""
    along: dict[tuple[Ink, str], dict[tuple[bool, float], list[tuple[float, float]]]] = {}
    arcs: dict[tuple[Ink, str], list[str]] = defaultdict(list)
    for spot in spots:
        middle, level = spot.x + CELL / 2, spot.y + ROW / 2
        if spot.char in _CORNERS:
            arcs[spot.ink, "l"].append(_arc(spot, middle, level))
            continue
        for arm, weight in zip("urdl", _ARMS[spot.char], strict=True):
            if weight == "0":
                continue
            lines = along.setdefault((spot.ink, WEIGHTS[weight]), defaultdict(list))
            across = (-_APART, _APART) if weight == "3" else (0,)
            for off in across:
                if arm in "ud":
                    ends = (spot.y, level) if arm == "u" else (level, spot.y + ROW)
                    lines[True, middle + off].append(ends)
                else:
                    ends = (spot.x, middle) if arm == "l" else (middle, spot.x + CELL)
                    lines[False, level + off].append(ends)
    for key in dict.fromkeys((*along, *arcs)):
        ink, weight = key
        drawn = [
            f"M{at:g} {first:g}V{last:g}" if is_upright else f"M{first:g} {at:g}H{last:g}"
            for (is_upright, at), pieces in along.get(key, {}).items()
            for first, last in _joined(pieces)
        ]
        yield f'<path class="{weight} {ink.value}" d="{"".join((*drawn, *arcs[key]))}"/>'


def _arc(spot: Glyph, middle: float, level: float) -> str:
    right, down = _CORNERS[spot.char]
    side = spot.x + CELL if right > 0 else spot.x
    end = spot.y + ROW if down > 0 else spot.y
    bend = min(_ROUND, CELL / 2)
    return (
        f"M{side:g} {level:g}H{middle + right * bend:g}"
        f"Q{middle:g} {level:g} {middle:g} {level + down * bend:g}V{end:g}"
    )


def _joined(pieces: list[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Pieces of one line, those that touch as one."""
    pieces.sort()
    start, end = pieces[0]
    for first, last in pieces[1:]:
        if first > end:
            yield start, end
            start = first
        end = max(end, last)
    yield start, end


class Block(NamedTuple):
    """Cells of one look, as a rectangle of pixels."""

    x: float
    y: float
    width: float
    height: float


def blocks(spans: Iterable[tuple[float, float, float]]) -> Iterator[Block]:
    """Rectangles of spans of a row each (x, y, width); equal ones under each other are one."""
    columns = sorted(spans, key=lambda span: (span[0], span[2], span[1]))
    for (x, width), group in groupby(columns, key=lambda span: (span[0], span[2])):
        top = bottom = None
        for _, y, _ in group:
            if top is not None and bottom == y:
                bottom = y + ROW
                continue
            if top is not None and bottom is not None:
                yield Block(x, top, width, bottom - top)
            top, bottom = y, y + ROW
        if top is not None and bottom is not None:
            yield Block(x, top, width, bottom - top)
