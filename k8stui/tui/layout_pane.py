"""Layout: the network of the walk, drawn; the packet at its place, its way so far lit."""

from __future__ import annotations

from k8stui.export.drawing.canvas import Cell
from k8stui.export.drawing.header import endpoint, what
from k8stui.export.drawing.ink import Ink, Line, join, run, width_of, wrap
from k8stui.export.drawing.layout import STACK, Drawing, Place
from k8stui.export.drawing.words import RESULTS, STOPS, place_sign, sentence, step_sign, wait
from k8stui.kernel.compile import compile_rule
from k8stui.kernel.packet import Packet
from k8stui.kernel.step import BridgeCause, Direction, RuleCause, StepKind
from k8stui.neutralise import neutralise
from k8stui.tui.sheet import Sheet
from k8stui.tui.state import State
from k8stui.walk.trace import Hop, Trace, TraceStep

_ON_DEVICE = frozenset({StepKind.BRIDGE, StepKind.ARP, StepKind.ENCAPSULATE, StepKind.DECAPSULATE})
"""Decided at a device; every other kind is decided in the namespace's own stack."""


class Path:
    """Places of the packet at every step of one walk in one drawing."""

    def __init__(self, drawing: Drawing, state: State) -> None:
        self.drawing = drawing
        trace = state.trace
        hops: tuple[Hop, ...] = trace.hops if trace is not None else ()
        self.places = [_place(drawing, hop, step) for hop in hops for step in hop.steps]
        self.directions = [hop.direction for hop in hops for _ in hop.steps]

    def trail(self, index: int) -> set[Cell]:
        """Cells that the packet has passed in this direction up to a step."""
        direction = self.directions[index]
        first = index
        while first and self.directions[first - 1] is direction:
            first -= 1
        cells: set[Cell] = set()
        for before, after in zip(
            self.places[first:index], self.places[first + 1 : index + 1], strict=True
        ):
            if before != after:
                cells.update(self.drawing.between(before, after))
                cells.update(self.drawing.spots[before].cells)
        return cells


def _place(drawing: Drawing, hop: Hop, step: TraceStep) -> Place:
    if isinstance(step.cause, BridgeCause):
        return drawing.spot(hop.namespace, step.cause.bridge)
    if step.kind in _ON_DEVICE:
        return drawing.spot(hop.namespace, step.device)
    return drawing.spot(hop.namespace, STACK)


class LayoutSheet(Sheet):
    """The Layout pane at one step."""

    centred = True

    def __init__(self, path: Path, state: State) -> None:
        drawing = path.drawing
        self._path = path
        self._drawing = drawing
        self.title = join((run("2 ", Ink.KEY), run("Layout", Ink.STRONG)))
        self.width = drawing.canvas.width
        self._over: dict[Cell, tuple[str, Ink]] = {}
        self._rows: set[int] = set()
        step, hop = state.step, state.hop
        if step is None or hop is None:
            return
        sign = place_sign(step, hop.direction)
        forward = hop.direction is Direction.FORWARD
        for cell in path.trail(state.index):
            self._over[cell] = ("", Ink.TRAIL if forward else Ink.RETURN)
        place = path.places[state.index]
        spot = drawing.spots.get(place)
        if spot is not None:
            self._mark(place, step, sign.ink, sign.glyph)
            self.cursor = spot.cells[0][1]
            self.column = spot.cells[0][0]
        if state.trace is not None and state.index + 1 == len(state.steps):
            self._verdict(state.trace)
        self.note = run(f"{sign.glyph} {what(step.after)}" if step.after is not None else "")
        self._rows = {y for _, y in self._over}

    def _mark(self, place: Place, step: TraceStep, ink: Ink, glyph: str) -> None:
        """Light the packet's place; in a node's stack, say what is done there."""
        cells = self._drawing.spots[place].cells
        desk = self._drawing.desks.get(place[0]) if place[1] == STACK else None
        if desk is None:
            for n, cell in enumerate(cells):
                self._over[cell] = (glyph if not n else "", ink)
            if cells:
                x, y = cells[-1]
                if len(cells) > 1:
                    self._over.setdefault((x + 1, y), ("", Ink.TEXT))
            return
        first, second = deed(step)
        self._write(desk.x - 2, desk.y, f"{glyph} {first}"[: desk.width + 2].ljust(20) + " ", ink)
        rows = wrap(second, desk.width)
        if len(rows) > desk.rows - 1:
            rows = [*rows[: desk.rows - 2], " ".join(rows[desk.rows - 2 :])]
        for n, text in enumerate(rows, start=1):
            self._write(desk.x, desk.y + n, _short(text, desk.width).ljust(18), _second_ink(step))

    def _verdict(self, trace: Trace) -> None:
        """At the last step: what the client feels, in the lower edge of its box."""
        outcome, client = trace.outcome, trace.hops[0].namespace
        box = self._drawing.boxes.get(client)
        if box is None:
            return
        sign = RESULTS[outcome.result]
        text = f" {sign.glyph} {sign.word} "
        waited = f"{wait(outcome.seconds)} " if outcome.errno else ""
        text += waited if len(text + waited) <= box.room else ""
        ink = Ink.STOP if sign.ink is Ink.DROP else sign.ink
        self._write(box.x, box.y, text[: box.room], ink)

    def _write(self, x: int, y: int, text: str, ink: Ink) -> None:
        for char in text:
            self._over[x, y] = (char, ink)
            x += max(1, width_of(char))

    def next_at(self, column: int, row: int, index: int) -> int | None:
        """The next step (round the end) whose packet is in the place on a cell."""
        desks = {
            (name, STACK)
            for name, desk in self._drawing.desks.items()
            if 0 <= row - desk.y < desk.rows and -2 <= column - desk.x < desk.width
        }
        spots = self._drawing.spots
        there = desks | {place for place, spot in spots.items() if (column, row) in spot.cells}
        count = len(self._path.places)
        later = ((index + n) % count for n in range(1, count + 1))
        return next((n for n in later if self._path.places[n] in there), None)

    def __len__(self) -> int:
        return self._drawing.canvas.height

    def line(self, row: int) -> Line:
        return self._drawing.canvas.line(row, self._over)


def _short(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _second_ink(step: TraceStep) -> Ink:
    if step.kind in STOPS:
        return Ink.DROP
    return Ink.CHANGED if changed(step.before, step.after) else Ink.TEXT


def deed(step: TraceStep) -> tuple[str, str]:
    """What a node does to the packet, in two short lines: where and what; to what effect."""
    sign = step_sign(step)
    where = []
    if step.hook is not None:
        where.append(step.hook.value)
    if isinstance(step.cause, RuleCause):
        where.append(step.cause.table)
    first = " ".join((*where, sign.glyph, sign.word))
    effect = changed(step.before, step.after)
    if effect:
        return first, effect
    if step.kind is StepKind.JUMP:
        rule = step.cause.rule if isinstance(step.cause, RuleCause) else None
        return first, neutralise(compile_rule(rule.text).target_name if rule else step.text)
    return first, sentence(step)


def changed(before: Packet | None, after: Packet | None) -> str:
    """The most telling field that changed: ``dst ⇒ 10.244.2.2:80``; empty when none did."""
    if before is None or after is None:
        return ""
    parts = []
    for name, is_source in (("src", True), ("dst", False)):
        old, new = endpoint(before, source=is_source), endpoint(after, source=is_source)
        if old != new:
            parts.append(f"{name} ⇒ {new}")
    if not parts and before.mark != after.mark:
        parts.append(f"mark ⇒ {after.mark:#x}")
    return "  ".join(parts)
