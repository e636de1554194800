"""What can be asked, and by whom, as it is typed: found by a part of it, or by letters in order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from k8stui.walk.kinds import SHORT
from k8stui.walk.lookup import can_send

if TYPE_CHECKING:
    from k8stui.cluster.model import Cluster

_MOST = 20_000
"""Candidates that are kept: each letter typed looks at all of them, in a few milliseconds."""


def sources(cluster: Cluster, namespace: str) -> Iterator[str]:
    """Everything that can ask: of other namespaces as ``NAMESPACE/pod/NAME``."""
    yield "outside"
    yield from (f"node/{name}" for name in cluster.nodes)
    pods = sorted(
        (pod for pod in cluster.pods.values() if can_send(pod)),
        key=lambda pod: pod.namespace != namespace,
    )
    yield from (_of(namespace, pod.namespace, f"pod/{pod.name}") for pod in pods)
    for work in cluster.workloads:
        if work.kind in SHORT and any(can_send(cluster.pods[key]) for key in work.pods):
            yield _of(namespace, work.namespace, f"{SHORT[work.kind]}/{work.name}")


def destinations(cluster: Cluster, namespace: str) -> Iterator[str]:
    """Everything that can be asked, with its ports."""
    services = sorted(cluster.services.values(), key=lambda one: one.namespace != namespace)
    for service in services:
        name = service.name
        if service.namespace != namespace:
            name = f"{name}.{service.namespace}"
        yield from (f"svc/{name}:{port.port}{_end(port.protocol.name)}" for port in service.ports)
    for service in services:
        for port in service.ports:
            if port.node_port:
                end = _end(port.protocol.name)
                yield from (f"node/{name}:{port.node_port}{end}" for name in cluster.nodes)
    for pod in sorted(cluster.pods.values(), key=lambda one: one.namespace != namespace):
        if not can_send(pod):
            continue
        ports = [
            f"{p.number}{_end(p.protocol.name)}" for each in pod.containers for p in each.ports
        ]
        name = _of(namespace, pod.namespace, f"pod/{pod.name}")
        yield from (f"{name}:{port}" for port in ports or ["80"])
    yield "localhost:8080"


def _of(home: str, namespace: str, name: str) -> str:
    return name if namespace == home else f"{namespace}/{name}"


def _end(protocol: str) -> str:
    return "" if protocol == "TCP" else f"/{protocol.lower()}"


class Candidates:
    """Names in their order, and which of them match what was typed."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names: Sequence[str] = tuple(dict.fromkeys(_first(names)))
        self._low = [name.lower() for name in self.names]

    def matching(self, typed: str, most: int = 50) -> list[str]:
        """Give the names that match, the best first; nothing typed: the first names.

        Best is what begins so, as a whole or behind a slash; then what holds it; then what holds
        its letters in this order.
        """
        needle = typed.strip().lower()
        if not needle:
            return list(self.names[:most])
        ranked: tuple[list[str], ...] = ([], [], [])
        loose = re.compile(".*?".join(map(re.escape, needle)))
        for name, low in zip(self.names, self._low, strict=True):
            if needle in low:
                begins = low.startswith(needle) or f"/{needle}" in low
                ranked[0 if begins else 1].append(name)
            elif loose.search(low):
                ranked[2].append(name)
            if len(ranked[0]) >= most:
                break
        return [name for rank in ranked for name in rank][:most]


def _first(names: Iterable[str]) -> Iterator[str]:
    for number, name in enumerate(names):
        if number == _MOST:
            return
        yield name
