"""What can be asked, and by whom, as it is typed: found by a part of it, or by letters in order."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from k8stui.kernel.derived import Derived
from k8stui.walk.kinds import SHORT
from k8stui.walk.lookup import can_send

if TYPE_CHECKING:
    from k8stui.cluster.model import Cluster, Node, Pod, Service, Workload

Named = TypeVar("Named", "Pod", "Service")

_MOST = 20_000
"""Candidates that are kept: each letter typed looks at all of them, in a few milliseconds."""


def sources(cluster: Cluster, namespace: str) -> Iterator[str]:
    """Everything that can ask: of other namespaces as ``NAMESPACE/pod/NAME``."""
    return _sources(cluster.nodes, cluster.pods, cluster.workloads, namespace)


def _sources(
    nodes: Mapping[str, Node],
    pods: Mapping[str, Pod],
    workloads: Sequence[Workload],
    namespace: str,
) -> Iterator[str]:
    yield "outside"
    yield from (f"node/{name}" for name in nodes)
    for pod in _home_first(pods.values(), namespace):
        if can_send(pod):
            yield _of(namespace, pod.namespace, f"pod/{pod.name}")
    for work in workloads:
        if work.kind in SHORT and any(can_send(pods[key]) for key in work.pods):
            yield _of(namespace, work.namespace, f"{SHORT[work.kind]}/{work.name}")


def destinations(cluster: Cluster, namespace: str) -> Iterator[str]:
    """Everything that can be asked, with its ports."""
    return _destinations(cluster.nodes, cluster.pods, cluster.services, namespace)


def _destinations(
    nodes: Mapping[str, Node],
    pods: Mapping[str, Pod],
    services: Mapping[str, Service],
    namespace: str,
) -> Iterator[str]:
    for service in _home_first(services.values(), namespace):
        name = service.name
        if service.namespace != namespace:
            name = f"{name}.{service.namespace}"
        yield from (f"svc/{name}:{port.port}{_end(port.protocol.name)}" for port in service.ports)
    for service in _home_first(services.values(), namespace):
        for port in service.ports:
            if port.node_port:
                end = _end(port.protocol.name)
                yield from (f"node/{name}:{port.node_port}{end}" for name in nodes)
    for pod in _home_first(pods.values(), namespace):
        if not can_send(pod):
            continue
        ports = [
            f"{p.number}{_end(p.protocol.name)}" for each in pod.containers for p in each.ports
        ]
        name = _of(namespace, pod.namespace, f"pod/{pod.name}")
        yield from (f"{name}:{port}" for port in ports or ["80"])
    yield "localhost:8080"


def _home_first(all_of_them: Collection[Named], namespace: str) -> Iterator[Named]:
    """Those of a namespace, then the others; the first ones are there without a look at all."""
    yield from (one for one in all_of_them if one.namespace == namespace)
    yield from (one for one in all_of_them if one.namespace != namespace)


def _of(home: str, namespace: str, name: str) -> str:
    return name if namespace == home else f"{namespace}/{name}"


def _end(protocol: str) -> str:
    return "" if protocol == "TCP" else f"/{protocol.lower()}"


class Candidates:
    """Names in their order, and which of them match what was typed.

    They are made when they are looked at: to open a box over 20,000 of them takes no longer than
    over ten.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._coming = iter(names)
        self._low: dict[str, str] = {}
        """Each name that was made so far, and its small letters."""

    @property
    def names(self) -> Sequence[str]:
        """All of them."""
        self._make()
        return tuple(self._low)

    def _make(self, most: int = _MOST) -> None:
        """Have so many of them there."""
        while len(self._low) < most and (name := next(self._coming, None)) is not None:
            self._low[name] = name.lower()

    def matching(self, typed: str, most: int = 50) -> list[str]:
        """Give the names that match, the best first; nothing typed: the first names.

        Best is what begins so, as a whole or behind a slash; then what holds it; then what holds
        its letters in this order.
        """
        needle = typed.strip().lower()
        if not needle:
            self._make(most)
            return list(islice(self._low, most))
        self._make()
        ranked: tuple[list[str], ...] = ([], [], [])
        loose = re.compile(".*?".join(map(re.escape, needle)))
        for name, low in self._low.items():
            if needle in low:
                begins = low.startswith(needle) or f"/{needle}" in low
                ranked[0 if begins else 1].append(name)
            elif loose.search(low):
                ranked[2].append(name)
            if len(ranked[0]) >= most:
                break
        return [name for rank in ranked for name in rank][:most]


class WhoAndWhom:
    """Who can ask in a cluster, and who be asked, as they are typed in a namespace: made once.

    What makes the rest of the names holds parts of the cluster, not the cluster: as long as that
    were held, neither would go.
    """

    def __init__(self) -> None:
        self._sources: dict[str, Candidates] = {}
        self._destinations: dict[str, Candidates] = {}

    def sources(self, cluster: Cluster, namespace: str) -> Candidates:
        """Everything that can ask."""
        if namespace not in self._sources:
            self._sources[namespace] = Candidates(sources(cluster, namespace))
        return self._sources[namespace]

    def destinations(self, cluster: Cluster, namespace: str) -> Candidates:
        """Everything that can be asked."""
        if namespace not in self._destinations:
            self._destinations[namespace] = Candidates(destinations(cluster, namespace))
        return self._destinations[namespace]


who_and_whom: Derived[Cluster, WhoAndWhom] = Derived(lambda _: WhoAndWhom())
