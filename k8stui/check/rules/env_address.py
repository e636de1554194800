"""A container is told to ask a Service on a port that the Service does not have.

An env value such as ``cart:7071`` or ``http://api.shop:81/x`` names a Service of the input; what is
sent to another port of its clusterIP matches no rule and goes nowhere.

Applies only where the whole value is ``[scheme://]host:port[/path]`` and the host is the name of a
Service in the input. Does not apply to headless and ExternalName Services, whose ports nobody
translates.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from k8stui.check.client import pod_source
from k8stui.check.finding import Claim, Finding, Rule, Severity
from k8stui.check.ground import Ground
from k8stui.check.template import Template
from k8stui.cluster.fields import array, text
from k8stui.cluster.model import Service, ServiceType

ID = "env-address"
_ADDRESS = re.compile(
    r"(?:[A-Za-z][A-Za-z0-9+.-]*://)?(?:[^@/\s]*@)?([a-z0-9](?:[-a-z0-9.]*[a-z0-9])?):(\d{1,5})"
    r"(?:[/?]\S*)?"
)


def look(ground: Ground) -> Iterator[Finding]:
    for template in ground.templates:
        for container in template.containers():
            for index, entry in enumerate(array(container.data, "env")):
                found = _ADDRESS.fullmatch(text(entry, "value"))
                if found is None:
                    continue
                service, number = _service(ground, template, found[1]), int(found[2])
                if service is None or any(p.port == number for p in service.ports):
                    continue
                has = ", ".join(str(p.port) for p in service.ports)
                name = text(entry, "name")
                yield Finding(
                    rule=ID,
                    severity=Severity.WARNING,
                    subject=template.subject,
                    place=template.manifest.place(*container.path, "env", index, "value"),
                    why=f"{name} of container {container.name} leads to port {number} of Service "
                    f"{service.key}, which has {has}",
                    fix=f"write port {service.ports[0].port}",
                    claim=_claim(ground, template, service, number),
                )


def _service(ground: Ground, template: Template, host: str) -> Service | None:
    """The Service with a clusterIP that a pod of the template means by `host`."""
    domain = ground.cluster.cluster_domain
    for suffix in (f".svc.{domain}", ".svc"):
        host = host.removesuffix(suffix)
    name, dot, namespace = host.partition(".")
    key = f"{namespace if dot else template.namespace}/{name}"
    service = ground.cluster.services.get(key)
    if service is None or service.type is ServiceType.EXTERNAL_NAME or not service.cluster_ips:
        return None
    return service if service.ports else None


def _claim(ground: Ground, template: Template, service: Service, number: int) -> Claim | None:
    pod = ground.pod_of(template)
    if pod is None:
        return None
    name = service.name if service.namespace == "default" else f"{service.name}.{service.namespace}"
    return Claim(pod_source(pod), f"svc/{name}:{number}")


RULE = Rule(
    id=ID,
    summary="A container is told a port that the Service does not have",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
