"""Whom the selectors of policies mean.

Said once, for a policy's own pods and for a rule's peer (`Chosen`). Three ask: of one pod
(`cluster.judgement`), of all pods (`Selection`), of sets of them (`reach.relations`). Calico's own
policies ask by one expression instead, of all that a pod carries for Calico (`carried`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from operator import itemgetter
from typing import TYPE_CHECKING, Generic, TypeVar

from k8stui.cluster.expression import Expression
from k8stui.cluster.policy import CalicoPolicy, as_asked
from k8stui.cluster.selectors import demanded, matches, namespace_labels
from k8stui.kernel.derived import Derived
from k8stui.record import record

if TYPE_CHECKING:
    from k8stui.cluster.model import Cluster, Pod
    from k8stui.cluster.policy import NetworkSet, Policy, PolicyPeer, Range


T = TypeVar("T")
Spaces = Mapping[str, Mapping[str, str]]
"""Labels of the namespaces that the input holds, by name."""


@record()
class Chosen:
    """Pods by their labels and by those of their namespaces."""

    own: str
    """The policy's namespace: that of the pods, where no namespaceSelector is written."""
    spaces: object = None
    """The namespaceSelector; None: none is written."""
    pods: object = None
    """The podSelector; None: all pods."""

    def has_space(self, namespace: str, written: Spaces) -> bool:
        """Whether it means pods of a namespace."""
        if self.spaces is None:
            return namespace == self.own
        return matches(self.spaces, namespace_labels(written, namespace))

    def has_labels(self, labels: Mapping[str, str]) -> bool:
        """Whether it means pods with these labels, in such a namespace."""
        return self.pods is None or matches(self.pods, labels)

    def has(self, namespace: str, labels: Mapping[str, str], written: Spaces) -> bool:
        """Whether it means a pod."""
        return self.has_space(namespace, written) and self.has_labels(labels)


def subject(policy: Policy) -> Chosen:
    """Whom a policy rules."""
    return Chosen(policy.namespace, policy.namespaces, policy.pods)


def meant(peer: PolicyPeer, namespace: str) -> Chosen:
    """Whom a peer that selects pods means, in a policy of `namespace`."""
    return Chosen(namespace, peer.namespaces, peer.pods)


_OF_NAMESPACES, _OF_ACCOUNTS = "pcns.", "pcsa."
_NAME, _NAMESPACE = "projectcalico.org/name", "projectcalico.org/namespace"
_ACCOUNT = "projectcalico.org/serviceaccount"


def of_namespace(cluster: Cluster, namespace: str) -> dict[str, str]:
    """What Calico's selectors find at whatever is in a namespace.

    Source: libcalico-go lib/backend/k8s/conversion NamespaceToProfile.
    """
    spaces = namespace_labels(cluster.namespace_labels, namespace)
    inherited = {_OF_NAMESPACES + key: value for key, value in spaces.items()}
    return {**inherited, _OF_NAMESPACES + _NAME: namespace, _NAMESPACE: namespace}


def _carried(cluster: Cluster) -> Mapping[str, Mapping[str, str]]:
    names = {one.namespace for one in cluster.pods.values()}
    spaces = {name: of_namespace(cluster, name) for name in names}
    return {one.key: _of(cluster, one, spaces[one.namespace]) for one in cluster.pods.values()}


def _of(cluster: Cluster, pod: Pod, inherited: Mapping[str, str]) -> Mapping[str, str]:
    own = cluster.account_labels.get(f"{pod.namespace}/{pod.service_account}", {})
    return {
        **inherited,
        **{_OF_ACCOUNTS + key: value for key, value in own.items()},
        _OF_ACCOUNTS + _NAME: pod.service_account,
        **pod.labels,
        _NAMESPACE: pod.namespace,
        "projectcalico.org/orchestrator": "k8s",
        _ACCOUNT: pod.service_account,
    }


_all_carried: Derived[Cluster, Mapping[str, Mapping[str, str]]] = Derived(_carried)


def carried(cluster: Cluster, pod: Pod) -> Mapping[str, str]:
    """What Calico's selectors find at a pod: its labels, and what it has of others.

    Source: libcalico-go lib/backend/k8s/conversion podToDefaultWorkloadEndpoint,
    serviceAccountToProfile.
    """
    found = _all_carried.of(cluster).get(pod.key)
    # Cluster DNS is asked about, too, where the input has none of its pods.
    return found or _of(cluster, pod, of_namespace(cluster, pod.namespace))


class _Ruling:
    """The policies of one cluster, by a label that their pods must carry."""

    def __init__(self, cluster: Cluster) -> None:
        self._spaces = cluster.namespace_labels
        self._perhaps: dict[tuple[str, ...], list[tuple[int, Policy]]] = {}
        all_: Iterable[Policy] = cluster.all_policies
        for place, policy in enumerate(as_asked(all_) if cluster.calico_policies else all_):
            key = policy.namespace, *next(demanded(policy.pods), ())
            self._perhaps.setdefault(key, []).append((place, policy))
        self._known: dict[str, tuple[Policy, ...]] = {}

    def over(self, cluster: Cluster, pod: Pod) -> tuple[Policy, ...]:
        """`cluster`: the same; it goes where nobody else has it, so it is not kept here."""
        found = self._known.get(pod.key)
        if found is None:
            labels = ((), *pod.labels.items())
            keys = ((space, *pair) for space in (pod.namespace, "") for pair in labels)
            perhaps = sorted(
                (one for key in keys for one in self._perhaps.get(key, ())), key=itemgetter(0)
            )
            found = self._known[pod.key] = tuple(
                policy for _, policy in perhaps if self._selects(cluster, policy, pod)
            )
        return found

    def _selects(self, cluster: Cluster, policy: Policy, pod: Pod) -> bool:
        if isinstance(policy, CalicoPolicy):
            return policy.pods.holds(carried(cluster, pod))
        return subject(policy).has(pod.namespace, pod.labels, self._spaces)


_ruling: Derived[Cluster, _Ruling] = Derived(_Ruling)


def ruling(cluster: Cluster, pod: Pod) -> tuple[Policy, ...]:
    """The policies that select the pod, that way or the other, in the cluster's order.

    None of them is about a pod on its node's network, whatever they select.
    """
    return () if pod.host_network else _ruling.of(cluster).over(cluster, pod)


class ByLabel:
    """Namespaces, found by what selectors demand without a look at each."""

    def __init__(self, names: Collection[str], written: Spaces) -> None:
        self._names = names
        self._written = written

    def meant(self, chosen: Chosen) -> Iterator[str]:
        """Those of whose pods some may be meant, in their order."""
        if chosen.spaces is None:
            some: Collection[str] = [chosen.own] if chosen.own in self._names else ()
        else:
            wanted = (self._carriers.get(pair, ()) for pair in demanded(chosen.spaces))
            some = min(wanted, key=len, default=self._names)
        return (name for name in some if chosen.has_space(name, self._written))

    @cached_property
    def _carriers(self) -> Mapping[tuple[str, str], Collection[str]]:
        found: dict[tuple[str, str], list[str]] = {}
        for name in self._names:
            for pair in namespace_labels(self._written, name).items():
                found.setdefault(pair, []).append(name)
        return found


class Carriers(Generic[T]):
    """Whoever carries labels, found by Calico's selectors without a look at each."""

    def __init__(self, those: Iterable[tuple[T, Mapping[str, str]]]) -> None:
        self._all = list(those)
        self._by_label: dict[tuple[str, str], list[tuple[T, Mapping[str, str]]]] = {}
        for one in self._all:
            for pair in one[1].items():
                self._by_label.setdefault(pair, []).append(one)
        self._known: dict[Expression, Sequence[T]] = {}

    def meant_by(self, expression: Expression) -> Sequence[T]:
        found = self._known.get(expression)
        if found is None:
            wanted = (self._by_label.get(pair, []) for pair in expression.demanded())
            perhaps = min(wanted, key=len, default=self._all)
            found = tuple(one for one, labels in perhaps if expression.holds(labels))
            self._known[expression] = found
        return found


def _by_labels(cluster: Cluster) -> Carriers[NetworkSet]:
    return Carriers((one, one.labels) for one in cluster.network_sets)


_network_sets: Derived[Cluster, Carriers[NetworkSet]] = Derived(_by_labels)


def networks(cluster: Cluster, expression: Expression) -> Sequence[Range]:
    """The ranges of the sets of networks that a selector of Calico's means."""
    sets = _network_sets.of(cluster).meant_by(expression)
    return [net for one in sets for net in one.nets]


class Selection:
    """The pods of one cluster by what selects them. Each answer is kept."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._by_namespace: dict[str, list[Pod]] = {name: [] for name in cluster.namespace_labels}
        self._by_label: dict[tuple[str, str, str], list[Pod]] = {}
        for pod in cluster.pods.values():
            self._by_namespace.setdefault(pod.namespace, []).append(pod)
            for pair in pod.labels.items():
                self._by_label.setdefault((pod.namespace, *pair), []).append(pod)
        self._spaces = ByLabel(self._by_namespace, cluster.namespace_labels)
        self._known: dict[tuple[str, str], tuple[Pod, ...]] = {}

    def pods(self, chosen: Chosen) -> Iterator[Pod]:
        """Those that are meant, namespace by namespace, in the cluster's order."""
        for namespace in self._spaces.meant(chosen):
            yield from self._inside(namespace, chosen)

    def peer(self, policy: Policy, peer: PolicyPeer) -> Iterator[Pod]:
        """The pods that a peer of a rule means; none where it means addresses."""
        return self.pods(meant(peer, policy.namespace)) if peer.selects_pods else iter(())

    def meant_by(self, expression: Expression) -> Sequence[Pod]:
        """The pods that a selector of Calico's means, in the cluster's order."""
        return self._carriers.meant_by(expression)

    @cached_property
    def _carriers(self) -> Carriers[Pod]:
        pods = self._cluster.pods.values()
        return Carriers((one, carried(self._cluster, one)) for one in pods if not one.host_network)

    def _inside(self, namespace: str, chosen: Chosen) -> tuple[Pod, ...]:
        key = (namespace, repr(chosen.pods))
        found = self._known.get(key)
        if found is None:
            wanted = (self._by_label.get((namespace, *pair), []) for pair in demanded(chosen.pods))
            pods = min(wanted, key=len, default=self._by_namespace[namespace])
            found = tuple(pod for pod in pods if chosen.has_labels(pod.labels))
            self._known[key] = found
        return found
