"""Endpoints and EndpointSlices that are written by hand.

Source: pkg/apis/core/validation/validation.go validateEndpointSubsets,
pkg/apis/discovery/validation/validation.go (1.36); docs/facts/control-plane.md section 6.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.apiserver.fields import Object, array, numbered, records, table, text
from k8stui.apiserver.validation import formats
from k8stui.apiserver.validation.mistake import Mistake, Wrong
from k8stui.manifests.manifest import Path

_MOST_ENDPOINTS = 1000
_MOST_ADDRESSES = 100
_MOST_PORTS = 20_000
_MOST_ZONES = 8


def check_endpoints(data: Object) -> Iterator[Mistake]:
    """An Endpoints object (core/validation ValidateEndpoints)."""
    for base, subset in records(data, "subsets", ()):
        if not array(subset, "addresses") and not array(subset, "notReadyAddresses"):
            yield Mistake(base, Wrong.REQUIRED, "needs addresses or notReadyAddresses")
        for field in ("addresses", "notReadyAddresses"):
            for path, one in records(subset, field, base):
                yield from _address(text(one, "ip"), (*path, "ip"), "")
                yield from _hostname(one, path)
        several = len(array(subset, "ports")) > 1
        for path, port in records(subset, "ports", base):
            name = text(port, "name")
            if not name and several:
                message = "has to be written: of several ports each needs a name"
                yield Mistake((*path, "name"), Wrong.REQUIRED, message)
            elif name and (wrong := formats.dns_label(name)):
                yield Mistake((*path, "name"), Wrong.INVALID, f"{name!r} {wrong}")
            if port.get("port") is None:
                yield Mistake((*path, "port"), Wrong.INVALID, "has to be written")
            yield from _app_protocol(port, path)


def check_slice(data: Object) -> Iterator[Mistake]:
    """An EndpointSlice (discovery/validation ValidateEndpointSlice)."""
    family = text(data, "addressType")
    if not family:
        message = "has to be written: IPv4, IPv6 or FQDN"
        yield Mistake(("addressType",), Wrong.REQUIRED, message)
    if len(array(data, "endpoints")) > _MOST_ENDPOINTS:
        message = f"may hold {_MOST_ENDPOINTS} entries"
        yield Mistake(("endpoints",), Wrong.TOO_MANY, message)
    for base, endpoint in records(data, "endpoints", ()):
        count = len(array(endpoint, "addresses"))
        if not count and endpoint.get("addresses") is not None:
            yield Mistake((*base, "addresses"), Wrong.REQUIRED, "needs one address at least")
        if count > _MOST_ADDRESSES:
            message = f"may hold {_MOST_ADDRESSES} entries"
            yield Mistake((*base, "addresses"), Wrong.TOO_MANY, message)
        for index, address in numbered(endpoint, "addresses"):
            yield from _address(address, (*base, "addresses", index), family)
        yield from _hostname(endpoint, base)
        yield from _hints(table(endpoint, "hints"), (*base, "hints"))
    if len(array(data, "ports")) > _MOST_PORTS:
        yield Mistake(("ports",), Wrong.TOO_MANY, f"may hold {_MOST_PORTS} entries")
    names: set[str] = set()
    for path, port in records(data, "ports", ()):
        name = text(port, "name")
        if name and (wrong := formats.dns_label(name)):
            yield Mistake((*path, "name"), Wrong.INVALID, f"{name!r} {wrong}")
        elif name in names:
            message = f"is {name!r}, which is another port's already"
            yield Mistake((*path, "name"), Wrong.DUPLICATE, message)
        names.add(name)
        yield from _app_protocol(port, path)


def _hints(hints: Object, base: Path) -> Iterator[Mistake]:
    """Source: validation.go validateHints."""
    for field, most in (("forZones", _MOST_ZONES), ("forNodes", _MOST_ZONES)):
        entries = records(hints, field, base)
        if len(entries) > most:
            yield Mistake((*base, field), Wrong.TOO_MANY, f"may hold {most} entries")
            continue
        seen: set[str] = set()
        for path, entry in entries:
            name = text(entry, "name")
            if not name:
                yield Mistake((*path, "name"), Wrong.REQUIRED, "has to be written")
            elif name in seen:
                message = f"is {name}, which is there already"
                yield Mistake((*path, "name"), Wrong.DUPLICATE, message)
            elif wrong := formats.label_value(name):
                yield Mistake((*path, "name"), Wrong.INVALID, f"{name!r} {wrong}")
            seen.add(name)


def _app_protocol(port: Object, path: Path) -> Iterator[Mistake]:
    name = text(port, "appProtocol")
    if name and (wrong := formats.qualified_name(name)):
        yield Mistake((*path, "appProtocol"), Wrong.INVALID, f"{name!r} {wrong}")


def _address(address: str, path: Path, family: str) -> Iterator[Mistake]:
    """`family`: the slice's addressType; empty in Endpoints, which take both."""
    if family == "FQDN":
        if wrong := formats.dns_subdomain(address):
            yield Mistake(path, Wrong.INVALID, f"{address!r} {wrong}")
        return
    version = formats.address_version(address)
    if not version or (family in ("IPv4", "IPv6") and family != f"IPv{version}"):
        yield Mistake(path, Wrong.INVALID, f"{address!r} is no {family or 'IP'} address")
    elif special := formats.special_address(address):
        yield Mistake(path, Wrong.INVALID, f"{address} is {special}: no endpoint can have it")


def _hostname(endpoint: Object, base: Path) -> Iterator[Mistake]:
    for field, form in (("hostname", formats.dns_label), ("nodeName", formats.dns_subdomain)):
        if (name := text(endpoint, field)) and (wrong := form(name)):
            yield Mistake((*base, field), Wrong.INVALID, f"{name!r} {wrong}")
