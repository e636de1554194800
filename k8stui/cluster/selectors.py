"""Label selectors, node selector terms and tolerations.

Sources: apimachinery/pkg/labels/selector.go, component-helpers/scheduling/corev1 (nodeaffinity,
helpers.go ToleratesTaint); docs/facts/control-plane.md section 8.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from k8stui.apiserver.fields import Object, array, table, text, texts
from k8stui.cluster.expression import Expression
from k8stui.cluster.model import Node, Taint

_ADDED = re.compile(r"projectcalico\.org/|pcns\.|pcsa\.")
"""Labels that Calico finds at a pod beside its own (`k8stui.cluster.selection.carried`)."""
NAMESPACE_NAME = "kubernetes.io/metadata.name"
"""The label that the API server puts on every Namespace."""


def selects(wanted: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Whether a plain selector (a Service's) matches: all of its labels, and it has some."""
    return bool(wanted) and wanted.items() <= labels.items()


def matches(selector: object, labels: Mapping[str, str]) -> bool:
    """Whether a LabelSelector matches; ``{}`` matches everything, a missing one nothing."""
    if not isinstance(selector, dict):
        return False
    return all(
        labels.get(key) == value for key, value in table(selector, "matchLabels").items()
    ) and _all_match(array(selector, "matchExpressions"), labels)


def demanded(selector: object) -> Iterator[tuple[str, str]]:
    """Labels of a pod's own without which a selector surely does not match: to ask an index by."""
    if isinstance(selector, Expression):
        yield from ((key, value) for key, value in selector.demanded() if not _ADDED.match(key))
    for key, value in table(selector, "matchLabels").items():
        if isinstance(value, str):
            yield key, value


def namespace_labels(written: Mapping[str, Mapping[str, str]], namespace: str) -> Mapping[str, str]:
    """A namespace's labels, `written` ones and the one that the API server puts on each.

    Source: pkg/apis/core/v1/defaults.go SetDefaults_Namespace.
    """
    return {**written.get(namespace, {}), NAMESPACE_NAME: namespace}


def node_term_matches(term: object, node: Node) -> bool:
    """Whether one node selector term matches; an empty term matches no node."""
    expressions = array(term, "matchExpressions")
    fields = array(term, "matchFields")
    if not expressions and not fields:
        return False
    return _all_match(expressions, node.labels) and _all_match(fields, {"metadata.name": node.name})


def _all_match(requirements: Sequence[object], labels: Mapping[str, str]) -> bool:
    return all(_requirement(table(requirement), labels) for requirement in requirements)


def _requirement(requirement: Object, labels: Mapping[str, str]) -> bool:
    value = labels.get(text(requirement, "key"))
    values = texts(requirement, "values")
    match text(requirement, "operator"):
        case "In":
            return value is not None and value in values
        case "NotIn":
            return value is None or value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case ("Gt" | "Lt") as operator:
            return _compares(operator, value, values)
        case _:
            return False


def _compares(operator: str, value: str | None, values: Sequence[str]) -> bool:
    try:
        have, bound = int(value or ""), int(values[0])
    except (ValueError, IndexError):
        return False
    return have > bound if operator == "Gt" else have < bound


def tolerates(tolerations: Sequence[object], taint: Taint) -> bool:
    """Whether one of `tolerations` covers `taint`.

    An empty key with Exists covers everything, an empty effect all effects.
    """
    return any(_toleration(table(toleration), taint) for toleration in tolerations)


def _toleration(toleration: Object, taint: Taint) -> bool:
    effect, key = text(toleration, "effect"), text(toleration, "key")
    if effect and effect != taint.effect:
        return False
    if key and key != taint.key:
        return False
    if text(toleration, "operator") == "Exists":
        return True
    return key == taint.key and text(toleration, "value") == taint.value
