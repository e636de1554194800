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
from k8stui.cluster.model import ServiceType

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
        manifest = ground.inventory.of("Service").get(service.key)
        given = manifest is not None and is_labelled(manifest)
        yield Finding(
            rule=ID,
            severity=Severity.INFO if given else Severity.WARNING,
            subject=f"Service {service.key}",
            place=ground.place(service, "spec"),
            why="it has no selector, and the input holds no endpoints for it",
            fix="give it a selector, or write an EndpointSlice labelled "
            f"kubernetes.io/service-name: {service.name}",
            claim=ground.ask(service, service.ports[0]) if service.ports and not given else None,
        )


RULE = CheckRule(
    id=ID,
    summary="A Service has neither selector nor endpoints",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
