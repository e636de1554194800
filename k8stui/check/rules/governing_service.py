"""A StatefulSet names a Service that is not there: its pods get no names of their own.

``web-0.web.shop.svc.cluster.local`` exists through the headless Service that ``serviceName`` names
(pkg/controller/statefulset/stateful_set_utils.go updateIdentity sets the pod's subdomain; the
EndpointSlice controller gives the address a hostname where that is the Service's name). Without the
Service the pods run all the same, but nobody finds them one by one.

A warning where the name is a typing error away from a Service's, or a headless Service selects the
pods; else an information: the Service may be elsewhere. So it is where none is named, or one
with an address, and a headless Service selects the pods. Does not apply where the one that is named
is headless.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.apiserver.fields import text
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.check.template import Template
from k8stui.cluster.selectors import selects
from k8stui.walk.diagnosis.refused import refused

ID = "governing-service"


def look(ground: Ground) -> Iterator[Finding]:
    for template in ground.templates:
        if template.kind != "StatefulSet" or template.manifest.observed:
            continue
        name = text(template.manifest.data, "spec", "serviceName")
        named = ground.cluster.services.get(f"{template.namespace}/{name}")
        if not name or (named is not None and not named.headless):
            yield from _beside_headless(ground, template, name)
        if not name or named is not None:
            continue
        meant = _meant(ground, template, name)
        lost = refused(ground.cluster, "Service", f"{template.namespace}/{name}")
        yield Finding(
            rule=ID,
            severity=Severity.WARNING if meant else Severity.INFO,
            subject=template.subject,
            place=template.manifest.place("spec", "serviceName"),
            why=f"there is no Service {template.namespace}/{name}: its pods have no DNS names of "
            f"their own{f'; {lost.reason}' if lost is not None else ''}",
            fix=lost.advice
            if lost is not None
            else f"write serviceName: {meant}"
            if meant
            else f"create a headless Service {name}",
        )


def _beside_headless(ground: Ground, template: Template, name: str) -> Iterator[Finding]:
    """`name`: the Service that it names, which has an address; empty: it names none."""
    if (meant := _selecting(ground, template)) is not None:
        says = f"it names Service {name}, which is not headless" if name else "it names no Service"
        lost = "below that" if name else "of their own"
        yield Finding(
            rule=ID,
            severity=Severity.INFO,
            subject=template.subject,
            place=template.manifest.place("spec", *(("serviceName",) if name else ())),
            why=f"{says}, though headless Service {meant} selects its pods: they have no DNS names "
            f"{lost} ({template.name}-0.{meant})",
            fix=f"write serviceName: {meant}, if they are asked one by one",
        )


def _selecting(ground: Ground, template: Template) -> str | None:
    """The headless Service that selects the pods."""
    own = template.labels
    serving = ground.serving(template.namespace).carrying(own) if own else ()
    fitting = (s.name for s in serving if s.headless and selects(s.selector or {}, own))
    return next(fitting, None)


def _meant(ground: Ground, template: Template, name: str) -> str | None:
    return ground.meant_service(template.namespace, name) or _selecting(ground, template)


RULE = CheckRule(
    id=ID,
    summary="A StatefulSet's Service is not there",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
