"""Endpoints that somebody has written for a Service without selector, and that lead nowhere.

kube-proxy joins a Service's port and the port of its endpoints by name, also where only one of the
two has a name; it reads slices of the Service's families only, and none of addressType FQDN
(pkg/proxy/endpointslicecache.go). Every request is refused.

Does not apply to Services with a selector, whose endpoints the controllers write.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.cluster.model import ServiceType
from k8stui.walk.diagnosis.endpoints import without_endpoints

ID = "endpoints-by-hand"


def look(ground: Ground) -> Iterator[Finding]:
    for service in ground.services:
        if service.selector is not None or service.type is ServiceType.EXTERNAL_NAME:
            continue
        if not any(endpoint.ready for endpoint in ground.endpoints(service)):
            continue
        for port in service.ports:
            found = without_endpoints(ground.cluster, service, port)
            if found is None:
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


RULE = CheckRule(
    id=ID,
    summary="Endpoints written by hand do not fit their Service",
    help=__doc__ or "",
    severity=Severity.ERROR,
    look=look,
)
