"""The rows of what was read so far: the tree while a big dump is still being read.

Made of the manifests as they are written; what only a control plane decides (where a Pod without
a node will run, which Pods a Deployment makes) is not known yet, and not said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

from k8stui.apiserver.fields import array, at, text
from k8stui.tui.cluster_rows import short_name
from k8stui.tui.index import Index
from k8stui.tui.tree import Item, RowKind, Said
from k8stui.walk.kinds import SHORT

if TYPE_CHECKING:
    from k8stui.manifests.manifest import Manifest

_WORKLOADS = frozenset(SHORT)
_TITLES = {
    RowKind.PENDING: "Pods without a node",
    RowKind.WORKLOADS: "Workloads",
    RowKind.SERVICES: "Services",
}
"""Of the branches beside the nodes, in their order."""


class FoundRow(NamedTuple):
    """An object that has a place in the tree."""

    branch: str
    """Key of the root that it is in; empty: it is one."""
    item: Item
    line: str
    """What it is found by."""


def row_of(manifest: Manifest) -> FoundRow | None:
    """Give the place of an object in the tree; None: it has none of its own (an EndpointSlice)."""
    kind, name, data = manifest.kind, manifest.name, manifest.data
    key = f"{manifest.namespace or 'default'}/{name}"
    if kind == "Pod":
        node = text(data, "spec", "nodeName")
        addresses = _joined(array(data, "status", "podIPs"), "ip")
        containers = _joined(array(data, "spec", "containers"), "name")
        return FoundRow(
            f"node/{node}" if node else "pending",
            Item(RowKind.POD, f"pod/{key}", 1, manifest),
            f"{key} {addresses} {containers}",
        )
    if kind == "Service":
        item = Item(RowKind.SERVICE, f"service/{key}", 1, manifest)
        return FoundRow("services", item, f"{key} {text(data, 'spec', 'clusterIP')}")
    if kind == "Node":
        addresses = _joined(array(data, "status", "addresses"), "address")
        return FoundRow("", Item(RowKind.NODE, f"node/{name}", 0, manifest), f"{name} {addresses}")
    if kind in _WORKLOADS and not array(data, "metadata", "ownerReferences"):
        item = Item(RowKind.WORKLOAD, f"workload/{kind}/{key}", 1, manifest)
        return FoundRow("workloads", item, f"{SHORT[kind]} {key}")
    return None


def _labels(manifest: Manifest) -> Mapping[str, str]:
    found = at(manifest.data, "metadata", "labels")
    return found if isinstance(found, Mapping) else {}


def _joined(entries: Sequence[object], field: str) -> str:
    return " ".join(text(entry, field) for entry in entries)


class FoundRows:
    """Rows of the objects that were found; they become more."""

    def __init__(self) -> None:
        self.index = Index()
        self.opened: Iterable[str] = ("services",)
        self._nodes: dict[str, Item] = {}
        self._branches: dict[str, list[Item]] = {"pending": [], "workloads": [], "services": []}
        self._items: dict[str, Item] = {}
        """What the index knows."""

    def take(self, rows: Sequence[FoundRow]) -> None:
        """Take in what was found since."""
        new = []
        for row in rows:
            branch, item, _ = row
            if item.key in self._items:  # the same object twice: which counts is not known yet
                continue
            new.append(row)
            self._items[item.key] = item
            if not branch:
                self._nodes[item.key] = item
                continue
            if branch not in self._branches:
                self._branches[branch] = []
                self._nodes.setdefault(branch, Item(RowKind.NODE, branch, 0))
            self._branches[branch].append(item)
        labels = [_labels(cast("Manifest", row.item.subject)) for row in new]
        self.index.add([row.item.key for row in new], [row.line for row in new], labels)

    def roots(self) -> list[Item]:
        """Nodes first, then what is on none, as in a cluster that stands."""
        branches = self._branches
        roots = [item._replace(has_children=key in branches) for key, item in self._nodes.items()]
        return roots + [
            Item(kind, kind.value, 0, has_children=True) for kind in _TITLES if branches[kind]
        ]

    def children(self, item: Item) -> list[Item]:
        """What a row opens into."""
        return self._branches.get(item.key, [])

    def item(self, key: str) -> Item:
        """Give the row of an object."""
        return self._items[key]

    def branch(self, key: str) -> str:
        """Key of the root that a row is in."""
        item = self._items.get(key)
        row = row_of(cast("Manifest", item.subject)) if item is not None else None
        return row.branch if row is not None else ""

    def now(self, key: str) -> str:
        """Give the same key: there was no tree before this one."""
        return key

    def say(self, item: Item) -> Said:
        """How a row reads."""
        manifest = cast("Manifest | None", item.subject)
        if manifest is None:
            if item.kind in _TITLES:
                return Said(_TITLES[item.kind], f"{len(self._branches[item.kind]):,}")
            return Said(item.key.partition("/")[2])
        name, data = manifest.name, manifest.data
        if item.kind is not RowKind.NODE:
            name = short_name(manifest.namespace or "default", name)
        match item.kind:
            case RowKind.NODE:
                aside = next(
                    (
                        text(entry, "address")
                        for entry in array(data, "status", "addresses")
                        if text(entry, "type") == "InternalIP"
                    ),
                    "",
                )
            case RowKind.POD:
                aside = text(data, "status", "podIP") or text(data, "status", "phase")
            case RowKind.SERVICE:
                aside = text(data, "spec", "clusterIP") or text(data, "spec", "externalName")
                aside = "headless" if aside == "None" else aside
            case _:
                name = f"{SHORT[manifest.kind]} {name}"
                replicas = at(data, "spec", "replicas")
                aside = f"×{replicas}" if isinstance(replicas, int) else ""
        return Said(name, aside, manifest.origin())
