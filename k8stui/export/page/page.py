"""Write the page: the drawing at every step, the steps with rule and origin, a few keys.

The drawing is stored once, and what a step changes on it once for all steps that show it
(`k8stui.export.drawing.layers`); the script only says which are seen. Every text that comes from
an input is escaped, and a policy (https://www.w3.org/TR/CSP3/) lets nothing run or load but the
one script and style that are written here.
"""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from k8stui.export.drawing import palette
from k8stui.export.drawing.decisions import is_decision
from k8stui.export.drawing.frame import Film
from k8stui.export.drawing.header import header
from k8stui.export.drawing.ink import Ink, Line, text_of
from k8stui.export.drawing.layers import Layer, layers
from k8stui.export.drawing.picture import HEIGHT, WIDTH, film, title, verdict
from k8stui.export.drawing.svg import SHAPES, head, inks, paint, patches
from k8stui.export.drawing.words import (
    DIRECTIONS,
    RESULTS,
    origin_line,
    sentence,
    step_sign,
)
from k8stui.export.text import Style, outcome_lines
from k8stui.kernel.exchange import Result
from k8stui.neutralise import neutralise
from k8stui.walk.commands import most_telling
from k8stui.walk.trace import Hop, Outcome, Trace, TraceStep

if TYPE_CHECKING:
    from k8stui.walk.world import World

_BUTTONS = (
    ("first", "|◀", "Home"), ("back", "◀", "←"), ("next", "▶", "→"), ("last", "▶|", "End"),
    ("play", "play", "space"), ("turn", "⇄", "r: forward, reply"),
)  # fmt: skip
_HELP = (
    "→ ← step   . , decision   Home End   r forward / reply   b branch   space play, pause   "
    "z drawing alone   t light / dark   ? this"
)
_STYLES = {Style.BAD: Ink.DROP, Style.GOOD: Ink.OK, Style.PROOF: Ink.DIM}


def walk_page(
    world: World, traces: Sequence[Trace], width: int = WIDTH, height: int = HEIGHT
) -> Iterator[str]:
    """Write the branches of one request (at least one); `width` × `height` cells of drawing."""

    def articles() -> Iterator[str]:
        for number, trace in enumerate(traces, 1):
            shown = film(world, trace, width, height, traces)
            yield from _article(number, trace, traces, shown)

    yield from document(text_of(title(traces[0])), articles())


def document(name: str, articles: Iterable[str]) -> Iterator[str]:
    """Write a page of `articles`, each with its pictures and the list of them."""
    folder = Path(__file__).parent
    style = "".join((SHAPES, *_themes(), inks("var(--{})".format), _read(folder / "walk.css")))
    script = _read(folder / "walk.js")
    yield "<!DOCTYPE html>\n"
    yield '<html lang="en"><head><meta charset="utf-8">\n'
    yield (
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        f"style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'\">\n"
    )
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    yield f"<title>{safe(name)}</title>\n"
    yield f"<style>{style}</style></head><body>\n"
    yield from articles
    yield f"<footer>{safe(_HELP)}</footer>\n<script>{script}</script>\n</body></html>\n"


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def _digest(text: str) -> str:
    """Name a script or style in a Content-Security-Policy."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _themes() -> Iterator[str]:
    """The palette as variables: by what the reader prefers, or as the key says; light in print."""
    light, dark = (
        "".join(f"--{name}:{colour};" for name, colour in colours.items())
        for colours in (palette.LIGHT, palette.DARK)
    )
    yield f":root{{{light}}}"
    unless = ":root:not([data-theme=light])"
    yield f"@media screen and (prefers-color-scheme:dark){{{unless}{{{dark}}}}}"
    yield f"@media screen{{:root[data-theme=dark]{{{dark}}}}}"


def safe(text: str) -> str:
    return html.escape(neutralise(text))


def inked(line: Line) -> str:
    return "".join(
        safe(text) if ink is Ink.TEXT else f'<span class="{ink.value}">{safe(text)}</span>'
        for text, ink in line
    )


def _article(number: int, trace: Trace, traces: Sequence[Trace], shown: Film) -> Iterator[str]:
    start = _start(trace)
    yield f'<article data-start="{start}">\n<header><h1>{inked(title(trace)[:1])}</h1>'
    yield f"<p>{inked(title(trace)[1:])}</p>"
    if len(traces) > 1:
        options = "".join(
            f"<option{' selected' * (trace is each)}>{safe(_branch(each))}</option>"
            for each in traces
        )
        yield f'<select aria-label="branch">{options}</select>'
    yield '</header>\n<div class="stage">\n'
    yield from _drawing(shown, start)
    yield bar(len(trace.steps), start)
    yield '<div class="steps">\n'
    yield from _steps(number, trace)
    yield "</div></article>\n"


def bar(count: int, start: int) -> str:
    """Buttons, the slider over moments 0 to `count`, and the place of what is said of one."""
    buttons = "".join(
        f'<button data-deed="{deed}" title="{deed}: {key}">{sign}</button>'
        for deed, sign, key in _BUTTONS
    )
    return (
        f'<div class="bar">{buttons}'
        f'<input type="range" min="0" max="{count}" value="{start}" aria-label="step">'
        '<button data-deed="help" title="keys">?</button></div>'
        '<div class="caption" aria-live="polite"></div></div>\n'
    )


def _branch(trace: Trace) -> str:
    outcome = trace.outcome
    sign = RESULTS[outcome.result]
    return f"{trace.branch}: {trace.probability}  {sign.glyph} {sign.word}  {_server(outcome)}"


def _server(outcome: Outcome) -> str:
    if outcome.server_pod is not None:
        return outcome.server_pod
    address, port = outcome.server_address, outcome.server_port
    return address.with_port(port) if address is not None and port is not None else ""


def _drawing(shown: Film, start: int) -> Iterator[str]:
    """Moment 0 is the whole walk, moment N its step N."""
    if not len(shown):
        return
    moments = [shown.whole().lines(), *(shown.frame(n).lines() for n in range(len(shown)))]
    yield from pictures(list(shown.drawing(max(start - 1, 0)).canvas.lines()), moments, start)


def pictures(base: Sequence[Line], moments: Sequence[Sequence[Line]], start: int) -> Iterator[str]:
    """The pictures of all moments in one: what they share is stored once."""
    columns = max(len(text_of(line)) for line in base)
    yield head(columns, max(len(lines) for lines in moments)) + "\n"
    yield from paint(patches(base))
    for layer in layers(base, moments):
        on = ' class="on"' if any(first <= start <= last for first, last in layer.shown) else ""
        yield f'\n<g{on} data-s="{_spans(layer)}">'
        yield from paint(layer.patches, covers=True)
        yield "</g>"
    yield "\n</svg>\n"


def _spans(layer: Layer) -> str:
    return " ".join(
        f"{first}-{last}" if last > first else str(first) for first, last in layer.shown
    )


def _steps(number: int, trace: Trace) -> Iterator[str]:
    yield f'<ol><li id="{number}.0"><a href="#{number}.0">'
    yield f'<span class="n">0</span> {inked(verdict(trace, 10_000))}</a><div class="more">'
    lines = [*_felt(trace)]
    felt = "".join(lines)
    is_said = trace.outcome.result is Result.CONNECTED  # all of the first line, above
    yield f"{''.join(lines[is_said:])}</div></li></ol>\n"
    last = None
    for hop in trace.hops:
        way = DIRECTIONS[hop.direction]
        turned = "" if hop.direction is last else f" {way.word}"
        last = hop.direction
        yield f"<h2>{way.glyph}{turned} {safe(hop.namespace)}</h2>\n<ol>\n"
        for step in hop.steps:
            more = "".join(_typed(trace, step))
            if step.number == _start(trace):
                more += felt
            decides = is_decision(step, trace)
            yield _step(number, hop, step, more, decides=decides)
        yield "</ol>\n"


def _felt(trace: Trace) -> Iterator[str]:
    for line in outcome_lines(trace):
        yield f'<p class="{_STYLES.get(line.style, Ink.TEXT).value}">{safe(line.text)}</p>'


def _typed(trace: Trace, step: TraceStep) -> Iterator[str]:
    """What shows the same on a real node."""
    command = most_telling(trace, step)
    if command is not None:
        where = safe(f"{command.where}: ")
        yield f'<p><span class="dim">{where}</span><code>{safe(command.line)}</code></p>'


def _start(trace: Trace) -> int:
    """The moment a page opens at: the step that a request fails at; else 0, the whole."""
    return 0 if trace.outcome.result is Result.CONNECTED else trace.outcome.step or 0


def _step(number: int, hop: Hop, step: TraceStep, told: str, *, decides: bool) -> str:
    sign = step_sign(step)
    more = [f"<pre>{chr(10).join(inked(line) for line in header(step.before, step.after))}</pre>"]
    if step.detail and step.detail not in step.text:
        more.append(f"<code>{safe(step.detail)}</code>")
    origin = origin_line(step.origin)
    if origin:
        more.append(f"<p>{inked(origin)}</p>")
    more.append(told)
    marked = " data-d" if decides else ""
    return (
        f'<li id="{number}.{step.number}" data-way="{hop.direction.value}"{marked}>'
        f'<a href="#{number}.{step.number}"><span class="n">{step.number}</span>'
        f'<span class="sign {sign.ink.value}">{sign.glyph} {sign.word}</span>'
        f'{safe(sentence(step))}</a><div class="more">{"".join(more)}</div></li>\n'
    )
