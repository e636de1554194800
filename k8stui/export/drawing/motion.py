"""A walk as one SVG that moves by itself: no script, so that it moves in an ``<img>`` too.

CSS animations (https://www.w3.org/TR/css-animations-1/) show each layer when it is its time. Where
nothing moves (print, rsvg, readers who want it so) the last still is seen: the whole walk.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from xml.sax.saxutils import escape

from k8stui.export.drawing.ink import line_width
from k8stui.export.drawing.layers import Layer, layers
from k8stui.export.drawing.stills import Strip
from k8stui.export.drawing.svg import GROUND, head, paint, patches, styles


def motion(strip: Strip) -> Iterator[str]:
    """Write the SVG document; it begins again when it is through."""
    moments = [still.lines for still in strip.stills]
    starts = [0.0, *accumulate(still.seconds for still in strip.stills)]
    found = layers(strip.base, moments)
    frames = {layer.shown: f"k{n}" for n, layer in enumerate(found)}
    last = len(moments) - 1
    yield head(max(map(line_width, moments[0])), len(moments[0])) + "\n"
    yield f"<title>k8stui: {escape(strip.title)}</title>\n<style>{styles()}"
    yield "g{visibility:hidden}.last{visibility:visible}\n"
    for layer in found:
        name = frames[layer.shown]
        yield f"@keyframes {name}{{{_times(layer, starts)}}}"
        yield f".{name}{{animation:{name} {starts[-1]:g}s step-end infinite}}\n"
    yield "@media(prefers-reduced-motion:reduce){g{animation:none!important}}"
    yield f"@media print{{g{{animation:none!important}}}}</style>\n{GROUND}\n"
    yield from paint(patches(strip.base))
    for layer in found:
        stays = " last" if any(a <= last <= b for a, b in layer.shown) else ""
        yield f'\n<g class="{frames[layer.shown]}{stays}">'
        yield from paint(layer.patches, covers=True)
        yield "</g>"
    yield "\n</svg>\n"


def _times(layer: Layer, starts: list[float]) -> str:
    """When it is seen, in percent of the whole."""
    turns = {0.0: "hidden"}
    for first, last in layer.shown:
        turns[starts[first]] = "visible"
        turns[starts[last + 1]] = "hidden"
    return "".join(
        f"{100 * at / starts[-1]:.6g}%{{visibility:{state}}}" for at, state in turns.items()
    )
