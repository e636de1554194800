"""A probe's port is a name that its container does not declare.

The kubelet looks the name up among the ports of that one container (pkg/probe/util.go
ResolveContainerPort); without it the probe fails: a readiness probe keeps the pod out of every
Service for ever; of a liveness probe the kubelet throws that away (prober/worker.go doProbe).

So does one whose ``host`` is localhost: the kubelet asks from the node, not from inside the pod.

Of numbers only those are told, as a warning, that nothing else in the container speaks of and that
are a digit away from a declared port, or from one that both its words and another probe name. Does
not apply to others, since a container may listen where it declares nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.apiserver.fields import array, at
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.check.template import ContainerText, Template
from k8stui.cluster.programs.probing import (
    HANDLERS,
    PROBES,
    FailingProbe,
    failing_probes,
    slipped,
)

ID = "probe-port"
EFFECTS = {
    "readinessProbe": "the pod never becomes ready",
    "livenessProbe": "the container is restarted again and again",
    "startupProbe": "the container never counts as started",
}


def _effect(failing: FailingProbe) -> str:
    if failing.keeps_away:
        return f"it fails, and {EFFECTS[failing.probe]}"
    return "it is never asked, so a container that hangs is not restarted"


def look(ground: Ground) -> Iterator[Finding]:
    for template in ground.templates:
        for container in template.containers():
            yield from _probes(template, container)


def _probes(template: Template, container: ContainerText) -> Iterator[Finding]:
    for failing in failing_probes(template.spec, container.data):
        yield Finding(
            rule=ID,
            severity=Severity.ERROR if failing.sure else Severity.WARNING,
            subject=template.subject,
            place=template.manifest.place(*container.path, *failing.path),
            why=f"{failing.why}; {_effect(failing)}",
            fix=failing.mend,
        )
    for probe in PROBES:
        for handler in HANDLERS:
            port = at(container.data, probe, handler, "port")
            place = template.manifest.place(*container.path, probe, handler, "port")
            if isinstance(port, int) or (
                isinstance(port, str) and port.isdecimal() and len(port) < 6
            ):
                meant = slipped(container.data, int(port))
                if meant is not None:
                    yield Finding(
                        rule=ID,
                        severity=Severity.WARNING,
                        subject=template.subject,
                        place=place,
                        why=f"the {probe} of container {container.name} asks port {port}, which "
                        f"nothing else in it names; {meant} is {_named(meant, container)}",
                        fix=f"write port: {meant}",
                    )


def _named(number: int, container: ContainerText) -> str:
    ports = [at(entry, "containerPort") for entry in array(container.data, "ports")]
    return "declared" if number in ports else "what its words and another probe name"


RULE = CheckRule(
    id=ID,
    summary="A probe asks a port that the container does not have",
    help=__doc__ or "",
    severity=Severity.ERROR,
    look=look,
)
