"""Nodes: a tree of nodes → pods → containers, and of Services with their ways of access."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from k8stui.cluster.model import Cluster, Node, Pod, Service, ServiceType
from k8stui.kernel.packet import Protocol
from k8stui.manifests.neutralise import neutralise
from k8stui.manifests.origin import Origin, OriginKind
from k8stui.tui.index import Hits, Index
from k8stui.tui.ink import Ink, Line, cut, fit, join, line_width, run
from k8stui.tui.sheet import Sheet
from k8stui.tui.words import ORIGINS, Sign

if TYPE_CHECKING:
    from k8stui.walk.offers import Offer
    from k8stui.walk.trace import Request
    from k8stui.walk.world import World


_MOST_SHOWN = 200
"""Rows of what was found: more letters narrow it down sooner than scrolling."""


class Kind(StrEnum):
    """What a row of the tree stands for."""

    NODE = "node"
    POD = "pod"
    CONTAINER = "container"
    SERVICES = "services"
    SERVICE = "service"
    OFFER = "offer"
    PENDING = "pending"
    OUTSIDE = "outside"


@dataclass(frozen=True, slots=True)
class Item:
    """One row of the tree."""

    kind: Kind
    key: str
    """Unique in the tree."""
    depth: int
    label: str
    aside: str = ""
    """At the right: an address, a port."""
    origin: Origin | None = None
    """Of the object: what ``m`` shows."""
    aside_origin: Origin | None = None
    has_children: bool = False
    offer: Offer | None = None


class NodesTree:
    """The rows of the tree that are visible now, and its cursor. Children are made when opened."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.cursor = 0
        self.opened: set[str] = set()
        self.index = Index(world.cluster)
        self.hits: Hits | None = None
        """What the filter found; None: the whole tree is shown."""
        self.marks: Mapping[str, Sign] = {}
        """What the check says of rows, by key."""
        self._whole: tuple[list[Item], int] | None = None
        """Rows and cursor of the whole tree, while there is a filter."""
        self._by_node: dict[str, list[Pod]] = {}
        for pod in world.cluster.pods.values():
            self._by_node.setdefault(pod.node_name or "", []).append(pod)
        self.items: list[Item] = self._roots(world.cluster)
        few = len(world.cluster.nodes) <= 4
        for item in [i for i in self.items if few or i.kind is Kind.SERVICES]:
            self.toggle(self.items.index(item))

    def _roots(self, cluster: Cluster) -> list[Item]:
        roots = [
            _node(node, has_children=node.name in self._by_node) for node in cluster.nodes.values()
        ]
        roots.append(Item(Kind.OUTSIDE, "outside", 0, "outside", "203.0.113.10"))
        if "" in self._by_node:
            waiting = len(self._by_node[""])
            roots.append(
                Item(Kind.PENDING, "pending", 0, "Pending", str(waiting), has_children=True)
            )
        services = len(cluster.services)
        roots.append(
            Item(Kind.SERVICES, "services", 0, "Services", f"{services:,}", has_children=True)
        )
        return roots

    @property
    def item(self) -> Item | None:
        return self.items[self.cursor] if self.cursor < len(self.items) else None

    def move(self, by: int) -> bool:
        to = max(0, min(self.cursor + by, len(self.items) - 1))
        moved, self.cursor = to != self.cursor, to
        return moved

    def toggle(self, row: int) -> None:
        """Open or close the row's children. Rows elsewhere are not touched."""
        item = self.items[row]
        if not item.has_children:
            return
        if item.key in self.opened:
            self.opened.discard(item.key)
            end = row + 1
            while end < len(self.items) and self.items[end].depth > item.depth:
                self.opened.discard(self.items[end].key)
                end += 1
            del self.items[row + 1 : end]
            if row < self.cursor < end:
                self.cursor = row
            elif self.cursor >= end:
                self.cursor -= end - row - 1
        else:
            self.opened.add(item.key)
            children = self._children(item)
            self.items[row + 1 : row + 1] = children
            if self.cursor > row:
                self.cursor += len(children)

    def open(self, key: str) -> None:
        """Open an item that is in sight; the cursor stays where it is."""
        row = next((n for n, item in enumerate(self.items) if item.key == key), None)
        if row is not None and key not in self.opened:
            self.toggle(row)

    def close_or_climb(self) -> bool:
        """Esc: close an open row, else go to its parent. Whether anything happened."""
        item = self.item
        if item is None:
            return False
        if item.key in self.opened and item.depth:
            self.toggle(self.cursor)
            return True
        row = self.cursor
        while row and self.items[row].depth >= item.depth:
            row -= 1
        if self.items[row].depth < item.depth:
            self.cursor = row
            return True
        return False

    # Finding: over all objects, whether or not they are in sight

    def filter(self, needle: str) -> None:
        """Show only what holds `needle` (lower case); all of the tree again when it is empty."""
        if self._whole is None:
            self._whole = (self.items, self.cursor)
        self.items, self.cursor = self._whole
        self.hits = None
        if needle:
            self.hits = self.index.search(needle)
            self.items = [self._found(key) for key in self.hits.keys[:_MOST_SHOWN]]
            self.cursor = 0

    def unfilter(self, *, go: bool) -> None:
        """Show the whole tree again; `go`: with the cursor on what was found."""
        if self._whole is None:
            return
        item = self.item if self.hits is not None else None
        (self.items, self.cursor), self._whole, self.hits = self._whole, None, None
        if go and item is not None:
            self.reveal(item.key)

    @property
    def is_filtered(self) -> bool:
        return self.hits is not None

    def reveal(self, key: str) -> bool:
        """Put the cursor on a node, pod or Service; what it is in is opened."""
        kind, _, name = key.partition("/")
        if kind == Kind.SERVICE:
            self.open("services")
        elif kind == Kind.POD:
            node = self.world.cluster.pods[name].node_name
            self.open(f"node/{node}" if node else "pending")
        row = next((n for n, item in enumerate(self.items) if item.key == key), None)
        if row is not None:
            self.cursor = row
        return row is not None

    def find(self, needle: str, direction: int) -> bool:
        """Put the cursor on the next object that holds `needle`; closed branches are opened."""
        keys = self.index.search(needle).keys
        if not keys:
            return False
        here = self.item.key if self.item is not None else ""
        at = (keys.index(here) + direction) % len(keys) if here in keys else 0
        return self.reveal(keys[at])

    def _found(self, key: str) -> Item:
        kind, _, name = key.partition("/")
        cluster = self.world.cluster
        match kind:
            case Kind.NODE:
                item = _node(cluster.nodes[name], has_children=False)
            case Kind.POD:
                item = _pod(cluster.pods[name])
            case _:
                item = _service(cluster.services[name])
        word = "svc" if kind == Kind.SERVICE else kind
        return replace(item, depth=0, label=f"{word} {item.label}", has_children=False)

    def _children(self, item: Item) -> list[Item]:
        name = item.key.partition("/")[2]
        cluster = self.world.cluster
        match item.kind:
            case Kind.NODE:
                return [_pod(pod) for pod in self._by_node.get(name, ())]
            case Kind.PENDING:
                return [_pod(pod) for pod in self._by_node.get("", ())]
            case Kind.POD:
                return _containers(cluster.pods[name])
            case Kind.SERVICES:
                return [_service(service) for service in cluster.services.values()]
            case Kind.SERVICE:
                return self._offers(name)
            case _:
                return []

    def _offers(self, service: str) -> list[Item]:
        from k8stui.walk.offers import offers  # noqa: PLC0415 - needed only when one is opened

        return [
            Item(
                Kind.OFFER,
                f"offer/{service}/{n}",
                2,
                offer.label,
                f"from {short_source(offer.request)}",
                offer.request.origin,
                offer=offer,
            )
            for n, offer in enumerate(offers(self.world, service))
        ]


def short_source(request: Request) -> str:
    """``client-1`` for ``pod/default/client-1``."""
    return request.source.split("/")[-1] if "/" in request.source else request.source


def _name(namespace: str, name: str) -> str:
    return name if namespace == "default" else f"{namespace}/{name}"


def _node(node: Node, *, has_children: bool) -> Item:
    address = node.address() or node.address(6)
    return Item(
        Kind.NODE,
        f"node/{node.name}",
        0,
        node.name,
        str(address) if address else "no address",
        node.origin,
        node.origins.get("addresses", node.origin),
        has_children=has_children,
    )


def _pod(pod: Pod) -> Item:
    aside = str(pod.addresses[0]) if pod.addresses else pod.phase.value
    return Item(
        Kind.POD,
        f"pod/{pod.key}",
        1,
        _name(pod.namespace, pod.name),
        aside,
        pod.origin,
        pod.origins.get("addresses") if pod.addresses else None,
        has_children=bool(pod.containers),
    )


def _containers(pod: Pod) -> list[Item]:
    return [
        Item(
            Kind.CONTAINER,
            f"container/{pod.key}/{container.name}",
            2,
            container.name + (" (init)" if container.init else ""),
            " ".join(
                f"{p.number}"
                + ("" if p.protocol is Protocol.TCP else f"/{p.protocol.name.lower()}")
                for p in container.ports
            ),
            container.origin,
        )
        for container in pod.containers
    ]


def _service(service: Service) -> Item:
    if service.cluster_ips:
        aside = str(service.cluster_ips[0])
    elif service.type is ServiceType.EXTERNAL_NAME:
        aside = service.external_name
    else:
        aside = "headless"
    return Item(
        Kind.SERVICE,
        f"service/{service.key}",
        1,
        _name(service.namespace, service.name),
        aside,
        service.origin,
        service.origins.get("cluster_ips") if service.cluster_ips else None,
        has_children=service.type is not ServiceType.EXTERNAL_NAME,
    )


class NodesSheet(Sheet):
    """The Nodes pane."""

    def __init__(
        self, tree: NodesTree, width: int, request: Request | None, *, focused: bool
    ) -> None:
        self._tree = tree
        self._width = width
        self._focused = focused
        self._request = request
        self.title = join((run("1 ", Ink.KEY), run("Nodes", Ink.STRONG)))
        self.cursor = tree.cursor
        self.note = run("○ assumed" if width >= 20 else "")
        if tree.hits is not None:
            count = len(tree.hits.keys)
            self.note = run(f"{count:,}{'+' if tree.hits.is_capped else ''} found")

    def __len__(self) -> int:
        return len(self._tree.items)

    def line(self, row: int) -> Line:
        item = self._tree.items[row]
        fold = ("▾" if item.key in self._tree.opened else "▸") if item.has_children else " "
        walked = item.offer is not None and item.offer.request == self._request
        if walked:
            fold = "▶"
        ink = Ink.STRONG if item.depth == 0 else Ink.TEXT
        if item.kind is Kind.CONTAINER:
            ink = Ink.DIM
        left = run(" " + "  " * item.depth + fold + " " + neutralise(item.label), ink)
        right = self._aside(item)
        room = self._width - line_width(right) - 1
        mark = self._mark(item)
        if mark and line_width(left) + line_width(mark) + 1 <= self._width:
            both = join((mark, run(" "), right))
            right = both if line_width(left) + line_width(both) < self._width else mark
            room = self._width - line_width(right) - 1
        if room < line_width(left):  # the name comes first; half an address helps nobody
            right, room = (), self._width
        line = join((fit(left, room), run(" ") if right else (), right))
        if row == self._tree.cursor:
            cursor = Ink.CURSOR if self._focused else Ink.KEY
            return tuple((text, cursor) for text, _ in fit(line, self._width))
        if walked:
            return tuple((text, Ink.TRAIL) for text, _ in line)
        return line

    def _mark(self, item: Item) -> Line:
        """What the check found: in a closed branch how often, else of what kind."""
        sign = self._tree.marks.get(item.key)
        if sign is None or (sign.word.isdigit() and item.key in self._tree.opened):
            return ()
        return run(f"{sign.glyph} {sign.word}", sign.ink)

    def _aside(self, item: Item) -> Line:
        text = cut(run(neutralise(item.aside), Ink.DIM), max(0, self._width - 10))
        origin = item.aside_origin
        if origin is not None and origin.kind in (OriginKind.ASSUMED, OriginKind.DEFAULTED):
            return join((text, run(ORIGINS[origin.kind].glyph, Ink.ASSUMED)))
        return join((text, run(" "))) if text else text

    def copied(self, row: int) -> str:
        item = self._tree.items[row]
        return f"{item.label} {item.aside}".strip()

    def searched(self, row: int) -> str:
        item = self._tree.items[row]
        return f"{item.label} {item.aside}".lower()
