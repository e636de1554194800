"""The pods that have a node, found by what pod affinity terms look for.

Most terms ask for labels in their pod's own namespace. So pods are indexed by label, and the terms
of pods that are there by a label that they ask for: thousands of pods with terms cost no more than
the few that each looks at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from k8stui.apiserver.fields import table
from k8stui.cluster.model import Node
from k8stui.cluster.needs import Needs, PodTerm
from k8stui.record import record

_Key = tuple[str, str, object]
"""(namespace, label, value)."""


@record(eq=False)
class Placed:
    """A pod that has a node."""

    namespace: str
    labels: Mapping[str, str]
    node: Node
    terminating: bool
    needs: Needs


class PlacedPods:
    """Pods by namespace and label; indexed when somebody asks for the first time."""

    def __init__(self) -> None:
        self._all: list[Placed] = []
        self._by_label: dict[_Key, list[Placed]] | None = None

    def add(self, pod: Placed) -> None:
        self._all.append(pod)
        if self._by_label is not None:
            self._enter(self._by_label, pod)

    def remove(self, pod: Placed) -> None:
        self._all.remove(pod)
        if self._by_label is not None:
            for key, value in pod.labels.items():
                self._by_label[pod.namespace, key, value].remove(pod)

    def perhaps(self, selector: object, namespaces: Sequence[str] | None) -> Iterator[Placed]:
        """Pods that `selector` may match; None: of any namespace."""
        wanted = table(selector, "matchLabels")
        if not wanted or namespaces is None:
            yield from self._all
            return
        if self._by_label is None:
            self._by_label = {}
            for pod in self._all:
                self._enter(self._by_label, pod)
        for namespace in namespaces:
            lists = [self._by_label.get((namespace, *pair), ()) for pair in wanted.items()]
            yield from min(lists, key=len)

    @staticmethod
    def _enter(by_label: dict[_Key, list[Placed]], pod: Placed) -> None:
        for key, value in pod.labels.items():
            by_label.setdefault((pod.namespace, key, value), []).append(pod)


class PlacedTerms:
    """Terms of pods that are there, with their weights, by a label that they look for."""

    def __init__(self) -> None:
        self._terms: dict[_Key | None, list[tuple[int, PodTerm, Placed]]] = {}

    def add(self, weight: int, term: PodTerm, pod: Placed) -> None:
        self._terms.setdefault(_key(term, pod), []).append((weight, term, pod))

    def remove(self, weight: int, term: PodTerm, pod: Placed) -> None:
        self._terms[_key(term, pod)].remove((weight, term, pod))

    def perhaps(
        self, namespace: str, labels: Mapping[str, str]
    ) -> Iterator[tuple[int, PodTerm, Placed]]:
        """Terms that may mean a pod of `namespace` with `labels`."""
        if self._terms:
            yield from self._terms.get(None, ())
            for key, value in labels.items():
                yield from self._terms.get((namespace, key, value), ())


def _key(term: PodTerm, pod: Placed) -> _Key | None:
    wanted = table(term.selector, "matchLabels")
    if not wanted or term.namespaces or term.namespace_selector is not None:
        return None
    key, value = next(iter(wanted.items()))
    return pod.namespace, key, value
