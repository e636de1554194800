"""Pods and the pod spec of templates.

Source: pkg/apis/core/validation/validation.go ValidatePodSpec, ValidateTolerations,
validatePodDNSConfig, ValidateHostAliases, validateSchedulingGates, validateReadinessGates,
ValidatePodCreate (1.36); plugin/pkg/admission/priority.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.apiserver.fields import (
    Object,
    array,
    number,
    numbered,
    records,
    table,
    text,
)
from k8stui.apiserver.validation import formats
from k8stui.apiserver.validation.affinity import check_affinity, check_spread
from k8stui.apiserver.validation.container import check_containers
from k8stui.apiserver.validation.metadata import check_labels
from k8stui.apiserver.validation.mistake import Mistake, Wrong, one_of
from k8stui.apiserver.validation.resources import check_resources
from k8stui.apiserver.validation.security import check_pod_security
from k8stui.apiserver.validation.volume import check_volumes
from k8stui.manifests.manifest import Path

_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_OPERATORS = ("Equal", "Exists", "Gt", "Lt")
_PREEMPTION = ("PreemptLowerPriority", "Never")
_DEADLINES = range(1, 2**31)
_MOST_NAMESERVERS = 3
_MOST_SEARCHES = 32
_LONGEST_SEARCH = 2048
_RARE = frozenset(
    [
        "securityContext",
        "shareProcessNamespace",
        "activeDeadlineSeconds",
        "dnsConfig",
        "dnsPolicy",
        "readinessGates",
        "schedulingGates",
        "preemptionPolicy",
        "priorityClassName",
        "runtimeClassName",
        "resources",
        "os",
    ]
)
"""Fields that few pods have: of a thousand pods most are passed by quickly."""


def check_pod(data: Object) -> Iterator[Mistake]:
    """A Pod as it is created (core/validation ValidatePodCreate)."""
    spec = table(data, "spec")
    yield from check_pod_spec(spec, ("spec",), of_pod=True)
    if array(spec, "schedulingGates") and text(spec, "nodeName"):
        message = "may not be written while schedulingGates hold the pod back"
        yield Mistake(("spec", "nodeName"), Wrong.FORBIDDEN, message)
    if array(spec, "ephemeralContainers"):
        message = "may not be written: they are added to a pod that runs (kubectl debug)"
        yield Mistake(("spec", "ephemeralContainers"), Wrong.FORBIDDEN, message)
    if number(spec, "priority") and not text(spec, "priorityClassName"):
        message = "may not be written: the server takes it from priorityClassName"
        yield Mistake(("spec", "priority"), Wrong.FORBIDDEN, message)


def check_pod_spec(spec: Object, base: Path, *, of_pod: bool = False) -> Iterator[Mistake]:
    """`of_pod`: the spec of a Pod, not of a template."""
    yield from check_containers(spec, base, of_pod=of_pod)
    for field, form in (
        ("hostname", formats.dns_label),
        ("subdomain", formats.dns_label),
        ("nodeName", formats.dns_subdomain),
        ("serviceAccountName", formats.dns_subdomain),
    ):
        if field in spec and (name := text(spec, field)) and (wrong := form(name)):
            yield Mistake((*base, field), Wrong.INVALID, f"{name!r} {wrong}")
    if "volumes" in spec:
        yield from check_volumes(spec, base)
    if "nodeSelector" in spec:
        yield from check_labels(spec["nodeSelector"], (*base, "nodeSelector"))
    for path, alias in records(spec, "hostAliases", base):
        if not formats.address_version(text(alias, "ip")):
            message = f"{text(alias, 'ip')!r} is no IP address"
            yield Mistake((*path, "ip"), Wrong.INVALID, message)
        for index, name in numbered(alias, "hostnames"):
            if wrong := formats.dns_subdomain(name):
                where = (*path, "hostnames", index)
                yield Mistake(where, Wrong.INVALID, f"{name!r} {wrong}")
    if "tolerations" in spec:
        yield from _tolerations(spec, base)
    if "topologySpreadConstraints" in spec:
        yield from check_spread(spec, base)
    if "affinity" in spec:
        yield from check_affinity(table(spec, "affinity"), (*base, "affinity"))
    if not _RARE.isdisjoint(spec):
        yield from _rare(spec, base)


def _rare(spec: Object, base: Path) -> Iterator[Mistake]:
    yield from check_pod_security(spec, base)
    yield from _dns(spec, base)
    deadline = number(spec, "activeDeadlineSeconds")
    if deadline is not None and deadline not in _DEADLINES:
        message = f"is {deadline}; it goes from 1 to {_DEADLINES.stop - 1}"
        yield Mistake((*base, "activeDeadlineSeconds"), Wrong.INVALID, message)
    for path, gate in records(spec, "readinessGates", base):
        if wrong := formats.qualified_name(text(gate, "conditionType")):
            message = f"{text(gate, 'conditionType')!r} {wrong}"
            yield Mistake((*path, "conditionType"), Wrong.INVALID, message)
    seen: set[str] = set()
    for path, gate in records(spec, "schedulingGates", base):
        name = text(gate, "name")
        if wrong := formats.qualified_name(name):
            yield Mistake(path, Wrong.INVALID, f"{name!r} {wrong}", (*path, "name"))
        if name in seen:
            yield Mistake(path, Wrong.DUPLICATE, f"is {name!r} again", (*path, "name"))
        seen.add(name)
    for field in ("priorityClassName", "runtimeClassName"):
        if (name := text(spec, field)) and (wrong := formats.dns_subdomain(name)):
            yield Mistake((*base, field), Wrong.INVALID, f"{name!r} {wrong}")
    path = (*base, "preemptionPolicy")
    yield from one_of(path, text(spec, "preemptionPolicy"), _PREEMPTION)
    if isinstance(spec.get("os"), dict):
        system = text(table(spec, "os"), "name")
        if not system:
            yield Mistake((*base, "os", "name"), Wrong.REQUIRED, "has to be written")
        yield from one_of((*base, "os"), system, ("linux", "windows"), (*base, "os", "name"))
    if "resources" in spec:
        yield from check_resources(table(spec, "resources"), (*base, "resources"))


def _dns(spec: Object, base: Path) -> Iterator[Mistake]:
    path = (*base, "dnsConfig")
    config = spec.get("dnsConfig")
    if text(spec, "dnsPolicy") == "None":
        if not isinstance(config, dict):
            message = "has to be written when dnsPolicy is None"
            yield Mistake(path, Wrong.REQUIRED, message)
        elif not array(config, "nameservers"):
            message = "has to be written when dnsPolicy is None"
            yield Mistake((*path, "nameservers"), Wrong.REQUIRED, message)
            return
    if not isinstance(config, dict):
        return
    servers, searches = numbered(config, "nameservers"), numbered(config, "searches")
    if len(servers) > _MOST_NAMESERVERS:
        message = f"has {len(servers)} entries; {_MOST_NAMESERVERS} are allowed"
        yield Mistake((*path, "nameservers"), Wrong.INVALID, message)
    for index, server in servers:
        if not formats.address_version(server):
            message = f"{server!r} is no IP address"
            yield Mistake((*path, "nameservers", index), Wrong.INVALID, message)
    if len(searches) > _MOST_SEARCHES:
        message = f"has {len(searches)} entries; {_MOST_SEARCHES} are allowed"
        yield Mistake((*path, "searches"), Wrong.INVALID, message)
    if len(" ".join(name for _, name in searches)) > _LONGEST_SEARCH:
        message = f"may have {_LONGEST_SEARCH} characters in all"
        yield Mistake((*path, "searches"), Wrong.INVALID, message)
    for index, name in searches:
        bare = name.removesuffix(".").replace("_", "x")  # underscores are allowed here
        if name != "." and (wrong := formats.dns_subdomain(bare)):
            yield Mistake((*path, "searches", index), Wrong.INVALID, f"{name!r} {wrong}")
    for at, option in records(config, "options", path):
        if not text(option, "name"):
            yield Mistake(at, Wrong.REQUIRED, "needs a name")


def _tolerations(spec: Object, base: Path) -> Iterator[Mistake]:
    for path, one in records(spec, "tolerations", base):
        key, operator = text(one, "key"), text(one, "operator") or "Equal"
        value, effect = text(one, "value"), text(one, "effect")
        if key and (wrong := formats.qualified_name(key)):
            yield Mistake((*path, "key"), Wrong.INVALID, f"{key!r} {wrong}")
        if not key and operator != "Exists":
            message = f"is {operator}; without a key it has to be Exists"
            yield Mistake((*path, "operator"), Wrong.INVALID, message)
        if operator == "Exists" and value:
            message = f"is {value!r}; with operator Exists it has to be empty"
            yield Mistake((*path, "operator"), Wrong.INVALID, message, (*path, "value"))
        elif operator == "Equal" and (wrong := formats.label_value(value)):
            message = f"compares with {value!r}, which {wrong}"
            yield Mistake((*path, "operator"), Wrong.INVALID, message, (*path, "value"))
        yield from one_of((*path, "operator"), operator, _OPERATORS)
        if one.get("tolerationSeconds") is not None and effect != "NoExecute":
            message = "has to be NoExecute where tolerationSeconds is written"
            yield Mistake((*path, "effect"), Wrong.INVALID, message)
        if effect and effect not in _EFFECTS:
            message = f"is {effect!r}; it is one of {', '.join(_EFFECTS)}"
            yield Mistake((*path, "effect"), Wrong.UNSUPPORTED, message)
