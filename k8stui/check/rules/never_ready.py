"""Pods that never become ready, where no Service is without anybody for it: workers, Jobs.

A command that is no file, an image that asks for a variable, a file that a volume hides, an init
container that waits for nobody: nobody is refused by it, and nothing else tells it.

An error where nothing that the input does not show could make them ready all the same; an
information where that hangs on it: whose a new volume is, whether it is empty. Does not
apply to pods of a Service that has no endpoints (no-endpoints tells why), to probes and to objects
that are not there, of which other rules speak, nor to what a dump shows.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground, names
from k8stui.check.rules.missing_object import missing
from k8stui.cluster.model import Pod
from k8stui.cluster.programs.caveats import of_peers
from k8stui.cluster.waiting import of_nobody
from k8stui.origin import OriginKind

ID = "never-ready"
_NOT_OF = ("Probe.", "readinessGates")
"""Fields that other rules speak of, or somebody else."""


def look(ground: Ground) -> Iterator[Finding]:
    yield from _perhaps(ground)
    groups: dict[tuple[str, object, str], list[Pod]] = {}
    for pod in ground.cluster.pods.values():
        if pod.unready_mend and pod.addresses and pod.origin.kind is not OriginKind.OBSERVED:
            key = (pod.namespace, pod.owner or pod.name, pod.unready_reason)
            groups.setdefault(key, []).append(pod)
    told = _told(ground) if groups else frozenset()
    for pods in groups.values():
        first = pods[0]
        at = first.origins.get("unready_reason", first.origin).place
        template = ground.template_of(first)
        if at is None or template is None or any(one in at.field for one in _NOT_OF):
            continue
        if first.key in told or next(missing(ground, template), None) is not None:
            continue
        sure = first.unready_sure and not ground.is_kustomized
        yield Finding(
            rule=ID,
            severity=Severity.ERROR if sure else Severity.WARNING,
            subject=template.subject,
            place=at,
            why=f"{names([pod.name for pod in pods])} never "
            f"{'becomes' if len(pods) == 1 else 'become'} ready: {first.unready_reason}",
            fix=first.unready_mend,
        )


def _perhaps(ground: Ground) -> Iterator[Finding]:
    """What hangs on how a volume is made, or on a program's answer; pods of a dump show it."""
    first: dict[int, Pod] = {}
    for pod in ground.cluster.pods.values():
        if pod.origin.kind is not OriginKind.OBSERVED:
            first.setdefault(id(pod.containers), pod)
    for pod in first.values():
        template = ground.template_of(pod)
        if template is None:
            continue
        own = (caveat for container in pod.containers for caveat in container.caveats)
        for one in (*own, *of_peers(ground.cluster, pod), *of_nobody(ground.cluster, pod)):
            yield Finding(
                rule=ID,
                severity=Severity.INFO,
                subject=template.subject,
                place=one.origin.place,
                why=one.why,
                fix=one.mend,
            )


def _told(ground: Ground) -> frozenset[str]:
    """Pods of Services that have nobody else."""
    return frozenset(
        pod.key
        for service in ground.services
        if not any(one.ready for one in ground.endpoints(service))
        for pod in ground.selected(service)
    )


RULE = CheckRule(
    id=ID,
    summary="Pods that never become ready",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
