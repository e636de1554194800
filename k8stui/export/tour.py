"""A tour as text: each position with its caption, the drawing at its step, and the sentence."""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.export.drawing.ink import text_of
from k8stui.export.drawing.picture import step_picture, verdict
from k8stui.export.plain import wrap
from k8stui.export.replay import replay_lines
from k8stui.neutralise import neutralise
from k8stui.tour.rehearse import Rehearsal, Stop

WIDTH = 100
HEIGHT = 26
"""Cells of a drawing."""


def tour_lines(rehearsal: Rehearsal, width: int = WIDTH, height: int = HEIGHT) -> Iterator[str]:
    """All of it, a heading for each position."""
    stops = rehearsal.stops
    many = "" if len(stops) == 1 else "s"
    yield f"{rehearsal.tour.title}   ({len(stops)} position{many})"
    for stop in stops:
        yield ""
        lead = f"{stop.position.number}/{len(stops)}  "
        rule = "─" * max(4, width - len(lead))
        yield f"{lead}{rule}"
        yield from wrap(stop.position.caption, "  ", "  ", width)
        yield from _circumstances(stop, width)
        yield ""
        yield from _shown(stop, width, height)


def _circumstances(stop: Stop, width: int) -> Iterator[str]:
    """The moment with what it brought, and the settings that are turned with what they change."""
    if stop.moment is not None:
        yield ""
        yield from (line.rstrip() for line in replay_lines([stop.moment]) if line.strip())
    for one in stop.variations:
        said = f"what if {one.setting} were {one.value_after} (it is {one.value_before})"
        yield from wrap(neutralise(said), "  ", "    ", width)
    if stop.before is not None and stop.trace is not None:
        for lead, trace in (("as it is  ", stop.before), ("then      ", stop.trace)):
            yield f"  {lead}{text_of(verdict(trace, width - len(lead) - 2)).strip()}"


def _shown(stop: Stop, width: int, height: int) -> Iterator[str]:
    if stop.trace is None:
        yield from wrap(neutralise(f"✗ {stop.question}: {stop.failure}"), "  ", "    ", width)
    elif not stop.trace.steps:
        yield text_of(verdict(stop.trace, width)).rstrip()
    else:
        drawn = step_picture(stop.world, stop.trace, stop.index + 1, width, height)
        yield from (text_of(line).rstrip() for line in drawn)
        if stop.index + 1 == len(stop.trace.steps):
            yield text_of(verdict(stop.trace, width)).rstrip()
