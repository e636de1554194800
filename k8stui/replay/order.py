"""In which order a set of objects is applied.

As kubectl does it, file by file; or so that everything finds what it needs: what holds others
first, Services before the pods that are told of them by environment variables (Kubernetes,
"Configuration best practices"), and a workload behind what its text names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from k8stui.apiserver.fields import labels, text
from k8stui.apiserver.inventory import WORKLOADS
from k8stui.manifests import Manifest
from k8stui.replay.change import Key, key_of

ORDERS = ("files", "dependency")

_TIERS = (
    frozenset({"Namespace"}),
    frozenset({"NetworkPolicy", "ResourceQuota", "LimitRange", "PodDisruptionBudget"}),
    frozenset({"PriorityClass", "RuntimeClass", "ServiceAccount", "Secret", "ConfigMap"}),
    frozenset({"StorageClass", "PersistentVolume", "PersistentVolumeClaim"}),
    frozenset({"Service", "Endpoints", "EndpointSlice"}),
    frozenset({*WORKLOADS, "Pod", "CronJob"}),
)
"""As Helm installs (pkg/release/util/kind_sorter.go InstallOrder), coarser. All else comes last."""

_WORD = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?")


def ordered(objects: Sequence[Manifest], order: str) -> list[Manifest]:
    """`objects` in one of `ORDERS`. An object that comes twice keeps its own order."""
    return list(objects) if order == "files" else _by_need(objects)


def _by_need(objects: Sequence[Manifest]) -> list[Manifest]:
    import networkx as nx  # noqa: PLC0415 - 0.1 s, for this order alone

    needs: nx.DiGraph[int] = nx.DiGraph()
    needs.add_nodes_from(range(len(objects)))
    last: dict[Key, int] = {}
    for index, one in enumerate(objects):
        if (earlier := last.get(key_of(one))) is not None:
            needs.add_edge(earlier, index)
        last[key_of(one)] = index
    by_name: dict[tuple[str, str], list[int]] = {}
    for (kind, namespace, name), index in last.items():
        if kind not in WORKLOADS and kind != "Pod":
            by_name.setdefault((namespace, name), []).append(index)
    behind = dict(_backends(objects, last))
    for index, one in enumerate(objects):
        for needed in _needed(one, by_name):
            for other in (needed, *behind.get(needed, ())):
                if other != index:
                    needs.add_edge(other, index)
    # Those that name each other need one another at once: they keep their tiers and files.
    circles = nx.condensation(needs)
    first = {
        circle: min((_tier(objects[n]), n) for n in data["members"])
        for circle, data in circles.nodes(data=True)
    }
    found = nx.lexicographical_topological_sort(circles, key=first.__getitem__)
    return [
        objects[n]
        for circle in found
        for n in sorted(circles.nodes[circle]["members"], key=lambda n: (_tier(objects[n]), n))
    ]


def _tier(one: Manifest) -> int:
    return next((n for n, kinds in enumerate(_TIERS) if one.kind in kinds), len(_TIERS))


def _needed(one: Manifest, by_name: Mapping[tuple[str, str], Sequence[int]]) -> Iterator[int]:
    """What a workload's text names in its namespace: Services by host name, and ConfigMaps."""
    if one.kind not in WORKLOADS and one.kind not in ("Pod", "CronJob"):
        return
    namespace = key_of(one)[1]
    for word in dict.fromkeys(_words(one.data.get("spec"))):
        yield from by_name.get((namespace, word), ())


def _words(value: object) -> Iterator[str]:
    """Every part of every text that may be a name: of ``http://cart:80`` http, cart, 80."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield from _WORD.findall(one)
        elif isinstance(one, Mapping):
            waiting += [part for key, part in one.items() if key not in ("labels", "selector")]
        elif isinstance(one, list):
            waiting += one


def _backends(
    objects: Sequence[Manifest], last: Mapping[Key, int]
) -> Iterator[tuple[int, list[int]]]:
    """Service → the workloads whose pods it selects."""
    carriers: dict[tuple[str, str, str], list[int]] = {}
    for (kind, namespace, _), n in last.items():
        if kind in WORKLOADS or kind == "Pod":
            for label, value in _pod_labels(objects[n]).items():
                carriers.setdefault((namespace, label, value), []).append(n)
    for (kind, namespace, _), service in last.items():
        wanted = labels(objects[service].data, "spec", "selector") if kind == "Service" else {}
        if wanted:
            some = carriers.get((namespace, *next(iter(wanted.items()))), ())
            yield service, [n for n in some if wanted.items() <= _pod_labels(objects[n]).items()]


def _pod_labels(one: Manifest) -> Mapping[str, str]:
    path = () if one.kind == "Pod" else ("spec", "template")
    return labels(one.data, *path, "metadata", "labels")


def is_written(one: Manifest) -> bool:
    """Whether applying the object is a step; what else there is, is there from the begin."""
    return not one.observed and bool(text(one.data, "metadata", "name"))
