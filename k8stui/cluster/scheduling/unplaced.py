"""What keeps a pod from every node, and what would let it onto one: label by label, taint by taint.

The scheduler counts nodes; here stands which of the pod's own words no node answers. Labels that
have been renamed: kubeadm's node-role.kubernetes.io/master (gone in 1.24; its taint in 1.25), the
beta ones of k8s.io/api/core/v1/well_known_labels.go.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from k8stui.apiserver import quantity
from k8stui.apiserver.amounts import pod_amounts
from k8stui.apiserver.fields import Object, array, labels, table, text, texts
from k8stui.cluster.model import Node, Taint
from k8stui.cluster.selectors import tolerates
from k8stui.suggest import Wordbook, is_typo

_RENAMED = {
    "node-role.kubernetes.io/master": "node-role.kubernetes.io/control-plane",
    "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
    "beta.kubernetes.io/instance-type": "node.kubernetes.io/instance-type",
    "beta.kubernetes.io/os": "kubernetes.io/os",
    "beta.kubernetes.io/arch": "kubernetes.io/arch",
}
_CONDITIONS = {
    "node.kubernetes.io/not-ready": "it is not Ready: most often its network plug-in is missing",
    "node.kubernetes.io/unreachable": "its kubelet is not heard of",
    "node.kubernetes.io/network-unavailable": "its network is not set up",
    "node.kubernetes.io/disk-pressure": "its disk is full",
    "node.kubernetes.io/memory-pressure": "its memory is used up",
    "node.kubernetes.io/pid-pressure": "it has too many processes",
    "node.cloudprovider.kubernetes.io/uninitialized": "the cloud's controller manager has not "
    "set it up",
}
"""Taints that the control plane sets and takes off itself (node lifecycle controller)."""
_KEEPS_OFF = ("NoSchedule", "NoExecute")
_WORDS = ("cpu", "memory", "ephemeral-storage")


class Mends:
    """What would let pods onto the nodes that there are."""

    def __init__(self, nodes: Mapping[str, Node], allocatable: Mapping[str, Object]) -> None:
        self._nodes = list(nodes.values())
        self._allocatable = allocatable
        self._carried: dict[str, Counter[str]] = {}
        """The values that nodes have for each label."""
        for node in self._nodes:
            for key, value in node.labels.items():
                self._carried.setdefault(key, Counter())[value] += 1
        self._books: dict[str, Wordbook] = {}

    def of(self, spec: Object) -> tuple[str, ...]:
        """Each a phrase; empty where the pod's own words say nothing."""
        if not self._nodes:
            return ()
        wanted = list(_wanted(spec))
        fitting, said = self._nodes, list[str]()
        for key, value in wanted:
            if value not in self._carried.get(key, ()):
                said.append(self._label(key, value))
            else:
                fitting = [node for node in fitting if node.labels.get(key) == value] or fitting
        called = {_RENAMED.get(key, key) for key, _ in wanted} & self._carried.keys()
        if said and called:
            # Renamed or misspelt: the nodes that were meant may keep it off by a taint as well.
            fitting = [node for node in self._nodes if called & node.labels.keys()]
        barred = _barred(array(spec, "tolerations"), fitting)
        if barred is not None:
            said.append(barred)
        return (*said, *_too_much(spec, fitting, self._allocatable))

    def _label(self, key: str, value: str) -> str:
        """``no node has KEY=VALUE``, and the one that some node has instead."""
        said, carried = f"no node has {key}={value}", self._carried
        renamed = _RENAMED.get(key)
        if renamed in carried:
            return f"{said}: write {renamed}, as that label is called now"
        label = f"label a node as the pod wants it (kubectl label node NODE {key}={value})"
        if key in carried:
            if key not in self._books:
                self._books[key] = Wordbook(carried[key])
            near = self._books[key].nearest(value)
            if near is not None and is_typo(value, near):
                return f"{said}: write {key}: {near}, which a node has"
            has = near or ", ".join(sorted(carried[key])[:3])
            return f"{said}: {label}, or write {key}: {has}, which a node has"
        slip = next((other for other in carried if is_typo(key, other)), None)
        same = [other for other, values in carried.items() if value and value in values]
        meant = slip or (same[0] if len(same) == 1 and value not in ("true", "") else None)
        if meant is not None:
            return f"{said}: write {meant} instead of {key}"
        return f"{said}: {label}, or take that out of the pod"


def _wanted(spec: Object) -> Iterator[tuple[str, str]]:
    """Labels that a node must have: nodeSelector, and an affinity that leaves no choice."""
    yield from labels(spec, "nodeSelector").items()
    required = table(spec, "affinity", "nodeAffinity")
    field = "requiredDuringSchedulingIgnoredDuringExecution"
    terms = array(required, field, "nodeSelectorTerms")
    for one in array(terms[0], "matchExpressions") if len(terms) == 1 else ():
        values = texts(one, "values")
        if text(one, "operator") == "In" and len(values) == 1:
            yield text(one, "key"), values[0]


def _barred(tolerations: Sequence[object], nodes: Sequence[Node]) -> str | None:
    """The taints of the first node, where each node has one that keeps the pod off."""
    if not nodes or not all(any(_bars(tolerations, node)) for node in nodes):
        return None
    name, taints = nodes[0].name, [*_bars(tolerations, nodes[0])]
    ill = next((one for one in taints if one.key in _CONDITIONS), None)
    if ill is not None:
        return (
            f"mend node {name}, whose taint {ill.key} says that {_CONDITIONS[ill.key]} (kubectl "
            f"describe node {name}): it goes when that is over, and no toleration helps"
        )
    listed = ", ".join(_shown(one) for one in taints)
    said = (
        f"give the pod a toleration for the taint{'s' if len(taints) > 1 else ''} {listed} of "
        f"{name}, or take {'them' if len(taints) > 1 else 'it'} off"
    )
    asked = next((text(one, "key") for one in tolerations if text(one, "key") in _RENAMED), "")
    if any(_RENAMED.get(asked) == one.key for one in taints):
        said += f" (it tolerates {asked}, as that taint was called before)"
    return said


def _bars(tolerations: Sequence[object], node: Node) -> Iterator[Taint]:
    for taint in node.taints:
        if taint.effect in _KEEPS_OFF and not tolerates(tolerations, taint):
            yield taint


def _shown(taint: Taint) -> str:
    value = f"={taint.value}" if taint.value else ""
    return f"{taint.key}{value}:{taint.effect}"


def _too_much(
    spec: Object, nodes: Iterable[Node], allocatable: Mapping[str, Object]
) -> Iterator[str]:
    """A pod that asks for more than the largest node has at all: most often a unit is missing."""
    asked = pod_amounts(spec, "requests")
    for name in filter(asked.get, _WORDS):
        given = [table(allocatable.get(node.name, {})).get(name) for node in nodes]
        most = max((quantity.parse(one) for one in given if one is not None), default=0)
        if most and asked[name] > most:
            wants, has = quantity.show(asked[name]), quantity.show(most)
            yield f"ask for less {name}: the pod wants {wants}, and the largest node has {has}"
