"""Affinities of a pod, and topology spread.

Source: pkg/apis/core/validation/validation.go validateNodeAffinity, ValidateNodeSelectorTerm,
validatePodAffinityTerm, validateMatchLabelKeysAndMismatchLabelKeys,
validateTopologySpreadConstraints (1.36).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from k8stui.apiserver.fields import Object, array, number, numbered, records, table, text
from k8stui.apiserver.validation import formats
from k8stui.apiserver.validation.mistake import Mistake, Wrong, one_of
from k8stui.apiserver.validation.selectors import check_selector
from k8stui.manifests.manifest import Path

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_UNSATISFIABLE = ("DoNotSchedule", "ScheduleAnyway")
_POLICIES = ("Honor", "Ignore")
_WEIGHTS = range(1, 101)


def check_affinity(affinity: Object, base: Path) -> Iterator[Mistake]:
    """Terms of node and pod affinity (core/validation validateAffinity)."""
    node, path = table(affinity, "nodeAffinity"), (*base, "nodeAffinity")
    if isinstance(node.get(_REQUIRED), dict):
        required = table(node, _REQUIRED)
        terms = (*path, _REQUIRED, "nodeSelectorTerms")
        if not array(required, "nodeSelectorTerms"):
            yield Mistake(terms, Wrong.REQUIRED, "needs one term at least")
        for where, term in records(required, "nodeSelectorTerms", (*path, _REQUIRED)):
            yield from _node_term(term, where, values=True)
    for where, one in records(node, _PREFERRED, path):
        yield from _weight(one, where)
        yield from _node_term(table(one, "preference"), (*where, "preference"), values=False)
    for group in ("podAffinity", "podAntiAffinity"):
        of, path = table(affinity, group), (*base, group)
        for where, term in records(of, _REQUIRED, path):
            yield from _pod_term(term, where)
        for where, one in records(of, _PREFERRED, path):
            yield from _weight(one, where)
            term = table(one, "podAffinityTerm")
            yield from _pod_term(term, (*where, "podAffinityTerm"))


def _weight(one: Object, where: Path) -> Iterator[Mistake]:
    weight = number(one, "weight") or 0
    if weight not in _WEIGHTS:
        message = f"is {weight}; it goes from 1 to 100"
        yield Mistake((*where, "weight"), Wrong.INVALID, message)


def _node_term(term: Object, base: Path, *, values: bool) -> Iterator[Mistake]:
    """`values`: they have to be what a label can hold; in a preference nobody looks."""
    for path, one in records(term, "matchExpressions", base):
        operator, given = text(one, "operator"), array(one, "values")
        match operator:
            case "In" | "NotIn":
                if not given:
                    message = f"has to be written: operator {operator} compares with values"
                    yield Mistake((*path, "values"), Wrong.REQUIRED, message)
            case "Exists" | "DoesNotExist":
                if given:
                    message = f"may not be written: operator {operator} looks at the key alone"
                    yield Mistake((*path, "values"), Wrong.FORBIDDEN, message)
            case "Gt" | "Lt":
                if len(given) != 1:
                    message = f"needs one value: operator {operator} compares with a number"
                    yield Mistake((*path, "values"), Wrong.REQUIRED, message)
            case _:
                message = f"is {operator!r}; it is one of In, NotIn, Exists, DoesNotExist, Gt, Lt"
                yield Mistake((*path, "operator"), Wrong.INVALID, message)
        if wrong := formats.qualified_name(text(one, "key")):
            yield Mistake((*path, "key"), Wrong.INVALID, f"{text(one, 'key')!r} {wrong}")
        for index, value in numbered(one, "values") if values else ():
            if wrong := formats.label_value(value):
                yield Mistake((*path, "values", index), Wrong.INVALID, f"{value!r} {wrong}")
    for path, one in records(term, "matchFields", base):
        operator = text(one, "operator")
        if operator not in ("In", "NotIn"):
            message = f"is {operator!r}; for a field it is In or NotIn"
            yield Mistake((*path, "operator"), Wrong.INVALID, message)
        elif len(array(one, "values")) != 1:
            yield Mistake((*path, "values"), Wrong.REQUIRED, "needs one value for a field")
        if text(one, "key") != "metadata.name":
            message = f"is {text(one, 'key')!r}; the only field is metadata.name"
            yield Mistake((*path, "key"), Wrong.INVALID, message, mended="metadata.name")


def _pod_term(term: Object, base: Path) -> Iterator[Mistake]:
    for field in ("labelSelector", "namespaceSelector"):
        yield from check_selector(term.get(field), (*base, field))
    for index, name in numbered(term, "namespaces"):
        if wrong := formats.dns_label(name):
            where = (*base, "namespaces", index)
            yield Mistake((*base, "namespace"), Wrong.INVALID, f"{name!r} {wrong}", where)
    matched, mismatched = (
        numbered(term, "matchLabelKeys"),
        numbered(term, "mismatchLabelKeys"),
    )
    for field, keys in (("matchLabelKeys", matched), ("mismatchLabelKeys", mismatched)):
        yield from _keys(keys, term, (*base, field))
    for index, key in matched:
        if key in [other for _, other in mismatched]:
            message = f"{key!r} stands in mismatchLabelKeys too"
            yield Mistake((*base, "matchLabelKeys", index), Wrong.INVALID, message)
    key = text(term, "topologyKey")
    if not key:
        yield Mistake((*base, "topologyKey"), Wrong.REQUIRED, "has to be written")
    if wrong := formats.qualified_name(key):
        yield Mistake((*base, "topologyKey"), Wrong.INVALID, f"{key!r} {wrong}")


def _keys(keys: Sequence[tuple[int, str]], term: Object, path: Path) -> Iterator[Mistake]:
    if not keys:
        return
    if not isinstance(term.get("labelSelector"), dict):
        message = "may not be written without labelSelector"
        yield Mistake(path, Wrong.FORBIDDEN, message)
        return
    for index, key in keys:
        if wrong := formats.qualified_name(key):
            yield Mistake((*path, index), Wrong.INVALID, f"{key!r} {wrong}")


def check_spread(spec: Object, base: Path) -> Iterator[Mistake]:
    """TopologySpreadConstraints (core/validation validateTopologySpreadConstraints)."""
    constraints = records(spec, "topologySpreadConstraints", base)
    kinds = [(text(one, "topologyKey"), text(one, "whenUnsatisfiable")) for _, one in constraints]
    for place, (path, one) in enumerate(constraints):
        skew = number(one, "maxSkew")
        if skew is None or skew <= 0:
            yield Mistake((*path, "maxSkew"), Wrong.INVALID, "has to be 1 or more")
        if not text(one, "topologyKey"):
            yield Mistake((*path, "topologyKey"), Wrong.REQUIRED, "has to be written")
        word = text(one, "whenUnsatisfiable")
        if word not in _UNSATISFIABLE:
            message = f"is {word!r}; it is one of {', '.join(_UNSATISFIABLE)}"
            yield Mistake((*path, "whenUnsatisfiable"), Wrong.UNSUPPORTED, message)
        if kinds[place] in kinds[place + 1 :]:
            message = "are those of a later constraint too"
            where = (*path, "{topologyKey, whenUnsatisfiable}")
            yield Mistake(where, Wrong.DUPLICATE, message, (*path, "topologyKey"))
        domains = number(one, "minDomains")
        if domains is not None and domains <= 0:
            yield Mistake((*path, "minDomains"), Wrong.INVALID, f"is {domains}; 1 is the least")
        if domains is not None and word != "DoNotSchedule":
            message = "may only be written with whenUnsatisfiable: DoNotSchedule"
            yield Mistake((*path, "minDomains"), Wrong.INVALID, message)
        for field in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
            yield from one_of((*path, field), text(one, field), _POLICIES)
        yield from _spread_keys(one, (*path, "matchLabelKeys"))
        yield from check_selector(one.get("labelSelector"), (*path, "labelSelector"))


def _spread_keys(one: Object, path: Path) -> Iterator[Mistake]:
    keys = numbered(one, "matchLabelKeys")
    selector = one.get("labelSelector")
    if keys and not isinstance(selector, dict):
        yield Mistake(path, Wrong.FORBIDDEN, "may not be written without labelSelector")
    chosen = set(table(one, "labelSelector", "matchLabels"))
    expressions = records(table(one, "labelSelector"), "matchExpressions", ())
    chosen |= {text(expression, "key") for _, expression in expressions}
    for index, key in keys:
        if wrong := formats.qualified_name(key):
            yield Mistake((*path, index), Wrong.INVALID, f"{key!r} {wrong}")
        if key in chosen:
            yield Mistake((*path, index), Wrong.INVALID, f"{key!r} stands in labelSelector too")
