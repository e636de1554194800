"""A probe's port is a name that its container does not declare.

The kubelet looks the name up among the ports of that one container (pkg/probe/util.go
ResolveContainerPort); without it the probe fails: a readiness probe keeps the pod out of every
Service for ever, a liveness probe restarts it again and again.

Does not apply to numbers (a container may listen where it declares nothing), nor to names that are
numbers in quotes, which are taken as such.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.check.finding import Finding, Rule, Severity
from k8stui.check.ground import Ground
from k8stui.check.template import ContainerText, Template
from k8stui.cluster.fields import array, at, text
from k8stui.walk.error import nearest

ID = "probe-port"
_PROBES = {
    "readinessProbe": "the pod never becomes ready",
    "livenessProbe": "the container is restarted again and again",
    "startupProbe": "the container never counts as started",
}
_HANDLERS = ("httpGet", "tcpSocket")


def look(ground: Ground) -> Iterator[Finding]:
    for template in ground.templates:
        for container in template.containers():
            yield from _probes(template, container)


def _probes(template: Template, container: ContainerText) -> Iterator[Finding]:
    names = [text(port, "name") for port in array(container.data, "ports") if text(port, "name")]
    for probe, effect in _PROBES.items():
        for handler in _HANDLERS:
            port = at(container.data, probe, handler, "port")
            if not isinstance(port, str) or port in names or port.isdigit():
                continue
            near = nearest(port, names) or (names[0] if len(names) == 1 else None)
            yield Finding(
                rule=ID,
                severity=Severity.ERROR,
                subject=template.subject,
                place=template.manifest.place(*container.path, probe, handler, "port"),
                why=f"container {container.name} declares no port named {port}: its {probe} fails "
                f"and {effect}",
                fix=f"write port: {near}" if near else f"name the container's port {port}",
            )


RULE = Rule(
    id=ID,
    summary="A probe asks a port that the container does not have",
    help=__doc__ or "",
    severity=Severity.ERROR,
    look=look,
)
