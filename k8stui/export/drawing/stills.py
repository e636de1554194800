"""A walk as pictures in a row, for recordings: each step on the drawing, and what is said of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from k8stui.export.drawing.decisions import is_decision
from k8stui.export.drawing.ink import NOTHING, Ink, Line, cut, fit, join, run, sides, wrap
from k8stui.export.drawing.picture import film, title
from k8stui.export.drawing.words import (
    DIRECTIONS,
    RESULTS,
    origin_line,
    sentence,
    step_sign,
)
from k8stui.export.text import outcome_lines
from k8stui.neutralise import neutralise
from k8stui.walk.trace import Trace, TraceStep

if TYPE_CHECKING:
    from k8stui.walk.world import World

_ABOVE = 2
"""Rows over the drawing: the title, and a blank one."""
_BELOW = 3
"""Rows under it: the sentence, and where it comes from."""
_DECIDES = 2
"""A decision is shown so many times as long as another step; the end so many times: `_LASTS`."""
_LASTS = 5


class Still(NamedTuple):
    """What is seen for a while."""

    lines: Sequence[Line]
    """As many as the picture is high, each as wide as it."""
    seconds: float


class Strip(NamedTuple):
    """All of them, the whole walk and its verdict last."""

    base: Sequence[Line]
    """What most have in common: the drawing that nothing has happened on."""
    stills: Sequence[Still]
    title: str


def strip(world: World, trace: Trace, width: int, height: int, pace: float) -> Strip:
    """Make the pictures of `width` × `height` cells; a plain step is seen `pace` seconds."""
    shown = film(world, trace, width, height - _ABOVE - _BELOW)
    count = len(trace.steps)
    stills: list[Still] = []
    for index, (hop, step) in enumerate(trace.placed):
        way = DIRECTIONS[hop.direction]
        right = run(f"{way.glyph} {way.word}  {index + 1}/{count}", Ink.DIM)
        drawn = shown.frame(index).lines()
        seconds = pace * (_DECIDES if is_decision(step, trace) else 1)
        page = _page(title(trace)[:1], right, drawn, said(step, width), (width, height))
        stills.append(Still(page, seconds))
    drawn = shown.whole().lines() if count else []
    page = _page(title(trace), NOTHING, drawn, _felt(trace, width), (width, height))
    stills.append(Still(page, pace * _LASTS))
    base = [NOTHING] * _ABOVE + list(shown.drawing(0).canvas.lines()) if count else []
    sign = RESULTS[trace.outcome.result]
    asked = f"{trace.request.source} → {trace.request.destination}: {sign.word}"
    return Strip(base[: height - _BELOW], stills, neutralise(asked))


def _page(
    left: Line, right: Line, drawn: Sequence[Line], said: Sequence[Line], size: tuple[int, int]
) -> list[Line]:
    """One still: every row is there, and full."""
    width, height = size
    room = height - _ABOVE - _BELOW
    drawn = [*drawn[:room], *[NOTHING] * (room - len(drawn))]
    rows = [sides(left, right, width), NOTHING, *drawn, *said, *[NOTHING] * (_BELOW - len(said))]
    return [fit(cut(row, width), width) for row in rows]


def said(step: TraceStep, width: int) -> list[Line]:
    """The step's sentence on at most two rows, then its rule or its origin on the last."""
    sign = step_sign(step)
    lead = f"{step.number:>3} {sign.glyph} {sign.word}  "
    first, *more = wrap(lead + sentence(step), width, indent=4)
    rows = [join((run(lead, sign.ink), run(first[len(lead) :], Ink.STRONG)))]
    if more:
        rows.append(run(" ".join([more[0], *(text.strip() for text in more[1:])]), Ink.STRONG))
    detail = neutralise(step.detail) if step.detail not in step.text else ""
    proof = (
        run(f"    {detail}", Ink.DIM) if detail else join((run("    "), origin_line(step.origin)))
    )
    return [*rows, proof][:_BELOW]


def _felt(trace: Trace, width: int) -> list[Line]:
    """What the client feels, and what would mend it or where that comes from."""
    sign = RESULTS[trace.outcome.result]
    verdict, *rest = outcome_lines(trace)
    rows = [run(text, sign.ink) for text in wrap(f"{sign.glyph} {verdict.text}", width, indent=2)]
    rows = [*rows[:2], *(run(f"  {line.text}", Ink.TEXT) for line in rest)]
    return rows[:_BELOW]
