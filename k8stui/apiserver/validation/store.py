"""Nodes, ConfigMaps, Secrets, ServiceCIDRs.

Source: pkg/apis/core/validation/validation.go ValidateNode, ValidateConfigMap, ValidateSecret;
networking ValidateServiceCIDR (1.36).
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.apiserver.fields import Object, array, numbered, records, table, text
from k8stui.apiserver.validation import formats
from k8stui.apiserver.validation.mistake import Mistake, Wrong, one_of, one_range
from k8stui.manifests.manifest import NO_BASE64, Key

_KEYS = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/basic-auth": ("username", "password"),
}
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


def check_node(data: Object) -> Iterator[Mistake]:
    """A Node (core/validation ValidateNode)."""
    spec = table(data, "spec")
    for index, one in numbered(spec, "podCIDRs"):
        yield from one_range(("spec", "podCIDRs", index), one, "10.244.0.0/24")
    cidrs = [one for _, one in numbered(spec, "podCIDRs")]
    if len(cidrs) > 1:
        families = {":" in cidr for cidr in cidrs}
        if len(families) < len(cidrs):
            message = "may have one range of each family, IPv4 and IPv6"
            yield Mistake(("spec", "podCIDRs"), Wrong.INVALID, message)
        for index, cidr in enumerate(cidrs):
            if cidr in cidrs[:index]:
                message = f"is {cidr} again"
                yield Mistake(("spec", "podCIDRs", index), Wrong.DUPLICATE, message)
    yield from _taints(spec)


def _taints(spec: Object) -> Iterator[Mistake]:
    """The server says metadata.taints for what stands in spec (ValidateNode)."""
    seen: set[tuple[str, str]] = set()
    for at, taint in records(spec, "taints", ("spec",)):
        path = ("metadata", *at[1:])
        key, value, effect = text(taint, "key"), text(taint, "value"), text(taint, "effect")
        if wrong := formats.qualified_name(key):
            yield Mistake((*path, "key"), Wrong.INVALID, f"{key!r} {wrong}", (*at, "key"))
        if wrong := formats.label_value(value):
            yield Mistake((*path, "value"), Wrong.INVALID, f"{value!r} {wrong}", (*at, "value"))
        if not effect:
            message = f"has to be written: {', '.join(_EFFECTS)}"
            yield Mistake((*path, "effect"), Wrong.REQUIRED, message, (*at, "effect"))
        yield from one_of((*path, "effect"), effect, _EFFECTS, (*at, "effect"))
        if (key, effect) in seen:
            message = f"has {key} with {effect} again"
            yield Mistake(path, Wrong.DUPLICATE, message, at)
        seen.add((key, effect))


def check_keys(data: Object) -> Iterator[Mistake]:
    """A ConfigMap's or a Secret's. A Secret's stringData is put into its data first."""
    is_secret = text(data, "kind") == "Secret"
    for field in ("data", "binaryData", "stringData"):
        told = "data" if is_secret else field
        for key in table(data, field):
            if wrong := formats.configuration_key(key):
                message = f"is no key: it {wrong}"
                path = (told, Key(key))
                yield Mistake(path, Wrong.INVALID, message, (field, key), at_key=True)
            if field == "data" and key in table(data, "binaryData"):
                message = "stands in binaryData too"
                yield Mistake((field, Key(key)), Wrong.INVALID, message, at_key=True)
    if is_secret:
        yield from _secret(data)


def _secret(data: Object) -> Iterator[Mistake]:
    """What a Secret's data and its type ask for; of its values that is known alone."""
    for key, value in table(data, "data").items():
        if value == NO_BASE64:
            message = "is no base64, and so no Secret is made (stringData takes text as it is)"
            hint = "write it under stringData as it is, or encode it: echo -n … | base64"
            yield Mistake(("data", Key(key)), Wrong.INVALID, message, hint=hint)
    kind = text(data, "type")
    keys = {*table(data, "data"), *table(data, "stringData")}
    missing = [key for key in _KEYS.get(kind, ()) if key not in keys]
    if kind == "kubernetes.io/basic-auth" and len(missing) == 1:
        missing = []  # a user without a password, or a password alone
    for key in missing:
        message = f"has to be written in a Secret of type {kind}"
        yield Mistake(("data", Key(key)), Wrong.REQUIRED, message)
    if kind == "kubernetes.io/service-account-token":
        annotation = "kubernetes.io/service-account.name"
        if not table(data, "metadata", "annotations").get(annotation):
            message = f"has to be written in a Secret of type {kind}"
            path = ("metadata", "annotations", Key(annotation))
            yield Mistake(path, Wrong.REQUIRED, message)


def check_service_cidr(data: Object) -> Iterator[Mistake]:
    """A ServiceCIDR (networking/validation ValidateServiceCIDR)."""
    spec = table(data, "spec")
    if not array(spec, "cidrs"):
        yield Mistake(("spec", "cidrs"), Wrong.REQUIRED, "needs one range at least")
    for index, cidr in numbered(spec, "cidrs"):
        if not formats.is_cidr(cidr):
            path = ("spec", "cidrs", index)
            yield Mistake(path, Wrong.INVALID, f"{cidr!r} is no range such as 10.96.0.0/12")
