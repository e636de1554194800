"""The drawing of a walk's network: boxes inside boxes, cables, and the place of every device.

It is made once for a walk and a size; a step changes inks on it and nothing else, so that nothing
moves while one steps.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from k8stui.export.drawing.canvas import Canvas, Cell, Rect
from k8stui.export.drawing.ink import Ink
from k8stui.export.drawing.scene import HOSTS, OUTSIDE, WIRE, Device, NodeBox, PodBox, Scene

STACK = ""
"""In place of a device's name: the namespace's own IP stack, or the process in a pod."""

Place = tuple[str, str]
"""(namespace, device or STACK)."""

_GAP = 2
_ROOMY = 54
"""A node wider than this gains nothing."""


@dataclass(slots=True)
class Spot:
    """Where the packet can stand."""

    cells: list[Cell]
    """Marker, a space, and the text."""
    parent: Place | None
    cable: list[Cell] = field(default_factory=list)
    """Cells between here and the parent."""


@dataclass(slots=True)
class Desk:
    """Where a node's stack says what it does: two lines of text, four where the packet ends."""

    x: int
    y: int
    width: int
    rows: int


@dataclass(slots=True)
class Edge:
    """The part of a box's lower edge on which something can be written."""

    x: int
    y: int
    room: int


@dataclass(slots=True)
class Extras:
    """What is drawn only where there is room for it, in this order of worth."""

    end: bool = False
    """Two more lines for why the packet ends where it does."""
    pod_macs: bool = False
    node_macs: bool = False
    above_pods: bool = False
    below_eth0: bool = False
    below_stack: bool = False
    above_nodes: bool = False
    below_outside: bool = False
    second_gap: bool = False


@dataclass(slots=True)
class Drawing:
    canvas: Canvas
    spots: dict[Place, Spot] = field(default_factory=dict)
    desks: dict[str, Desk] = field(default_factory=dict)
    boxes: dict[str, Edge] = field(default_factory=dict)
    """By namespace that can be a client's."""

    def spot(self, namespace: str, device: str | None) -> Place:
        """The place of a device; the namespace's stack when the device is not drawn."""
        place = (namespace, device or STACK)
        return place if place in self.spots else (namespace, STACK)

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


def draw(scene: Scene, width: int, height: int) -> Drawing:
    """Draw `scene` on `width` × `height` cells; larger where it cannot be made to fit."""
    widths = _node_widths(scene, width)
    total = sum(widths) + _GAP * (len(widths) - 1)
    outside = _outside_text(scene.outside, width) if scene.outside else ""
    total = max(total, len(outside) + 8, min(width, 2 * len(scene.wire) + 16) if scene.wire else 0)
    extras = _extras(scene, height)
    rows = _rows(scene, extras)
    pen = _Pen(Drawing(Canvas(total, rows)), scene, extras)
    pen.all(widths, outside)
    return pen.drawing


def _outside_text(device: Device, width: int) -> str:
    text = f"client ── {device.text}"
    return f"{text}  {device.mac}" if device.mac and len(text) + 28 < width else text


def _pod_width(pod: PodBox) -> int:
    texts = (pod.device.text + "○" * pod.device.is_assumed, pod.process, pod.veth)
    return max(14, *(len(text) + 6 for text in texts), min(len(pod.title), 22) + 8)


def _node_widths(scene: Scene, width: int) -> list[int]:
    """Widths of the nodes' boxes: what they need, then an equal share of what is left."""
    needs: list[int] = []
    for node in scene.nodes:
        pods = sum(_pod_width(pod) + 1 for pod in node.pods) + 1
        devices = [d for d in (node.uplink, node.tunnel, node.bridge) if d is not None]
        needs.append(max(pods, 25, *(len(d.text) + 8 for d in devices)) + 2)
    spare = width - sum(needs) - _GAP * (len(needs) - 1)
    while spare > 0:
        narrow = min(needs, default=_ROOMY)
        if narrow >= _ROOMY:
            break
        needs[needs.index(narrow)] += 1
        spare -= 1
    return needs


def _extras(scene: Scene, height: int) -> Extras:
    """Take what fits, in order of worth."""
    extras = Extras()
    for name in Extras.__slots__:
        setattr(extras, name, True)
        if _rows(scene, extras) > height:
            setattr(extras, name, False)
    return extras


def _rows(scene: Scene, extras: Extras) -> int:
    rows = 0
    if scene.outside is not None:
        rows += 3 + extras.below_outside
    if scene.wire:
        rows += 1 + extras.above_nodes
    if scene.nodes:
        rows += max(_node_rows(node, extras) for node in scene.nodes)
    return max(rows, 1)


def _node_rows(node: NodeBox, extras: Extras) -> int:
    rows = 2 + 1 + extras.node_macs + extras.below_eth0 + _desk_rows(node, extras)
    rows += 1 if node.tunnel is not None else 0
    rows += _gap_below_stack(node, extras)
    rows += 1 if node.bridge is not None else 0
    if node.pods:
        rows += 1 + extras.above_pods + 4 + extras.pod_macs
    return rows


def _desk_rows(node: NodeBox, extras: Extras) -> int:
    return 4 if node.is_end and extras.end else 2


def _beside_title(x: int, width: int, title: str) -> int:
    """Column of a cable into a box: its middle, or behind its title where that is long."""
    return min(max(x + width // 2, x + len(title) + 4), x + width - 4)


def _gap_below_stack(node: NodeBox, extras: Extras) -> int:
    """Rows of cable between the stack and what hangs on it."""
    if node.bridge is None and not node.pods:
        return 0
    return extras.below_stack + extras.second_gap


class _Pen:
    """Draws one scene, top to bottom."""

    def __init__(self, drawing: Drawing, scene: Scene, extras: Extras) -> None:
        self.drawing = drawing
        self.canvas = drawing.canvas
        self.scene = scene
        self.extras = extras

    def all(self, widths: list[int], outside: str) -> None:
        y = 0
        middle = self.canvas.width // 2
        wire_y = (3 + self.extras.below_outside) if self.scene.outside else 0
        used = sum(widths) + _GAP * (len(widths) - 1)
        x = (self.canvas.width - used) // 2
        lefts = [x + sum(widths[:n]) + _GAP * n for n in range(len(widths))]
        ports = [left + width // 2 for left, width in zip(lefts, widths, strict=True)]
        if self.scene.wire:
            self.canvas.bar(wire_y, 0, self.canvas.width - 1)
            self._wire_label(wire_y, middle, ports)
            y = wire_y + 1 + self.extras.above_nodes
        if self.scene.outside is not None:
            self._outside(outside, wire_y, middle)
        for node, left, width in zip(self.scene.nodes, lefts, widths, strict=True):
            self._node(node, Rect(left, y, width, _node_rows(node, self.extras)), wire_y)

    def _spot(
        self, place: Place, x: int, y: int, text: str, parent: Place | None, *, ink: Ink = Ink.TEXT
    ) -> Spot:
        """Write a text with room for the marker before it."""
        self.canvas.put(x, y, text, ink)
        cells = [(x - 2, y), (x - 1, y), *((x + n, y) for n in range(len(text)))]
        spot = Spot(cells, parent if parent in self.drawing.spots else None)
        self.drawing.spots[place] = spot
        return spot

    def _wire_label(self, y: int, middle: int, ports: list[int]) -> None:
        """Name the wire where nothing is plugged in: as far right as there is room."""
        text = self.scene.wire
        joints = sorted({-1, *ports, middle, self.canvas.width})
        gaps = list(pairwise(joints))
        roomy = [gap for gap in gaps if gap[1] - gap[0] > len(text) + 5]
        if not roomy:
            text = text.partition(" ")[0]
            roomy = [gap for gap in gaps if gap[1] - gap[0] > len(text) + 5] or gaps[-1:]
        left, right = roomy[-1]
        x = left + 3 + max(0, right - left - len(text) - 4) // 2
        self.canvas.put(x - 2, y, f"  {text} ", Ink.DIM)
        self._spot((WIRE, STACK), x, y, text, None, ink=Ink.DIM)
        self.drawing.spots[WIRE, "lan"] = Spot([(middle, y)], None)
        label = self.drawing.spots[WIRE, STACK]
        label.parent = (WIRE, "lan")
        # The other hosts on the wire have no box of their own: they stand where it is named.
        self.drawing.spots[HOSTS, STACK] = Spot(label.cells, (WIRE, "lan"))

    def _outside(self, text: str, wire_y: int, middle: int) -> None:
        width = len(text) + 8
        x = max(0, middle - width // 2)
        self.canvas.box(Rect(x, 0, width, 3), OUTSIDE)
        self.canvas.put(middle, 2, "┬", Ink.FAINT)
        self.drawing.boxes[OUTSIDE] = Edge(x + 1, 2, middle - x - 1)
        cable = [(middle, 2), *self.canvas.down(middle, 3, wire_y - 1)]
        self.canvas.put(middle, wire_y, "┷", Ink.FAINT)
        cable.append((middle, wire_y))
        client, _, rest = text.partition(" ── ")
        at = x + 4
        device_at = at + len(client) + 5
        eth0 = self._spot((OUTSIDE, "eth0"), device_at, 1, rest, (WIRE, "lan"))
        eth0.cable = cable
        link = self.canvas.put(device_at - 4, 1, "──", Ink.FAINT)
        process = self._spot((OUTSIDE, STACK), at, 1, client, (OUTSIDE, "eth0"))
        process.cable = link
        self.drawing.spots[WIRE, "eth1"] = Spot([(middle, wire_y)], (WIRE, "lan"))

    def _node(self, node: NodeBox, at: Rect, wire_y: int) -> None:
        canvas, extras = self.canvas, self.extras
        x, y, width, height = at
        canvas.box(at, node.name, width // 2 - 4)
        self.drawing.boxes[node.name] = Edge(x + 1, y + height - 1, width - 2)
        middle = x + width // 2
        cable: list[Cell] = []
        if self.scene.wire:
            canvas.put(middle, wire_y, "┯", Ink.FAINT)
            cable = [(middle, wire_y), *canvas.down(middle, wire_y + 1, y - 1)]
            cable += canvas.put(middle, y, "┴", Ink.FAINT)
            outer = self.canvas.width // 2
            step = 1 if outer > middle else -1
            cable += [(n, wire_y) for n in range(middle, outer + step, step)]
            port = Spot([(middle, wire_y)], (WIRE, "lan"), cable)
            self.drawing.spots[WIRE, node.name] = port
        row = y + 1
        place = self._device(node.name, node.uplink, middle, row, (WIRE, node.name))
        if extras.node_macs:
            row += 1
            canvas.put(middle - len(node.uplink.mac) // 2, row, node.uplink.mac, Ink.DIM)
        row += 1
        cable = canvas.down(middle, row, row) if extras.below_eth0 else []
        row += extras.below_eth0
        if node.tunnel is not None:
            place = self._device(node.name, node.tunnel, middle, row, place)
            self.drawing.spots[place].cable = cable
            cable, row = [], row + 1
        rows = _desk_rows(node, extras)
        self._stack(node.name, Rect(x, row, width, rows), place, cable)
        row += rows
        gap = _gap_below_stack(node, extras)
        cable = canvas.down(middle, row, row + gap - 1)
        row += gap
        if node.bridge is not None:
            self._bridge(node, x, row, width, cable)
            row += 1
        if node.pods:
            self._pods(node, Rect(x, row, width, y + height - 1 - row))

    def _stack(self, name: str, where: Rect, parent: Place, cable: list[Cell]) -> None:
        x, row, width, rows = where
        text = "netfilter · routes"
        at = x + 4
        spot = self._spot((name, STACK), at, row, text, parent, ink=Ink.FAINT)
        spot.cable = cable
        for n in range(rows):
            self.canvas.put(x + 2, row + n, "┆", Ink.FAINT)
        self.drawing.desks[name] = Desk(at, row, width - 6, rows)

    def _device(
        self, namespace: str, device: Device, middle: int, y: int, parent: Place | None
    ) -> Place:
        mark = "○" if device.is_assumed else ""
        text = device.text + mark
        place = (namespace, device.name)
        self._spot(place, middle - len(text) // 2, y, text, parent)
        if mark:
            self.canvas.put(middle - len(text) // 2 + len(text) - 1, y, mark, Ink.ASSUMED)
        return place

    def _bridge(self, node: NodeBox, x: int, row: int, width: int, cable: list[Cell]) -> None:
        assert node.bridge is not None
        middle = x + width // 2
        self.canvas.bar(row, x + 2, x + width - 3)
        text = node.bridge.text + ("○" if node.bridge.is_assumed else "")
        at = x + 5
        self.canvas.put(at - 2, row, " " * (len(text) + 3))
        spot = self._spot((node.name, node.bridge.name), at, row, text, (node.name, STACK))
        spot.cable = cable
        if cable and middle > at + len(text):
            self.canvas.put(middle, row, "┷", Ink.FAINT)
            spot.cable = [*cable, *((n, row) for n in range(at + len(text) + 1, middle + 1))]

    def _pods(self, node: NodeBox, inside: Rect) -> None:
        x, row, width, height = inside
        widths = [_pod_width(pod) for pod in node.pods]
        spare = width - 3 - sum(w + 1 for w in widths)
        each = min(8, max(0, spare // max(1, len(widths))))
        widths = [w + each for w in widths]
        gap = max(1, (width - 2 - sum(widths)) // (len(widths) + 1))
        at = x + 1 + gap
        for pod, pod_width in zip(node.pods, widths, strict=True):
            self._pod(node, pod, Rect(at, row, pod_width, height))
            at += pod_width + gap

    def _pod(self, node: NodeBox, pod: PodBox, inside: Rect) -> None:
        canvas, extras = self.canvas, self.extras
        x, row, width, height = inside
        middle = _beside_title(x, width, pod.title)
        parent = (node.name, node.bridge.name) if node.bridge else (node.name, STACK)
        place: Place = parent
        box_y = row + 1 + extras.above_pods
        cable: list[Cell] = []
        if pod.veth:
            if node.bridge is not None:
                along = self._along(parent, middle, row - 1)
                if along:
                    canvas.put(middle, row - 1, "┯", Ink.FAINT)
                cable += along
            place = (node.name, pod.veth)
            # Beside a long title the cable is far right: the name stays inside all the same.
            left = min(middle - len(pod.veth) // 2, x + width - len(pod.veth))
            veth = self._spot(place, left, row, pod.veth, parent, ink=Ink.DIM)
            veth.cable = cable
            cable = canvas.down(middle, row + 1, box_y - 1)
        title = pod.title_in(max(middle - x - 4, 1))
        canvas.box(Rect(x, box_y, width, row + height - box_y), title, middle - x - 4)
        if pod.veth:
            cable += canvas.put(middle, box_y, "┴", Ink.FAINT)
        self.drawing.boxes[pod.key] = Edge(x + 1, row + height - 1, width - 2)
        middle = x + width // 2
        self._device(pod.key, pod.device, middle, box_y + 1, place)
        self.drawing.spots[pod.key, pod.device.name].cable = cable
        at = box_y + 2
        if extras.pod_macs:
            canvas.put(middle - len(pod.device.mac) // 2, at, pod.device.mac, Ink.DIM)
            at += 1
        self._spot(
            (pod.key, STACK),
            middle - len(pod.process) // 2,
            at,
            pod.process,
            (pod.key, pod.device.name),
        )

    def _along(self, bridge: Place, x: int, y: int) -> list[Cell]:
        """Cells of the bridge's bar from its name to a port; none for a port under the name."""
        right = max(column for column, row in self.drawing.spots[bridge].cells if row == y)
        return [(n, y) for n in range(right + 2, x + 1)]
