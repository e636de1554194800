"""The walk as two lines, there and back: the places, and at each the decisions alone.

The way back is drawn from right to left, below the way there: what stands under a place happened
in that place.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from k8stui.cluster.model import Cluster
from k8stui.export.drawing.decisions import decision
from k8stui.export.drawing.ink import (
    Ink,
    Line,
    fit,
    join,
    line_width,
    middle,
    run,
    skip,
    width_of,
)
from k8stui.export.drawing.scene import WIRE
from k8stui.export.drawing.words import DIRECTIONS, RESULTS, Sign
from k8stui.kernel.step import Direction
from k8stui.neutralise import neutralise
from k8stui.walk.trace import Trace

_NAME = 16
"""Cells of a place's name."""


@dataclass(slots=True)
class _Stop:
    """A place of the walk, and what was decided in it."""

    name: str
    first: int
    """0-based number of its first step."""
    last: int
    marks: list[tuple[int, Sign]] = field(default_factory=list)
    """Each with the number of its step, in order."""
    is_tunnelled: bool = False
    """Whether the packet leaves it inside another one."""


def rail(trace: Trace, cluster: Cluster, index: int, width: int) -> list[Line]:
    """Two lines of `width` cells, there and back; the step number `index` (from 0) is lit."""
    there = _stops(trace, cluster, Direction.FORWARD)
    back = _back(trace, cluster, there)
    for level in range(3):
        cells = [
            [_cell(stop, way, index, level=level) for stop in stops]
            for stops, way in ((there, Direction.FORWARD), (back, Direction.REPLY))
        ]
        lines = [
            _joined(there, cells[0], Direction.FORWARD, cells[1], back),
            _joined(back, cells[1], Direction.REPLY, cells[0], there),
        ]
        if all(line_width(line) <= width for line in lines):
            break
    return [fit(_window(line, width), width) for line in lines]


def _stops(trace: Trace, cluster: Cluster, direction: Direction) -> list[_Stop]:
    """The places of one way in the order in which the packet gets to them."""
    found: list[_Stop] = []
    number = 0
    for hop in trace.hops:
        first, number = number, number + len(hop.steps)
        if hop.direction is not direction or not hop.steps:
            continue
        marks = [
            (first + n, sign)
            for n, step in enumerate(hop.steps)
            if (sign := decision(step, trace)) is not None
        ]
        if hop.namespace == WIRE and not marks:
            if found:
                found[-1].last = number - 1
            continue
        name = _name(hop.namespace, cluster)
        if not found or found[-1].name != name:
            found.append(_Stop(name, first, number - 1))
        found[-1].marks += marks
        found[-1].last = number - 1
        packet = hop.steps[-1].after
        found[-1].is_tunnelled = packet is not None and packet.carried is not None
    return found


def _back(trace: Trace, cluster: Cluster, there: list[_Stop]) -> list[_Stop]:
    """The way back, drawn from its end: the client first, with what it feels."""
    stops = _stops(trace, cluster, Direction.REPLY)[::-1]
    for stop in stops:
        stop.marks.reverse()
    for after, before in pairwise(stops):
        after.is_tunnelled = before.is_tunnelled
    sign, last = RESULTS[trace.outcome.result], len(trace.steps) - 1
    name = there[0].name if there else "client"
    if not stops or stops[0].name != name:
        stops.insert(0, _Stop(name, last + 1, last))
    stops[0].marks = [(last, sign), *(mark for mark in stops[0].marks if mark[0] != last)]
    return stops


def _name(namespace: str, cluster: Cluster) -> str:
    pod = cluster.pods.get(namespace)
    return middle(neutralise(pod.name if pod is not None else namespace), _NAME)


def _cell(stop: _Stop, way: Direction, index: int, *, level: int) -> Line:
    """A place and its decisions: those behind the packet in the ink of its way, the rest dim.

    `level`: how short; 0: all words, 1: but of the ends, 2: only those of the step itself.
    """
    trail = Ink.TRAIL if way is Direction.FORWARD else Ink.RETURN
    here = DIRECTIONS[way].ink
    is_at_mark = any(number == index for number, _ in stop.marks)
    is_here = stop.first <= index <= stop.last and not is_at_mark
    ink = here if is_here else trail if stop.first <= index else Ink.DIM
    parts = [run(f" {stop.name} " if is_here else stop.name, ink)]
    for number, sign in stop.marks:
        is_end = sign.ink in (Ink.OK, Ink.DROP)
        is_word = level == 0 or (not is_end and (number == index or level == 1))
        word = sign.word if is_word and sign.word != "deliver" else ""
        text = sign.glyph + word
        if number == index:
            lit = Ink.STOP if sign.ink is Ink.DROP else here
            parts.append(run(f" {text} ", lit))
        else:
            ink = sign.ink if number < index or is_end else Ink.DIM
            parts.append(join((run(" "), run(text, ink))))
    return join(parts)


def _joined(
    stops: list[_Stop],
    cells: list[Line],
    way: Direction,
    others: list[Line],
    theirs: list[_Stop],
) -> Line:
    """The line of one way; a place stands where the other way's line has it."""
    sign = DIRECTIONS[way]
    parts = [run(f" {sign.glyph} ", Ink.TRAIL if way is Direction.FORWARD else Ink.RETURN)]
    for n, (stop, cell) in enumerate(zip(stops, cells, strict=True)):
        parts.append(cell)
        if n + 1 == len(stops):
            break
        is_alike = [one.name for one in stops[: n + 1]] == [one.name for one in theirs[: n + 1]]
        longer = max(0, line_width(others[n]) - line_width(cell)) if is_alike else 0
        stroke = "═" if stop.is_tunnelled else "─"
        parts.append(run(f" {stroke * (2 + longer)} ", Ink.DIM))
    return join(parts)


def _window(line: Line, width: int) -> Line:
    """The part of a line that is too long in which the packet is."""
    if line_width(line) <= width:
        return line
    at = 0
    for text, ink in line:
        if ink in (Ink.HERE, Ink.BACK, Ink.STOP):
            break
        at += width_of(text)
    else:
        return line
    left = max(0, min(at - width // 2, line_width(line) - width))
    return join((run("…", Ink.DIM), skip(line, left + 1))) if left else line
