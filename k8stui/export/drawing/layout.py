"""Where everything of a walk's network stands: decided once for a scene and a size.

It rests on nothing that a step, a branch, a setting or a moment of the deployment changes, so that
nothing moves but the packet. Where not all of it fits, every node is a line, and one of them is
open in a box below that is the same for all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from k8stui.export.drawing.canvas import Canvas, Rect
from k8stui.export.drawing.ink import width_of
from k8stui.export.drawing.pen import Grid, Pen
from k8stui.export.drawing.places import Drawing
from k8stui.export.drawing.scene import NodeBox, PodBox, Role, Scene
from k8stui.export.drawing.sizes import (
    CARD_ROWS,
    CARD_WIDTH,
    GAP,
    GAPS,
    NARROW,
    ROOMY,
    WIRE_ROWS,
    Extras,
    above_nodes,
    below_outside,
    node_need,
    node_rows,
    outside_text,
    pod_width,
    pods_need,
)

_OPEN_AT_MOST = ROOMY + 20
"""Width of the box of the one node that is open."""
_WIDEST_GAP = 3
"""Rows."""
_LINE = 26
"""The least cells of a node's line, where several share a row."""


def draw(scene: Scene, width: int, height: int, focus: str = "") -> Drawing:
    """Draw `scene` on `width` × `height` cells; larger where it cannot be made to fit.

    `focus`: the node that is open where not all of them can be.
    """
    return plan(scene, width, height).draw(focus)


def plan(scene: Scene, width: int, height: int, *, has_cards: bool = True) -> Whole | Folded:
    """Decide where everything stands; `has_cards`: with room for the packet's header."""
    roomy = Extras(**dict.fromkeys(_ROOMY_PARTS, True))
    for each in (scene, _without_siblings(scene)):
        needs = [node_need(node) for node in each.nodes]
        total = sum(needs) + GAP * (len(needs) - 1)
        if total <= width and _rows(each, _shared(needs, width), roomy) <= height:
            return Whole(each, width, height, has_cards=has_cards)
    if not scene.nodes:
        return Whole(scene, width, height, has_cards=has_cards)
    return Folded(scene, width, height)


_CARDS = frozenset({"card", "tall_card", "wire_card"})
"""Of `Extras`: room for the packet's header."""
_ROOMY_PARTS = (
    "wire_row", "node_lines", "veth_row", "local_deed", "second_deed", "uplink_row", "card",
)  # fmt: skip
"""What all nodes must have room for to be open at once; else one alone is."""


class Whole:
    """All nodes are open, side by side."""

    is_whole = True

    def __init__(self, scene: Scene, width: int, height: int, *, has_cards: bool = True) -> None:
        self._scene = scene
        self._widths = _shared([node_need(node) for node in scene.nodes], width)
        self._extras = Extras()
        # First what had to fit, else one of the others would take its rows.
        for name in sorted(Extras.__slots__, key=lambda name: name not in _ROOMY_PARTS):
            setattr(self._extras, name, has_cards or name not in _CARDS)
            if _rows(scene, self._widths, self._extras) > height and name not in _ROOMY_PARTS:
                setattr(self._extras, name, False)
        _air(self._extras, lambda: _rows(scene, self._widths, self._extras) <= height, GAPS)
        if not scene.nodes and _rows(scene, [], self._extras) > height:
            self._extras.card = False
        outside = outside_text(scene.outside, width) if scene.outside else ""
        total = sum(self._widths) + GAP * (len(self._widths) - 1)
        wire = min(width, 2 * len(scene.wire) + 16) if scene.wire else 0
        total = max(total, len(outside) + 8, wire)
        self._outside = outside
        self._width = max(total, 1 if scene.nodes else min(width, ROOMY))

    def draw(self, _focus: str = "") -> Drawing:
        canvas = Canvas(self._width, _rows(self._scene, self._widths, self._extras))
        pen = Pen(Drawing(canvas), self._scene, self._extras)
        pen.all(self._widths, self._outside)
        return pen.drawing


class Folded:
    """Every node is a line; the one that the packet is in is open below."""

    is_whole = False

    def __init__(self, scene: Scene, width: int, height: int) -> None:
        self._scene = scene
        need = max(NARROW, *(_least(node) for node in scene.nodes))
        self.box = max(need, min(width, _OPEN_AT_MOST))
        self.width = max(width, self.box)
        self.extras = Extras()
        self._height = height
        for name in Extras.__slots__:
            if name in ("above_nodes", "below_outside"):
                continue
            setattr(self.extras, name, True)
            if self.rows > height:
                setattr(self.extras, name, False)
        _air(self.extras, lambda: self.rows <= height, GAPS[2:])

    @property
    def rows(self) -> int:
        return self.top + self.body

    @property
    def top(self) -> int:
        """Rows above the box: the header of a packet on the wire stands there, not in the box."""
        needed = WIRE_ROWS if self.extras.wire_card and self._scene.wire else 0
        return max(self.head + self.lines, needed)

    @property
    def head(self) -> int:
        """Rows of the outside and the wire: one where they share it."""
        both = self._scene.outside is not None, bool(self._scene.wire)
        return min(sum(both), 2 if self.extras.wire_row else 1)

    @property
    def body(self) -> int:
        """Rows of the box, whichever node is open in it."""
        return max(node_rows(node, self.box, self.extras) for node in self._scene.nodes)

    @property
    def lines(self) -> int:
        """Rows of the nodes' lines; none for a single node."""
        count = len(self._scene.nodes)
        if count < 2:
            return 0
        if not self.extras.node_lines:
            return 1
        least = max(node_rows(node, self.box, Extras()) for node in self._scene.nodes)
        return min(count, max(1, self._height - self.head - least))

    def draw(self, focus: str = "") -> Drawing:
        names = [node.name for node in self._scene.nodes]
        at = names.index(focus) if focus in names else 0
        only = replace(self._scene, nodes=(self._slotted(self._scene.nodes[at]),))
        pen = Pen(Drawing(Canvas(self.width, self.rows)), only, self.extras)
        left = (self.width - self.box) // 2
        box = Rect(left, self.top, self.box, self.body)
        pen.folded(self._scene.nodes, at, box, self._grid())
        return pen.drawing

    def _grid(self) -> Grid:
        """How many lines side by side: as many as are needed, and as have room."""
        count, rows = len(self._scene.nodes), self.lines
        if not rows:
            return Grid(0, 0)
        return Grid(rows, max(1, min(-(-count // rows), self.width // _LINE)))

    def _slotted(self, node: NodeBox) -> NodeBox:
        """The node with as many pods as have room, each in its place.

        Where even those that a walk can get to are too many, the last place is that of the one
        that this walk gets to.
        """
        room = self.box - 2
        beside = room if self.extras.card else room - CARD_WIDTH
        ends = tuple(pod for pod in node.pods if pod.role is not Role.SIBLING)
        for pods, cells in ((node.pods, beside), (ends, beside)):
            if pods_need(pods) <= cells:
                return _left(node, pods)
        least = max(map(pod_width, ends), default=0)
        count = max(1, (beside - 1) // (least + 1))
        shown = ends[:count]
        missing = [pod for pod in ends[count:] if pod.role is Role.PATH]
        if missing:
            shown = (*shown[: count - 1], missing[-1])
        return _left(node, tuple(replace(pod, least=least) for pod in shown))


def _left(node: NodeBox, pods: tuple[PodBox, ...]) -> NodeBox:
    """The node with `pods` alone; the others are counted."""
    return replace(node, pods=pods, more=node.more + len(node.pods) - len(pods))


def _least(node: NodeBox) -> int:
    """Cells of an open node that has room for one pod of those that a walk can get to."""
    widest = [pod_width(pod) for pod in node.pods if pod.role is not Role.SIBLING]
    devices = [d for d in (node.uplink, node.tunnel, node.bridge) if d is not None]
    return max(0, *widest, *(width_of(d.text) + 4 for d in devices)) + 4


def _without_siblings(scene: Scene) -> Scene:
    nodes = (
        _left(node, tuple(pod for pod in node.pods if pod.role is not Role.SIBLING))
        for node in scene.nodes
    )
    return replace(scene, nodes=tuple(nodes))


def _shared(needs: list[int], width: int) -> list[int]:
    """What the nodes' boxes need, then an equal share of what is left."""
    widths = list(needs)
    spare = width - sum(widths) - GAP * (len(widths) - 1)
    while spare > 0:
        narrow = min(widths, default=ROOMY)
        if narrow >= ROOMY:
            break
        widths[widths.index(narrow)] += 1
        spare -= 1
    return widths


def _air(extras: Extras, fits: Callable[[], bool], gaps: Iterable[str]) -> None:
    """Widen the gaps between what is drawn, evenly, as far as there is room."""
    for _ in range(_WIDEST_GAP - 1):
        for name in gaps:
            before = getattr(extras, name)
            setattr(extras, name, before + 1)
            if not fits():
                setattr(extras, name, before)
                return


def _rows(scene: Scene, widths: list[int], extras: Extras) -> int:
    rows = 0
    if scene.outside is not None:
        rows += 3 + below_outside(extras)
    if scene.wire:
        rows += 1 + above_nodes(scene, extras)
    if scene.nodes:
        pairs = zip(scene.nodes, widths, strict=True)
        rows += max(node_rows(node, width, extras) for node, width in pairs)
    elif extras.card:  # the walk ends on the wire: the card stands below it
        rows += CARD_ROWS + 2
    return max(rows, 1)
