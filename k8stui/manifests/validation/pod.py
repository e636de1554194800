"""Pods and the pod spec of templates.

Source: pkg/apis/core/validation/validation.go ValidatePodSpec, ValidateTolerations,
validatePodDNSConfig, ValidateHostAliases, validateTopologySpreadConstraints (1.36).
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.manifests.manifest import Path
from k8stui.manifests.validation import formats
from k8stui.manifests.validation.container import check_containers
from k8stui.manifests.validation.fields import Table, array, number, records, table, text
from k8stui.manifests.validation.metadata import check_labels
from k8stui.manifests.validation.mistake import Mistake, Wrong
from k8stui.manifests.validation.selectors import check_selector

_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_UNSATISFIABLE = ("DoNotSchedule", "ScheduleAnyway")
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def check_pod(data: Table) -> Iterator[Mistake]:
    return check_pod_spec(table(data, "spec"), ("spec",))


def check_pod_spec(spec: Table, base: Path) -> Iterator[Mistake]:
    yield from check_containers(spec, base)
    for field, form in (
        ("hostname", formats.dns_label),
        ("subdomain", formats.dns_label),
        ("nodeName", formats.dns_subdomain),
        ("serviceAccountName", formats.dns_subdomain),
    ):
        if field in spec and (name := text(spec, field)) and (wrong := form(name)):
            yield Mistake((*base, field), Wrong.INVALID, f"{name!r} {wrong}")
    if "volumes" in spec:
        yield from _volumes(spec, base)
    if "nodeSelector" in spec:
        yield from check_labels(spec["nodeSelector"], (*base, "nodeSelector"))
    if text(spec, "dnsPolicy") == "None" and not array(spec, "dnsConfig", "nameservers"):
        message = "has to be written when dnsPolicy is None"
        yield Mistake((*base, "dnsConfig", "nameservers"), Wrong.REQUIRED, message)
    for path, alias in records(spec, "hostAliases", base):
        if not formats.address_version(text(alias, "ip")):
            message = f"{text(alias, 'ip')!r} is no IP address"
            yield Mistake((*path, "ip"), Wrong.INVALID, message)
    grace = number(spec, "terminationGracePeriodSeconds")
    if grace is not None and grace < 0:
        message = "may not be less than 0"
        yield Mistake((*base, "terminationGracePeriodSeconds"), Wrong.INVALID, message)
    if "tolerations" in spec:
        yield from _tolerations(spec, base)
    if "topologySpreadConstraints" in spec:
        yield from _spread(spec, base)
    if "affinity" in spec:
        yield from _affinity(spec, base)


def _volumes(spec: Table, base: Path) -> Iterator[Mistake]:
    seen: set[str] = set()
    for path, volume in records(spec, "volumes", base):
        name = text(volume, "name")
        if not name:
            yield Mistake((*path, "name"), Wrong.REQUIRED, "has to be written")
        elif wrong := formats.dns_label(name):
            mended = formats.as_label(name)
            yield Mistake((*path, "name"), Wrong.INVALID, f"{name!r} {wrong}", mended=mended)
        elif name in seen:
            message = f"is {name!r}, which is the name of another volume already"
            yield Mistake((*path, "name"), Wrong.DUPLICATE, message)
        seen.add(name)


def _tolerations(spec: Table, base: Path) -> Iterator[Mistake]:
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
            yield Mistake((*path, "operator"), Wrong.INVALID, f"{value!r} {wrong}")
        if one.get("tolerationSeconds") is not None and effect != "NoExecute":
            message = "has to be NoExecute where tolerationSeconds is written"
            yield Mistake((*path, "effect"), Wrong.INVALID, message)
        if effect and effect not in _EFFECTS:
            message = f"is {effect!r}; it is one of {', '.join(_EFFECTS)}"
            yield Mistake((*path, "effect"), Wrong.UNSUPPORTED, message)


def _spread(spec: Table, base: Path) -> Iterator[Mistake]:
    for path, one in records(spec, "topologySpreadConstraints", base):
        skew = number(one, "maxSkew")
        if skew is None or skew <= 0:
            yield Mistake((*path, "maxSkew"), Wrong.INVALID, "has to be 1 or more")
        if not text(one, "topologyKey"):
            yield Mistake((*path, "topologyKey"), Wrong.REQUIRED, "has to be written")
        if (word := text(one, "whenUnsatisfiable")) not in _UNSATISFIABLE:
            message = f"is {word!r}; it is one of {', '.join(_UNSATISFIABLE)}"
            yield Mistake((*path, "whenUnsatisfiable"), Wrong.UNSUPPORTED, message)
        yield from check_selector(one.get("labelSelector"), (*path, "labelSelector"))


def _affinity(spec: Table, base: Path) -> Iterator[Mistake]:
    affinity = table(spec, "affinity")
    for group in ("podAffinity", "podAntiAffinity"):
        for path, term in records(table(affinity, group), _REQUIRED, (*base, "affinity", group)):
            yield from check_selector(term.get("labelSelector"), (*path, "labelSelector"))
