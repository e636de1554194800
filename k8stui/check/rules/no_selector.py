"""A Service without selector that nobody has written endpoints for.

No controller makes endpoints for it (docs/facts/control-plane.md section 5); every request is
refused until somebody writes an EndpointSlice labelled ``kubernetes.io/service-name``.

Does not apply to type ExternalName, to ``default/kubernetes``, and to Services with Endpoints or
EndpointSlices in the input. A warning at most: whoever fills them in may do so at run time. An
information where the folder's kustomization gives labels and selectors to all.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.apiserver.validation.kustomized import is_labelled
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.cluster.model import Service, ServiceType
from k8stui.origin import Place
from k8stui.walk.diagnosis.case import Diagnosis
from k8stui.walk.diagnosis.endpoints import without_endpoints

ID = "no-selector"


def look(ground: Ground) -> Iterator[Finding]:
    for service in ground.services:
        if (
            service.selector is not None
            or service.type is ServiceType.EXTERNAL_NAME
            or service.key == "default/kubernetes"
            or any(e.ready for e in ground.endpoints(service))
        ):
            continue
        found = without_endpoints(ground.cluster, service, None)
        if found is None:
            continue
        manifest = ground.inventory.of("Service").get(service.key)
        given = manifest is not None and is_labelled(manifest)
        yield Finding(
            rule=ID,
            severity=Severity.INFO if given else Severity.WARNING,
            subject=f"Service {service.key}",
            place=_place(ground, service, found),
            why=found.reason.partition(": ")[2],
            fix=found.advice,
            claim=ground.ask(service, service.ports[0]) if service.ports and not given else None,
        )


def _place(ground: Ground, service: Service, found: Diagnosis) -> Place | None:
    """Where endpoints stand that were meant for it, else its spec, which has no selector."""
    if found.origin is None or found.origin == service.origin:
        return ground.place(service, "spec")
    return found.origin.place


RULE = CheckRule(
    id=ID,
    summary="A Service has neither selector nor endpoints",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
