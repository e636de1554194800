"""One moment of a walk on its drawing: the packet at its place, its card, its way so far."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise

from k8stui.cluster.model import Cluster
from k8stui.export.drawing.canvas import Cell, Rect
from k8stui.export.drawing.card import Room, cards, closed, meets
from k8stui.export.drawing.ink import Ink, Line, cut, width_of
from k8stui.export.drawing.layout import plan
from k8stui.export.drawing.places import HUB, Drawing
from k8stui.export.drawing.scene import WIRE, Scene
from k8stui.export.drawing.stations import STATIONS, Deed, Place, deeds, passed, place_of
from k8stui.export.drawing.words import RESULTS, Sign, place_sign, wait
from k8stui.kernel.step import Direction, StepKind
from k8stui.walk.trace import Hop, Trace, TraceStep

LO = "lo"
_LITTLE = 40.0
"""What a card may hide (`Room.hides`) before one that says less is taken: a few dim words."""
_NEAR = 4.0
"""How much more it weighs what a card would touch there."""
Over = dict[Cell, tuple[str, Ink]]
"""What stands over the drawing: a character, or none for the one that is there, and its ink."""


class Film:
    """All moments of one walk, at one size."""

    def __init__(
        self,
        scene: Scene,
        cluster: Cluster,
        trace: Trace,
        width: int,
        height: int,
        *,
        has_cards: bool = True,
    ) -> None:
        self.trace = trace
        self.size = (width, height)
        self._scene = scene
        self.cluster = cluster
        self._steps = trace.placed
        self._plan = plan(scene, width, height, has_cards=has_cards)
        self._reels: dict[str, _Reel] = {}
        """By the node that is open; one where all are."""

    def __len__(self) -> int:
        return len(self._steps)

    @property
    def is_whole(self) -> bool:
        """Whether all nodes are open; else the one that the packet is in."""
        return self._plan.is_whole

    def drawing(self, index: int) -> Drawing:
        """The drawing that a step stands on."""
        return self._reel(index).drawing

    def frame(self, index: int) -> Frame:
        return Frame(self._reel(index), index)

    def whole(self) -> WholeWalk:
        """The way there and back at once, and all that was done; where the most can be open."""
        return WholeWalk(self._reel(len(self) - 1))

    def next_at(self, cell: Cell, index: int) -> int | None:
        """The next step behind `index` (round the end) whose packet is at the place on a cell."""
        reel = self._reel(index)
        there = reel.drawing.at(cell)
        later = ((index + n) % len(self) for n in range(1, len(self) + 1))
        return next((n for n in later if reel.places[n] in there), None)

    def _reel(self, index: int) -> _Reel:
        focus = "" if self.is_whole else self._focus(index)
        found = self._reels.get(focus)
        if found is None:
            drawing = self._plan.draw(focus)
            found = self._reels[focus] = _Reel(drawing, self._steps, self.trace)
        return found

    def _focus(self, index: int) -> str:
        """The node that the packet is in, was in last, or gets to first."""
        nodes = {node.name for node in self._scene.nodes}
        for hop, _ in (*self._steps[index::-1], *self._steps[index:]):
            pod = self.cluster.pods.get(hop.namespace)
            name = pod.node_name if pod is not None else hop.namespace
            if name in nodes:
                return name or ""
        return ""


def _seen(place: Place) -> Place:
    """Where the marker stands: a packet on the wire where the wire has its name."""
    return (WIRE, HUB) if place == (WIRE, "lan") else place


class _Reel:
    """The places of all steps in one drawing."""

    def __init__(
        self, drawing: Drawing, steps: tuple[tuple[Hop, TraceStep], ...], trace: Trace
    ) -> None:
        self.drawing = drawing
        self.steps = steps
        self.trace = trace
        self.places = [_seen(drawing.spot(*place_of(hop, step))) for hop, step in steps]
        self._room: Room | None = None

    @property
    def room(self) -> Room:
        if self._room is None:
            self._room = Room(self.drawing.canvas)
        return self._room

    def first(self, index: int) -> int:
        """The first step in the same direction."""
        direction = self.steps[index][0].direction
        while index and self.steps[index - 1][0].direction is direction:
            index -= 1
        return index

    def trail(self, index: int) -> set[Cell]:
        """Cells that the packet has passed in this direction up to a step."""
        first = self.first(index)
        cells: set[Cell] = set()
        pairs = zip(self.places[first:index], self.places[first + 1 : index + 1], strict=True)
        for before, after in pairs:
            if before == after:
                continue
            cells.update(self.drawing.spots[before].cells if before in self.drawing.spots else ())
            if before[0] == after[0] and {before[1], after[1]} <= STATIONS:
                for pair in pairwise(passed(before[1], after[1])):
                    arrow = self.drawing.spots.get((before[0], ">".join(pair)))
                    cells.update(arrow.cells if arrow is not None else ())
            else:
                cells.update(self.drawing.between(before, after))
        for hop, step in self.steps[first : index + 1]:
            if step.device == LO:  # it stands beside whoever speaks
                at = self.drawing.spots.get((hop.namespace, LO))
                cells.update(at.cells if at is not None else ())
        return cells


class ShownDrawing:
    """A drawing with something over it."""

    def __init__(self, drawing: Drawing) -> None:
        self.drawing = drawing
        self.over: Over = {}

    def _desk(self, place: Place, told: Mapping[Place, list[Deed]]) -> Rect | None:
        """Where it stands what was done at a place: as far as the next one that tells something.

        What is longer than that begins further left, where nothing else is told.
        """
        desk = self.drawing.desks.get(place)
        if desk is None:
            return None
        row = [
            (other, told.get(name, ()))
            for name, other in self.drawing.desks.items()
            if name[0] == place[0] and other.y == desk.y and other is not desk
        ]
        behind = [(other, done) for other, done in row if other.x > desk.x]
        end = min((other.x - 1 for other, done in behind if done), default=0)
        end = end or max((o.x + o.width for o, _ in behind), default=desk.x + desk.width)
        before = [(other, done) for other, done in row if other.x < desk.x]
        least = max((o.x + 1 + _longest(done) for o, done in before), default=desk.x)
        x = max(min(desk.x, end - _longest(told.get(place, ()))), min(least, desk.x))
        return Rect(x, desk.y, end - x, desk.height)

    def lines(self) -> list[Line]:
        """The whole picture, row by row."""
        return self.drawing.canvas.lines(self.over)


class Frame(ShownDrawing):
    """What stands over the drawing at one step, and where the eye should be."""

    def __init__(self, reel: _Reel, index: int) -> None:
        super().__init__(reel.drawing)
        self.eye: Cell | None = None
        """Where the packet is."""
        self.card: Rect | None = None
        """Where its header stands."""
        self._keep: list[Rect] = []
        self._told: list[Rect] = []
        """What was done at other stations: better not hidden."""
        hop, step = reel.steps[index]
        sign = place_sign(step, hop.direction)
        is_last = index + 1 == len(reel.steps)
        if is_last and step.kind is StepKind.RESOLVE:  # there is no such name: nothing was sent
            sign = Sign("✗", sign.word, Ink.STOP)
        ink = Ink.TRAIL if hop.direction is Direction.FORWARD else Ink.RETURN
        for cell in reel.trail(index):
            self.over[cell] = ("", ink)
        first = reel.first(index)
        told = deeds(reel.steps[first : index + 1], reel.trace)
        for place, done in told.items():
            self._tell(place, done, told, is_here=place == reel.places[index])
        spot = self.drawing.spots.get(reel.places[index])
        if spot is not None and spot.cells:
            self._mark(spot.cells, sign.glyph, sign.ink)
            if is_last:
                self._verdict(reel.trace)
            choice = cards(step, Ink.DROP if sign.ink is Ink.STOP else ink)
            if len(self._elsewhere(spot.cells)) == len(self.drawing.nodes):  # on a wire
                choice += closed(step, ink)
            self._card(reel.room, choice, spot.cells)

    def _mark(self, cells: list[Cell], glyph: str, ink: Ink) -> None:
        for n, cell in enumerate(cells):
            self.over[cell] = (glyph if not n else "", ink)
        x, y = cells[-1]
        if len(cells) > 1:
            self.over.setdefault((x + 1, y), ("", Ink.TEXT))
        self.eye = cells[0]
        columns = [x for x, _ in cells]
        self._keep.append(Rect(min(columns), y, max(columns) - min(columns) + 1, 1))

    def _tell(
        self, place: Place, done: list[Deed], told: Mapping[Place, list[Deed]], *, is_here: bool
    ) -> None:
        """Write under a station what was done there: the last of it where not all has room."""
        desk = self._desk(place, told)
        if desk is None or not done:
            return
        for n, (text, ink) in enumerate(done[-desk.height :]):
            put(self.over, (desk.x, desk.y + n), text, ink, desk.width)
        rows = done[-desk.height :]
        longest = min(desk.width, max(width_of(text) for text, _ in rows))
        where = Rect(desk.x - 1, desk.y, longest + 2, len(rows))  # a blank beside it, too
        (self._keep if is_here else self._told).append(where)

    def _verdict(self, trace: Trace) -> None:
        """At the last step: what the client feels, in the lower edge of its box."""
        outcome, client = trace.outcome, trace.hops[0].namespace
        box = self.drawing.boxes.get(client)
        if box is None:
            return
        sign = RESULTS[outcome.result]
        text = f" {sign.glyph} {sign.word} "
        waited = f"{wait(outcome.seconds)} " if outcome.errno else ""
        text += waited if len(text + waited) <= box.room else ""
        ink = Ink.STOP if sign.ink is Ink.DROP else sign.ink
        put(self.over, (box.x, box.y), text, ink, box.room)
        self._keep.append(Rect(box.x, box.y, min(len(text), box.room), 1))

    def _elsewhere(self, spot: list[Cell]) -> list[Rect]:
        """The nodes that the packet is not in."""
        x, y = spot[0]
        return [
            at
            for at in self.drawing.nodes.values()
            if not (at.x <= x < at.x + at.width and at.y <= y < at.y + at.height)
        ]

    def _card(self, room: Room, choice: list[list[Line]], spot: list[Cell]) -> None:
        """Put the first of the cards that hides little; else the one that hides least.

        One in a node that the packet is not in only where there is no other.
        """
        elsewhere = self._elsewhere(spot)
        placed = ((self._place(room, lines, spot, elsewhere), lines) for lines in choice)
        found = [(at, lines) for at, lines in placed if at is not None]
        if not found:
            return
        found = [one for one in found if not any(meets(*one[0], at) for at in elsewhere)] or found
        at, lines = next(
            (
                (at, lines)
                for at, lines in found
                if room.hides(at) + _NEAR * room.touches(at) <= _LITTLE
            ),
            min(found, key=lambda one: room.hides(one[0])),
        )
        self._uncut(at)
        for n, line in enumerate(lines):
            x = at.x
            for text, ink in line:
                put(self.over, (x, at.y + n), text, ink, at.width)
                x += width_of(text)
        self.card = at
        self._tie(at, spot)

    def _place(
        self, room: Room, lines: list[Line], spot: list[Cell], elsewhere: list[Rect]
    ) -> Rect | None:
        """Where a card stands best; None: it does not fit."""
        width = sum(width_of(text) for text, _ in lines[0])
        middle = spot[len(spot) // 2]
        here = Rect(spot[0][0], spot[0][1], len(spot), 1)
        # Rather over what was done than not at all.
        for keep in ((*self._keep, *self._told), self._keep, [here]):
            corner = room.place(width, len(lines), middle, keep, elsewhere)
            if corner is not None:
                return Rect(*corner, width, len(lines))
        return None

    def _uncut(self, card: Rect) -> None:
        """Take away the rest of what the card hides a part of: no word is cut."""
        canvas = self.drawing.canvas
        inside = range(card.x, card.x + card.width)
        for y in range(card.y, card.y + card.height):
            for edge in (inside[0], inside[-1]):
                words = canvas.words(edge, y)
                line = canvas.line_beside(words, y)
                for x in words:
                    if x not in inside:
                        self.over[x, y] = (line, Ink.FAINT)

    def _tie(self, at: Rect, spot: list[Cell]) -> None:
        """Tie the card to the packet where it stands right above or below, beside its title."""
        y = spot[0][1]
        edges = {at.y + at.height: (y - 1, "╥"), at.y - 1: (y + 1, "╨")}
        if y not in edges:
            return
        row, tie = edges[y]
        middle = spot[len(spot) // 2][0]
        free = [x for x, _ in spot if self.over.get((x, row), (" ",))[0] == "─"]
        if free:
            cell = (min(free, key=lambda x: abs(x - middle)), row)
            self.over[cell] = (tie, self.over[cell][1])


class WholeWalk(ShownDrawing):
    """The whole walk over the drawing, without a packet in it."""

    def __init__(self, reel: _Reel) -> None:
        super().__init__(reel.drawing)
        turns = [n for n in range(len(reel.steps)) if reel.first(n) == n]
        for first, behind in zip(turns, [*turns[1:], len(reel.steps)], strict=True):
            forward = reel.steps[first][0].direction is Direction.FORWARD
            for cell in reel.trail(behind - 1):
                self.over.setdefault(cell, ("", Ink.TRAIL if forward else Ink.RETURN))
        told = deeds(reel.steps, reel.trace)
        for place, done in told.items():
            desk = self._desk(place, told)
            if desk is not None:
                for n, (text, ink) in enumerate(done[: desk.height]):
                    put(self.over, (desk.x, desk.y + n), text, ink, desk.width)


def _longest(done: Iterable[Deed]) -> int:
    return max((width_of(text) for text, _ in done), default=0)


def put(over: Over, at: Cell, text: str, ink: Ink, room: int) -> None:
    """Write a text over the drawing, at most `room` cells of it."""
    x, y = at
    for shown, _ in cut(((text, ink),), room):
        for char in shown:
            over[x, y] = (char, ink)
            x += max(1, width_of(char))
