"""The lines above and below the panes: title, the step in three lines, the keys."""

from __future__ import annotations

from k8stui.export.drawing.header import compact
from k8stui.export.drawing.ink import (
    NOTHING,
    Ink,
    Line,
    cut,
    fit,
    join,
    line_width,
    middle,
    run,
    sides,
    wrap,
)
from k8stui.export.drawing.words import (
    DIRECTIONS,
    RESULTS,
    origin_line,
    place_sign,
    sentence,
    step_sign,
    wait,
)
from k8stui.kernel.exchange import Result
from k8stui.neutralise import neutralise
from k8stui.tui.state import State
from k8stui.tui.walk_pane import place_name
from k8stui.walk.trace import Request, Trace

_ASKS = " ─▶ "
_LEAD = run(" k8stui ", Ink.KEY)


def title(state: State, width: int) -> Line:
    """What is asked, which way the packet goes, where in the walk we are, what comes of it."""
    trace = state.trace
    if trace is None or state.hop is None:
        waiting = run(neutralise(state.failure or state.progress), Ink.DIM)
        return fit(join((_LEAD, run(" "), waiting)), width)
    request = trace.request
    asked = f"{_short(request.source)}{_ASKS}{_short(request.destination)}"
    protocol = f"  {request.protocol.name}"
    about = f"  Service {request.service}" if request.service else ""
    first, last = (_LEAD, NOTHING)
    if state.what_if:
        first = last = run(f" what if {', '.join(state.what_if)} ", Ink.CHANGED)
        about = ""
    for lead, text, tail in (
        (first, asked + about + protocol, _tail(state, trace, words=True)),
        (first, asked + protocol, _tail(state, trace, words=True)),
        (last, "" if state.what_if else asked, _tail(state, trace, words=False)),
    ):
        room = width - line_width(lead) - line_width(tail) - 2
        if len(text) <= room:
            break
    else:
        text = "" if state.what_if else _squeezed(request, room)
    shown = cut(run(" " + neutralise(text), Ink.STRONG), max(8, room + 1))
    return sides(join((lead, shown)), tail, width)


def _squeezed(request: Request, room: int) -> str:
    """Who asks whom in little room: both names keep their ends, so the port is never lost."""
    source, destination = _short(request.source), _short(request.destination)
    room -= len(_ASKS)
    fair = room // 2
    if len(source) < fair:
        fair = len(source)
    elif len(destination) < room - fair:
        fair = room - len(destination)
    return f"{middle(source, fair)}{_ASKS}{middle(destination, room - fair)}"


def _tail(state: State, trace: Trace, *, words: bool) -> Line:
    """Direction, place and outcome; `words`: with room for their names."""
    assert state.hop is not None
    sign, outcome = DIRECTIONS[state.hop.direction], RESULTS[trace.outcome.result]
    hop, step = f"{state.hop_index + 1}/{len(trace.hops)}", f"{state.index + 1}/{len(state.steps)}"
    parts = [
        run(f" {sign.glyph} {sign.word} " if words else f" {sign.glyph} ", sign.ink),
        run(f"  hop {hop}  step {step}" if words else f" hop {hop} step {step}"),
    ]
    if trace.probability != 1:
        parts.append(run(f"  p = {trace.probability}", Ink.CHANGED))
    parts.append(run(f"  {outcome.glyph} {outcome.word} ", outcome.ink))
    return join(parts)


def _short(name: str) -> str:
    """Without the namespace that everything is in: ``pod/client-1``, ``svc/frontend:80``."""
    kind, slash, rest = name.partition("/")
    return kind + slash + rest.removeprefix("default/")


def now(state: State, width: int, height: int) -> list[Line]:
    """The step under the cursor: the sentence, the header, and who says so."""
    step, hop, trace = state.step, state.hop, state.trace
    if step is None or hop is None or trace is None:
        waiting = state.failure or state.progress
        if trace is not None:
            sign = RESULTS[trace.outcome.result]
            waiting = f"{sign.glyph} {sign.word}: {trace.outcome.reason}"
        return [run(f" {neutralise(waiting)}", Ink.DIM)] + [NOTHING] * (height - 1)
    sign, way = step_sign(step), place_sign(step, hop.direction)
    place = f" {way.glyph} {neutralise(place_name(hop.namespace))} "
    lead = join(
        (
            run(place, way.ink),
            run(f" {step.number} ", Ink.DIM),
            run(f"{sign.glyph} {sign.word}  ", sign.ink),
        )
    )
    room = max(10, width - line_width(lead) - 1)
    texts = wrap(sentence(step), room)
    first = join((lead, run(texts[0], Ink.STRONG)))
    if state.index + 1 == len(state.steps) and trace.outcome.result is not Result.CONNECTED:
        verdict = cut(join((run(place, way.ink), _verdict(trace, width))), width)
        return [verdict, *_advice(trace, width)][:height]
    header = join((run(" "), compact(step.before, step.after)))
    if len(texts) > 1:
        more = " ".join(texts[1:])
        return [first, cut(run("   " + more, Ink.STRONG), width), cut(header, width)][:height]
    third = join((run(" "), origin_line(step.origin)))
    if state.index + 1 == len(state.steps):
        third = _verdict(trace, width)
    return [first, cut(header, width), cut(third, width)][:height]


def _verdict(trace: Trace, width: int) -> Line:
    """What the client feels, and why."""
    outcome = trace.outcome
    sign = RESULTS[outcome.result]
    felt = f" ({outcome.errno}) {wait(outcome.seconds)}" if outcome.errno else ""
    feels = run(f" {sign.glyph} {sign.word}{felt}  ", sign.ink)
    return cut(join((feels, run(neutralise(outcome.reason)))), width)


def _advice(trace: Trace, width: int) -> list[Line]:
    """What would mend it, on two lines; without advice the whole reason."""
    outcome = trace.outcome
    ink, lead = (Ink.KEY, " → ") if outcome.advice else (Ink.TEXT, "   ")
    texts = wrap(neutralise(outcome.advice or outcome.reason), max(10, width - 4))
    return [
        cut(run((lead if not n else "   ") + text, ink), width)
        for n, text in enumerate([texts[0], " ".join(texts[1:])])
    ]
