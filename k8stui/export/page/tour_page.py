"""A tour as a page: its pictures, one for each position and for each step between two of them."""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.export.comparison import comparison_said
from k8stui.export.drawing.ink import cut, fit
from k8stui.export.drawing.words import origin_line, sentence, step_sign
from k8stui.export.page.page import bar, document, inked, pictures, safe
from k8stui.export.replay import replay_lines
from k8stui.export.tour_strip import seen
from k8stui.tour.rehearse import Rehearsal, Stop
from k8stui.walk.trace import Trace


def tour_page(rehearsal: Rehearsal, width: int, height: int) -> Iterator[str]:
    """Write the page; `width` × `height` cells of drawing, its two lines of head included."""
    shown = list(seen(rehearsal, width, height - 2))
    moments = [[fit(cut(row, width), width) for row in lines] for _, _, lines in shown]

    def article() -> Iterator[str]:
        count = len(rehearsal.stops)
        yield f'<article data-start="0">\n<header><h1>{safe(rehearsal.tour.title)}</h1>'
        yield f"<p>{count} position{'' if count == 1 else 's'}</p></header>\n"
        yield '<div class="stage">\n'
        yield from pictures(moments[0], moments, 0)
        yield bar(len(shown) - 1, 0)
        yield '<div class="steps">\n<ol>'
        for number, (stop, index, _) in enumerate(shown):
            yield _item(number, stop, index, count)
        yield "</ol></div></article>\n"

    yield from document(rehearsal.tour.title, article())


def _item(number: int, stop: Stop, index: int, count: int) -> str:
    """A position with its caption, or a step on the way to one."""
    place, trace = f"1.{number}", stop.trace
    said = _step(trace, index) if trace is not None and trace.steps else safe(stop.failure)
    if stop.comparison is not None:
        said, trace = safe(comparison_said(stop.comparison)), None
    if index != stop.index:
        return f'<li id="{place}"{_way(trace, index)}><a href="#{place}">{said}</a></li>\n'
    at = f"{stop.position.number}/{count}"
    more = [f"<p>{said}</p>", *_proof(trace, index)]
    if stop.moment is not None:
        lines = (safe(line) for line in replay_lines([stop.moment]) if line.strip())
        more.append(f"<pre>{chr(10).join(lines)}</pre>")
    return (
        f'<li id="{place}"{_way(trace, index)} data-d><a href="#{place}">'
        f'<span class="n">{at}</span> <strong>{safe(stop.position.caption)}</strong></a>'
        f'<div class="more">{"".join(more)}</div></li>\n'
    )


def _way(trace: Trace | None, index: int) -> str:
    hops = [hop for hop in trace.hops for _ in hop.steps] if trace is not None else []
    return f' data-way="{hops[index].direction.value}"' if index < len(hops) else ""


def _step(trace: Trace, index: int) -> str:
    step = trace.steps[index]
    sign = step_sign(step)
    return (
        f'<span class="n">{step.number}</span><span class="sign {sign.ink.value}">'
        f"{sign.glyph} {sign.word}</span>{safe(sentence(step))}"
    )


def _proof(trace: Trace | None, index: int) -> Iterator[str]:
    """The rule behind a step, and where it comes from."""
    step = trace.steps[index] if trace is not None and trace.steps else None
    if step is None:
        return
    if step.detail and step.detail not in step.text:
        yield f"<code>{safe(step.detail)}</code>"
    origin = origin_line(step.origin)
    if origin:
        yield f"<p>{inked(origin)}</p>"
