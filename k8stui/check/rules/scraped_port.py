"""``prometheus.io/port`` names a port that the pods do not open.

With the annotations prometheus.io/scrape and prometheus.io/port, of a pod or of a Service, the
usual scrape configuration asks each pod's own address at that port (prometheus-community's chart,
jobs kubernetes-pods and kubernetes-service-endpoints): the Service's port, which nobody translates
there, is refused. A pod that names no port and declares none is asked at 80.

Applies to ports of Services that lead to another one. What else is not declared may be open: most
programs have their metrics at a port of which no list tells.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.apiserver.fields import text
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.check.subject import subject_of
from k8stui.cluster.model import Pod
from k8stui.cluster.programs.listening import declared, running
from k8stui.kernel.packet import Protocol
from k8stui.manifests import Manifest

ID = "scraped-port"
_SCRAPE, _PORT = "prometheus.io/scrape", "prometheus.io/port"
_DIGITS = 5


def look(ground: Ground) -> Iterator[Finding]:
    for template in ground.templates:
        pod = ground.pod_of(template)
        if pod is not None:
            path = (*template.path, "metadata", "annotations")
            yield from _judge(ground, template.manifest, path, pod)
    for manifest in ground.of_kind("Service").values():
        service = ground.cluster.services.get(f"{manifest.namespace or 'default'}/{manifest.name}")
        if service is not None and (pods := ground.selected(service)):
            yield from _judge(ground, manifest, ("metadata", "annotations"), pods[0])


def _judge(
    ground: Ground, manifest: Manifest, path: tuple[str, ...], pod: Pod
) -> Iterator[Finding]:
    if text(manifest.data, *path, _SCRAPE) != "true" or manifest.observed:
        return
    told = text(manifest.data, *path, _PORT)
    if not told and manifest.kind != "Service" and not declared(pod) and len(running(pod)) == 1:
        yield Finding(
            rule=ID,
            severity=Severity.INFO,
            subject=subject_of(manifest),
            place=manifest.place(*path, _SCRAPE),
            why=f"{_SCRAPE} without {_PORT}, and the pod declares no port: Prometheus asks it at "
            "80, as most are set up",
            fix=f"write {_PORT} beside it, or declare the port",
        )
    if not told.isdecimal() or len(told) > _DIGITS:
        return
    number = int(told)
    in_front = (port for each in ground.listening.selecting(pod) for port in each.ports)
    if all(number != port.port or number == port.target_port for port in in_front):
        return
    if ground.listening.asked(pod, number, Protocol.TCP).listens:
        return
    meant = ground.listening.meant(pod, Protocol.TCP)
    yield Finding(
        rule=ID,
        severity=Severity.WARNING,
        subject=subject_of(manifest),
        place=manifest.place(*path, _PORT),
        why=f"{_PORT} is {told}, which Prometheus asks pod {pod.name} itself for, and nobody "
        "listens there: no Service translates it",
        fix=f'write {_PORT}: "{meant}"' if meant else "write the port that the container opens",
    )


RULE = CheckRule(
    id=ID,
    summary="Prometheus is told a port that the pods do not open",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
