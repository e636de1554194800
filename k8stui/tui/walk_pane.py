"""Walk: the steps by hop, there and back; below them the header before ⇒ after and the origin."""

from __future__ import annotations

from typing import NamedTuple

from k8stui.export.drawing.header import compact, header
from k8stui.export.drawing.ink import (
    NOTHING,
    Ink,
    Line,
    fit,
    hang,
    join,
    line_width,
    repaint,
    run,
    text_of,
    wrap,
)
from k8stui.export.drawing.words import (
    DIRECTIONS,
    RESULTS,
    felt,
    origin_line,
    place_sign,
    sentence,
    step_sign,
    told,
)
from k8stui.kernel.step import Direction
from k8stui.neutralise import neutralise
from k8stui.tui.sheet import Sheet
from k8stui.tui.state import State
from k8stui.walk.trace import Hop, Outcome, Trace, TraceStep

_TWO_OF_ORIGIN = 13
"""Rows of the pane from which on who says so has two."""
_WORD = 12
"""Cells of glyph and word of a step."""


class _Row(NamedTuple):
    step: int | None
    """0-based step that the row belongs to; None for a hop's heading, -1 for the outcome."""
    line: Line


def place_name(namespace: str) -> str:
    """A namespace as a person says it: the pod, the node, the wire."""
    return f"pod {namespace}" if "/" in namespace else namespace


class WalkRows:
    """All rows of one trace at one width. Made once, kept while the trace is on the screen."""

    def __init__(self, trace: Trace, width: int) -> None:
        self.trace = trace
        self.width = width
        self.rows: list[_Row] = []
        self.first_row: list[int] = []
        """By step: its first row."""
        digits = len(str(len(trace.steps)))
        number = 0
        for hop in trace.hops:
            self.rows.append(_Row(None, _heading(hop, width)))
            for step in hop.steps:
                self.first_row.append(len(self.rows))
                self.rows += [_Row(number, line) for line in _step_lines(step, digits, width)]
                number += 1
        self.rows += [_Row(-1, line) for line in outcome_lines(trace.outcome, width)]

    def step_at(self, row: int) -> int | None:
        """The step that a click on `row` means."""
        if not 0 <= row < len(self.rows):
            return None
        found = self.rows[row].step
        if found is None and row + 1 < len(self.rows):
            found = self.rows[row + 1].step  # a hop's heading stands for its first step
        return None if found == -1 else found


def _heading(hop: Hop, width: int) -> Line:
    sign = DIRECTIONS[hop.direction]
    ttl = next((step.after.ttl for step in hop.steps if step.after), None)
    ink = Ink.TRAIL if hop.direction is Direction.FORWARD else Ink.RETURN
    left = join(
        (run(f" {sign.glyph} ", ink), run(neutralise(place_name(hop.namespace)), Ink.STRONG))
    )
    right = run(f"{sign.word}{f'  ttl {ttl}' if ttl is not None else ''} ", Ink.DIM)
    gap = width - line_width(left) - line_width(right)
    if gap < 2:
        return left
    return join((left, run(" " + "─" * (gap - 2) + " ", Ink.FAINT), right))


def _step_lines(step: TraceStep, digits: int, width: int) -> list[Line]:
    sign = step_sign(step)
    indent = digits + 3 + _WORD
    narrow = width < 36
    room = max(8, width - (digits + 3 if narrow else indent) - 1)
    texts = wrap(sentence(step), room)
    lead = join(
        (
            run(f"  {step.number:>{digits}} ", Ink.DIM),
            run(f"{sign.glyph} {sign.word}".ljust(_WORD), sign.ink),
        )
    )
    if narrow:
        return [lead, *(run(" " * (digits + 3) + text) for text in texts)]
    first = join((lead, run(texts[0])))
    return [first, *(run(" " * indent + text) for text in texts[1:])]


def outcome_lines(outcome: Outcome, width: int) -> list[Line]:
    """What the client feels, why, and what would mend it."""
    said = run(f" {felt(outcome)}", RESULTS[outcome.result].ink)
    lines: list[Line] = [run("─" * width, Ink.FAINT), said]
    room = max(8, width - 4)
    lines += [run("   " + text) for text in wrap(told(outcome.reason), room) if text]
    if outcome.source_seen_by_server is not None:
        seen = f"source address that the server saw: {outcome.source_seen_by_server}"
        lines += [run("   " + text) for text in wrap(seen, room)]
    if outcome.advice:
        lines += [
            run(("   → " if not n else "     ") + text, Ink.KEY)
            for n, text in enumerate(wrap(told(outcome.advice), room - 2))
        ]
    where = origin_line(outcome.origin)
    if where:
        lines += hang(run("   "), text_of(where), width, where[0][1], indent=5)
    return lines


class WalkSheet(Sheet):
    """The Walk pane at one step."""

    def __init__(self, rows: WalkRows, state: State, height: int, *, details: bool = True) -> None:
        self._rows = rows
        self._state = state
        trace = rows.trace
        self.title = join((run("4 ", Ink.KEY), run("Walk", Ink.STRONG)))
        self.note = run(f"step {state.index + 1}/{len(state.steps)}")
        inner = height - 2
        if state.step is None:
            self.cursor = max(0, len(rows.rows) - 1)
            return
        self.foot = details_of(state.step, rows.width, inner) if details else ()
        first = self.cursor = rows.first_row[state.index]
        behind = first + 1
        while behind < len(rows.rows) and rows.rows[behind].step == state.index:
            behind += 1
        if state.index + 1 == len(trace.steps):  # what comes of it belongs to the last step
            behind = len(rows.rows)
            if behind - first > inner - len(self.foot):
                self.foot = ()
        self.extent = behind - first

    def __len__(self) -> int:
        return len(self._rows.rows)

    def line(self, row: int) -> Line:
        owner, line = self._rows.rows[row]
        if owner is None or owner == -1:
            return line
        state = self._state
        if owner == state.index and state.step is not None and state.hop is not None:
            sign = place_sign(state.step, state.hop.direction)
            if row == self._rows.first_row[owner]:
                line = join((run(sign.glyph), (("", Ink.TEXT),), skip_first(line)))
            return fit(repaint(line, sign.ink), self._rows.width, sign.ink)
        return line if owner < state.index else _ahead(line)

    def step_at(self, row: int) -> int | None:
        return self._rows.step_at(row)

    def copied(self, row: int) -> str:
        owner = self._rows.rows[row].step
        if owner is None or owner == -1:
            return super().copied(row)
        step = self._state.steps[owner]
        return f"{step.number} {step_sign(step).word}: {step.text}" + (
            f"\n{step.detail}" if step.detail else ""
        )


def skip_first(line: Line) -> Line:
    """The line without its first cell, which is a space."""
    (text, ink), *rest = line
    return ((text[1:], ink), *rest)


def _ahead(line: Line) -> Line:
    """Steps still to come are there, but quiet."""
    return tuple((text, Ink.DIM if ink is Ink.TEXT else ink) for text, ink in line)


def details_of(step: TraceStep, width: int, inner: int) -> tuple[Line, ...]:
    """The fixed lines below the steps: header, cause and origin; fewer in a low pane."""
    source, destination, rest, link = header(step.before, step.after)
    origin = origin_line(step.origin)
    where = text_of(origin)
    lines: list[Line] = [run("─" * width, Ink.FAINT), source, destination, rest]
    if inner >= 12:
        lines.append(link)
    if inner >= 20:
        lines += cause_lines(step, width, 2 if inner < 32 else 4)
    if inner >= 9:
        rows = 2 if inner >= _TWO_OF_ORIGIN else 1
        ink = origin[-1][1] if step.origin else Ink.DIM
        said = hang(run("from ", Ink.DIM), where, width - 1, ink, indent=5, rows=rows)
        lines += [*(said if where else ()), *[NOTHING] * rows][:rows]
    if inner < 7:
        return (compact(step.before, step.after),)
    return tuple(join((run(" "), line)) if line and n else line for n, line in enumerate(lines))


def cause_lines(step: TraceStep, width: int, rows: int) -> list[Line]:
    """The proof, as Linux prints it, on so many lines (more are cut: the Chain pane has it all)."""
    if not step.detail:
        return [NOTHING] * rows
    lead = run("by   ", Ink.DIM)
    lines = hang(lead, neutralise(step.detail), width - 1, indent=7, rows=rows)
    return [*lines, *[NOTHING] * rows][:rows]
