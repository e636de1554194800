"""Endpoints that somebody has written for a Service without selector, and that lead nowhere.

kube-proxy joins a Service's port and the port of its endpoints by name, also where only one of the
two has a name; it reads slices of the Service's families only, and none of addressType FQDN
(pkg/proxy/endpointslicecache.go). Every request is refused.

A warning where the walk to the endpoints ends, and says that their address is the cause; or where
it is an address that a Service may get: the nodes then send there what is meant for the host.

Of a Service with a selector the controllers write the endpoints: those by hand do not count. Does
not apply to what the controllers have written.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.cluster.model import Service, ServicePort, ServiceType
from k8stui.kernel.exchange import Result
from k8stui.origin import OriginKind
from k8stui.walk.diagnosis.endpoints import without_endpoints
from k8stui.walk.request import parse_request
from k8stui.walk.walk import walk

ID = "endpoints-by-hand"


def look(ground: Ground) -> Iterator[Finding]:
    yield from _overwritten(ground)
    for service in ground.services:
        if service.selector is not None or service.type is ServiceType.EXTERNAL_NAME:
            continue
        if not any(endpoint.ready for endpoint in ground.endpoints(service)):
            continue
        yield from _given_out(ground, service)
        for port in service.ports:
            found = without_endpoints(ground.cluster, service, port)
            if found is None:
                yield from _nowhere(ground, service, port)
                continue
            yield Finding(
                rule=ID,
                severity=Severity.ERROR,
                subject=f"Service {service.key}",
                place=found.origin.place if found.origin else ground.place(service, "spec"),
                why=found.reason.removeprefix(f"Service {service.key} has "),
                fix=found.advice,
                claim=ground.ask(service, port),
            )


def _overwritten(ground: Ground) -> Iterator[Finding]:
    """A selector came to a Service whose endpoints are written by hand: those do not count."""
    for one in ground.cluster.unread_endpoints:
        service = ground.cluster.services.get(one.service)
        if service is None or service.selector is None:
            continue
        yield Finding(
            rule=ID,
            severity=Severity.WARNING,
            subject=f"Service {service.key}",
            place=ground.place(service, "spec", "selector"),
            why=f"it has a selector, so the endpoints written by hand ({one.kind} {one.name}) do "
            "not count: the controller writes those that the selector selects",
            fix="take the selector off (kustomize's commonLabels writes one into every Service)",
        )


def _given_out(ground: Ground, service: Service) -> Iterator[Finding]:
    """Hosts with addresses of the Services' range, in a network that was there before."""
    cluster = ground.cluster
    origin = cluster.origins["service_cidr"]
    is_said = origin.kind is not OriginKind.ASSUMED
    virtual = {address for one in ground.services for address in one.cluster_ips}
    for endpoint in ground.endpoints(service):
        for address in endpoint.addresses:
            range_ = next((cidr for cidr in cluster.service_cidrs if address in cidr), None)
            if range_ is None or address in virtual or endpoint.pod is not None:
                continue
            yield Finding(
                rule=ID,
                severity=Severity.WARNING if is_said else Severity.INFO,
                subject=f"Service {service.key}",
                place=endpoint.origin.place,
                why=f"{address} is in the Services' range {range_}"
                + ("" if is_said else " (assumed)")
                + ": as soon as a Service gets that address, the nodes send there what is meant "
                "for this host",
                fix="keep the Services' range (serviceSubnet, --service-cidr) apart from every "
                "network that pods ask",
            )
            return


def _nowhere(ground: Ground, service: Service, port: ServicePort) -> Iterator[Finding]:
    """What a walk to the endpoints finds wrong with what is written of them."""
    claim = ground.ask(service, port)
    if claim is None:
        return
    world = ground.world
    done = walk(world, parse_request(world, claim.source, claim.destination)).outcome
    is_declared = done.origin is not None and done.origin.kind is OriginKind.DECLARED
    if done.result in (Result.REFUSED, Result.UNREACHABLE, Result.TIMEOUT) and is_declared:
        yield Finding(
            rule=ID,
            severity=Severity.WARNING,
            subject=f"Service {service.key}",
            place=done.origin.place if done.origin is not None else None,
            why=done.reason,
            fix=done.advice,
            claim=claim,
        )


RULE = CheckRule(
    id=ID,
    summary="Endpoints written by hand do not fit their Service",
    help=__doc__ or "",
    severity=Severity.ERROR,
    look=look,
)
