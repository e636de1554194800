"""An ExternalName that does not do what was written: an address, a circle, a translated port.

An ExternalName Service is a CNAME record and nothing else: no rule of kube-proxy's knows it. Its
externalName has to be a DNS name (resolvers take no address there), and who asks it asks the host
behind it on the same port: a targetPort is never read. Nor may aliases lead back to themselves, or
to a Service of this cluster that is misspelt.

Does not apply to ports without a targetPort of their own.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.cluster.model import Service, ServiceType
from k8stui.cluster.names import circle, resolve
from k8stui.kernel.address import Address

ID = "external-name"


def look(ground: Ground) -> Iterator[Finding]:
    for service in ground.services:
        if service.type is ServiceType.EXTERNAL_NAME:
            yield from _address(ground, service)
            yield from _circle(ground, service)
            yield from _misspelt(ground, service)
            yield from _ports(ground, service)


def _address(ground: Ground, service: Service) -> Iterator[Finding]:
    try:
        Address.parse(service.external_name)
    except ValueError:
        return
    yield Finding(
        rule=ID,
        severity=Severity.ERROR,
        subject=f"Service {service.key}",
        place=ground.place(service, "spec", "externalName"),
        why=f"externalName {service.external_name} is an address: no resolver takes an alias for "
        "one, so the name does not resolve",
        fix="make it a Service without selector (type ClusterIP), and write an EndpointSlice with "
        f"that address (label kubernetes.io/service-name: {service.name})",
    )


def _circle(ground: Ground, service: Service) -> Iterator[Finding]:
    """Aliases that lead back to themselves."""
    names = circle(ground.cluster, service)
    if names:
        yield Finding(
            rule=ID,
            severity=Severity.ERROR,
            subject=f"Service {service.key}",
            place=ground.place(service, "spec", "externalName"),
            why=f"the aliases go in a circle ({' → '.join(names)}): the name does not resolve",
            fix="name what is meant in the end: a Service with pods, or a host",
        )


def _misspelt(ground: Ground, service: Service) -> Iterator[Finding]:
    """A name of this cluster's zone that is but misspelt."""
    target = service.external_name.rstrip(".").lower()
    domain = f".{ground.cluster.cluster_domain}"
    zone = f".svc{domain}"
    name, _, namespace = target.removesuffix(zone).partition(".")
    if target.endswith(domain) and not target.endswith(zone):
        inside = target.removesuffix(domain)
        name, _, namespace = inside.partition(".")
        if f"{namespace}/{name}" in ground.cluster.services:
            yield Finding(
                rule=ID,
                severity=Severity.ERROR,
                subject=f"Service {service.key}",
                place=ground.place(service, "spec", "externalName"),
                why=f"externalName {target} is no name of this cluster: those of Services end in "
                f"{zone}",
                fix=f"write {inside}{zone}",
            )
        return
    if not target.endswith(zone) or f"{namespace}/{name}" in ground.cluster.services:
        return
    near = ground.meant_service(namespace, name)
    found = resolve(ground.cluster, f"{service.name}.{service.namespace}.svc", None)
    if near is not None and not found.is_resolved:
        yield Finding(
            rule=ID,
            severity=Severity.ERROR,
            subject=f"Service {service.key}",
            place=ground.place(service, "spec", "externalName"),
            why=f"externalName {target} is no name of this cluster: there is no Service "
            f"{namespace}/{name}",
            fix=f"write {near}.{namespace}{zone}",
        )


def _ports(ground: Ground, service: Service) -> Iterator[Finding]:
    behind = _behind(ground, service)
    for index, port in enumerate(service.ports):
        place = ground.place(service, "spec", "ports", index)
        known = None if behind is None or behind.headless else [p.port for p in behind.ports]
        if known and port.port not in known:
            yield Finding(
                rule=ID,
                severity=Severity.WARNING,
                subject=f"Service {service.key}",
                place=place,
                why=f"an alias translates no port, and Service {(behind or service).key} behind it "
                f"has no port {port.port} (it has {', '.join(map(str, known))})",
                fix=f"ask for port {known[0]}, and write it here",
            )
        elif port.target_port != port.port:
            yield Finding(
                rule=ID,
                severity=Severity.WARNING,
                subject=f"Service {service.key}",
                place=place,
                why=f"an alias translates no port: {service.external_name} itself is asked for "
                f"{port.port}, and targetPort {port.target_port} is never read",
                fix="leave targetPort out"
                if known
                else f"leave targetPort out, and ask for {port.target_port} where that answers",
            )


def _behind(ground: Ground, service: Service) -> Service | None:
    """The Service of this cluster that the alias leads to."""
    zone = f".svc.{ground.cluster.cluster_domain}"
    host = service.external_name.rstrip(".").lower()
    name, _, namespace = host.removesuffix(zone).partition(".")
    known = host.endswith(zone) and "." not in namespace
    return ground.cluster.services.get(f"{namespace}/{name}") if known else None


RULE = CheckRule(
    id=ID,
    summary="An ExternalName leads nowhere, or translates ports",
    help=__doc__ or "",
    severity=Severity.ERROR,
    look=look,
)
