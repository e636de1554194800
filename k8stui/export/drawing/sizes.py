"""What the parts of a drawing need: cells of a pod, of a node, and rows with what fits beside."""

from __future__ import annotations

from dataclasses import dataclass

from k8stui.export.drawing.ink import width_of
from k8stui.export.drawing.scene import Device, NodeBox, PodBox, Scene
from k8stui.export.drawing.stations import ROUTE, THROUGH

GAP = 2
ROOMY = 116
"""A node wider than this gains nothing."""
CARD_ROWS = 5
WIRE_ROWS = 4
"""Of a header of which nothing is rewritten: so many has that of a packet on the wire."""
CARD_WIDTH = 29
"""Columns beside the pods for the packet's header, where it has no rows of its own."""
ARROW = " ▸ "
NARROW = 35
"""The least width of an open node: its stations on two lines."""
UNDER_ROUTE = 3
"""Cells that what follows a route stands further right, where it has a line of its own."""
CHANCE = len(" 1/10")
"""Cells for the share of an endpoint that is one of several, chosen or not."""
_VETH = len("veth01234567")
LO = len("  lo")
INSET = 3
"""Cells from a node's edge to its first station: a blank, and the marker."""


@dataclass(slots=True)
class Extras:
    """What is drawn only where there is room for it, in this order of worth."""

    wire_row: bool = False
    """The wire below the outside, not beside it."""
    node_lines: bool = False
    """A row for the line of each node that is not open."""
    wire_card: bool = False
    """Above the nodes as many rows as the header of a packet on the wire needs."""
    veth_row: bool = False
    """The cables' ends below the bridge, not on it."""
    local_deed: bool = False
    second_deed: bool = False
    uplink_row: bool = False
    """The node's devices in rows of their own, not in its upper edge."""
    card: bool = False
    """Blank rows for the packet's header."""
    tall_card: bool = False
    """And for a card in a card."""
    above_pods: int = 0
    below_stack: int = 0
    above_nodes: int = 0
    pod_macs: bool = False
    third_deed: bool = False
    node_macs: bool = False
    below_outside: int = 0


GAPS = ("above_nodes", "below_outside", "below_stack", "above_pods")
"""Of `Extras`: rows that can be more than one; an open node that is alone has the last two."""


def outside_text(device: Device, width: int) -> str:
    """The client outside, with its MAC address where there is room."""
    text = f"client ── {device.text}"
    has_room = len(text) + 28 + 2 * CARD_WIDTH < width  # a header stands beside it
    return f"{text}  {device.mac}" if device.mac and has_room else text


def pod_width(pod: PodBox) -> int:
    """Cells of a pod's box, whoever speaks in it and whatever its chance is."""
    if pod.instead_of is not None:
        return max(pod.least, pod_width(pod.instead_of))
    texts = width_of(pod.device.text) + 1, pod.room + LO, max(_VETH, width_of(pod.veth))
    title = min(width_of(pod.title), 22) + 7 + CHANCE * pod.has_rivals
    return max(14, pod.least, title, *(each + 5 for each in texts))


def pods_need(pods: tuple[PodBox, ...] | list[PodBox]) -> int:
    """Cells of pods side by side."""
    return sum(pod_width(pod) + 1 for pod in pods) + 1


def node_need(node: NodeBox) -> int:
    """Cells that a node's box needs."""
    devices = [d for d in (node.uplink, node.tunnel, node.bridge) if d is not None]
    return max(pods_need(node.pods), NARROW - 2, *(width_of(d.text) + 8 for d in devices)) + 2


def node_rows(node: NodeBox, width: int, extras: Extras) -> int:
    """Rows of a node's box `width` cells wide: its bridge has a row whether it has one or not."""
    rows = 2 + (2 + extras.node_macs) * extras.uplink_row + card_rows(extras)
    rows += stack_rows(width, extras) + extras.below_stack + 1
    if node.pods:
        rows += extras.veth_row + extras.above_pods + 4 + extras.pod_macs
    return rows


def below_outside(extras: Extras) -> int:
    """Rows between the outside's box and the wire: a header beside the box ends above the wire."""
    return max(extras.below_outside, int(extras.wire_card))


def above_nodes(scene: Scene, extras: Extras) -> int:
    """Rows between the wire and the nodes that are open; beside the outside a header has room."""
    if not extras.wire_card or scene.outside is not None or not scene.nodes:
        return extras.above_nodes
    return max(extras.above_nodes, WIRE_ROWS - 1)


def card_rows(extras: Extras) -> int:
    """Rows for the packet's header; without one a blank row between devices and stations."""
    if not extras.card:
        return int(extras.node_macs)
    return CARD_ROWS + 2 * extras.tall_card


def stack_rows(width: int, extras: Extras) -> int:
    """Rows of a node's stations, and of what is done under them."""
    through = 2 + extras.second_deed + extras.third_deed
    return len(station_lines(width - INSET - 2)) * through + 1 + local_rows(extras)


def local_rows(extras: Extras) -> int:
    """Rows under the stations of what is for the node itself."""
    return extras.local_deed + extras.third_deed


def station_lines(width: int) -> list[tuple[str, ...]]:
    """The stations on a line of `width` cells; else on two, parted where the ways part."""
    if len(ARROW.join(THROUGH)) <= width:
        return [THROUGH]
    behind = THROUGH.index(ROUTE) + 1
    return [THROUGH[:behind], THROUGH[behind:]]
