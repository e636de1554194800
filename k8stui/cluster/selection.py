"""Whom the selectors of policies mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from k8stui.cluster.selectors import matches, namespace_labels

if TYPE_CHECKING:
    from k8stui.cluster.model import Cluster, Pod
    from k8stui.cluster.policy import Direction, Policy, PolicyPeer


def selects(
    policy: Policy,
    pod: Pod,
    direction: Direction | None,
    namespaces: Mapping[str, Mapping[str, str]],
) -> bool:
    """Whether the pod's traffic is ruled by the policy, that way (None: either).

    `namespaces`: the labels of those that the input holds, by name.
    """
    if direction is not None and direction not in policy.directions:
        return False
    if policy.namespaces is None:
        is_near = policy.namespace == pod.namespace
    else:
        is_near = matches(policy.namespaces, namespace_labels(namespaces, pod.namespace))
    return is_near and (policy.pods is None or matches(policy.pods, pod.labels))


class Selection:
    """The pods of one cluster by what selects them. Each answer is kept."""

    def __init__(self, cluster: Cluster) -> None:
        self._by_namespace: dict[str, list[Pod]] = {name: [] for name in cluster.namespace_labels}
        for pod in cluster.pods.values():
            self._by_namespace.setdefault(pod.namespace, []).append(pod)
        self._labels = cluster.namespace_labels
        self._known: dict[tuple[str, str], tuple[Pod, ...]] = {}

    def pods(self, namespace: str, selector: object) -> tuple[Pod, ...]:
        """Pods of a namespace, in the cluster's order; an absent selector selects none."""
        key = (namespace, repr(selector))
        found = self._known.get(key)
        if found is None:
            pods = self._by_namespace.get(namespace, ())
            found = tuple(pod for pod in pods if matches(selector, pod.labels))
            self._known[key] = found
        return found

    def namespaces(self, selector: object) -> Iterator[str]:
        """Namespaces that have pods, or are in the input, and have such labels."""
        for name in self._by_namespace:
            if matches(selector, namespace_labels(self._labels, name)):
                yield name

    def peer(self, policy: Policy, peer: PolicyPeer) -> Iterator[Pod]:
        """The pods that a peer of a rule means; none where it means addresses."""
        everybody: dict[str, object] = {}
        if peer.namespaces is not None:
            wanted = everybody if peer.pods is None else peer.pods
            for namespace in self.namespaces(peer.namespaces):
                yield from self.pods(namespace, wanted)
        elif peer.pods is not None:
            yield from self.pods(policy.namespace, peer.pods)
