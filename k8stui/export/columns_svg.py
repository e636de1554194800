"""Pictures of two columns of boxes with arrows from the left one to the right one."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from xml.sax.saxutils import escape

from k8stui.export.drawing.ink import width_of
from k8stui.neutralise import neutralise
from k8stui.record import record

_LINE = 18
"""Height of a line, in SVG's pixels; so are all the numbers here."""
_LETTER = 7.3
"""Width of a letter of a 12 px monospace font, the widest of the usual ones."""
_PAD = 10
GAP = 170
"""Room for the arrows between the columns."""

_STYLE = """\
svg{background:#fff;color:#1f2328;font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
text{fill:currentColor;white-space:pre}.dim{opacity:.65}.head{font-weight:700}
.box{fill:none;stroke:currentColor;stroke-opacity:.45}.pod{fill:#2563eb;fill-opacity:.08}
.arrow{fill:none;stroke:#2563eb;stroke-opacity:.6}.off{stroke:#b45309;stroke-dasharray:4 3}
.no{stroke:#b91c1c;stroke-dasharray:4 3}.some{stroke:#7c3aed;stroke-dasharray:1 3}.bad{fill:#b91c1c}
@media(prefers-color-scheme:dark){svg{background:#0d1117;color:#e6edf3}.bad{fill:#f87171}}"""


@record()
class BoxLine:
    """A line of a box."""

    text: str
    style: str = ""
    """``head``, ``dim``, ``bad`` or ``pod``."""
    key: str = ""
    """What arrows begin or end at."""


@record()
class Arrow:
    """From a row on the left to a row on the right, named by their keys."""

    start: str
    end: str
    style: str = ""
    """``off``: nothing is sent that way; ``no``: somebody denies it; ``some``: sometimes."""
    title: str = ""
    """What a reader sees who points at it."""


Boxes = Collection[list[BoxLine]]


def columns_svg(
    title: str,
    left: Boxes,
    right: Boxes,
    arrows: Collection[Arrow],
    foot: str,
    *,
    gap: int = GAP,
    spread: bool = False,
) -> Iterator[str]:
    """Write an SVG 1.1 document (https://www.w3.org/TR/SVG11/), one element a line.

    `gap`: room for the arrows; `spread`: both columns are as high as the higher one.
    """
    wide, far = _width(left), _width(right)
    across = _PAD + wide + gap
    starts: dict[str, int] = {}
    ends: dict[str, int] = {}
    whole = max(_height(left), _height(right))
    boxes = [
        *_column(left, _PAD, wide, starts, whole if spread else 0),
        *_column(right, across, far, ends, whole if spread else 0),
    ]
    height = whole + 2 * _LINE
    width = round(max(across + far, _letters(len(foot))) + _PAD)
    yield f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">'
    yield f"<title>{escape(neutralise(title))}</title>"
    yield f"<style>{_STYLE}</style>"
    for arrow in arrows:
        if arrow.start in starts and arrow.end in ends:
            x, y, to = _PAD + wide, starts[arrow.start], ends[arrow.end]
            bend = f"C{x + gap / 2:.0f} {y} {across - gap / 2:.0f} {to}"
            style = f"arrow {arrow.style}".rstrip()
            path = f'<path class="{style}" d="M{x:.0f} {y}{bend} {across + _PAD:.0f} {to}"'
            said = escape(neutralise(arrow.title))
            yield f"{path}><title>{said}</title></path>" if said else f"{path}/>"
    yield from boxes
    yield _text(_PAD, height - _PAD, foot, "dim")
    yield "</svg>"


def _letters(count: int) -> float:
    return count * _LETTER + 3 * _PAD


def _width(boxes: Boxes) -> float:
    return _letters(max((width_of(row.text) for box in boxes for row in box), default=0))


def _height(boxes: Boxes) -> int:
    return sum(len(box) * _LINE + 3 * _PAD for box in boxes) + _PAD


def _column(
    boxes: Boxes, x: float, width: float, places: dict[str, int], height: int
) -> Iterator[str]:
    """Draw boxes one below the other; `places` gets the middle of each row with a key.

    `height`: what the column is to take, if that is more than it needs.
    """
    between = max(0, height - _height(boxes)) // max(1, len(boxes))
    y = _PAD + between // 2
    for box in boxes:
        yield _rectangle(x, y, width, len(box) * _LINE + 2 * _PAD, "box")
        for number, row in enumerate(box):
            top = y + _PAD + number * _LINE
            if row.key:
                places.setdefault(row.key, top + _LINE // 2)
            if row.style == "pod":
                yield _rectangle(x + _PAD, top + 1, width - 2 * _PAD, _LINE - 2, "pod")
            yield _text(x + 1.5 * _PAD, top + 13, row.text, row.style)
        y += len(box) * _LINE + 3 * _PAD + between


def _rectangle(x: float, y: float, width: float, height: float, style: str) -> str:
    return (
        f'<rect class="{style}" x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" '
        f'height="{height:.0f}" rx="4"/>'
    )


def _text(x: float, y: float, text: str, style: str) -> str:
    name = "" if style in ("", "pod") else f' class="{style}"'
    return f'<text{name} x="{x:.0f}" y="{y:.0f}">{escape(neutralise(text))}</text>'
