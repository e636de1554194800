"""Nodes, ConfigMaps, Secrets, ServiceCIDRs.

Source: pkg/apis/core/validation/validation.go ValidateNode, ValidateConfigMap, ValidateSecret;
networking ValidateServiceCIDR (1.36).
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.manifests.validation import formats
from k8stui.manifests.validation.fields import Table, array, records, table, text, texts
from k8stui.manifests.validation.mistake import Mistake, Wrong

_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


def check_node(data: Table) -> Iterator[Mistake]:
    spec = table(data, "spec")
    for index, cidr in texts(spec, "podCIDRs"):
        if not formats.is_cidr(cidr):
            message = f"{cidr!r} is no range such as 10.244.0.0/24"
            yield Mistake(("spec", "podCIDRs", index), Wrong.INVALID, message)
    for path, taint in records(spec, "taints", ("spec",)):
        key, effect = text(taint, "key"), text(taint, "effect")
        if key and (wrong := formats.qualified_name(key)):
            yield Mistake((*path, "key"), Wrong.INVALID, f"{key!r} {wrong}")
        if effect and effect not in _EFFECTS:
            message = f"is {effect!r}; it is one of {', '.join(_EFFECTS)}"
            yield Mistake((*path, "effect"), Wrong.UNSUPPORTED, message)


def check_keys(data: Table) -> Iterator[Mistake]:
    """A ConfigMap's or a Secret's."""
    for field in ("data", "binaryData", "stringData"):
        found = data.get(field)
        for key in found if isinstance(found, dict) else ():
            if wrong := formats.configuration_key(key):
                yield Mistake((field, key), Wrong.INVALID, f"is no key: it {wrong}", at_key=True)


def check_service_cidr(data: Table) -> Iterator[Mistake]:
    spec = table(data, "spec")
    if not array(spec, "cidrs"):
        yield Mistake(("spec", "cidrs"), Wrong.REQUIRED, "needs one range at least")
    for index, cidr in texts(spec, "cidrs"):
        if not formats.is_cidr(cidr):
            path = ("spec", "cidrs", index)
            yield Mistake(path, Wrong.INVALID, f"{cidr!r} is no range such as 10.96.0.0/12")
