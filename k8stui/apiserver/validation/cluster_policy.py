"""AdminNetworkPolicy, BaselineAdminNetworkPolicy and ClusterNetworkPolicy.

What their CustomResourceDefinitions say beside the types: network-policy-api apis/v1alpha1 and
apis/v1alpha2 (the markers ``+kubebuilder:validation``). Selectors are validated by nobody but the
engine; those that it could not read are refused here as in a NetworkPolicy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from k8stui.apiserver.fields import Object, array, number, numbered, records, table, text
from k8stui.apiserver.validation import formats
from k8stui.apiserver.validation.mistake import Mistake, Wrong
from k8stui.apiserver.validation.selectors import check_selector
from k8stui.manifests.manifest import Path

_BASELINE = "BaselineAdminNetworkPolicy"
_ITS_NAME = "default"
_MOST_RULES = {"ClusterNetworkPolicy": 25}
_MOST = 100
"""Rules of one way, peers and ports of a rule in v1alpha1."""
_MOST_NETWORKS = 25
_LONGEST_NAME = 100
_SIDES = (("ingress", "from"), ("egress", "to"))
_ADDRESSED = ("networks", "nodes", "domainNames")
_DOMAIN = re.compile(
    r"(\*\.)?([a-zA-Z0-9]([-a-zA-Z0-9_]*[a-zA-Z0-9])?\.)+[a-zA-Z0-9]([-a-zA-Z0-9_]*[a-zA-Z0-9])?\.?",
    re.ASCII,
)


def check_cluster_policy(data: Object) -> Iterator[Mistake]:
    """One of the three kinds."""
    kind, spec = text(data, "kind"), table(data, "spec")
    name = text(data, "metadata", "name")
    if kind == _BASELINE and name and name != _ITS_NAME:
        message = f"is {name!r}; a cluster has one {_BASELINE}, which is called {_ITS_NAME}"
        yield Mistake(("metadata", "name"), Wrong.INVALID, message, mended=_ITS_NAME)
    subject = spec.get("subject")
    if isinstance(subject, dict):
        yield from _one(subject, ("namespaces", "pods"), ("spec", "subject"))
        yield from _selectors(subject, ("spec", "subject"))
    most = _MOST_RULES.get(kind, _MOST)
    for way, side in _SIDES:
        yield from _count(spec, way, most, ("spec",))
        for base, rule in records(spec, way, ("spec",)):
            yield from _rule(rule, side, most, base)


def _rule(rule: Object, side: str, most: int, base: Path) -> Iterator[Mistake]:
    if len(text(rule, "name")) > _LONGEST_NAME:
        message = f"may have {_LONGEST_NAME} characters"
        yield Mistake((*base, "name"), Wrong.TOO_LONG, message)
    numbers = "protocols" if "protocols" in rule else "ports"
    for field in (side, numbers):
        yield from _count(rule, field, most, base, least=1)
    addressed = False
    for path, peer in records(rule, side, base):
        allowed = ("namespaces", "pods") if side == "from" else ("namespaces", "pods", *_ADDRESSED)
        yield from _one(peer, allowed, path)
        yield from _selectors(peer, path)
        addressed = addressed or any(field in peer for field in _ADDRESSED)
        yield from _addresses(peer, path)
    for path, one in records(rule, numbers, base):
        yield from _port(one, path) if numbers == "ports" else _protocol(one, path)
        name = "namedPort" if numbers == "ports" else "destinationNamedPort"
        if addressed and name in one:
            message = f"may not stand beside {', '.join(_ADDRESSED)}: they have no named ports"
            yield Mistake((*path, name), Wrong.INVALID, message)


def _addresses(peer: Object, base: Path) -> Iterator[Mistake]:
    for field in ("networks", "domainNames"):
        yield from _count(peer, field, _MOST_NETWORKS, base, least=1)
        seen: set[str] = set()
        for index, one in numbered(peer, field):
            path = (*base, field, index)
            if one in seen:
                yield Mistake(path, Wrong.DUPLICATE, f"{one!r} stands here twice")
            seen.add(one)
            if field == "networks" and not formats.is_cidr(one):
                yield Mistake(path, Wrong.INVALID, f"{one!r} is no range such as 10.0.0.0/8")
            elif field == "domainNames" and not _DOMAIN.fullmatch(one):
                message = f"{one!r} is no domain name such as www.example.org or *.example.org"
                yield Mistake(path, Wrong.INVALID, message)


def _port(port: Object, base: Path) -> Iterator[Mistake]:
    # That a range's end is not less than its start is written in v1alpha1, and checked by nobody.
    yield from _one(port, ("portNumber", "namedPort", "portRange"), base)


def _protocol(protocol: Object, base: Path) -> Iterator[Mistake]:
    yield from _one(protocol, ("tcp", "udp", "sctp", "destinationNamedPort"), base)
    for name in ("tcp", "udp", "sctp"):
        there = protocol.get(name)
        if not isinstance(there, dict):
            continue
        path = (*base, name)
        if not there:
            message = "needs destinationPort; without protocols a rule is about every port"
            yield Mistake(path, Wrong.INVALID, message)
        port = there.get("destinationPort")
        if isinstance(port, dict):
            path = (*path, "destinationPort")
            yield from _one(port, ("number", "range"), path)
            yield from _range(table(port, "range"), (*path, "range"))


def _range(ports: Object, base: Path) -> Iterator[Mistake]:
    first, last = number(ports, "start"), number(ports, "end")
    if first is not None and last is not None and last <= first:
        message = f"is {last}, which is not more than start, {first}"
        yield Mistake((*base, "end"), Wrong.INVALID, message)


def _one(of: Object, fields: Sequence[str], base: Path) -> Iterator[Mistake]:
    there = [field for field in fields if of.get(field) is not None]
    if not there:
        yield Mistake(base, Wrong.INVALID, f"needs one of {', '.join(fields)}")
    elif len(there) > 1:
        message = f"may have one of {', '.join(fields)}; here are {' and '.join(there)}"
        yield Mistake(base, Wrong.TOO_MANY, message)


def _selectors(of: Object, base: Path) -> Iterator[Mistake]:
    for field in ("namespaces", "nodes"):
        yield from check_selector(of.get(field), (*base, field))
    for field in ("namespaceSelector", "podSelector"):
        yield from check_selector(table(of, "pods").get(field), (*base, "pods", field))


def _count(of: Object, field: str, most: int, base: Path, *, least: int = 0) -> Iterator[Mistake]:
    found = len(array(of, field))
    if found > most:
        yield Mistake((*base, field), Wrong.TOO_MANY, f"has {found} entries; {most} are allowed")
    elif found < least and isinstance(of.get(field), list):
        yield Mistake((*base, field), Wrong.INVALID, "needs one entry at least")
