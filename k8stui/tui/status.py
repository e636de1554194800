"""The lines above and below the panes: title, the step in three lines, the keys."""

from __future__ import annotations

from k8stui.manifests.neutralise import neutralise
from k8stui.tui.header import compact
from k8stui.tui.ink import NOTHING, Ink, Line, cut, fit, join, line_width, run, sides, wrap
from k8stui.tui.keys import FOOTER, footer_name
from k8stui.tui.state import State
from k8stui.tui.walk_pane import place_name
from k8stui.tui.words import DIRECTIONS, RESULTS, STEPS, origin_line, wait
from k8stui.walk.trace import Trace


def title(state: State, width: int) -> Line:
    """What is asked, which way the packet goes, where in the walk we are, what comes of it."""
    lead = run(" k8stui ", Ink.KEY)
    trace = state.trace
    if trace is None or state.hop is None:
        return fit(join((lead, run(state.failure or state.progress, Ink.DIM))), width)
    request = trace.request
    sign = DIRECTIONS[state.hop.direction]
    steps, hops = len(state.steps), len(trace.hops)
    outcome = RESULTS[trace.outcome.result]
    right = [
        join((run(f" {sign.glyph} {sign.word} ", sign.ink),)),
        run(f"  hop {state.hop_index + 1}/{hops}  step {state.index + 1}/{steps}"),
    ]
    if trace.probability != 1:
        right.append(run(f"  p = {trace.probability}", Ink.CHANGED))
    right.append(run(f"  {outcome.glyph} {outcome.word} ", outcome.ink))
    tail = join(right)
    asked = f"{_short(request.source)} ─▶ {_short(request.destination)}"
    about = f"  Service {request.service}" if request.service else ""
    protocol = f"  {request.protocol.name}"
    room = width - line_width(lead) - line_width(tail) - 1
    for text in (asked + about + protocol, asked + protocol, asked):
        if len(text) <= room:
            asked = text
            break
    middle = cut(run(neutralise(asked), Ink.STRONG), room)
    return sides(join((lead, middle)), tail, width)


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
    sign, way = STEPS[step.kind], DIRECTIONS[hop.direction]
    place = f" {way.glyph} {neutralise(place_name(hop.namespace))} "
    lead = join(
        (
            run(place, way.ink),
            run(f" {step.number} ", Ink.DIM),
            run(f"{sign.glyph} {sign.word}  ", sign.ink),
        )
    )
    room = max(10, width - line_width(lead) - 1)
    sentence = wrap(neutralise(step.text), room)
    first = join((lead, run(sentence[0], Ink.STRONG)))
    header = join((run(" "), compact(step.before, step.after)))
    if len(sentence) > 1:
        more = " ".join(sentence[1:])
        return [first, cut(run("   " + more, Ink.STRONG), width), cut(header, width)][:height]
    third = join((run(" "), origin_line(step.origin)))
    if state.index + 1 == len(state.steps):
        third = _end(trace)
    return [first, cut(header, width), cut(third, width)][:height]


def _end(trace: Trace) -> Line:
    outcome = trace.outcome
    sign = RESULTS[outcome.result]
    felt = f" ({outcome.errno}) {wait(outcome.seconds)}" if outcome.errno else ""
    said = outcome.advice or outcome.reason
    return join((run(f" {sign.glyph} {sign.word}{felt}  ", sign.ink), run(neutralise(said))))


def keys(width: int) -> Line:
    """The footer: the keys needed most, and what the marks of origins mean."""
    parts = [run(" ")]
    for binding in FOOTER:
        parts += [
            run(f"{footer_name(binding)} ", Ink.KEY),
            run(f"{binding.description}   ", Ink.DIM),
        ]
    left = cut(join(parts), width, ellipsis=False)
    legend = run("○ assumed  ● declared ", Ink.DIM)
    if line_width(left) + line_width(legend) < width:
        return sides(left, legend, width)
    return fit(left, width)
