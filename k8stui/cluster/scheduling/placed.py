"""The pods that have a node, found by what pod affinity terms look for.

Most terms ask for labels in their pod's own namespace. So pods are indexed by label, and the terms
of pods that are there by a label that they ask for: thousands of pods with terms cost no more than
the few that each looks at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence

from k8stui.apiserver.fields import table
from k8stui.cluster.model import Node
from k8stui.cluster.scheduling.needs import Needs, PodTerm
from k8stui.record import record

_Key = tuple[str, str, object]
"""(namespace, label, value)."""

Pair = tuple[str, str]
"""(topology key, value)."""


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
        # Mappings serve as sets that keep their order: thousands may be sent away and come back.
        self._all: dict[Placed, None] = {}
        self._by_label: dict[_Key, dict[Placed, None]] | None = None

    def add(self, pod: Placed) -> None:
        self._all[pod] = None
        if self._by_label is not None:
            self._enter(self._by_label, pod)

    def remove(self, pod: Placed) -> None:
        del self._all[pod]
        if self._by_label is not None:
            for key, value in pod.labels.items():
                del self._by_label[pod.namespace, key, value][pod]

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
            found = [self._by_label.get((namespace, *pair), {}) for pair in wanted.items()]
            yield from min(found, key=len)

    @staticmethod
    def _enter(by_label: dict[_Key, dict[Placed, None]], pod: Placed) -> None:
        for key, value in pod.labels.items():
            by_label.setdefault((pod.namespace, key, value), {})[pod] = None


class Tally:
    """How many of the pods that one question means stand in each domain, kept up to date."""

    def __init__(
        self, keys: Sequence[str], means: Callable[[Placed], bool], domains: Iterable[Pair] = ()
    ) -> None:
        self._keys, self._means = keys, means
        self.pairs: Counter[Pair] = Counter(dict.fromkeys(domains, 0))
        """By topology key and value. Those given at first stay without a pod, too."""
        self._lasting = frozenset(self.pairs)
        self._levels = Counter({0: len(self.pairs)})
        """How many domains have so many."""
        self.fewest = 0
        """In any of those given at first."""

    def count(self, pod: Placed, by: int) -> None:
        """A pod comes (1) or goes (-1)."""
        if not self._means(pod):
            return
        for key in self._keys:
            value = pod.node.labels.get(key)
            if value is not None:
                before = self.pairs[key, value]
                self.pairs[key, value] = before + by
                if (key, value) in self._lasting:
                    self._move(before, before + by)
                elif not before + by:
                    del self.pairs[key, value]

    def _move(self, before: int, after: int) -> None:
        self._levels[before] -= 1
        self._levels[after] += 1
        if after < self.fewest or (before == self.fewest and not self._levels[before]):
            self.fewest = after


class Tallies:
    """All questions asked so far. A pod is shown to those only that may mean it."""

    def __init__(self, pods: PlacedPods) -> None:
        self._pods = pods
        self._known: dict[Hashable, Tally] = {}
        self._places: dict[_Key | None, list[Tally]] = {}

    def of(
        self,
        question: Hashable,
        make: Callable[[], Tally],
        selector: object,
        namespaces: Sequence[str] | None,
    ) -> Tally:
        """The tally of a question; `selector` and `namespaces` as in `PlacedPods.perhaps`."""
        found = self._known.get(question)
        if found is None:
            found = self._known[question] = make()
            for pod in self._pods.perhaps(selector, namespaces):
                found.count(pod, 1)
            wanted = table(selector, "matchLabels")
            if not wanted or namespaces is None:
                self._places.setdefault(None, []).append(found)
            else:
                key, value = next(iter(wanted.items()))
                for namespace in dict.fromkeys(namespaces):
                    self._places.setdefault((namespace, key, value), []).append(found)
        return found

    def count(self, pod: Placed, by: int) -> None:
        """A pod comes (1) or goes (-1)."""
        if not self._known:
            return
        for each in self._places.get(None, ()):
            each.count(pod, by)
        for key, value in pod.labels.items():
            for each in self._places.get((pod.namespace, key, value), ()):
                each.count(pod, by)


@record(eq=False, frozen=False)
class TermGroup:
    """One term of all pods of a template that are there: it looks at them alike."""

    weight: int
    term: PodTerm
    namespace: str
    labels: Mapping[str, str]
    """Of one of the pods: the others have the same where the term looks."""
    pods: int
    values: Counter[str]
    """How many of the pods are in each domain of the term's key."""


class PlacedTerms:
    """Terms of pods that are there, with their weights, by a label that they look for."""

    def __init__(self) -> None:
        self._groups: dict[_Key | None, dict[Hashable, TermGroup]] = {}

    def count(self, weight: int, term: PodTerm, pod: Placed, by: int) -> None:
        """A pod with the term comes (1) or goes (-1)."""
        groups = self._groups.setdefault(_key(term, pod), {})
        name = (weight, id(term), pod.namespace, asked_labels(term, pod.labels))
        group = groups.get(name)
        if group is None:
            group = TermGroup(weight, term, pod.namespace, pod.labels, 0, Counter())
            groups[name] = group
        group.pods += by
        value = pod.node.labels.get(term.key)
        if value is not None:
            group.values[value] += by
            if not group.values[value]:
                del group.values[value]

    def perhaps(self, namespace: str, labels: Mapping[str, str]) -> Iterator[TermGroup]:
        """Terms that may mean a pod of `namespace` with `labels`."""
        if self._groups:
            yield from self._groups.get(None, {}).values()
            for key, value in labels.items():
                yield from self._groups.get((namespace, key, value), {}).values()


def asked_labels(term: PodTerm, labels: Mapping[str, str]) -> tuple[str | None, ...]:
    """All that a term looks at of its own pod's labels."""
    return tuple(labels.get(key) for key in (*term.match_label_keys, *term.mismatch_label_keys))


def _key(term: PodTerm, pod: Placed) -> _Key | None:
    wanted = table(term.selector, "matchLabels")
    if not wanted or term.namespaces or term.namespace_selector is not None:
        return None
    key, value = next(iter(wanted.items()))
    return pod.namespace, key, value
