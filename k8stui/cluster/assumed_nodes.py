"""What the input's pods need of the nodes that have to be assumed, so that they find a place.

Without Node objects nobody knows their labels and number; that a pod asks for a label is the best
sign that some node has it. What is made up here is as little as lets the pods run, so that a walk
shows the Service and not the guess.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from k8stui.apiserver import defaults
from k8stui.apiserver.fields import Object, array, at, labels, number, table, text, texts
from k8stui.apiserver.inventory import WORKLOADS, Inventory
from k8stui.cluster.scheduling.needs import REQUIRED
from k8stui.cluster.selectors import matches
from k8stui.cluster.well_known import HOSTNAME, OS

_KNOWN = frozenset({HOSTNAME, OS})
"""Labels that every node has with a value of its own or of its system."""
_CONTROL_PLANE = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
_MOST = 20
"""Nodes that are assumed for pods that may not share one."""


def apart(inventory: Inventory) -> int:
    """The most nodes that one workload needs because its pods may not share one."""
    most = 0
    for kind, data in _made(inventory):
        template = table(data, "spec", "template")
        if kind != "DaemonSet" and _alone(template):
            most = max(most, defaults.made_replicas(kind, table(data, "spec")))
    return min(most, _MOST)


def asked_labels(inventory: Inventory) -> dict[str, tuple[str, ...]]:
    """The values of labels that pods ask for, by key."""
    wanted: dict[str, dict[str, None]] = {}
    for kind, data in _made(inventory):
        spec = table(data, "spec") if kind == "Pod" else table(data, "spec", "template", "spec")
        for key, value in _asked(spec):
            if key not in _KNOWN:
                wanted.setdefault(key, {})[value] = None
    return {key: tuple(values) for key, values in wanted.items()}


def labels_at(asked: Mapping[str, tuple[str, ...]], place: int) -> dict[str, str]:
    """The labels of the node at `place` (from 1): it and the others have the values in turn."""
    return {
        key: values[(place - 1) % len(values)]
        for key, values in asked.items()
        if key not in _CONTROL_PLANE or place == 1
    }


def _made(inventory: Inventory) -> Iterator[tuple[str, Object]]:
    for kind in (*sorted(WORKLOADS), "Pod"):
        for manifest in inventory.of(kind).values():
            yield kind, manifest.data


def _asked(spec: Object) -> Iterator[tuple[str, str]]:
    for key, value in table(spec, "nodeSelector").items():
        yield key, str(value)
    terms = array(spec, "affinity", "nodeAffinity", REQUIRED, "nodeSelectorTerms")
    for entry in array(terms[0], "matchExpressions") if terms else ():
        key, values = text(entry, "key"), texts(entry, "values")
        if text(entry, "operator") == "In" and values:
            yield key, values[0]
        elif text(entry, "operator") == "Exists":
            yield key, ""


def _alone(template: Object) -> bool:
    """Whether two pods of the template cannot stand on one node."""
    spec = table(template, "spec")
    own = labels(template, "metadata", "labels")
    for term in array(spec, "affinity", "podAntiAffinity", REQUIRED):
        if text(term, "topologyKey") == HOSTNAME and matches(at(term, "labelSelector"), own):
            return True
    return any(
        number(port, "hostPort")
        for container in array(spec, "containers")
        for port in array(container, "ports")
    )
