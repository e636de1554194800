"""A container is told to ask a Service that is not there, or a port that it does not have.

A value such as ``cart:7071`` or ``http://api.shop:81/x`` names a Service of the input; what is sent
to another port of its clusterIP matches no rule and goes nowhere. A name that is a typing error
away from a Service's resolves to nothing.

Looks at env values, command and args. Does not apply to hosts that no Service of the input is like
(they may be elsewhere), nor, as to ports, to headless and ExternalName Services, whose ports nobody
translates.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.check.client import pod_source
from k8stui.check.finding import Claim, Finding, Rule, Severity
from k8stui.check.ground import Ground
from k8stui.check.hosts import Asked, asked
from k8stui.check.template import ContainerText, Template
from k8stui.cluster.model import Service, ServiceType

ID = "env-address"


def look(ground: Ground) -> Iterator[Finding]:
    for template in ground.templates:
        for container in template.containers():
            told: set[tuple[str, int | None]] = set()
            for one in asked(container):
                if (one.host, one.port) in told:
                    continue
                found = _judge(ground, template, container, one)
                if found is not None:
                    told.add((one.host, one.port))
                    yield found


def _judge(
    ground: Ground, template: Template, container: ContainerText, one: Asked
) -> Finding | None:
    name, namespace = _named(ground, template, one.host)
    service = ground.cluster.services.get(f"{namespace}/{name}")
    if service is None:
        meant = ground.meant_service(namespace, name)
        if meant is None or name in ground.hostnames:
            return None
        return Finding(
            rule=ID,
            severity=Severity.WARNING,
            subject=template.subject,
            place=template.manifest.place(*one.path),
            why=f"{one.what} of container {container.name} leads to {one.host}: there is no "
            f"Service {namespace}/{name}",
            fix=f"write {meant}",
        )
    if one.port is None or service.type is ServiceType.EXTERNAL_NAME or not service.cluster_ips:
        return None
    if not service.ports or any(port.port == one.port for port in service.ports):
        return None
    return Finding(
        rule=ID,
        severity=Severity.WARNING,
        subject=template.subject,
        place=template.manifest.place(*one.path),
        why=f"{one.what} of container {container.name} leads to port {one.port} of Service "
        f"{service.key}, which has {', '.join(str(port.port) for port in service.ports)}",
        fix=f"write port {service.ports[0].port}",
        claim=_claim(ground, template, service, one.port),
    )


def _named(ground: Ground, template: Template, host: str) -> tuple[str, str]:
    """Name and namespace of the Service that a pod of the template means by `host`."""
    for suffix in (f".svc.{ground.cluster.cluster_domain}", ".svc"):
        host = host.removesuffix(suffix)
    name, dot, namespace = host.partition(".")
    return name, namespace if dot else template.namespace


def _claim(ground: Ground, template: Template, service: Service, number: int) -> Claim | None:
    pod = ground.pod_of(template)
    if pod is None:
        return None
    name = service.name if service.namespace == "default" else f"{service.name}.{service.namespace}"
    return Claim(pod_source(pod), f"svc/{name}:{number}")


RULE = Rule(
    id=ID,
    summary="A container is told a Service or port that is not there",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
