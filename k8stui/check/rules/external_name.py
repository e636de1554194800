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
from k8stui.cluster.names import resolve
from k8stui.walk.diagnosis.case import Diagnosis
from k8stui.walk.diagnosis.names import alias_of_nothing, of_machine

ID = "external-name"


def look(ground: Ground) -> Iterator[Finding]:
    for service in ground.services:
        if service.type is ServiceType.EXTERNAL_NAME:
            nothing = alias_of_nothing(ground.cluster, service) or _misspelt(ground, service)
            if nothing is not None:
                why = nothing.reason.removeprefix(f"{service.key} is ")
                yield _finding(ground, service, Severity.ERROR, why, nothing.advice, "externalName")
            short = _short(ground, service) if nothing is None else None
            if short is not None:
                yield short
            machine = of_machine(ground.cluster, None, service.external_name.rstrip("."))
            if machine is not None:
                why, fix = machine.reason, machine.advice
                yield _finding(ground, service, Severity.INFO, why, fix, "externalName")
            yield from _ports(ground, service)


def _finding(
    ground: Ground, service: Service, severity: Severity, why: str, fix: str, *path: str | int
) -> Finding:
    return Finding(
        rule=ID,
        severity=severity,
        subject=f"Service {service.key}",
        place=ground.place(service, "spec", *path),
        why=why,
        fix=fix,
    )


def _short(ground: Ground, service: Service) -> Finding | None:
    """``NAME.NAMESPACE`` of a Service: no search list is added to an alias."""
    target = service.external_name.rstrip(".").lower()
    name, _, namespace = target.removesuffix(".svc").partition(".")
    found = ground.cluster.services.get(f"{namespace or service.namespace}/{name}")
    if found is None or found is service:
        return None
    full = f"{found.name}.{found.namespace}.svc.{ground.cluster.cluster_domain}"
    why = f"externalName {target} is asked as it is, without a search list: it is not {full}"
    return _finding(
        ground, service, Severity.WARNING, why, f"write externalName: {full}", "externalName"
    )


def _misspelt(ground: Ground, service: Service) -> Diagnosis | None:
    """A name of this cluster's zone that is but misspelt."""
    target = service.external_name.rstrip(".").lower()
    domain = f".{ground.cluster.cluster_domain}"
    zone = f".svc{domain}"
    said = f"externalName {target} is no name of this cluster: "
    name, _, namespace = target.removesuffix(zone).partition(".")
    if target.endswith(domain) and not target.endswith(zone):
        inside = target.removesuffix(domain)
        name, _, namespace = inside.partition(".")
        if f"{namespace}/{name}" in ground.cluster.services:
            return Diagnosis(f"{said}those of Services end in {zone}", f"write {inside}{zone}")
        return None
    if not target.endswith(zone) or f"{namespace}/{name}" in ground.cluster.services:
        return None
    near = ground.meant_service(namespace, name)
    found = resolve(ground.cluster, f"{service.name}.{service.namespace}.svc", None)
    if near is None or found.is_resolved:
        return None
    return Diagnosis(
        f"{said}there is no Service {namespace}/{name}", f"write {near}.{namespace}{zone}"
    )


def _ports(ground: Ground, service: Service) -> Iterator[Finding]:
    behind = _behind(ground, service)
    for index, port in enumerate(service.ports):
        where = "ports", index
        known = None if behind is None or behind.headless else [p.port for p in behind.ports]
        if known and port.port not in known:
            yield _finding(
                ground,
                service,
                Severity.WARNING,
                f"an alias translates no port, and Service {(behind or service).key} behind it "
                f"has no port {port.port} (it has {', '.join(map(str, known))})",
                f"ask for port {known[0]}, and write it here",
                *where,
            )
        elif port.target_port != port.port:
            yield _finding(
                ground,
                service,
                Severity.WARNING,
                f"an alias translates no port: {service.external_name} itself is asked for "
                f"{port.port}, and targetPort {port.target_port} is never read",
                "leave targetPort out"
                if known
                else f"leave targetPort out, and ask for {port.target_port} where that answers",
                *where,
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
