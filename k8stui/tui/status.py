"""The lines above and below the panes: title, the step in a few lines, the keys."""

from __future__ import annotations

from k8stui.export.drawing.header import compact
from k8stui.export.drawing.ink import (
    NOTHING,
    Ink,
    Line,
    cut,
    fit,
    fold,
    hang,
    join,
    line_width,
    middle,
    run,
    sides,
    text_of,
    width_of,
)
from k8stui.export.drawing.words import (
    DIRECTIONS,
    RESULTS,
    felt,
    origin_line,
    pair,
    place_sign,
    sentence,
    step_sign,
    told,
)
from k8stui.kernel.exchange import Result
from k8stui.neutralise import neutralise
from k8stui.tui.state import State
from k8stui.tui.walk_pane import place_name
from k8stui.walk.trace import Hop, Trace, TraceStep

_LEAD = run(" k8stui ", Ink.KEY)
_MORE = join((run(" e ", Ink.KEY), run("all ", Ink.DIM)))
"""Behind what had to be cut: the key that shows all of it."""
_ALL_ROWS = 1000
_LEAST_ASKED = 24
"""Cells that the request keeps of the title: where it is and what comes of it give way."""


def title(state: State, width: int) -> Line:
    """What is asked, which way the packet goes, where in the walk we are, what comes of it."""
    trace = state.trace
    if trace is None or state.hop is None:
        waiting = run(neutralise(state.failure or state.progress), Ink.DIM)
        return fit(join((_LEAD, run(" "), waiting)), width)
    request = trace.request
    asked = pair(request.source, request.destination)
    protocol = f"  {request.protocol.name}"
    about = neutralise(f"  Service {request.service}") if request.service else ""
    first, last = (_LEAD, NOTHING)
    if state.turned:
        first = last = run(f" {neutralise(state.turned_words)} ", Ink.CHANGED)
        about = ""
    for lead, text, tail in (
        (first, asked + about + protocol, _tail(state, trace, words=True)),
        (first, asked + protocol, _tail(state, trace, words=True)),
        (last, asked, _tail(state, trace, words=False)),
    ):
        room = width - line_width(lead) - line_width(tail) - 2
        if width_of(text) <= room:
            break
    else:
        if room < _LEAST_ASKED:
            tail = _place(state, trace)
            spare = width - line_width(tail) - width_of(asked) - 2
            lead = cut(lead, max(0, width // 2 - _LEAST_ASKED, spare))
            room = width - line_width(lead) - line_width(tail) - 2
        text = pair(request.source, request.destination, max(room, 0))
    return sides(join((lead, run(f" {text}", Ink.STRONG))), tail, width)


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


def _place(state: State, trace: Trace) -> Line:
    """Direction, step and outcome, where there is hardly room for the request."""
    assert state.hop is not None
    sign, outcome = DIRECTIONS[state.hop.direction], RESULTS[trace.outcome.result]
    step = run(f" {state.index + 1}/{len(state.steps)} ")
    return join((run(f" {sign.glyph}", sign.ink), step, run(f"{outcome.glyph} ", outcome.ink)))


def now(state: State, width: int, height: int) -> list[Line]:
    """The step under the cursor, on `height` lines: the sentence, the header, and who says so.

    The sentence comes first and takes the lines that it needs; the others have what is left.
    """
    lines = _now(state, width, height)
    if any(text_of(line).endswith("…") for line in lines):
        lines[-1] = sides(cut(lines[-1], width - line_width(_MORE) - 1), _MORE, width)
    return lines + [NOTHING] * (height - len(lines))


def in_full(state: State, width: int) -> list[Line]:
    """All that is said of the step under the cursor; at the last one of what comes of the walk."""
    step, trace = state.step, state.trace
    lines = _now(state, width, _ALL_ROWS)
    if step is None or trace is None:
        return lines
    if state.index + 1 == len(state.steps):
        sign = step_sign(step)
        lead = run(f" {step.number} {sign.glyph} {sign.word}  ", sign.ink)
        header = join((run(" "), compact(step.before, step.after)))
        lines += [NOTHING, *hang(lead, sentence(step), width), *fold(header, width)]
        where = origin_line(step.origin)
        lines += hang(run(" "), text_of(where), width, where[0][1]) if where else []
    if step.detail and step.detail not in step.text:
        lines += [NOTHING, *hang(run(" "), neutralise(step.detail), width, Ink.DIM)]
    return lines


def _now(state: State, width: int, height: int) -> list[Line]:
    step, hop, trace = state.step, state.hop, state.trace
    if step is None or hop is None or trace is None:
        waiting = state.failure or state.progress
        if trace is not None:
            sign = RESULTS[trace.outcome.result]
            waiting = f"{sign.glyph} {sign.word}: {trace.outcome.reason}"
        return hang(run(" "), told(waiting), width, Ink.DIM, indent=1, rows=height)
    sign, place = step_sign(step), _where(step, hop, width)
    if state.index + 1 == len(state.steps):
        return _end(trace, place, width, height)
    what = run(f"{sign.glyph} {sign.word}  ", sign.ink)
    lead = join((place, run(f" {step.number} ", Ink.DIM), what))
    lines = hang(lead, sentence(step), width, Ink.STRONG, rows=height)
    where = text_of(origin_line(step.origin))
    if len(lines) < height:
        header = join((run(" "), compact(step.before, step.after, width - 1)))
        whole = fold(header, width)
        room = height - len(lines) - bool(where)
        lines += whole if len(whole) <= room else [cut(header, width)]
    if where and len(lines) < height:
        ink = origin_line(step.origin)[0][1]
        lines += hang(run(" "), where, width, ink, rows=height - len(lines))
    decided = trace.outcome if trace.outcome.step == step.number else None
    if decided is not None and decided.advice and len(lines) < height:
        lines += _mend(told(decided.advice), width, height - len(lines))
    return lines


def _mend(advice: str, width: int, rows: int) -> list[Line]:
    return hang(run(" → ", Ink.KEY), advice, width, Ink.KEY, rows=rows)


def _where(step: TraceStep, hop: Hop, width: int) -> Line:
    """Where the packet is."""
    way = place_sign(step, hop.direction)
    name = middle(neutralise(place_name(hop.namespace)), max(8, width // 3))
    return run(f" {way.glyph} {name} ", way.ink)


def needed(trace: Trace, width: int) -> int:
    """Rows that the end of a walk that failed takes: what is felt, why, what would mend it.

    They are given to all of its steps, so that nothing changes place between two of them; a walk
    that succeeds has nothing to be mended, and the drawing keeps the rows.
    """
    if trace.outcome.result is Result.CONNECTED or not (trace.hops and trace.hops[-1].steps):
        return 0
    hop = trace.hops[-1]
    return len(_end(trace, _where(hop.steps[-1], hop, width), width, _ALL_ROWS))


def _end(trace: Trace, place: Line, width: int, height: int) -> list[Line]:
    """At the last step: what the client feels, why, what would mend it; then who says so."""
    outcome = trace.outcome
    lead = join((place, run(f" {felt(outcome)}  ", RESULTS[outcome.result].ink)))
    reason, advice = told(outcome.reason), told(outcome.advice)
    if not advice:
        lines = hang(lead, reason, width, rows=height)
        where = text_of(origin_line(outcome.origin))
        if where and len(lines) < height:
            ink = origin_line(outcome.origin)[0][1]
            lines += hang(run(" "), where, width, ink, rows=height - len(lines))
        return lines
    rows = min(len(hang(lead, reason, width)), max(1, height - 1))
    lines = hang(lead, reason, width, rows=rows)
    if len(lines) < height:
        lines += _mend(advice, width, height - len(lines))
    return lines
