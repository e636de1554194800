"""Lines of inked text as SVG: cell by cell where they stand on a terminal, light and dark.

Frames and cables are strokes (`k8stui.export.drawing.strokes`), so that a picture has no seams.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape

from k8stui.export.drawing import palette
from k8stui.export.drawing.ink import Ink, Line, line_width, width_of
from k8stui.export.drawing.strokes import CELL, ROW, Glyph, blocks, is_stroke, paths
from k8stui.neutralise import neutralise

PAD = 12
FONT = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"
_SIZE = 15
"""Pixels of a font whose characters are about a `CELL` wide; they are stretched to be just so."""
_BASE = 13.5
"""Of the text, below the upper edge of its row."""
_PIECE = re.compile(r"\S+(?: \S+)*")
"""What is written as one text: blanks in a row are left out (some programs trim them)."""


class Patch(NamedTuple):
    """A text from a cell on, in one ink."""

    x: int
    y: int
    text: str
    ink: Ink


def svg(lines: Sequence[Line], title: str) -> Iterator[str]:
    """Write an SVG 1.1 document (https://www.w3.org/TR/SVG11/)."""
    yield head(max((line_width(line) for line in lines), default=1), len(lines))
    yield f"<title>{escape(neutralise(title))}</title>"
    yield f"<style>{styles()}</style>"
    yield GROUND
    yield from paint(patches(lines))
    yield "</svg>"


GROUND = '<rect class="ground" width="100%" height="100%"/>'


def head(columns: int, rows: int) -> str:
    """The begin of a document for so many cells."""
    width, height = columns * CELL + 2 * PAD, rows * ROW + 2 * PAD
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}">'
    )


def styles() -> str:
    """One class an ink, in the colours of the screen; dark where the reader has it so."""
    light, dark = inks(palette.LIGHT.__getitem__), inks(palette.DARK.__getitem__)
    return f"{SHAPES}{light}@media(prefers-color-scheme:dark){{{dark}}}"


SHAPES = (
    f"svg{{font:{_SIZE}px {FONT}}}"
    "text{white-space:pre;fill:currentColor}rect{fill:currentColor}"
    "path{fill:none;stroke:currentColor}.l{stroke-width:1.3}.h{stroke-width:3}"
    + "".join(
        f".{ink.value}{{{weight}{slant}}}"
        for ink, look in palette.INKS.items()
        if (weight := "font-weight:700;" if look.bold else "")
        + (slant := "font-style:italic;" if look.italic else "")
    )
)
"""What is the same in all colours."""


def inks(colour: Callable[[str], str]) -> str:
    """A rule of CSS for each ink; `colour` gives a colour of the palette by its name."""
    rules = [f".ground{{color:{colour('background')}}}"]
    for ink, look in palette.INKS.items():
        rules.append(f".{ink.value}{{color:{colour(look.colour)}}}")
        if look.background:
            rules.append(f".on-{ink.value}{{color:{colour(look.background)}}}")
    return "".join(rules)


def patches(lines: Iterable[Line]) -> Iterator[Patch]:
    """Every run of lines that stand one below the other."""
    for y, line in enumerate(lines):
        x = 0
        for text, ink in line:
            yield Patch(x, y, text, ink)
            x += width_of(text)


def paint(given: Iterable[Patch], *, covers: bool = False) -> Iterator[str]:
    """Grounds first, then strokes, then texts. `covers`: nothing beneath shows through."""
    grounds: dict[str, list[tuple[float, float, float]]] = {}
    strokes: list[Glyph] = []
    texts: list[str] = []
    for patch in given:
        if not patch.text:
            continue
        left, top = PAD + patch.x * CELL, PAD + patch.y * ROW
        own = palette.INKS[patch.ink].background
        if own or covers:
            ground = f"on-{patch.ink.value}" if own else "ground"
            span = (left, top, width_of(patch.text) * CELL)
            grounds.setdefault(ground, []).append(span)
        strokes += _strokes(patch, left, top)
        texts += _texts(patch, left, top)
    for name, spans in grounds.items():
        for at in blocks(_merged(spans)):
            size = f'width="{at.width:g}" height="{at.height:g}"'
            yield f'<rect class="{name}" x="{at.x:g}" y="{at.y:g}" {size}/>'
    yield from paths(strokes)
    yield from texts


def _merged(spans: list[tuple[float, float, float]]) -> Iterator[tuple[float, float, float]]:
    """Spans of a row that touch, as one."""
    spans.sort(key=lambda span: (span[1], span[0]))
    x, y, width = spans[0]
    for left, top, wide in spans[1:]:
        if top == y and left == x + width:
            width += wide
            continue
        yield x, y, width
        x, y, width = left, top, wide
    yield x, y, width


def _strokes(patch: Patch, left: float, top: float) -> Iterator[Glyph]:
    x = left
    for char in patch.text:
        if is_stroke(char):
            yield Glyph(x, top, char, patch.ink)
        x += width_of(char) * CELL


def _texts(patch: Patch, left: float, top: float) -> Iterator[str]:
    """Write pieces, each stretched to its cells whatever the font's widths are."""
    plain = "".join(" " if is_stroke(char) else char for char in patch.text)
    for found in _PIECE.finditer(plain):
        x = left + width_of(plain[: found.start()]) * CELL
        yield (
            f'<text class="{patch.ink.value}" x="{x:g}" y="{top + _BASE:g}" '
            f'textLength="{width_of(found[0]) * CELL:g}" lengthAdjust="spacingAndGlyphs">'
            f"{escape(neutralise(found[0]))}</text>"
        )
