"""Story mode: the walk's decisions above one drawing, one sentence below it."""

from __future__ import annotations

import re

from k8stui.export.drawing.ink import NOTHING, Ink, Line, fit, join, line_width, run, wrap
from k8stui.export.drawing.rail import rail
from k8stui.export.drawing.words import RESULTS, place_sign, sentence, told, wait
from k8stui.kernel.step import StepKind
from k8stui.neutralise import neutralise
from k8stui.tui.state import State
from k8stui.walk.trace import TraceStep
from k8stui.walk.turns import undone

_FILE = re.compile(r" \((?:\w+; )?[^()\s]+:\d+\)")
"""Where a decision is written, in the words of a sentence."""


def rails(state: State, width: int) -> list[Line]:
    """The walk there and back; before there is one: nothing."""
    if state.world is None or state.trace is None or not state.steps:
        return [NOTHING, NOTHING]
    return rail(state.trace, state.world.cluster, state.index, width)


def caption(state: State, width: int, height: int, news: str = "") -> list[Line]:
    """One sentence about the step, in the middle; `news`: something else that is said now."""
    lead, text = _said(state, news)
    room = max(16, width - 2)
    texts = wrap(text, room, lead=line_width(lead))
    if len(texts) > height:
        texts = [*texts[: height - 1], " ".join(each.strip() for each in texts[height - 1 :])]
    lines = [run(each, Ink.STRONG) for each in texts]
    lines[0] = join((lead, lines[0]))
    margin = " " * max(0, (width - max(map(line_width, lines))) // 2)
    lines = [fit(join((run(margin), line)), width) for line in lines]
    return lines + [NOTHING] * (height - len(lines))


def _said(state: State, news: str) -> tuple[Line, str]:
    step, hop, trace = state.step, state.hop, state.trace
    if news:
        return NOTHING, news
    if trace is None or (step is None and not trace.outcome.reason):
        return NOTHING, neutralise(state.failure or state.progress)
    sign = RESULTS[trace.outcome.result]
    if step is None or hop is None or state.index + 1 == len(state.steps):
        outcome = trace.outcome
        felt = f" {wait(outcome.seconds)}" if outcome.errno else ""
        return run(f"{sign.glyph} {sign.word}{felt}  ", sign.ink), _FILE.sub(
            "", told(outcome.reason)
        )
    way = place_sign(step, hop.direction)
    return run(f"{way.glyph} ", Ink.DIM), _spoken(step)


_REWRITTEN = {
    StepKind.DNAT: "The destination is rewritten",
    StepKind.SNAT: "The source is rewritten",
    StepKind.MARK: "A mark is set",
    StepKind.ENCAPSULATE: "The packet is put into another one",
    StepKind.DECAPSULATE: "The packet is taken out again",
}
_TAKEN_BACK = {
    "un-SNAT": "Remembered: the answer goes on to whoever had asked",
    "un-DNAT": "Remembered: the answer comes from whom the client had asked",
}


def _spoken(step: TraceStep) -> str:
    """The sentence as one says it to an audience: what happens first, no file nor line."""
    said = _FILE.sub("", sentence(step))
    taken_back = undone(step)
    if taken_back:
        what = _TAKEN_BACK.get(taken_back, "Remembered: both addresses of the answer are put back")
        return f"{what}: {said.partition(': ')[2] or said}"
    lead = _REWRITTEN.get(step.kind, "")
    if step.kind is StepKind.MARK and not (step.after is not None and step.after.mark):
        lead = "The mark is taken away"
    return f"{lead}: {said}" if lead else said
