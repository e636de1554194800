"""Places of a drawing: where the packet can stand, what is told under it, what leads from it."""

from __future__ import annotations

from dataclasses import dataclass, field

from k8stui.export.drawing.canvas import Canvas, Cell, Rect
from k8stui.export.drawing.stations import Place

HUB = ""
"""In place of a device's name: the namespace's own IP stack, wherever in it."""


@dataclass(slots=True)
class Spot:
    """Where the packet can stand."""

    cells: list[Cell]
    """Marker, a space, and the text."""
    parent: Place | None
    cable: list[Cell] = field(default_factory=list)
    """Cells between here and the parent."""


@dataclass(slots=True)
class LowerEdge:
    """The part of a box's lower edge on which something can be written."""

    x: int
    y: int
    room: int


@dataclass(slots=True)
class Drawing:
    """A drawing with the places in it that a packet can be at."""

    canvas: Canvas
    spots: dict[Place, Spot] = field(default_factory=dict)
    desks: dict[Place, Rect] = field(default_factory=dict)
    """Where it stands under a station what was done there."""
    boxes: dict[str, LowerEdge] = field(default_factory=dict)
    """By namespace that can be a client's."""
    nodes: dict[str, Rect] = field(default_factory=dict)
    """The boxes of the nodes that are open."""

    def spot(self, namespace: str, device: str | None) -> Place:
        """The place of a device or station; the namespace's stack when it is not drawn."""
        place = (namespace, device or HUB)
        return place if place in self.spots else (namespace, HUB)

    def at(self, cell: Cell) -> set[Place]:
        """The places that a cell belongs to."""
        x, y = cell
        told = {
            place
            for place, desk in self.desks.items()
            if 0 <= y - desk.y < desk.height and 0 <= x - desk.x < desk.width
        }
        return told | {place for place, spot in self.spots.items() if cell in spot.cells}

    def between(self, a: Place, b: Place) -> list[Cell]:
        """All cells on the way from one place to another: cables, and what they pass through."""
        up, down = self._line(a), self._line(b)
        meet = next((place for place in up if place in down), None)
        if meet is None:
            return []
        left, right = up[: up.index(meet)], down[: down.index(meet)]
        cells = [cell for place in (*left, *right) for cell in self.spots[place].cable]
        for place in {*up[1 : up.index(meet) + 1], *down[1 : down.index(meet) + 1]}:
            cells += self.spots[place].cells
        return cells

    def _line(self, place: Place) -> list[Place]:
        line: list[Place] = []
        at: Place | None = place
        while at is not None and at in self.spots:
            line.append(at)
            at = self.spots[at].parent
        return line
