"""Ingress and NetworkPolicy.

Source: pkg/apis/networking/validation/validation.go ValidateIngressSpec, validateIngressBackend,
ValidateNetworkPolicySpec, ValidateIPBlock (1.36).
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.manifests.manifest import Path
from k8stui.manifests.validation import formats
from k8stui.manifests.validation.fields import Table, array, number, records, table, text, texts
from k8stui.manifests.validation.mistake import Mistake, Wrong
from k8stui.manifests.validation.selectors import check_selector

_PATH_TYPES = ("Exact", "Prefix", "ImplementationSpecific")
_SPEC = ("spec",)


def check_ingress(data: Table) -> Iterator[Mistake]:
    if text(data, "apiVersion") != "networking.k8s.io/v1":
        return  # older versions have other fields
    spec = table(data, "spec")
    if not array(spec, "rules") and spec.get("defaultBackend") is None:
        yield Mistake(_SPEC, Wrong.INVALID, "needs rules or a defaultBackend")
    yield from _backend(spec.get("defaultBackend"), ("spec", "defaultBackend"))
    for base, rule in records(spec, "rules", _SPEC):
        host = text(rule, "host")
        if host and (wrong := formats.dns_subdomain(host.removeprefix("*."))):
            yield Mistake((*base, "host"), Wrong.INVALID, f"{host!r} {wrong}")
        for path, one in records(table(rule, "http"), "paths", (*base, "http")):
            word, where = text(one, "pathType"), text(one, "path")
            if not word:
                message = f"has to be written: {', '.join(_PATH_TYPES)}"
                yield Mistake((*path, "pathType"), Wrong.REQUIRED, message)
            elif word not in _PATH_TYPES:
                message = f"is {word!r}; it is one of {', '.join(_PATH_TYPES)}"
                yield Mistake((*path, "pathType"), Wrong.UNSUPPORTED, message)
            elif word != "ImplementationSpecific" and where[:1] != "/":
                message = f"{where!r} has to begin with '/'"
                yield Mistake((*path, "path"), Wrong.INVALID, message)
            yield from _backend(one.get("backend"), (*path, "backend"))


def _backend(backend: object, base: Path) -> Iterator[Mistake]:
    if not isinstance(backend, dict):
        return
    service = backend.get("service")
    if not isinstance(service, dict):
        if backend.get("resource") is None:
            yield Mistake(base, Wrong.REQUIRED, "needs a service or a resource")
        return
    if not text(service, "name"):
        yield Mistake((*base, "service", "name"), Wrong.REQUIRED, "has to be written")
    port = table(service, "port")
    path = (*base, "service", "port")
    name, of = text(port, "name"), number(port, "number")
    if not name and not of:
        yield Mistake(path, Wrong.REQUIRED, "needs a name or a number")
    elif name and of:
        yield Mistake(path, Wrong.INVALID, "may have a name or a number, not both")


def check_policy(data: Table) -> Iterator[Mistake]:
    spec = table(data, "spec")
    yield from check_selector(spec.get("podSelector"), ("spec", "podSelector"))
    for direction, peers in (("ingress", "from"), ("egress", "to")):
        for base, rule in records(spec, direction, _SPEC):
            for path, peer in records(rule, peers, base):
                yield from _peer(peer, path)
            for path, port in records(rule, "ports", base):
                yield from _port(port, path)


def _peer(peer: Table, base: Path) -> Iterator[Mistake]:
    for field in ("podSelector", "namespaceSelector"):
        yield from check_selector(peer.get(field), (*base, field))
    block = peer.get("ipBlock")
    if not isinstance(block, dict):
        if peer.get("podSelector") is None and peer.get("namespaceSelector") is None:
            yield Mistake(base, Wrong.REQUIRED, "needs a selector or an ipBlock")
        return
    if peer.get("podSelector") is not None or peer.get("namespaceSelector") is not None:
        yield Mistake(base, Wrong.FORBIDDEN, "may not have an ipBlock beside a selector")
    cidr = text(block, "cidr")
    path = (*base, "ipBlock")
    if cidr and not formats.is_cidr(cidr):
        message = f"{cidr!r} is no range such as 10.0.0.0/8"
        yield Mistake((*path, "cidr"), Wrong.INVALID, message)
    for index, one in texts(block, "except"):
        if not formats.is_cidr(one):
            message = f"{one!r} is no range such as 10.0.0.0/8"
            yield Mistake((*path, "except", index), Wrong.INVALID, message)


def _port(port: Table, base: Path) -> Iterator[Mistake]:
    first, last = port.get("port"), number(port, "endPort")
    if isinstance(first, str):
        for wrong in formats.port_name(first):
            yield Mistake((*base, "port"), Wrong.INVALID, f"{first!r} {wrong}")
    if last is None:
        return
    if isinstance(first, int) and last < first:
        message = f"is {last}, which is less than port, {first}"
        yield Mistake((*base, "endPort"), Wrong.INVALID, message)
    elif isinstance(first, str):
        message = "may not stand beside the name of a port"
        yield Mistake((*base, "endPort"), Wrong.INVALID, message)
    elif first is None:
        yield Mistake((*base, "endPort"), Wrong.INVALID, "may not be written without port")
