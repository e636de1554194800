"""A tour as pictures in a row, for recordings: each position with its caption, and the way between.

Where two positions are in one walk the packet runs from one to the other before one's eyes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from k8stui.export.comparison import comparison_lines, comparison_said, comparison_title
from k8stui.export.drawing.ink import NOTHING, Ink, Line, cut, fit, join, run, sides, wrap
from k8stui.export.drawing.picture import film, title
from k8stui.export.drawing.stills import Still, Strip, said
from k8stui.export.tour import moment_words
from k8stui.neutralise import neutralise
from k8stui.tour.rehearse import Rehearsal, Stop

_ABOVE = 2
"""Rows over the drawing: the title; the moment, or what is otherwise than it is."""
_SAID = 3
"""Rows under it: the sentence and its proof; the caption follows."""
_PASSING_SECONDS = 0.2
"""How long a step between two positions is seen."""
_WORDS_A_SECOND = 2.5
_LOOKING_SECONDS = 2.0
"""A caption is read that fast, and the drawing looked at so long."""


def tour_strip(rehearsal: Rehearsal, width: int, height: int) -> Strip:
    """Make the pictures of `width` × `height` cells."""
    stops = rehearsal.stops
    rows = 1 + max(len(wrap(stop.position.caption, width - 8)) for stop in stops)
    room = height - _ABOVE - _SAID - rows
    stills: list[Still] = []
    for stop, index, drawn in seen(rehearsal, width, room):
        page = [*drawn, *_foot(stop, index, rows, width, len(stops))]
        seconds = _PASSING_SECONDS if index != stop.index else _seconds(stop)
        stills.append(Still([fit(cut(row, width), width) for row in page], seconds))
    return Strip(stills[0].lines[: height - _SAID - rows], stills, rehearsal.tour.title)


def seen(rehearsal: Rehearsal, width: int, room: int) -> Iterator[tuple[Stop, int, list[Line]]]:
    """Every picture of the tour: its position, the step from 0, head and drawing (`room` rows)."""
    last: Stop | None = None
    for stop in rehearsal.stops:
        for index, drawn in _frames(stop, last, width, room):
            yield stop, index, [*_head(stop, width), *drawn]
        last = stop


def _frames(
    stop: Stop, last: Stop | None, width: int, room: int
) -> Iterator[tuple[int, list[Line]]]:
    """The drawing at each step from where the position before was, and at the last one."""
    trace = stop.trace
    if stop.comparison is not None:
        yield stop.index, _filled(comparison_lines(stop.comparison, width, room), room)
        return
    if trace is None or not trace.steps:
        said = trace.outcome.reason if trace is not None else stop.failure
        texts = wrap(neutralise(f"{stop.question}: {said}"), width - 4, indent=2)
        yield stop.index, _filled([run(f"  {text}", Ink.DROP) for text in texts], room)
        return
    shown = film(stop.world, trace, width, room)
    before = last.trace if last is not None and last.comparison is None else None
    runs_on = last is not None and before is trace and last.index < stop.index
    first = last.index + 1 if runs_on and last is not None else stop.index
    for index in range(first, stop.index + 1):
        yield index, _filled(shown.frame(index).lines(), room)


def _filled(lines: Sequence[Line], room: int) -> list[Line]:
    return [*lines[:room], *[NOTHING] * (room - len(lines))]


def _head(stop: Stop, width: int) -> list[Line]:
    if stop.comparison is not None:
        return [cut(comparison_title(stop.comparison), width), NOTHING]
    asked = title(stop.trace) if stop.trace is not None else run(neutralise(str(stop.question)))
    turned = ", ".join(f"{one.setting} {one.value_after}" for one in stop.variations)
    second = run(f"what if {neutralise(turned)}", Ink.CHANGED) if turned else NOTHING
    if stop.moment is not None:
        second = run(moment_words(stop.moment), Ink.CHANGED)
    return [cut(asked, width), second]


def _foot(stop: Stop, index: int, rows: int, width: int, count: int) -> list[Line]:
    """The step's sentence, and the caption."""
    steps = stop.trace.steps if stop.trace is not None else ()
    below = said(steps[index], width) if steps else []
    if stop.comparison is not None:
        words = wrap(neutralise(comparison_said(stop.comparison)), width - 2)
        below = [run(f" {text}", Ink.CHANGED) for text in words]
    texts = wrap(stop.position.caption, width - 8)
    number = run(f"{stop.position.number:>{len(str(count))}}/{count}", Ink.DIM)
    caption = [run(f" {text}", Ink.STRONG) for text in texts]
    caption[0] = sides(caption[0], join((number, run(" "))), width)
    return _filled(below, _SAID) + _filled([NOTHING, *caption], rows)


def _seconds(stop: Stop) -> float:
    return _LOOKING_SECONDS + len(stop.position.caption.split()) / _WORDS_A_SECOND
