"""What the API server's admission does to pods: limits filled in, and pods that are not made.

Sources: plugin/pkg/admission/limitranger (defaultContainerResourceRequirements,
PodValidateLimitFunc), plugin/pkg/admission/resourcequota, pkg/quota/v1/evaluator/core/pods.go,
plugin/pkg/admission/serviceaccount, plugin/pkg/admission/priority,
plugin/pkg/admission/runtimeclass, k8s.io/pod-security-admission; docs/facts/control-plane.md
section 2; recordings-cluster/namespaces.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import combinations
from operator import attrgetter
from typing import TYPE_CHECKING

from k8stui.apiserver import quantity
from k8stui.apiserver.amounts import pod_amounts
from k8stui.apiserver.fields import Object, array, flag, labels, number, table, text, texts
from k8stui.apiserver.guards import Guards
from k8stui.apiserver.inventory import Inventory, namespace_of
from k8stui.apiserver.pod_security import violation
from k8stui.record import record

if TYPE_CHECKING:
    from k8stui.manifests import Manifest

_PODS = ("pods", "count/pods")
_PLAIN = ("cpu", "memory", "ephemeral-storage")
"""In a quota, the bare name of a resource means what is requested of it."""


@record(eq=False)
class _Limits:
    """A LimitRange, or several joined."""

    since: int
    entries: Sequence[Object]

    def minds(self, spec: Object) -> str:
        # All that one LimitRange minds; then no other is asked (PodLimitFunc).
        broken = list(dict.fromkeys(said for one in self.entries for said in _beyond(one, spec)))
        return broken[0] if len(broken) == 1 else f"[{', '.join(broken)}]" if broken else ""

    def joined(self, other: _Limits) -> _Limits:
        narrow: dict[str, dict[str, dict[str, object]]] = {}
        for entry in (*self.entries, *other.entries):
            of_kind = narrow.setdefault(text(entry, "type"), {})
            for field, least_or_most in _NARROWER.items():
                amounts = of_kind.setdefault(field, {})
                for name, amount in table(entry, field).items():
                    both = (amounts.get(name, amount), amount)
                    amounts[name] = least_or_most(both, key=quantity.parse)
        entries = [{"type": kind, **fields} for kind, fields in narrow.items()]
        return _Limits(min(self.since, other.since), entries)


_NARROWER: Mapping[str, Callable[..., object]] = {
    "min": max,
    "max": min,
    "maxLimitRequestRatio": min,
}
"""Which of two amounts lets less through."""


@record(eq=False)
class _Defaults:
    """What the LimitRanges that are there by now fill in, an earlier one before a later one."""

    limits: Object
    requests: Object

    def and_then(self, entry: Object) -> _Defaults:
        return _Defaults(
            {**_default_limits(entry), **self.limits},
            {**_default_requests(entry), **self.requests},
        )


@record(eq=False)
class _Quota:
    """A ResourceQuota, or several of the same scopes joined."""

    name: str
    hard: Mapping[str, int]
    written: Mapping[str, object]
    since: int
    """The first turn that it limits; pods made before count as used."""
    place: int
    """Among all of the namespace."""
    used: Mapping[str, int]
    """By all pods in these scopes."""

    def minds(self, spec: Object) -> str:
        return _exceeds(self, _usage(spec), spec)

    def joined(self, other: _Quota) -> _Quota:
        hard = dict(self.hard)
        for name, amount in other.hard.items():
            hard[name] = min(amount, hard.get(name, amount))
        since = min(self.since, other.since)
        written = {**self.written, **other.written}
        return _Quota("", hard, written, since, self.place, self.used)


class _Scope:
    """The quotas of a namespace that are about the same pods."""

    def __init__(self) -> None:
        self.quotas: list[_Quota] = []
        self.used: dict[str, int] = {}

    @cached_property
    def guards(self) -> Guards[_Quota]:
        return Guards(self.quotas)

    def use(self, asked: Mapping[str, int]) -> None:
        for name, amount in asked.items():
            self.used[name] = self.used.get(name, 0) + amount


@record()
class _Class:
    """A PriorityClass."""

    value: int
    policy: str = "PreemptLowerPriority"
    usual: bool = False
    """It is that of pods that name none (globalDefault)."""


_ALWAYS_THERE = {
    "system-cluster-critical": _Class(2_000_000_000),
    "system-node-critical": _Class(2_000_001_000),
}


def _read_classes(inventory: Inventory) -> dict[str, _Class]:
    return _ALWAYS_THERE | {
        name: _Class(
            number(manifest.data, "value") or 0,
            text(manifest.data, "preemptionPolicy") or "PreemptLowerPriority",
            flag(manifest.data, "globalDefault") or False,
        )
        for name, manifest in inventory.of("PriorityClass").items()
    }


class Admission:
    """Judges the pods of one cluster in the order in which they are made."""

    def __init__(self, inventory: Inventory, *, complete: bool) -> None:
        self._turn = 0
        limits: dict[str, list[_Limits]] = {}
        for key, limit_range in inventory.of("LimitRange").items():
            entries = [table(one) for one in array(limit_range.data, "spec", "limits")]
            since = inventory.guarded_from["LimitRange", key]
            limits.setdefault(namespace_of(limit_range), []).append(_Limits(since, entries))
        for those in limits.values():
            those.sort(key=attrgetter("since"))
        self._limits = limits
        self._limiting = {namespace: Guards(those) for namespace, those in limits.items()}
        self._defaults: dict[str, tuple[int, _Defaults]] = {}
        """By namespace, with how many LimitRanges that is."""
        self._quotas: dict[str, dict[frozenset[str], _Scope]] = {}
        for key, manifest in inventory.of("ResourceQuota").items():
            self._take_quota(manifest, inventory.guarded_from["ResourceQuota", key])
        self._classes = _read_classes(inventory)
        self._usual = next((one for one in self._classes.values() if one.usual), None)
        self._runtimes = inventory.of("RuntimeClass")
        self._complete = complete
        self._namespaces = {
            name: labels(one.data, "metadata", "labels")
            for name, one in inventory.of("Namespace").items()
        }
        self._accounts = set(inventory.of("ServiceAccount")) if complete else None

    def turn(self, place: int) -> None:
        """What stands at this place makes its pods now: what comes later does not count yet."""
        self._turn = place

    def _take_quota(self, manifest: Manifest, since: int) -> None:
        """But for one whose scopes are of a kind that is not looked at (priority classes)."""
        spec = table(manifest.data, "spec")
        if table(spec, "scopeSelector"):
            return
        written = table(spec, "hard")
        hard = {name: quantity.parse(amount) for name, amount in written.items()}
        scopes = self._quotas.setdefault(namespace_of(manifest), {})
        place = sum(len(one.quotas) for one in scopes.values())
        scope = scopes.setdefault(frozenset(texts(spec, "scopes")), _Scope())
        scope.quotas.append(_Quota(manifest.name, hard, written, since, place, scope.used))

    def _defaults_of(self, namespace: str) -> _Defaults:
        """What the LimitRanges of the namespace that stand by now fill in."""
        limits = self._limits[namespace]
        standing = bisect_right(limits, self._turn, key=attrgetter("since"))
        begin, found = self._defaults.get(namespace, (0, _NO_DEFAULTS))
        if begin > standing:
            begin, found = 0, _NO_DEFAULTS
        for entry in (one for those in limits[begin:standing] for one in those.entries):
            if text(entry, "type") == "Container":
                found = found.and_then(entry)
        self._defaults[namespace] = standing, found
        return found

    def completed(self, namespace: str, spec: Object) -> Object:
        """The pod's spec with its RuntimeClass's part, its priority and its limits' defaults."""
        filled = self._with_runtime(spec)
        found = self._classes.get(text(spec, "priorityClassName"))
        if found is None and not text(spec, "priorityClassName"):
            found = self._usual
        if found is not None:
            filled = {"preemptionPolicy": found.policy, **filled, "priority": found.value}
        defaults = self._defaults_of(namespace) if namespace in self._limits else _NO_DEFAULTS
        if defaults is not _NO_DEFAULTS:
            fields = [one for one in ("containers", "initContainers") if one in filled]
            filled = {**filled} | {
                field: [_with_defaults(table(one), defaults) for one in array(filled, field)]
                for field in fields
            }
        return filled

    def _with_runtime(self, spec: Object) -> Object:
        """Source: plugin/pkg/admission/runtimeclass setOverhead, setScheduling."""
        runtime = self._runtimes.get(text(spec, "runtimeClassName"))
        if runtime is None:
            return spec
        scheduling = table(runtime.data, "scheduling")
        return {
            **spec,
            "overhead": table(runtime.data, "overhead", "podFixed"),
            "nodeSelector": {
                **table(spec, "nodeSelector"),
                **table(scheduling, "nodeSelector"),
            },
            "tolerations": [*array(spec, "tolerations"), *array(scheduling, "tolerations")],
        }

    def refuse(self, namespace: str, spec: Object) -> str:
        """Say why a pod is not made; empty when it is, and then it uses its quota.

        The words are those of the event that its controller gets behind "Error creating".
        """
        if wrong := violation(self._namespaces.get(namespace, {}), spec):
            return wrong
        account = text(spec, "serviceAccountName") or text(spec, "serviceAccount")
        if (
            self._accounts is not None
            and account not in ("", "default")
            and f"{namespace}/{account}" not in self._accounts
        ):
            return (
                f"error looking up service account {namespace}/{account}: "
                f'serviceaccount "{account}" not found'
            )
        priority_class = text(spec, "priorityClassName")
        if self._complete and priority_class and priority_class not in self._classes:
            return f"no PriorityClass with name {priority_class} was found"
        runtime = text(spec, "runtimeClassName")
        if self._complete and runtime and runtime not in self._runtimes:
            return f'pod rejected: RuntimeClass "{runtime}" not found'
        limiting = self._limiting.get(namespace)
        beyond = limiting.first(spec, self._turn) if limiting is not None else None
        if beyond is not None:
            return beyond[1]
        scopes = self._quotas.get(namespace)
        if not scopes:
            return ""
        about = [scopes[one] for one in _subsets(_scopes(spec)) if one in scopes]
        minding = [found for one in about if (found := one.guards.first(spec, self._turn))]
        if minding:
            return min(minding, key=lambda found: found[0].place)[1]
        asked = _usage(spec)
        for one in about:
            one.use(asked)
        return ""

    def seen(self, pods: Iterable[tuple[str, Object]]) -> None:
        """Pods of a dump that still run, each with its namespace and spec, use their quota."""
        if self._quotas:
            for namespace, spec in pods:
                asked = _usage(spec)
                for one in self._quotas.get(namespace, {}).values():
                    one.use(asked)


def _subsets(scopes: tuple[str, str]) -> Iterator[frozenset[str]]:
    for many in range(len(scopes) + 1):
        yield from map(frozenset, combinations(scopes, many))


_NO_DEFAULTS = _Defaults({}, {})


def _with_defaults(container: Object, defaults: _Defaults) -> Object:
    """Source: limitranger mergeContainerResources; a default limit does not become the request."""
    resources = table(container, "resources")
    limits, requests = table(resources, "limits"), table(resources, "requests")
    # Limits that are written have become requests before (SetDefaults_Pod).
    return {
        **container,
        "resources": {
            **resources,
            "limits": {**defaults.limits, **limits},
            "requests": {**defaults.requests, **limits, **requests},
        },
    }


def _default_limits(entry: Object) -> Object:
    """``default``, and ``max`` where there is none (SetDefaults_LimitRangeItem)."""
    return {**table(entry, "max"), **table(entry, "default")}


def _default_requests(entry: Object) -> Object:
    """``defaultRequest``, else ``default``, else ``min`` (SetDefaults_LimitRangeItem)."""
    return {
        **table(entry, "min"),
        **_default_limits(entry),
        **table(entry, "defaultRequest"),
    }


def _beyond(entry: Object, spec: Object) -> Iterator[str]:
    """The limits that a pod's containers, or the pod as a whole, do not keep.

    Source: plugin/pkg/admission/limitranger minConstraint, maxConstraint.
    """
    kind = text(entry, "type")
    if kind == "Container":
        parts = [table(one) for f in ("containers", "initContainers") for one in array(spec, f)]
        amounts = [
            (table(p, "resources", "requests"), table(p, "resources", "limits")) for p in parts
        ]
    elif kind == "Pod":
        amounts = [(_shown(pod_amounts(spec, "requests")), _shown(pod_amounts(spec, "limits")))]
    else:
        return
    for requests, limits in amounts:
        for name, least in table(entry, "min").items():
            said = f"minimum {name} usage per {kind} is {least}"
            asked, limit = requests.get(name), limits.get(name)
            if asked is None:
                yield f"{said}.  No request is specified"
            elif quantity.parse(asked) < quantity.parse(least):
                yield f"{said}, but request is {asked}"
            elif limit is not None and quantity.parse(limit) < quantity.parse(least):
                yield f"{said}, but limit is {limit}"
        for name, most in table(entry, "max").items():
            said = f"maximum {name} usage per {kind} is {most}"
            asked, limit = requests.get(name), limits.get(name)
            if limit is None:
                yield f"{said}.  No limit is specified"
            elif quantity.parse(limit) > quantity.parse(most):
                yield f"{said}, but limit is {limit}"
            elif asked is not None and quantity.parse(asked) > quantity.parse(most):
                yield f"{said}, but request is {asked}"
        for name, most in table(entry, "maxLimitRequestRatio").items():
            if wrong := _ratio(most, requests.get(name), limits.get(name)):
                yield f"{name} max limit to request ratio per {kind} is {most}, but {wrong}"


def _ratio(most: object, request: object, limit: object) -> str:
    """Source: limitranger limitRequestRatioConstraint."""
    asked, allowed = quantity.parse(request), quantity.parse(limit)
    if not asked:
        return "no request is specified or request is 0"
    if not allowed:
        return "no limit is specified or limit is 0"
    if allowed * quantity.parse(1) > asked * quantity.parse(most):
        return f"provided ratio is {allowed / asked:.6f}"
    return ""


def _shown(amounts: Mapping[str, int]) -> Object:
    return {name: quantity.show(amount) for name, amount in amounts.items()}


def _scopes(spec: Object) -> tuple[str, str]:
    """The scopes of quotas that are about the pod (evaluator/core/pods.go podMatchesScopeFunc)."""
    best_effort = not (pod_amounts(spec, "requests") or pod_amounts(spec, "limits"))
    ends = number(spec, "activeDeadlineSeconds") is not None
    return (
        "BestEffort" if best_effort else "NotBestEffort",
        "Terminating" if ends else "NotTerminating",
    )


def _usage(spec: Object) -> dict[str, int]:
    """What a pod takes of a quota, by the quota's names (evaluator/core/pods.go PodUsageFunc)."""
    one = quantity.parse(1)
    found = dict.fromkeys(_PODS, one)
    for name, amount in pod_amounts(spec, "requests").items():
        found[f"requests.{name}"] = amount
        if name in _PLAIN:
            found[name] = amount
    for name, amount in pod_amounts(spec, "limits").items():
        found[f"limits.{name}"] = amount
    return found


def _exceeds(quota: _Quota, asked: Mapping[str, int], spec: Object) -> str:
    if missing := _missing(quota, spec):
        return f"failed quota: {quota.name}: must specify {missing}"
    over = sorted(
        name
        for name, hard in quota.hard.items()
        if name in asked and asked[name] and quota.used.get(name, 0) + asked[name] > hard
    )
    if not over:
        return ""
    requested = ",".join(f"{name}={quantity.show(asked[name])}" for name in over)
    used = ",".join(f"{name}={quantity.show(quota.used.get(name, 0))}" for name in over)
    limited = ",".join(f"{name}={quota.written[name]}" for name in over)
    return f"exceeded quota: {quota.name}, requested: {requested}, used: {used}, limited: {limited}"


def _missing(quota: _Quota, spec: Object) -> str:
    """Resources that a quota counts and a container does not name (podEvaluator Constraints)."""
    found: dict[str, list[str]] = {}
    for name in sorted(quota.hard):
        kind, dot, resource = name.partition(".")
        if name in _PLAIN:
            kind, resource = "requests", name
        elif not dot or kind not in ("requests", "limits") or resource not in _PLAIN:
            continue
        for container in (*array(spec, "containers"), *array(spec, "initContainers")):
            resources = table(container, "resources")
            given = {**table(resources, "limits"), **table(resources, kind)}
            if resource not in given:
                found.setdefault(text(container, "name"), []).append(name)
    return "; ".join(f"{','.join(names)} for: {container}" for container, names in found.items())
