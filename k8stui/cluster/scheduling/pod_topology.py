"""Filters that look at other pods: topology spread, pod affinity and anti-affinity.

Sources: pkg/scheduler/framework/plugins/podtopologyspread/filtering.go and interpodaffinity/
filtering.go; docs/facts/control-plane.md section 8.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

from k8stui.cluster.model import Node
from k8stui.cluster.scheduling.needs import Needs, PodTerm, Spread
from k8stui.cluster.scheduling.placed import (
    Pair,
    Placed,
    PlacedPods,
    PlacedTerms,
    Tallies,
    Tally,
    asked_labels,
)
from k8stui.cluster.scheduling.refusal import Refusal
from k8stui.cluster.selectors import matches, namespace_labels, tolerates
from k8stui.record import record

_SPREAD = "node(s) didn't match pod topology spread constraints"
_SPREAD_LABEL = f"{_SPREAD} (missing required label)"
_AFFINITY = "node(s) didn't match pod affinity rules"
_ANTI_AFFINITY = "node(s) didn't match pod anti-affinity rules"
_EXISTING = "node(s) didn't satisfy existing pods anti-affinity rules"


class Topology:
    """All pods that have a node, and the nodes."""

    def __init__(self, nodes: Iterable[Node], namespaces: Mapping[str, Mapping[str, str]]) -> None:
        self._nodes = tuple(nodes)
        self._namespaces = namespaces
        self._placed = PlacedPods()
        self._tallies = Tallies(self._placed)
        self._hermits = PlacedTerms()
        """Required anti-affinity: it keeps newcomers away."""
        self._wishes = PlacedTerms()
        """Preferred terms, and required affinity, which draws newcomers a little."""

    def add(self, pod: Placed) -> None:
        self._placed.add(pod)
        self._count(pod, 1)

    def remove(self, pod: Placed) -> None:
        self._placed.remove(pod)
        self._count(pod, -1)

    def _count(self, pod: Placed, by: int) -> None:
        self._tallies.count(pod, by)
        for term in pod.needs.anti_affinity:
            self._hermits.count(0, term, pod, by)
        for weight, term in _wishes(pod.needs):
            self._wishes.count(weight, term, pod, by)

    def is_wished(self, namespace: str, labels: Mapping[str, str]) -> bool:
        """Whether pods that are there may care where a newcomer goes."""
        return any(group.pods for group in self._wishes.perhaps(namespace, labels))

    def liking(
        self, namespace: str, labels: Mapping[str, str], needs: Needs, nodes: Sequence[Node]
    ) -> list[int]:
        """How much a newcomer and the pods of each node's surroundings like one another.

        Source: interpodaffinity/scoring.go processExistingPod.
        """
        weights: Counter[Pair] = Counter()
        for weight, term in needs.liked:
            for pair, number in self._around(namespace, labels, (term,)).items():
                weights[pair] += weight * number
        for group in self._wishes.perhaps(namespace, labels):
            if self._selects(group.term, group.namespace, group.labels, namespace, labels):
                for value, number in group.values.items():
                    weights[group.term.key, value] += group.weight * number
        if not weights:
            return [0] * len(nodes)
        return [
            sum(
                weights[key, value] for key, value in node.labels.items() if (key, value) in weights
            )
            for node in nodes
        ]

    def view(self, namespace: str, labels: Mapping[str, str], needs: Needs) -> TopologyView:
        """Count what one incoming pod looks at (the plugins' PreFilter)."""
        return TopologyView(
            spreads=tuple(
                (spread, *self._spread(namespace, labels, needs, spread))
                for spread in needs.spreads
            ),
            affinity=needs.affinity,
            near=self._around(namespace, labels, needs.affinity),
            waived=bool(needs.affinity)
            and all(
                self._selects(term, namespace, labels, namespace, labels) for term in needs.affinity
            ),
            anti_affinity=tuple(
                (term, self._around(namespace, labels, (term,))) for term in needs.anti_affinity
            ),
            kept_away=self._kept_away(namespace, labels),
        )

    def _spread(
        self, namespace: str, labels: Mapping[str, str], needs: Needs, spread: Spread
    ) -> tuple[Counter[Pair], int, int]:
        """Matching pods per domain, the fewest of them, and 1 if the pod itself matches."""
        tally = self.spread_tally(namespace, labels, needs, spread, needs.spreads)
        fewest = 0 if len(tally.pairs) < spread.min_domains else tally.fewest
        return tally.pairs, fewest, int(_counted(spread, labels, labels))

    def spread_tally(
        self,
        namespace: str,
        labels: Mapping[str, str],
        needs: Needs,
        spread: Spread,
        together: Sequence[Spread],
    ) -> Tally:
        """Matching pods per domain.

        A node counts, with its pods, when it has the keys of all of `together` and the
        constraint's policies take it in (filtering.go calPreFilterState).
        """
        same = {key: labels[key] for key in spread.match_label_keys if key in labels}
        return self._tallies.of(
            (namespace, id(needs), id(spread), tuple(same.items())),
            partial(self._new_tally, namespace, same, needs, spread, together),
            spread.selector,
            (namespace,),
        )

    def _new_tally(
        self,
        namespace: str,
        same: Mapping[str, str],
        needs: Needs,
        spread: Spread,
        together: Sequence[Spread],
    ) -> Tally:
        keys = {other.key for other in together}
        counted = {
            node.name: node.labels[spread.key]
            for node in self._nodes
            if keys <= node.labels.keys()
            and (not spread.honor_affinity or needs.nodes.matches(node))
            and (not spread.honor_taints or _is_tolerated(needs, node))
        }

        def means(pod: Placed) -> bool:
            return (
                pod.node.name in counted
                and pod.namespace == namespace
                and not pod.terminating
                and _counted(spread, same, pod.labels)
            )

        return Tally((spread.key,), means, ((spread.key, value) for value in counted.values()))

    def _around(
        self, namespace: str, labels: Mapping[str, str], terms: Sequence[PodTerm]
    ) -> Mapping[Pair, int]:
        """Where pods stand that match all of `terms`, and how many."""
        if not terms:
            return {}
        first = terms[0]
        spaces: Sequence[str] | None = first.namespaces or (namespace,)
        if first.namespace_selector is not None:
            spaces = None
        question = tuple((id(term), asked_labels(term, labels)) for term in terms)

        def means(pod: Placed) -> bool:
            return all(
                self._selects(term, namespace, labels, pod.namespace, pod.labels) for term in terms
            )

        make = partial(Tally, tuple(dict.fromkeys(term.key for term in terms)), means)
        return self._tallies.of((namespace, question), make, first.selector, spaces).pairs

    def _kept_away(
        self, namespace: str, labels: Mapping[str, str]
    ) -> tuple[tuple[str, Mapping[str, int]], ...]:
        """Topology keys, and the domains of each that pods keep for themselves."""
        return tuple(
            (group.term.key, group.values)
            for group in self._hermits.perhaps(namespace, labels)
            if group.values
            and self._selects(group.term, group.namespace, group.labels, namespace, labels)
        )

    def _selects(
        self,
        term: PodTerm,
        own: str,
        own_labels: Mapping[str, str],
        namespace: str,
        labels: Mapping[str, str],
    ) -> bool:
        """Whether a term of a pod in namespace `own` means a pod with `labels` in `namespace`.

        matchLabelKeys and mismatchLabelKeys become part of the selector when the pod is made
        (pkg/registry/core/pod/strategy.go applyMatchLabelKeysAndMismatchLabelKeys).
        """
        for keys, same in ((term.match_label_keys, True), (term.mismatch_label_keys, False)):
            for key in keys:
                if key in own_labels and (labels.get(key) == own_labels[key]) is not same:
                    return False
        if term.namespace_selector is None and not term.namespaces:
            in_reach = namespace == own
        else:
            in_reach = namespace in term.namespaces or matches(
                term.namespace_selector, namespace_labels(self._namespaces, namespace)
            )
        return in_reach and matches(term.selector, labels)


def _counted(spread: Spread, labels: Mapping[str, str], others: Mapping[str, str]) -> bool:
    """Whether a constraint of a pod with `labels` counts a pod with the labels `others`."""
    same = {key: labels[key] for key in spread.match_label_keys if key in labels}
    return matches(spread.selector, others) and same.items() <= others.items()


def _wishes(needs: Needs) -> Iterator[tuple[int, PodTerm]]:
    """A required affinity weighs 1 (hardPodAffinityWeight)."""
    yield from needs.liked
    for term in needs.affinity:
        yield 1, term


def _is_tolerated(needs: Needs, node: Node) -> bool:
    return all(
        tolerates(needs.tolerations, taint)
        for taint in node.taints
        if taint.effect in ("NoSchedule", "NoExecute")
    )


@record()
class TopologyView:
    """What one incoming pod sees of the others."""

    spreads: tuple[tuple[Spread, Counter[Pair], int, int], ...]
    affinity: tuple[PodTerm, ...]
    near: Mapping[Pair, int]
    """Where pods stand that match all of `affinity`."""
    waived: bool
    """The pod matches its own affinity terms: the first of its group may go anywhere."""
    anti_affinity: tuple[tuple[PodTerm, Mapping[Pair, int]], ...]
    kept_away: tuple[tuple[str, Mapping[str, int]], ...]

    @property
    def is_open(self) -> bool:
        """Whether no other pod keeps this one from any node."""
        return not (self.spreads or self.affinity or self.anti_affinity or self.kept_away)

    def refuse(self, node: Node) -> Refusal | None:
        """Why `node` does not fit; None when it does."""
        if self.is_open:
            return None
        for spread, counts, fewest, itself in self.spreads:
            domain = node.labels.get(spread.key)
            if domain is None:
                return Refusal((_SPREAD_LABEL,), final=True)
            if counts[spread.key, domain] + itself - fewest > spread.max_skew:
                return Refusal((_SPREAD,), final=False)
        if not self._is_near(node):
            return Refusal((_AFFINITY,), final=True)
        for term, pairs in self.anti_affinity:
            if (term.key, node.labels.get(term.key)) in pairs:
                return Refusal((_ANTI_AFFINITY,), final=False)
        if any(node.labels.get(key) in values for key, values in self.kept_away):
            return Refusal((_EXISTING,), final=False)
        return None

    def _is_near(self, node: Node) -> bool:
        if any(term.key not in node.labels for term in self.affinity):
            return False
        if all((term.key, node.labels[term.key]) in self.near for term in self.affinity):
            return True
        return not self.near and self.waived
