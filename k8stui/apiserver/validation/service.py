"""Services: type, ports, policies. Addresses: `service_addresses`; what is taken: `allocation`.

Source: pkg/apis/core/validation/validation.go ValidateService, validateServicePort,
validateServiceExternalTrafficPolicy, validateServiceTrafficDistribution (1.36);
recordings-cluster/rejected 01-03, 06, 09-11, 17-20, 52-55.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.apiserver.fields import Object, array, number, numbered, records, table, text
from k8stui.apiserver.validation import formats
from k8stui.apiserver.validation.metadata import check_labels
from k8stui.apiserver.validation.mistake import Mistake, Wrong, one_range
from k8stui.apiserver.validation.service_addresses import check_addresses, is_headless
from k8stui.manifests.manifest import Path, field_name

_SPEC = ("spec",)
_KUBELET = 10250
_PORTS = range(1, 65536)
_NODE_PORT_TYPES = ("NodePort", "LoadBalancer")
_DISTRIBUTIONS = ("PreferClose", "PreferSameZone", "PreferSameNode")
_ONE_DAY = 86400
_RANGES_FIELD = "loadBalancerSourceRanges"
_RANGES = "LoadBalancerSourceRanges"
"""How the server calls that field (ValidateService)."""
_RARE = frozenset(
    [
        "sessionAffinityConfig",
        "externalTrafficPolicy",
        "healthCheckNodePort",
        "loadBalancerSourceRanges",
        "allocateLoadBalancerNodePorts",
        "loadBalancerClass",
        "trafficDistribution",
    ]
)
"""Fields that few Services have: of a thousand Services most are passed by quickly."""


def check_service(data: Object) -> Iterator[Mistake]:
    """A Service, before it gets addresses (core/validation ValidateService)."""
    spec = table(data, "spec")
    kind = text(spec, "type") or "ClusterIP"
    if not array(spec, "ports") and kind != "ExternalName" and not is_headless(spec):
        message = "has to be written: only headless and ExternalName Services do without ports"
        yield Mistake(("spec", "ports"), Wrong.REQUIRED, message)
    if kind == "ExternalName":
        yield from _external_name(spec)
    yield from _ports(spec, kind)
    yield from check_labels(spec.get("selector"), ("spec", "selector"))
    if not _RARE.isdisjoint(spec):
        yield from _affinity(spec)
        yield from _outside(spec, kind)
    yield from check_addresses(spec, kind)


def _external_name(spec: Object) -> Iterator[Mistake]:
    path = ("spec", "externalName")
    name = text(spec, "externalName")
    name = name.removesuffix(".")
    if not name:
        message = "has to be written: it is the name that the Service stands for"
        yield Mistake(path, Wrong.REQUIRED, message)
    elif formats.dns_subdomain(name):
        bare = name.partition("://")[2] or name
        bare = bare.partition("/")[0].partition(":")[0]
        message = f"{name!r} is no DNS name: it {formats.dns_subdomain(name)}"
        yield Mistake(path, Wrong.INVALID, message, mended=formats.as_subdomain(bare))


def _ports(spec: Object, kind: str) -> Iterator[Mistake]:
    several = len(array(spec, "ports")) > 1
    names: dict[str, Path] = {}
    numbers: dict[tuple[str, int], Path] = {}
    node_ports: dict[tuple[str, int], Path] = {}
    for base, port in records(spec, "ports", _SPEC):
        name = text(port, "name")
        if not name and several:
            message = "has to be written: of several ports each needs a name"
            yield Mistake((*base, "name"), Wrong.REQUIRED, message)
        elif name and (wrong := formats.dns_label(name)):
            mended = formats.as_label(name)
            yield Mistake((*base, "name"), Wrong.INVALID, f"{name!r} {wrong}", mended=mended)
        if name and names.setdefault(name, base) != base:
            message = f"is {name!r}, which is the name of {field_name(names[name])} already"
            yield Mistake((*base, "name"), Wrong.DUPLICATE, message)
        protocol, of = text(port, "protocol") or "TCP", number(port, "port")
        if of is not None and numbers.setdefault((protocol, of), base) != base:
            message = (
                f"is port {of}/{protocol}, which {field_name(numbers[protocol, of])} is already"
            )
            yield Mistake(base, Wrong.DUPLICATE, message, (*base, "port"))
        if of == _KUBELET and kind == "LoadBalancer":
            message = f"may not be {_KUBELET} here: it is the kubelet's"
            yield Mistake((*base, "port"), Wrong.INVALID, message)
        yield from _target(port, base)
        protocol_name = text(port, "appProtocol")
        if protocol_name and (wrong := formats.qualified_name(protocol_name)):
            yield Mistake((*base, "appProtocol"), Wrong.INVALID, f"{protocol_name!r} {wrong}")
        given = number(port, "nodePort")
        if not given:
            continue
        path = (*base, "nodePort")
        if kind == "ClusterIP":
            message = f"may not be written when type is {kind}"
            hint = "write type: NodePort in spec, or take the nodePort out"
            yield Mistake(path, Wrong.FORBIDDEN, message, hint=hint)
        if node_ports.setdefault((protocol, given), base) != base:
            first = field_name(node_ports[protocol, given])
            message = f"is {given}, which {first} has already"
            yield Mistake(path, Wrong.DUPLICATE, message)


def _target(port: Object, base: Path) -> Iterator[Mistake]:
    path = (*base, "targetPort")
    target, of = port.get("targetPort"), number(port, "port")
    if isinstance(target, str) and target:
        plain = target if target.isascii() and target.isdigit() else ""
        for wrong in formats.port_name(target):
            hint = "in quotes it is a port's name; a number stands without quotes" if plain else ""
            mended = str(int(plain)) if plain and len(plain) < 6 else ""
            message = f"is the name {target!r}, and a port's name {wrong}"
            yield Mistake(path, Wrong.INVALID, message, mended=mended, hint=hint)
    elif not target and of is not None and of not in _PORTS:
        message = f"is {of} too: where it is not written, the server takes it from port"
        yield Mistake(path, Wrong.INVALID, message, (*base, "port"))


def _affinity(spec: Object) -> Iterator[Mistake]:
    path = ("spec", "sessionAffinityConfig")
    config = spec.get("sessionAffinityConfig")
    if not isinstance(config, dict):
        return
    if text(spec, "sessionAffinity") != "ClientIP":
        hint = "write sessionAffinity: ClientIP beside it"
        message = "may not be written when sessionAffinity is None"
        yield Mistake(path, Wrong.FORBIDDEN, message, hint=hint)
        return
    timeout = number(table(config, "clientIP"), "timeoutSeconds")
    if timeout is not None and not 0 < timeout <= _ONE_DAY:
        message = f"is {timeout}; it goes from 1 to {_ONE_DAY}"
        yield Mistake((*path, "clientIP", "timeoutSeconds"), Wrong.INVALID, message)


def _outside(spec: Object, kind: str) -> Iterator[Mistake]:
    """What concerns requests from outside the cluster."""
    policy = text(spec, "externalTrafficPolicy")
    reached = kind in _NODE_PORT_TYPES or (kind == "ClusterIP" and bool(array(spec, "externalIPs")))
    if policy and not reached:
        message = f"may not be written when type is {kind}: nobody comes from outside"
        yield Mistake(("spec", "externalTrafficPolicy"), Wrong.INVALID, message)
    if number(spec, "healthCheckNodePort") and not (kind == "LoadBalancer" and policy == "Local"):
        message = "may only be written for a LoadBalancer with externalTrafficPolicy: Local"
        yield Mistake(("spec", "healthCheckNodePort"), Wrong.INVALID, message)
    for field in ("loadBalancerSourceRanges", "allocateLoadBalancerNodePorts", "loadBalancerClass"):
        written = spec.get(field)
        if kind != "LoadBalancer" and written is not None and written != []:
            message = f"may only be written when type is LoadBalancer, not {kind}"
            told = _RANGES if field == _RANGES_FIELD else field
            yield Mistake(("spec", told), Wrong.FORBIDDEN, message, ("spec", field))
    for index, one in numbered(spec, _RANGES_FIELD):
        path, at = ("spec", _RANGES, index), ("spec", _RANGES_FIELD, index)
        yield from one_range(path, one.strip(), at=at)
    name = text(spec, "loadBalancerClass")
    if kind == "LoadBalancer" and (wrong := name and formats.qualified_name(name)):
        yield Mistake(("spec", "loadBalancerClass"), Wrong.INVALID, f"{name!r} {wrong}")
    distribution = text(spec, "trafficDistribution")
    if distribution and distribution not in _DISTRIBUTIONS:
        message = f"is {distribution!r}; it is one of {', '.join(_DISTRIBUTIONS)}"
        yield Mistake(("spec", "trafficDistribution"), Wrong.UNSUPPORTED, message)
