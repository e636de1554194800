"""Lines of inked text as SVG: cell by cell where they stand on a terminal, light and dark."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from xml.sax.saxutils import escape

from k8stui.export.drawing import palette
from k8stui.export.drawing.ink import Line, line_width, width_of
from k8stui.neutralise import neutralise

CELL = 8.4
"""Width of a cell of 14 px monospace, in SVG's pixels; so are all the numbers here."""
ROW = 18
_PAD = 12
_FONT = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"


def svg(lines: Sequence[Line], title: str) -> Iterator[str]:
    """Write an SVG 1.1 document (https://www.w3.org/TR/SVG11/), one row of text a line."""
    width = max((line_width(line) for line in lines), default=1) * CELL + 2 * _PAD
    height = len(lines) * ROW + 2 * _PAD
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" '
        f'width="{width:.0f}" height="{height}">'
    )
    yield f"<title>{escape(neutralise(title))}</title>"
    yield f"<style>{styles('svg')}</style>"
    yield '<rect class="ground" width="100%" height="100%"/>'
    for number, line in enumerate(lines):
        yield from _row(line, _PAD + number * ROW)
    yield "</svg>"


def styles(root: str) -> str:
    """One class an ink, in the colours of the screen; dark where the reader has it so."""
    light, dark = _colours(palette.LIGHT), _colours(palette.DARK)
    weights = "".join(
        f".{ink.value}{{font-weight:700}}" for ink, look in palette.INKS.items() if look.bold
    )
    slants = "".join(
        f".{ink.value}{{font-style:italic}}" for ink, look in palette.INKS.items() if look.italic
    )
    return (
        f"{root}{{font:14px {_FONT}}}text{{white-space:pre}}{weights}{slants}{light}"
        f"@media(prefers-color-scheme:dark){{{dark}}}"
    )


def _colours(colours: Mapping[str, str]) -> str:
    rules = [f".ground{{fill:{colours['background']}}}"]
    for ink, look in palette.INKS.items():
        rules.append(f".{ink.value}{{fill:{colours[look.colour]}}}")
        if look.background:
            rules.append(f".on-{ink.value}{{fill:{colours[look.background]}}}")
    return "".join(rules)


def _row(line: Line, y: float) -> Iterator[str]:
    """Grounds first, then the runs, each stretched to its cells whatever the font's widths are."""
    x = float(_PAD)
    grounds: list[str] = []
    texts: list[str] = []
    for text, ink in line:
        wide = width_of(text) * CELL
        if palette.INKS[ink].background:
            grounds.append(
                f'<rect class="on-{ink.value}" x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" '
                f'height="{ROW}"/>'
            )
        shown = text.strip(" ")
        if shown:
            lead = width_of(text[: len(text) - len(text.lstrip(" "))]) * CELL
            texts.append(
                f'<text class="{ink.value}" x="{x + lead:.1f}" y="{y + ROW - 4.5:.1f}" '
                f'textLength="{width_of(shown) * CELL:.1f}" lengthAdjust="spacingAndGlyphs">'
                f"{escape(neutralise(shown))}</text>"
            )
        x += wide
    if grounds or texts:
        yield "".join((*grounds, *texts))
