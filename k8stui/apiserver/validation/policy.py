"""Ingress and NetworkPolicy.

Source: pkg/apis/networking/validation/validation.go ValidateIngressSpec, validateIngressBackend,
ValidateNetworkPolicySpec, ValidateIPBlock (1.36).
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.apiserver.fields import Object, array, number, numbered, records, table, text
from k8stui.apiserver.validation import formats
from k8stui.apiserver.validation.mistake import Mistake, Wrong, one_range
from k8stui.apiserver.validation.selectors import check_selector
from k8stui.manifests.manifest import Path, Raw

_PATH_TYPES = ("Exact", "Prefix", "ImplementationSpecific")
_NOT_IN_PATHS = ("//", "/./", "/../", "%2f", "%2F")
_CLASS = "kubernetes.io/ingress.class"
_CLASS_PART = Raw(_CLASS)
_MOST_TYPES = 2
_OLD_BACKEND = frozenset({"serviceName", "servicePort"})
_SPEC = ("spec",)


def check_ingress(data: Object) -> Iterator[Mistake]:
    """An Ingress of networking.k8s.io/v1 (networking/validation ValidateIngressCreate)."""
    if text(data, "apiVersion") != "networking.k8s.io/v1":
        return  # older versions have other fields
    spec = table(data, "spec")
    if not array(spec, "rules") and spec.get("defaultBackend") is None:
        yield Mistake(_SPEC, Wrong.INVALID, "needs rules or a defaultBackend")
    yield from _backend(spec.get("defaultBackend"), ("spec", "defaultBackend"))
    for base, rule in records(spec, "rules", _SPEC):
        host = text(rule, "host")
        if host and (wrong := _host(host)):
            yield Mistake((*base, "host"), Wrong.INVALID, f"{host!r} {wrong}")
        if isinstance(rule.get("http"), dict) and not array(rule, "http", "paths"):
            yield Mistake((*base, "http", "paths"), Wrong.REQUIRED, "needs one path at least")
        for path, one in records(table(rule, "http"), "paths", (*base, "http")):
            word, where = text(one, "pathType"), text(one, "path")
            if not word:
                if _OLD_BACKEND & table(one, "backend").keys():  # the decoder is before all that
                    yield from _backend(table(one, "backend"), (*path, "backend"))
                message = f"has to be written: {', '.join(_PATH_TYPES)}"
                yield Mistake((*path, "pathType"), Wrong.REQUIRED, message)
                continue  # the server looks no further
            if word not in _PATH_TYPES:
                message = f"is {word!r}; it is one of {', '.join(_PATH_TYPES)}"
                yield Mistake((*path, "pathType"), Wrong.UNSUPPORTED, message)
            elif wrong := _path(word, where):
                yield Mistake((*path, "path"), Wrong.INVALID, f"{where!r} {wrong}")
            yield from _backend(table(one, "backend"), (*path, "backend"))
    for base, tls in records(spec, "tls", _SPEC):
        for index, host in numbered(tls, "hosts"):
            if wrong := _host(host, tls=True):
                yield Mistake((*base, "hosts", index), Wrong.INVALID, f"{host!r} {wrong}")
        secret = text(tls, "secretName")
        if secret and (wrong := formats.dns_subdomain(secret)):
            yield Mistake((*base, "secretName"), Wrong.INVALID, f"{secret!r} {wrong}")
    name, path = text(spec, "ingressClassName"), ("spec", "ingressClassName")
    if name and (wrong := formats.dns_subdomain(name)):
        yield Mistake(path, Wrong.INVALID, f"{name!r} {wrong}")
    old = table(data, "metadata", "annotations").get(_CLASS)
    if isinstance(old, str) and "ingressClassName" in spec and old != name:
        message = f"is {old!r}, and ingressClassName is {name!r}"
        at = ("metadata", "annotations", _CLASS)
        yield Mistake(("annotations", _CLASS_PART), Wrong.INVALID, message, at)


def _host(host: str, *, tls: bool = False) -> str:
    if "*" in host:
        bare = host.removeprefix("*.")
        if bare == host or "*" in bare:
            return "may have one '*', as its whole first part"
        return formats.dns_subdomain(bare)
    if not tls and formats.address_version(host):
        return "is an address; a host is a DNS name"
    return formats.dns_subdomain(host)


def _path(kind: str, path: str) -> str:
    if path[:1] != "/" and (path or kind != "ImplementationSpecific"):
        return "has to begin with '/'"
    if kind != "ImplementationSpecific":
        for sequence in _NOT_IN_PATHS:
            if sequence in path:
                return f"may not have {sequence!r} in it"
        if path.endswith(("/..", "/.")):
            return "may not end with '.' or '..'"
    return ""


def _backend(backend: object, base: Path) -> Iterator[Mistake]:
    if not isinstance(backend, dict):
        return
    service = backend.get("service")
    if not isinstance(service, dict):
        if backend.get("resource") is None:
            hint = ""
            if _OLD_BACKEND & backend.keys():
                port = backend.get("servicePort")
                field = "name" if isinstance(port, str) else "number"
                hint = "serviceName and servicePort are of older versions; write service: {name: "
                hint += f"{backend.get('serviceName')}, port: {{{field}: {port}}}}}"
            yield Mistake(base, Wrong.INVALID, "needs a service or a resource", hint=hint)
        return
    if backend.get("resource") is not None:
        yield Mistake(base, Wrong.INVALID, "may have a service or a resource, not both")
        return
    called = text(service, "name")
    path = (*base, "service", "name")
    if not called:
        yield Mistake(path, Wrong.REQUIRED, "has to be written")
    elif wrong := formats.dns_label(called):
        yield Mistake(path, Wrong.INVALID, f"{called!r} {wrong}", mended=formats.as_label(called))
    port = table(service, "port")
    path = (*base, "service", "port")
    name, of = text(port, "name"), number(port, "number")
    if not name and not of:
        message = "needs service.port.name or service.port.number"
        yield Mistake(base, Wrong.REQUIRED, message, (*base, "service"))
    elif name and of:
        message = "may have the name or the number of a port, not both"
        yield Mistake(base, Wrong.INVALID, message, path)
    elif name:
        for wrong in formats.port_name(name):
            yield Mistake((*path, "name"), Wrong.INVALID, f"{name!r} {wrong}")


def check_policy(data: Object) -> Iterator[Mistake]:
    """A NetworkPolicy (networking/validation ValidateNetworkPolicy)."""
    spec = table(data, "spec")
    yield from check_selector(spec.get("podSelector"), ("spec", "podSelector"))
    if len(array(spec, "policyTypes")) > _MOST_TYPES:
        message = "may hold two entries: Ingress, Egress"
        yield Mistake(("spec", "policyTypes"), Wrong.INVALID, message)
    for direction, peers in (("ingress", "from"), ("egress", "to")):
        for base, rule in records(spec, direction, _SPEC):
            for path, peer in records(rule, peers, base):
                yield from _peer(peer, path)
            for path, port in records(rule, "ports", base):
                yield from _port(port, path)


def _peer(peer: Object, base: Path) -> Iterator[Mistake]:
    for field in ("podSelector", "namespaceSelector"):
        yield from check_selector(peer.get(field), (*base, field))
    block = peer.get("ipBlock")
    if not isinstance(block, dict):
        if peer.get("podSelector") is None and peer.get("namespaceSelector") is None:
            yield Mistake(base, Wrong.REQUIRED, "needs a selector or an ipBlock")
        return
    if peer.get("podSelector") is not None or peer.get("namespaceSelector") is not None:
        yield Mistake(base, Wrong.FORBIDDEN, "may not have an ipBlock beside a selector")
    written = text(block, "cidr")
    path = (*base, "ipBlock")
    if written:
        yield from one_range((*path, "cidr"), written)
    is_range = formats.is_cidr(written)
    if written and not is_range:
        return  # the server looks no further
    for index, one in numbered(block, "except"):
        yield from one_range((*path, "except", index), one)
        if is_range and formats.is_cidr(one) and not formats.is_inside(one, written):
            message = f"{one} is no smaller part of {written}"
            yield Mistake((*path, "except", index), Wrong.INVALID, message)


def _port(port: Object, base: Path) -> Iterator[Mistake]:
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
