"""Draws a scene, top to bottom: boxes inside boxes, stations, cables, the places of a packet."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from k8stui.export.drawing.canvas import Cell, Rect
from k8stui.export.drawing.ink import Ink, middle, width_of
from k8stui.export.drawing.places import HUB, Drawing, LowerEdge, Spot
from k8stui.export.drawing.scene import HOSTS, OUTSIDE, WIRE, Device, NodeBox, PodBox, Role, Scene
from k8stui.export.drawing.sizes import (
    ARROW,
    CARD_WIDTH,
    CHANCE,
    GAP,
    INSET,
    LO,
    UNDER_ROUTE,
    Extras,
    above_nodes,
    below_outside,
    card_rows,
    local_rows,
    node_rows,
    pod_width,
    stack_rows,
    station_lines,
)
from k8stui.export.drawing.stations import CONNTRACK, LOCAL, PROCESS, ROUTE, Place

_LEAST_EDGE = 16
"""Cells of a line that what the client feels may take from its end."""
_MOST_EDGE = 40
_LEAST_PROCESS, _MOST_PROCESS = 10, 24
"""Cells for the name of who speaks on a node, whoever does."""
_BRIDGE_WIDTH = len(" ━  docker0 10.244.10.1○ ")
"""Columns that a bridge's name takes, whatever it is: a tall card stands beside it."""
_LEAST_CARD = CARD_WIDTH - 4
"""Columns of a header of which nothing is rewritten, beside the node's edge."""
_LONGEST_ARROW = 14
"""Cells that an arrow between two stations is longer where there is room."""
_STRETCH = 8
"""Cells that a pod's box is wider where there is room."""


class Grid(NamedTuple):
    """How the lines of the nodes stand where one of them is open."""

    rows: int
    columns: int


class Pen:
    """Draws one scene."""

    def __init__(self, drawing: Drawing, scene: Scene, extras: Extras) -> None:
        self.drawing = drawing
        self.canvas = drawing.canvas
        self.scene = scene
        self.extras = extras
        self._beside = 0
        """Columns left of the pods for the packet's header."""
        self._uplink = 0
        """Cells of the longest name of a device at the wire."""

    def all(self, widths: list[int], outside: str) -> None:
        """All nodes side by side."""
        y = 0
        self._beside = CARD_WIDTH
        centre = self.canvas.width // 2
        wire_y = (3 + below_outside(self.extras)) if self.scene.outside else 0
        used = sum(widths) + GAP * (len(widths) - 1)
        x = (self.canvas.width - used) // 2
        lefts = [x + sum(widths[:n]) + GAP * n for n in range(len(widths))]
        ports = [left + width // 2 for left, width in zip(lefts, widths, strict=True)]
        if self.scene.wire:
            self.canvas.bar(wire_y, 0, self.canvas.width - 1)
            self._wire_label(wire_y, centre, [-1, *ports], last=True)
            y = wire_y + 1 + above_nodes(self.scene, self.extras)
        if self.scene.outside is not None:
            self._outside(outside, wire_y, centre)
        rows = max(
            (node_rows(n, w, self.extras) for n, w in zip(self.scene.nodes, widths, strict=True)),
            default=0,
        )
        for node, left, width, port in zip(self.scene.nodes, lefts, widths, ports, strict=True):
            self._node(node, Rect(left, y, width, rows), wire_y, port)

    def folded(self, nodes: tuple[NodeBox, ...], at: int, box: Rect, grid: Grid) -> None:
        """Every node as a line, and number `at` of them open in `box`."""
        self._beside = 0 if self.extras.card else CARD_WIDTH
        self._uplink = max(width_of(node.uplink.text) for node in nodes) + 1
        port = box.x + box.width - 4
        outside, y, behind = self.scene.outside, 0, 0
        has_row = self.extras.wire_row
        head = min((outside is not None) + bool(self.scene.wire), 1 + has_row)
        most = port - _LEAST_CARD - 2
        end, left = min(self._lines(nodes, at, head, grid), most), 0
        if outside is not None:
            lead = f"▸ {OUTSIDE}  " if has_row else f"▸ {OUTSIDE} "
            text = outside.text if has_row else outside.address or outside.text
            # A header stands behind the nodes' lines: beside them it is near the packet. What the
            # client feels stands before it then.
            long = width_of(lead + text)
            if has_row and long < end and long + _LEAST_EDGE <= most:
                end = max(end, long + _LEAST_EDGE)
                left = end - long - 2
            behind = self._line(OUTSIDE, lead, text, Rect(left, 0, self.canvas.width, 1))
            if left:
                self.drawing.boxes[OUTSIDE] = LowerEdge(0, 0, left + 1)
            y = 1 if has_row or not self.scene.wire else 0
        wire_y = y
        if self.scene.wire:
            left = behind + 2 if outside is not None and not y else 0
            self.canvas.bar(wire_y, left, self.canvas.width - 1)
            centre = max(self.canvas.width // 2, left + 2)
            self._wire_label(wire_y, centre, [left - 1, port], last=False, end=end)
            if outside is not None:
                self.drawing.spots[WIRE, "eth1"] = Spot([(centre, wire_y)], (WIRE, "lan"))
        self._node(self.scene.nodes[0], box, wire_y, port)

    def _lines(self, nodes: tuple[NodeBox, ...], at: int, y: int, grid: Grid) -> int:
        """All nodes, each in its place; the last place is that of all that have no other.

        Gives the column behind the longest where a header has room beside them, else 0.
        """
        if not grid.rows:
            return 0
        end = 0
        room = self.canvas.width // grid.columns
        places = [
            Rect(column * room, y + row, room, 1)
            for row in range(grid.rows)
            for column in range(grid.columns)
        ][: len(nodes)]
        for number, node in enumerate(nodes):
            is_shared = number >= len(places) - 1 and len(nodes) > len(places)
            place = places[min(number, len(places) - 1)]
            if not is_shared:
                end = max(end, self._closed(node, place, is_open=number == at))
                continue
            left = len(nodes) - len(places) + 1
            end = max(end, self._line(node.name, "▸ ", f"{left} more nodes", place))
            for pod in node.pods:
                self.drawing.spots[pod.key, HUB] = self.drawing.spots[node.name, HUB]
        return end if end + _LEAST_CARD + 1 <= self.canvas.width else 0

    def _closed(self, node: NodeBox, at: Rect, *, is_open: bool) -> int:
        """A node as a line: the pods that a walk can get to stand on it. Gives where it ends."""
        name = middle(node.name, max(8, at.width // 2 - 4))
        room = at.width - width_of(name) - 6
        text = node.uplink.address or node.uplink.text
        text = text if width_of(text) <= room else ""
        x = self._line(node.name, f"{'▾' if is_open else '▸'} {name}  ", text, at)
        line = self.drawing.spots[node.name, HUB]
        joint = x + 1
        for pod in node.pods:
            if pod.role is Role.SIBLING:
                continue
            self.drawing.spots[pod.key, HUB] = Spot(line.cells, line.parent)
            for shown in (f"{pod.title} {pod.device.address}", pod.title):
                end = x + 3 + width_of(shown) + CHANCE * pod.has_rivals
                if end < at.x + at.width - 1:
                    break
            else:
                continue
            self._edge(pod.key, end + 2, at.y)
            if pod.is_there:
                self.canvas.put(joint, at.y, "─" * (x + 2 - joint), Ink.FAINT)
                cells = self.canvas.put(x + 3, at.y, shown, Ink.DIM)
                with_marker = [(x + 2, at.y), *cells]
                self.drawing.spots[pod.key, HUB] = Spot(with_marker, (node.name, HUB))
                behind = cells[-1][0] + 1
                joint = len(self.canvas.put(behind, at.y, f" {pod.chance}".rstrip(), Ink.DIM))
                joint += behind + 1
            x = end
        return x

    def _line(self, name: str, lead: str, text: str, at: Rect) -> int:
        """A namespace as a line: every place in it is this one. Gives the column behind it."""
        left = at.x + 1
        self.canvas.put(left, at.y, lead, Ink.DIM)
        self.canvas.put(left + width_of(lead), at.y, text, Ink.DIM)
        behind = left + width_of(lead) + width_of(text)
        parent = (WIRE, "lan") if self.scene.wire and name != OUTSIDE else None
        cells = [(n, at.y) for n in range(left, behind)]
        self.drawing.spots[name, HUB] = Spot(cells, parent)
        self._edge(name, behind + 2, at.y)
        return behind

    def _edge(self, name: str, x: int, y: int) -> None:
        """Where behind a line something can be written: on the canvas, and not under its text."""
        room = self.canvas.width - x
        if room < _LEAST_EDGE:
            x, room = max(1, self.canvas.width - _LEAST_EDGE), _LEAST_EDGE
        self.drawing.boxes[name] = LowerEdge(x, y, min(room, _MOST_EDGE))

    def _spot(
        self, place: Place, x: int, y: int, text: str, parent: Place | None, *, ink: Ink = Ink.TEXT
    ) -> Spot:
        """Write a text with room for the marker before it."""
        self.canvas.put(x, y, text, ink)
        cells = [(x - 2, y), (x - 1, y), *((x + n, y) for n in range(width_of(text)))]
        spot = Spot(cells, parent if parent in self.drawing.spots else None)
        self.drawing.spots[place] = spot
        return spot

    def _wire_label(
        self, y: int, centre: int, ports: list[int], *, last: bool, end: int = 0
    ) -> None:
        """Name the wire where nothing is plugged in: far right (`last`) or far left.

        `end`: before this column, in place of the middle, where that leaves room.
        """
        text = self.scene.wire
        joints = sorted({*ports, centre, self.canvas.width})
        gaps = list(pairwise(joints))
        roomy = [gap for gap in gaps if gap[1] - gap[0] > len(text) + 5]
        if not roomy:
            text = text.partition(" ")[0]
            roomy = [gap for gap in gaps if gap[1] - gap[0] > len(text) + 5] or gaps[-1:]
        left, right = roomy[-1 if last else 0]
        x = left + 3 + max(0, right - left - len(text) - 4) // 2
        x = max(x, end - 2 - len(text))
        self.canvas.put(x - 2, y, f"  {text} ", Ink.DIM)
        self._spot((WIRE, HUB), x, y, text, None, ink=Ink.DIM)
        self.drawing.spots[WIRE, "lan"] = Spot([(centre, y)], None)
        label = self.drawing.spots[WIRE, HUB]
        label.parent = (WIRE, "lan")
        # The other hosts on the wire have no box of their own: they stand where it is named.
        self.drawing.spots[HOSTS, HUB] = Spot(label.cells, (WIRE, "lan"))

    def _outside(self, text: str, wire_y: int, centre: int) -> None:
        width = len(text) + 8
        x = max(0, centre - width // 2)
        if x < CARD_WIDTH <= min(centre - _LEAST_EDGE, self.canvas.width - width):
            x = CARD_WIDTH  # the packet's header stands beside it
        self.canvas.box(Rect(x, 0, width, 3), OUTSIDE)
        self.canvas.put(centre, 2, "┬", Ink.FAINT)
        self.drawing.boxes[OUTSIDE] = LowerEdge(x + 1, 2, centre - x - 1)
        cable = [(centre, 2), *self.canvas.down(centre, 3, wire_y - 1)]
        self.canvas.put(centre, wire_y, "┷", Ink.FAINT)
        cable.append((centre, wire_y))
        client, _, rest = text.partition(" ── ")
        at = x + 4
        device_at = at + len(client) + 5
        eth0 = self._spot((OUTSIDE, "eth0"), device_at, 1, rest, (WIRE, "lan"))
        eth0.cable = cable
        link = self.canvas.put(device_at - 4, 1, "──", Ink.FAINT)
        process = self._spot((OUTSIDE, HUB), at, 1, client, (OUTSIDE, "eth0"))
        process.cable = link
        self.drawing.spots[WIRE, "eth1"] = Spot([(centre, wire_y)], (WIRE, "lan"))

    def _node(self, node: NodeBox, at: Rect, wire_y: int, port: int) -> None:
        canvas, extras = self.canvas, self.extras
        x, y, width, height = at
        canvas.box(at, node.name, width // 2 - 4)
        self.drawing.nodes[node.name] = at
        self.drawing.boxes[node.name] = LowerEdge(x + 1, y + height - 1, width - 2)
        if self.scene.wire:
            self._plug(node, port, wire_y, y)
        row = y + 1
        if extras.uplink_row:
            place = self._devices(node, min(port, x + width - 4 - self._uplink // 2), row)
            row += 2 + extras.node_macs
        else:
            place = self._edge_devices(node, at, port)
        row += card_rows(extras)
        self.drawing.spots[node.name, HUB] = Spot([], place)
        self._stations(node, Rect(x, row, width, 0))
        row += stack_rows(width, extras)
        row += extras.below_stack
        is_plugged = node.bridge is not None and node.bridge.is_there
        if node.bridge is not None:
            self._bridge(node, x, row, width)
        row += 1
        if node.pods:
            self._pods(node, Rect(x, row, width, y + height - 1 - row))
        if node.more and is_plugged:
            self._more(node, x + width - 3, row - 1)

    def _plug(self, node: NodeBox, port: int, wire_y: int, top: int) -> None:
        """The cable from the wire into a node's box."""
        canvas = self.canvas
        canvas.put(port, wire_y, "┯", Ink.FAINT)
        cable = [(port, wire_y), *canvas.down(port, wire_y + 1, top - 1)]
        cable += canvas.put(port, top, "┴", Ink.FAINT)
        ((outer, _),) = self.drawing.spots[WIRE, "lan"].cells
        step = 1 if outer > port else -1
        cable += [(n, wire_y) for n in range(port, outer + step, step)]
        self.drawing.spots[WIRE, node.name] = Spot([(port, wire_y)], (WIRE, "lan"), cable)

    def _devices(self, node: NodeBox, port: int, row: int) -> Place:
        """The node's devices, under the cable; the place that the stations hang on."""
        place = self._device(node.name, node.uplink, port, row, (WIRE, node.name))
        if self.extras.node_macs:
            row += 1
            self.canvas.put(port - len(node.uplink.mac) // 2, row, node.uplink.mac, Ink.DIM)
        if node.tunnel is not None:
            right = self.drawing.boxes[node.name]
            half = (width_of(node.tunnel.text) + 1) // 2
            place = self._device(
                node.name, node.tunnel, min(port, right.x + right.room - 2 - half), row + 1, place
            )
        return place

    def _edge_devices(self, node: NodeBox, box: Rect, port: int) -> Place:
        """The same in the upper edge of the box."""
        place: Place = (WIRE, node.name)
        right = port - 2
        least = box.x + min(width_of(node.name), box.width // 2 - 4) + 6
        devices = (node.uplink, node.tunnel) if node.tunnel is not None else (node.uplink,)
        for device in devices:
            text = device.text + "○" * device.is_assumed
            x = right - width_of(device.text) - 1
            if device is node.tunnel and x < least:  # no room: it stands where what carries it does
                cells = self.drawing.spots[place].cells
                self.drawing.spots[node.name, device.name] = Spot(cells, place)
                continue
            self.canvas.put(x - 2, box.y, " " * (width_of(text) + 3))
            self._spot((node.name, device.name), x, box.y, text, place)
            if device.is_assumed:
                self.canvas.put(x + width_of(text) - 1, box.y, "○", Ink.ASSUMED)
            place = (node.name, device.name)
            right = x - 4
        return place

    def _stations(self, node: NodeBox, where: Rect) -> None:
        """The stations line by line, and the room under each for what is done there."""
        x, row, width, _ = where
        extras = self.extras
        deep = 1 + extras.second_deed + extras.third_deed
        inside = width - INSET - 2
        spare = inside - UNDER_ROUTE - len(ARROW.join(LOCAL))
        room = min(max(_LEAST_PROCESS, spare + len(PROCESS)), _MOST_PROCESS)
        through = station_lines(inside)
        lines = [(line, line, line, UNDER_ROUTE * (line[0] != CONNTRACK), deep) for line in through]
        shown = tuple(middle(node.process, room) if name == PROCESS else name for name in LOCAL)
        rooms = tuple(" " * room if name == PROCESS else name for name in LOCAL)
        lines.append((LOCAL, shown, rooms, UNDER_ROUTE, local_rows(extras)))
        for names, texts, widths, indent, below in lines:
            spare = inside - indent - len(ARROW.join(widths))
            each = max(0, min(_LONGEST_ARROW, spare // max(1, len(texts) - 1)))
            at = x + INSET + indent
            if indent:
                cable = self.canvas.put(x + INSET, row, "╰▸" if names is LOCAL else "├▸", Ink.FAINT)
                self.drawing.spots[node.name, f"{ROUTE}>{names[0]}"] = Spot(cable, None)
            for number, (name, text) in enumerate(zip(names, texts, strict=True)):
                is_last = number + 1 == len(names)
                self._spot((node.name, name), at, row, text, (node.name, HUB), ink=Ink.DIM)
                step = len(widths[number]) + len(ARROW) + each
                left = x + width - 2 - at if is_last else step - 1
                if below:
                    self.drawing.desks[node.name, name] = Rect(at, row + 1, left, below)
                if not is_last:
                    arrow = "─" * (step - width_of(text) - len(ARROW)) + "▸"
                    cable = self.canvas.put(at + width_of(text) + 1, row, arrow, Ink.FAINT)
                    self.drawing.spots[node.name, f"{name}>{names[number + 1]}"] = Spot(cable, None)
                at += step
            row += 1 + below

    def _device(
        self,
        namespace: str,
        device: Device,
        centre: int,
        y: int,
        parent: Place | None,
        *,
        ink: Ink = Ink.TEXT,
    ) -> Place:
        mark = "○" if device.is_assumed else ""
        text = device.text + mark
        place = (namespace, device.name)
        x = centre - (len(device.text) + 1) // 2
        self._spot(place, x, y, text, parent, ink=ink)
        if mark:
            self.canvas.put(x + len(text) - 1, y, mark, Ink.ASSUMED)
        return place

    def _bridge(self, node: NodeBox, x: int, row: int, width: int) -> None:
        assert node.bridge is not None
        if not node.bridge.is_there:
            return
        self.canvas.bar(row, x + 2, x + width - 3)
        text = node.bridge.text + ("○" if node.bridge.is_assumed else "")
        at = x + 5
        self.canvas.put(at - 2, row, " " * (len(text) + 3))
        self._spot((node.name, node.bridge.name), at, row, text, (node.name, HUB))

    def _more(self, node: NodeBox, right: int, row: int) -> None:
        """Count the pods that are not drawn, where nothing is plugged into the bridge."""
        assert node.bridge is not None
        text = f" +{node.more} pods " if node.more > 1 else " +1 pod "
        behind = max(x for x, _ in self.drawing.spots[node.name, node.bridge.name].cells)
        joints = (x for x in range(behind, right) if self.canvas.at(x, row) != "━")
        gaps = pairwise(sorted({behind + 1, right, *joints}))
        left, end = max(gaps, key=lambda gap: gap[1] - gap[0])
        if end - left > len(text) + 2:
            self.canvas.put(end - len(text) - 1, row, text, Ink.DIM)

    def _pods(self, node: NodeBox, inside: Rect) -> None:
        x, row, width, height = inside
        widths = [pod_width(pod) for pod in node.pods]
        needed = sum(w + 1 for w in widths)
        most = sum(widths) + _STRETCH * len(widths)
        is_spread = self._beside == 0 or (width - 2 - most) // (len(widths) + 1) > CARD_WIDTH
        beside = 0
        if not is_spread:
            rooms = (_BRIDGE_WIDTH + self._beside, self._beside, _LEAST_CARD)
            beside = next((room for room in rooms if needed + 1 + room <= width), 0)
        # A header that fits only just stands over the node's left edge: all pods at the right one.
        at_edge = beside == _LEAST_CARD
        spare = width - beside - 3 - needed
        each = min(_STRETCH, max(0, spare // max(1, len(widths))))
        widths = [w + each for w in widths]
        gap = 1 if beside else max(1, (width - 2 - sum(widths)) // (len(widths) + 1))
        at = x + 1 + gap
        if beside:
            at = x + width - 1 + at_edge - sum(w + 1 for w in widths)
        for pod, each_width in zip(node.pods, widths, strict=True):
            self._pod(node, pod, Rect(at, row, each_width, height))
            at += each_width + gap

    def _pod(self, node: NodeBox, pod: PodBox, inside: Rect) -> None:
        if not pod.is_there:
            return
        canvas, extras = self.canvas, self.extras
        x, row, width, height = inside
        is_path = pod.role is Role.PATH
        column = _beside_title(x, width, pod)
        parent = (node.name, node.bridge.name) if node.bridge else (node.name, HUB)
        place: Place = parent
        box_y = row + extras.veth_row + extras.above_pods
        cable: list[Cell] = []
        if pod.veth:
            is_bridged = node.bridge is not None and node.bridge.is_there
            if is_bridged:
                along = self._along(parent, column, row - 1)
                if along:
                    canvas.put(column, row - 1, "┯", Ink.FAINT)
                cable += along
            place = (node.name, pod.veth)
            veth_y = row if extras.veth_row else row - 1
            # Beside a long title the cable is far right: the name stays inside all the same.
            left = min(column - len(pod.veth) // 2, x + width - len(pod.veth))
            if not extras.veth_row:
                left = column + 3
                if left + len(pod.veth) > x + width:
                    left = column - 2 - len(pod.veth)
                canvas.put(left - 2, veth_y, " " * (len(pod.veth) + 3))
            ink = Ink.DIM if is_path else Ink.FAINT
            veth = self._spot(place, left, veth_y, pod.veth, parent, ink=ink)
            veth.cable = cable
            cable = canvas.down(column, veth_y + 1, box_y - 1)
        room = max(column - x - 4 - len(pod.chance), 1)
        title = f"{pod.title_in(room)} {pod.chance}".rstrip()
        ink = Ink.STRONG if is_path else Ink.DIM
        canvas.box(Rect(x, box_y, width, row + height - box_y), title, column - x - 4, ink)
        if pod.veth:
            cable += canvas.put(column, box_y, "┴", Ink.FAINT)
        self.drawing.boxes[pod.key] = LowerEdge(x + 1, row + height - 1, width - 2)
        centre = x + width // 2
        plain = Ink.TEXT if is_path else Ink.DIM
        self._device(pod.key, pod.device, centre, box_y + 1, place, ink=plain)
        self.drawing.spots[pod.key, pod.device.name].cable = cable
        at = box_y + 2
        if extras.pod_macs:
            canvas.put(centre - len(pod.device.mac) // 2, at, pod.device.mac, Ink.DIM)
            at += 1
        left = centre - (pod.room + LO) // 2
        self._spot((pod.key, HUB), left, at, pod.process, (pod.key, pod.device.name), ink=plain)
        if pod.loopback:
            lo = canvas.put(left + pod.room + LO - 2, at, "lo", plain)
            cells = [(left + pod.room + LO - 3, at), *lo]
            self.drawing.spots[pod.key, "lo"] = Spot(cells, (pod.key, HUB))

    def _along(self, bridge: Place, x: int, y: int) -> list[Cell]:
        """Cells of the bridge's bar from its name to a port; none for a port under the name."""
        right = max(column for column, row in self.drawing.spots[bridge].cells if row == y)
        return [(n, y) for n in range(right + 2, x + 1)]


def _beside_title(x: int, width: int, pod: PodBox) -> int:
    """Column of a cable into a box: its middle, or behind its title where that is long."""
    title = width_of(pod.title) + (5 if pod.has_rivals else 0)
    return min(max(x + width // 2, x + title + 4), x + width - 4)
