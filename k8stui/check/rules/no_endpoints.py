"""A Service with a selector, and nobody behind it: every request to it is refused.

kube-proxy rejects what goes to a Service without endpoints (proxier.go syncProxyRules, "has no
endpoints"); the name of a headless one does not resolve. The finding says why there is none: a
label with a typing error, pods in another namespace, pods that are not ready or Pending.

Does not apply to Services without selector or of type ExternalName. Only an information where the
input cannot know better: it holds no workloads at all, the workload is scaled to 0 or is a
CronJob, the pods are Pending on nodes that were only assumed. Only a warning where the input holds
objects of unknown kinds, which may make the pods.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.check.finding import Finding, Rule, Severity
from k8stui.check.ground import Ground, names
from k8stui.cluster.model import Pod, Service, ServiceType
from k8stui.record import record
from k8stui.walk.diagnosis.selectors import written

ID = "no-endpoints"


@record()
class _Reason:
    severity: Severity
    why: str
    fix: str
    path: tuple[str, ...] = ("spec", "selector")
    """The field to mend."""


def look(ground: Ground) -> Iterator[Finding]:
    for service in ground.services:
        if service.selector is None or service.type is ServiceType.EXTERNAL_NAME:
            continue
        if any(e.ready or (e.serving and e.terminating) for e in ground.endpoints(service)):
            continue
        pods = ground.selected(service)
        reason = _unready(ground, service, pods) if pods else _unmatched(ground, service)
        walkable = bool(service.ports) and reason.severity is not Severity.INFO
        yield Finding(
            rule=ID,
            severity=reason.severity,
            subject=f"Service {service.key}",
            place=ground.place(service, *reason.path),
            why=f"no endpoints: {reason.why}",
            fix=reason.fix,
            claim=ground.ask(service, service.ports[0]) if walkable else None,
        )


def _unmatched(ground: Ground, service: Service) -> _Reason:
    wanted = written(service.selector or {})
    what = f"the selector {wanted} matches no pod"
    if not ground.cluster.pods and not ground.templates:
        return _Reason(
            Severity.INFO,
            f"{what}: pods not in the input",
            "check the workloads together with their Services",
        )
    idle = ground.carriers.idle(service)
    if idle is not None:
        return _Reason(
            Severity.INFO,
            f"{idle.subject}, which it selects, has no pod now",
            f"nothing, if that is meant; else look at the replicas of {idle.subject}",
        )
    miss = ground.carriers.near_miss(service)
    if miss is not None:
        key, value = miss.meant
        return _Reason(
            Severity.ERROR,
            f"{what}: {miss.who} has {key}={value}",
            f"write {key}: {value} in the selector",
            ("spec", "selector", miss.wanted[0]),
        )
    away = ground.carriers.elsewhere(service)
    if away is not None:
        return _Reason(
            Severity.ERROR,
            f"{what} of namespace {service.namespace}; pod {away.name} has these labels, but is "
            f"in namespace {away.namespace}",
            f"put Service and pods into one namespace ({away.namespace}?): a Service selects in "
            "its own only",
            ("metadata", "namespace"),
        )
    return _Reason(
        Severity.WARNING if ground.has_strangers else Severity.ERROR,
        f"{what} of the input",
        f"create pods labelled {wanted}, or mend the selector",
    )


def _unready(ground: Ground, service: Service, pods: tuple[Pod, ...]) -> _Reason:
    who = names([pod.name for pod in pods])
    pending = [pod for pod in pods if pod.node_name is None or not pod.addresses]
    if len(pending) < len(pods):
        return _Reason(
            Severity.ERROR,
            f"none of the pods that it selects is ready ({who})",
            "look at the readiness probe: "
            f"kubectl -n {service.namespace} describe pod {pods[0].name}",
        )
    guessed = ground.nodes_are_assumed
    return _Reason(
        Severity.INFO if guessed else Severity.ERROR,
        f"all pods that it selects are Pending ({who}): "
        + (pending[0].pending_reason.rstrip(".") or "no node was found"),
        "check together with the Node objects"
        if guessed
        else "make room for the pods, or mend what keeps them from a node",
    )


RULE = Rule(
    id=ID,
    summary="A Service has no endpoints",
    help=__doc__ or "",
    severity=Severity.ERROR,
    look=look,
)
