"""Where everything of a walk's network stands: boxes inside boxes, stations, cables.

It is made once for a walk and a size; a step changes inks on it, and a card stands over it, so
that nothing moves but the packet. Where not all of it fits, one node is open and the others are a
line each.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise

from k8stui.export.drawing.canvas import Canvas, Cell, Rect
from k8stui.export.drawing.ink import Ink, width_of
from k8stui.export.drawing.scene import (
    HOSTS,
    OUTSIDE,
    WIRE,
    Device,
    NodeBox,
    PodBox,
    Role,
    Scene,
)
from k8stui.export.drawing.stations import LOCAL, PROCESS, THROUGH, Place

HUB = ""
"""In place of a device's name: the namespace's own IP stack, wherever in it."""

_GAP = 2
_ROOMY = 76
"""A node wider than this gains nothing."""
_CARD_ROWS = 6
_ARROW = " ▸ "
_LEAST_EDGE = 16
"""Cells of a line that what the client feels may take from its end."""
_NARROW = 34
"""The least width of an open node: its stations on two lines."""


@dataclass(slots=True)
class Spot:
    """Where the packet can stand."""

    cells: list[Cell]
    """Marker, a space, and the text."""
    parent: Place | None
    cable: list[Cell] = field(default_factory=list)
    """Cells between here and the parent."""


@dataclass(slots=True)
class Edge:
    """The part of a box's lower edge on which something can be written."""

    x: int
    y: int
    room: int


@dataclass(slots=True)
class Extras:
    """What is drawn only where there is room for it, in this order of worth."""

    second_deed: bool = False
    card: bool = False
    """Blank rows for the packet's header."""
    above_pods: bool = False
    below_stack: bool = False
    above_nodes: bool = False
    pod_macs: bool = False
    third_deed: bool = False
    node_macs: bool = False
    below_outside: bool = False
    second_gap: bool = False


@dataclass(slots=True)
class Drawing:
    canvas: Canvas
    spots: dict[Place, Spot] = field(default_factory=dict)
    desks: dict[Place, Rect] = field(default_factory=dict)
    """Where it stands under a station what was done there."""
    boxes: dict[str, Edge] = field(default_factory=dict)
    """By namespace that can be a client's."""

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


def draw(scene: Scene, width: int, height: int, focus: str = "") -> Drawing:
    """Draw `scene` on `width` × `height` cells; larger where it cannot be made to fit.

    `focus`: the node that is open where not all of them can be.
    """
    whole = _whole(scene, width, height)
    if whole is None and scene.nodes:
        return _folded(scene, width, height, focus)
    return _open(whole or scene, width, height)


def is_whole(scene: Scene, width: int, height: int) -> bool:
    """Whether all nodes are open: then the drawing is the same whatever the focus."""
    return _whole(scene, width, height) is not None


def _whole(scene: Scene, width: int, height: int) -> Scene | None:
    """What of the scene can be open all at once, if that is worth it.

    With room for the packet's card; without it only where one open node has none either.
    """
    roomy = Extras(second_deed=True, card=True)
    for extras in (roomy, Extras()):
        for each in _simpler(scene):
            if _fits(each, width, height, extras):
                return each
        if len(scene.nodes) > 1 and any(_fits_folded(n, scene, width, height) for n in scene.nodes):
            return None
    return None


def _fits_folded(node: NodeBox, scene: Scene, width: int, height: int) -> bool:
    bare = replace(node, pods=tuple(pod for pod in node.pods if pod.role is Role.PATH))
    rows = _node_rows(bare, width, Extras(second_deed=True, card=True))
    return _need(bare) <= width and rows <= _room(scene, height)


def _room(scene: Scene, height: int) -> int:
    """Rows for the one node that is open."""
    return height - (len(scene.nodes) - 1) - (scene.outside is not None) - bool(scene.wire)


def _simpler(scene: Scene) -> list[Scene]:
    """The scene, without neighbours, and without ghosts: what is worth least goes first."""
    return [scene, _without(scene, Role.SIBLING), _without(scene, Role.SIBLING, Role.GHOST)]


def _without(scene: Scene, *roles: Role) -> Scene:
    nodes = []
    for node in scene.nodes:
        pods = tuple(pod for pod in node.pods if pod.role not in roles)
        if pods or not any(pod.role is Role.GHOST for pod in node.pods) or node.is_local:
            nodes.append(replace(node, pods=pods, more=node.more + len(node.pods) - len(pods)))
    return replace(scene, nodes=tuple(nodes))


def _fits(scene: Scene, width: int, height: int, extras: Extras) -> bool:
    needs = _needs(scene)
    total = sum(needs) + _GAP * (len(needs) - 1)
    return total <= width and _rows(scene, _shared(needs, width), extras) <= height


def _open(scene: Scene, width: int, height: int) -> Drawing:
    widths = _shared(_needs(scene), width)
    extras = _extras(scene, widths, height)
    total = sum(widths) + _GAP * (len(widths) - 1)
    outside = _outside_text(scene.outside, width) if scene.outside else ""
    total = max(total, len(outside) + 8, min(width, 2 * len(scene.wire) + 16) if scene.wire else 0)
    if not scene.nodes:
        total = max(total, min(width, _ROOMY))
    pen = _Pen(Drawing(Canvas(max(total, 1), _rows(scene, widths, extras))), scene, extras)
    pen.all(widths, outside)
    return pen.drawing


def _folded(scene: Scene, width: int, height: int, focus: str) -> Drawing:
    """One node open, the others a line each; the one that is open loses what does not fit."""
    names = [node.name for node in scene.nodes]
    at = names.index(focus) if focus in names else 0
    lines = len(names) - 1
    outside = 1 if scene.outside is not None else 0
    wire = 1 if scene.wire else 0
    room = _room(scene, height)
    for each in _simpler(scene):
        node = next((one for one in each.nodes if one.name == names[at]), scene.nodes[at])
        need = _need(node)
        if need <= width and _node_rows(node, need, Extras()) <= room:
            break
    need = max(need, min(width, _ROOMY + 20))
    only = replace(scene, nodes=(node,))
    extras = Extras()
    for name in Extras.__slots__:
        if name in ("above_nodes", "below_outside"):
            continue
        setattr(extras, name, True)
        if _node_rows(node, need, extras) > room:
            setattr(extras, name, False)
    rows = outside + wire + lines + _node_rows(node, need, extras)
    pen = _Pen(Drawing(Canvas(max(width, need), rows)), only, extras)
    pen.folded(scene.nodes, at, need)
    return pen.drawing


def _outside_text(device: Device, width: int) -> str:
    text = f"client ── {device.text}"
    return f"{text}  {device.mac}" if device.mac and len(text) + 28 < width else text


def _pod_title(pod: PodBox) -> str:
    return f"{pod.title} {pod.chance}".rstrip()


def _pod_width(pod: PodBox) -> int:
    texts = (pod.device.text + "○" * pod.device.is_assumed, _spoken(pod), pod.veth)
    return max(14, *(width_of(text) + 6 for text in texts), min(width_of(_pod_title(pod)), 22) + 8)


def _spoken(pod: PodBox) -> str:
    return f"{pod.process}  lo" if pod.loopback else pod.process


def _need(node: NodeBox) -> int:
    pods = sum(_pod_width(pod) + 1 for pod in node.pods) + 1
    devices = [d for d in (node.uplink, node.tunnel, node.bridge) if d is not None]
    return max(pods, _NARROW - 2, *(width_of(d.text) + 8 for d in devices)) + 2


def _needs(scene: Scene) -> list[int]:
    return [_need(node) for node in scene.nodes]


def _shared(needs: list[int], width: int) -> list[int]:
    """What the nodes' boxes need, then an equal share of what is left."""
    widths = list(needs)
    spare = width - sum(widths) - _GAP * (len(widths) - 1)
    while spare > 0:
        narrow = min(widths, default=_ROOMY)
        if narrow >= _ROOMY:
            break
        widths[widths.index(narrow)] += 1
        spare -= 1
    return widths


def _extras(scene: Scene, widths: list[int], height: int) -> Extras:
    """Take what fits, in order of worth."""
    extras = Extras()
    for name in Extras.__slots__:
        setattr(extras, name, True)
        if _rows(scene, widths, extras) > height:
            setattr(extras, name, False)
    return extras


def _rows(scene: Scene, widths: list[int], extras: Extras) -> int:
    rows = 0
    if scene.outside is not None:
        rows += 3 + extras.below_outside
    if scene.wire:
        rows += 1 + extras.above_nodes
    if scene.nodes:
        pairs = zip(scene.nodes, widths, strict=True)
        rows += max(_node_rows(node, width, extras) for node, width in pairs)
    elif extras.card:  # the walk ends on the wire: the card stands below it
        rows += _CARD_ROWS + 2
    return max(rows, 1)


def _node_rows(node: NodeBox, width: int, extras: Extras) -> int:
    rows = 3 + (node.tunnel is not None) + extras.node_macs + _CARD_ROWS * extras.card
    rows += _stack_rows(node, width, extras)
    if node.bridge is not None or node.pods:
        rows += extras.below_stack + extras.second_gap
    rows += node.bridge is not None
    if node.pods:
        rows += 1 + extras.above_pods + 4 + extras.pod_macs
    return rows


def _stack_rows(node: NodeBox, width: int, extras: Extras) -> int:
    lines = len(_lines(width - 6)) + node.is_local
    return lines * (2 + extras.second_deed + extras.third_deed)


def _lines(width: int) -> list[tuple[str, ...]]:
    """The stations on as few lines of `width` cells as hold them."""
    lines: list[tuple[str, ...]] = []
    for station in THROUGH:
        longer = (*lines[-1], station) if lines else (station,)
        if lines and len(_ARROW.join(longer)) <= width:
            lines[-1] = longer
        else:
            lines.append((station,))
    return lines


def _beside_title(x: int, width: int, title: str) -> int:
    """Column of a cable into a box: its middle, or behind its title where that is long."""
    return min(max(x + width // 2, x + width_of(title) + 4), x + width - 4)


class _Pen:
    """Draws one scene, top to bottom."""

    def __init__(self, drawing: Drawing, scene: Scene, extras: Extras) -> None:
        self.drawing = drawing
        self.canvas = drawing.canvas
        self.scene = scene
        self.extras = extras

    def all(self, widths: list[int], outside: str) -> None:
        """All nodes side by side."""
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
            rows = _node_rows(node, width, self.extras)
            self._node(node, Rect(left, y, width, rows), wire_y)

    def folded(self, nodes: tuple[NodeBox, ...], at: int, width: int) -> None:
        """The node number `at` open, the others as a line."""
        y = 0
        middle = self.canvas.width // 2
        outside = self.scene.outside
        if outside is not None:
            self._line(OUTSIDE, f"▸ {OUTSIDE}  client ── ", outside.text, y)
            y += 1
        wire_y = y
        if self.scene.wire:
            self.canvas.bar(wire_y, 0, self.canvas.width - 1)
            self._wire_label(wire_y, middle, [middle])
            if outside is not None:
                self.drawing.spots[WIRE, "eth1"] = Spot([(middle, wire_y)], (WIRE, "lan"))
            y += 1
        for number, node in enumerate(nodes):
            if number != at:
                self._closed(node, y)
                y += 1
                continue
            (opened,) = self.scene.nodes
            rows = _node_rows(opened, width, self.extras)
            left = (self.canvas.width - width) // 2
            self._node(opened, Rect(left, y, width, rows), wire_y)
            y += rows

    def _line(self, name: str, lead: str, text: str, y: int) -> int:
        """A namespace as a line: every place in it is this one. Gives the column behind it."""
        self.canvas.put(1, y, lead, Ink.DIM)
        at = 1 + width_of(lead)
        self.canvas.put(at, y, text, Ink.DIM)
        parent = (WIRE, "lan") if (WIRE, "lan") in self.drawing.spots else None
        cells = [(n, y) for n in range(1, at + width_of(text))]
        self.drawing.spots[name, HUB] = Spot(cells, parent)
        self._edge(name, at + width_of(text) + 2, y)
        return at + width_of(text)

    def _edge(self, name: str, x: int, y: int) -> None:
        """Where behind a line something can be written: on the canvas, and not under its text."""
        room = self.canvas.width - x
        if room < _LEAST_EDGE:
            x, room = max(1, self.canvas.width - _LEAST_EDGE), _LEAST_EDGE
        self.drawing.boxes[name] = Edge(x, y, min(room, 40))

    def _closed(self, node: NodeBox, y: int) -> None:
        shown = node.bridge if node.bridge is not None and node.bridge.is_there else None
        bridge = f" ─ {shown.name}" if shown is not None else ""
        x = self._line(node.name, f"▸ {node.name}  ", f"{node.uplink.text}{bridge}", y)
        for pod in node.pods:
            if pod.role is not Role.PATH or not pod.is_there:
                continue
            self.canvas.put(x, y, " ─ ", Ink.FAINT)
            text = f"{pod.title} {pod.device.address}"
            cells = self.canvas.put(x + 3, y, text, Ink.DIM)
            self.drawing.spots[pod.key, HUB] = Spot(cells, (node.name, HUB))
            x += 3 + width_of(text)
            self._edge(pod.key, x + 2, y)

    def _spot(
        self, place: Place, x: int, y: int, text: str, parent: Place | None, *, ink: Ink = Ink.TEXT
    ) -> Spot:
        """Write a text with room for the marker before it."""
        self.canvas.put(x, y, text, ink)
        cells = [(x - 2, y), (x - 1, y), *((x + n, y) for n in range(width_of(text)))]
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
        self._spot((WIRE, HUB), x, y, text, None, ink=Ink.DIM)
        self.drawing.spots[WIRE, "lan"] = Spot([(middle, y)], None)
        label = self.drawing.spots[WIRE, HUB]
        label.parent = (WIRE, "lan")
        # The other hosts on the wire have no box of their own: they stand where it is named.
        self.drawing.spots[HOSTS, HUB] = Spot(label.cells, (WIRE, "lan"))

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
        process = self._spot((OUTSIDE, HUB), at, 1, client, (OUTSIDE, "eth0"))
        process.cable = link
        self.drawing.spots[WIRE, "eth1"] = Spot([(middle, wire_y)], (WIRE, "lan"))

    def _node(self, node: NodeBox, at: Rect, wire_y: int) -> None:
        canvas, extras = self.canvas, self.extras
        x, y, width, height = at
        canvas.box(at, node.name, width // 2 - 4)
        self.drawing.boxes[node.name] = Edge(x + 1, y + height - 1, width - 2)
        middle = x + width // 2
        if self.scene.wire:
            canvas.put(middle, wire_y, "┯", Ink.FAINT)
            cable = [(middle, wire_y), *canvas.down(middle, wire_y + 1, y - 1)]
            cable += canvas.put(middle, y, "┴", Ink.FAINT)
            outer = self.canvas.width // 2
            step = 1 if outer > middle else -1
            cable += [(n, wire_y) for n in range(middle, outer + step, step)]
            self.drawing.spots[WIRE, node.name] = Spot([(middle, wire_y)], (WIRE, "lan"), cable)
        row = y + 1
        place = self._device(node.name, node.uplink, middle, row, (WIRE, node.name))
        if extras.node_macs:
            row += 1
            canvas.put(middle - len(node.uplink.mac) // 2, row, node.uplink.mac, Ink.DIM)
        row += 1
        if node.tunnel is not None:
            place = self._device(node.name, node.tunnel, middle, row, place)
            row += 1
        row += _CARD_ROWS * extras.card
        self.drawing.spots[node.name, HUB] = Spot([], place)
        self._stations(node, Rect(x, row, width, 0))
        row += _stack_rows(node, width, extras)
        gap = 0
        if node.bridge is not None or node.pods:
            gap = extras.below_stack + extras.second_gap
        is_plugged = node.bridge is None or node.bridge.is_there
        cable = canvas.down(middle, row, row + gap - 1) if is_plugged else []
        row += gap
        if node.bridge is not None:
            self._bridge(node, x, row, width, cable)
            row += 1
        if node.pods:
            self._pods(node, Rect(x, row, width, y + height - 1 - row))

    def _stations(self, node: NodeBox, where: Rect) -> None:
        """The stations line by line, and the room under each for what is done there."""
        x, row, width, _ = where
        deep = 1 + self.extras.second_deed + self.extras.third_deed
        lines = [(line, line, 0) for line in _lines(width - 6)]
        if node.is_local:
            shown = tuple(node.process if name == PROCESS else name for name in LOCAL)
            lines.append((LOCAL, shown, 3))
        for names, texts, indent in lines:
            spare = width - 5 - indent - len(_ARROW.join(texts))
            each = max(0, min(7, spare // max(1, len(texts))))
            at = x + 4 + indent
            if indent:
                self.canvas.put(x + 4, row, "╰▸", Ink.FAINT)
            for number, (name, text) in enumerate(zip(names, texts, strict=True)):
                is_last = number + 1 == len(names)
                self._spot((node.name, name), at, row, text, (node.name, HUB), ink=Ink.DIM)
                step = width_of(text) + len(_ARROW) + each
                room = x + width - 2 - at if is_last else step - 1
                self.drawing.desks[node.name, name] = Rect(at, row + 1, room, deep)
                if not is_last:
                    arrow = "─" * each + "▸"
                    cable = self.canvas.put(at + width_of(text) + 1, row, arrow, Ink.FAINT)
                    self.drawing.spots[node.name, f"{name}>"] = Spot(cable, None)
                at += step
            row += 1 + deep

    def _device(
        self,
        namespace: str,
        device: Device,
        middle: int,
        y: int,
        parent: Place | None,
        *,
        ink: Ink = Ink.TEXT,
    ) -> Place:
        mark = "○" if device.is_assumed else ""
        text = device.text + mark
        place = (namespace, device.name)
        self._spot(place, middle - len(text) // 2, y, text, parent, ink=ink)
        if mark:
            self.canvas.put(middle - len(text) // 2 + len(text) - 1, y, mark, Ink.ASSUMED)
        return place

    def _bridge(self, node: NodeBox, x: int, row: int, width: int, cable: list[Cell]) -> None:
        assert node.bridge is not None
        if not node.bridge.is_there:
            return
        middle = x + width // 2
        self.canvas.bar(row, x + 2, x + width - 3)
        more = f" +{node.more} pods" if node.more > 1 else " +1 pod" if node.more else ""
        text = node.bridge.text + ("○" if node.bridge.is_assumed else "")
        at = x + 5
        self.canvas.put(at - 2, row, " " * (len(text) + 3))
        spot = self._spot((node.name, node.bridge.name), at, row, text, (node.name, HUB))
        spot.cable = cable
        if more and len(text) + len(more) + 12 < width:
            self.canvas.put(x + width - 3 - len(more), row, f"{more} ", Ink.DIM)
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
        if not pod.is_there:
            return
        canvas, extras = self.canvas, self.extras
        x, row, width, height = inside
        is_path = pod.role is Role.PATH
        middle = _beside_title(x, width, _pod_title(pod))
        parent = (node.name, node.bridge.name) if node.bridge else (node.name, HUB)
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
            ink = Ink.DIM if is_path else Ink.FAINT
            veth = self._spot(place, left, row, pod.veth, parent, ink=ink)
            veth.cable = cable
            cable = canvas.down(middle, row + 1, box_y - 1)
        room = max(middle - x - 4 - len(pod.chance), 1)
        title = f"{pod.title_in(room)} {pod.chance}".rstrip()
        ink = Ink.STRONG if is_path else Ink.DIM
        canvas.box(Rect(x, box_y, width, row + height - box_y), title, middle - x - 4, ink)
        if pod.veth:
            cable += canvas.put(middle, box_y, "┴", Ink.FAINT)
        self.drawing.boxes[pod.key] = Edge(x + 1, row + height - 1, width - 2)
        middle = x + width // 2
        plain = Ink.TEXT if is_path else Ink.DIM
        self._device(pod.key, pod.device, middle, box_y + 1, place, ink=plain)
        self.drawing.spots[pod.key, pod.device.name].cable = cable
        at = box_y + 2
        if extras.pod_macs:
            canvas.put(middle - len(pod.device.mac) // 2, at, pod.device.mac, Ink.DIM)
            at += 1
        spoken = _spoken(pod)
        left = middle - width_of(spoken) // 2
        self._spot((pod.key, HUB), left, at, spoken, (pod.key, pod.device.name), ink=plain)
        if pod.loopback:
            lo = [(left + width_of(pod.process) + n, at) for n in range(1, 4)]
            self.drawing.spots[pod.key, "lo"] = Spot(lo, (pod.key, HUB))

    def _along(self, bridge: Place, x: int, y: int) -> list[Cell]:
        """Cells of the bridge's bar from its name to a port; none for a port under the name."""
        right = max(column for column, row in self.drawing.spots[bridge].cells if row == y)
        return [(n, y) for n in range(right + 2, x + 1)]
