"""A walk as one picture: there and back on one drawing, its decisions beneath; or one step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from k8stui.export.drawing.decisions import decision
from k8stui.export.drawing.frame import Film
from k8stui.export.drawing.header import compact
from k8stui.export.drawing.ink import NOTHING, Ink, Line, cut, fit, hang, join, line_width, run
from k8stui.export.drawing.scene import scene
from k8stui.export.drawing.words import DIRECTIONS, RESULTS, felt, sentence, step_sign, told
from k8stui.neutralise import neutralise

if TYPE_CHECKING:
    from k8stui.walk.trace import Trace
    from k8stui.walk.world import World

WIDTH = 120
HEIGHT = 34
"""Cells of a picture, unless it is asked for at another size."""


def film(
    world: World,
    trace: Trace,
    width: int = WIDTH,
    height: int = HEIGHT,
    others: Iterable[Trace] = (),
    *,
    has_cards: bool = True,
) -> Film:
    """The walk on its drawing, at one size; all that `others` need has its place there too.

    `has_cards`: with room for the packet's header, which the walk as a whole does not show.
    """
    made = scene(world.network, world.cluster, trace, others)
    return Film(made, world.cluster, trace, width, height, has_cards=has_cards)


def picture(world: World, trace: Trace, width: int = WIDTH, height: int = HEIGHT) -> list[Line]:
    """The whole walk: title, drawing, every decision on a line, and what the client feels."""
    outcome = trace.outcome
    shown = film(world, trace, width, height, has_cards=False)
    return [
        title(trace),
        NOTHING,
        *(shown.whole().lines() if len(shown) else ()),
        NOTHING,
        *_decisions(trace, width),
        NOTHING,
        *hang(run(f"{felt(outcome)}  ", RESULTS[outcome.result].ink), told(outcome.reason), width),
    ]


def step_picture(
    world: World, trace: Trace, number: int, width: int = WIDTH, height: int = HEIGHT
) -> list[Line]:
    """One step of it, by its number from 1: the packet at its place, and the sentence."""
    step = trace.steps[number - 1]
    sign = step_sign(step)
    lead = join((run(f"{number:>3} ", Ink.DIM), run(f"{sign.glyph} {sign.word}  ", sign.ink)))
    said = hang(lead, sentence(step), width, Ink.STRONG)
    frame = film(world, trace, width, height).frame(number - 1)
    return [title(trace), NOTHING, *frame.lines(), NOTHING, *said]


def title(trace: Trace) -> Line:
    """Who asks whom, and what comes of it."""
    request, outcome = trace.request, RESULTS[trace.outcome.result]
    chance = f"   p = {trace.probability}" if trace.probability != 1 else ""
    return join(
        (
            run(f"{neutralise(request.source)} ─▶ {neutralise(request.destination)}", Ink.STRONG),
            run(f"   {request.protocol.name}{chance}   ", Ink.DIM),
            run(f"{outcome.glyph} {outcome.word}", outcome.ink),
        )
    )


def verdict(trace: Trace, width: int) -> Line:
    """What the client feels, and why."""
    outcome = trace.outcome
    feels = run(f"{felt(outcome)}  ", RESULTS[outcome.result].ink)
    return cut(join((feels, run(neutralise(outcome.reason)))), width)


def _decisions(trace: Trace, width: int) -> Iterator[Line]:
    """What changes the packet, chooses its way, or ends it."""
    for hop in trace.hops:
        way = DIRECTIONS[hop.direction]
        for step in hop.steps:
            sign = decision(step, trace)
            if sign is not None:
                lead = join(
                    (
                        run(f"{way.glyph} ", Ink.DIM),
                        run(f"{step.number:>3} ", Ink.DIM),
                        fit(run(neutralise(hop.namespace), Ink.DIM), 18),
                        run(" "),
                        fit(run(f"{sign.glyph} {sign.word}", sign.ink), 12),
                    )
                )
                header = compact(step.before, step.after, width - line_width(lead))
                yield cut(join((lead, header)), width)
