"""A Service with a selector, and nobody behind it: every request to it is refused.

kube-proxy rejects what goes to a Service without endpoints (proxier.go syncProxyRules, "has no
endpoints"); the name of a headless one does not resolve. The finding says why there is none: a
label with a typing error, pods in another namespace, pods that are not ready or Pending.

Does not apply to Services without selector or of type ExternalName. Only a warning where no pod of
the input seems to be meant, and where a kustomization beside it may put it in the pods' namespace.
Only an information where the input cannot know better: it holds no pods at all or none in that
namespace, or an operator's kinds, which may make them; the workload is scaled to 0 or is a CronJob;
the pods are Pending on nodes that were only assumed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from k8stui.apiserver.fields import labels
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground, names
from k8stui.cluster.meant import MissedLabel
from k8stui.cluster.model import Pod, Service, ServiceType
from k8stui.cluster.names import DNS_SERVICE
from k8stui.manifests import Manifest
from k8stui.origin import Origin, Place
from k8stui.record import record
from k8stui.suggest import is_typo
from k8stui.walk.diagnosis.endpoints import (
    AT_ITS_TIMES,
    given_by_controller,
    misplaced,
    on_lost_node,
    readiness,
    waits_for_itself,
)
from k8stui.walk.diagnosis.pending import instead_of, room, waits_for_claim
from k8stui.walk.diagnosis.refusals import mend
from k8stui.walk.diagnosis.refused import refused_pods
from k8stui.walk.diagnosis.selectors import different, is_astray, matching, written
from k8stui.walk.lookup import why_silent

ID = "no-endpoints"


@record()
class _Reason:
    severity: Severity
    why: str
    fix: str
    path: tuple[str, ...] = ("spec", "selector")
    """The field to mend."""
    of: Manifest | None = None
    """The object that has it; None: the Service."""
    at: Origin | None = None
    """Another place that is to blame: a field of the pods."""


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
            place=_place(ground, service, reason),
            why=f"no endpoints: {reason.why}",
            fix=reason.fix,
            claim=ground.ask(service, service.ports[0]) if walkable else None,
        )


def _place(ground: Ground, service: Service, reason: _Reason) -> Place | None:
    if reason.at is not None and reason.at.place is not None:
        return reason.at.place
    if reason.of is not None:
        return reason.of.place(*reason.path)
    return ground.place(service, *reason.path)


def _unmatched(ground: Ground, service: Service) -> _Reason:
    wanted = written(service.selector or {})
    what = f"the selector {wanted} matches no pod"
    carriers = ground.carriers
    if not ground.cluster.pods and not ground.templates:
        return _absent(Severity.INFO, f"{what}: pods not in the input")
    failed = [pod for pod in matching(ground.cluster, service) if pod.unready_reason]
    if failed:
        return _Reason(
            Severity.WARNING, f"{what} that runs: {why_silent(failed[0])}", instead_of(failed[0])
        )
    idle = ground.idle(service)
    if idle is not None and idle.kind == "CronJob":
        return _Reason(
            Severity.INFO,
            f"{idle.subject}, which it selects, has no pod now: it makes one when its time comes",
            AT_ITS_TIMES,
        )
    refusal = ground.lacking(idle) if idle is not None else None
    if idle is not None and refusal is not None:
        return _Reason(
            Severity.INFO,
            f"{idle.subject}, which it selects, has none: {refusal.lack}",
            mend(refusal),
        )
    scaler = ground.scaler(idle) if idle is not None else None
    if idle is not None and scaler is not None:
        return _Reason(
            Severity.WARNING,
            f"{idle.subject}, which it selects, has replicas: 0, and HorizontalPodAutoscaler "
            f"{scaler.name} leaves a workload of 0 alone",
            f"kubectl scale {idle.kind.lower()}/{idle.name} --replicas=1, or take replicas out",
        )
    if idle is not None:
        return _Reason(
            Severity.WARNING if service.key == DNS_SERVICE else Severity.INFO,
            f"{idle.subject}, which it selects, has no pod now",
            f"nothing, if that is meant; else kubectl scale {idle.kind.lower()}/{idle.name} "
            "--replicas=1",
        )
    given = given_by_controller(ground.cluster, service)
    if given is not None:
        return _Reason(Severity.WARNING, given.reason.removeprefix("its "), given.advice)
    miss = carriers.near_miss(service)
    guess = not (ground.has_strangers or ground.world.problems)
    own = misplaced(ground.cluster, service) if miss is None or not miss.sure else None
    if own is not None:
        return _Reason(Severity.WARNING, own.reason.removeprefix("its "), own.advice)
    if miss is not None and (miss.sure or guess):
        key, value = miss.meant
        label = _wrong_label(ground, service, miss) if miss.sure else None
        if label is not None:
            return label
        return _Reason(
            Severity.ERROR if miss.sure else Severity.WARNING,
            f"{what}: pod {miss.who.name} has {key}={value}",
            f"write {key}: {value} in the selector",
            ("spec", "selector", miss.wanted[0]),
        )
    away = carriers.elsewhere(service)
    if away is not None and f"{away.namespace}/{service.name}" not in ground.cluster.services:
        return _away(ground, service, away)
    unknown = carriers.unknown(service)
    path = ("spec", "selector", unknown[0][0]) if unknown else ("spec", "selector")
    slip = _own_label(ground, service)
    if slip is not None:
        return slip
    left_out = refused_pods(ground.cluster, service)
    if left_out is not None:
        return _Reason(Severity.WARNING, f"{what}, and {left_out.reason}", left_out.advice)
    if ground.world.problems:
        return _absent(Severity.INFO, f"{what} of what could be read of the input", path)
    if guess and (namesake := carriers.namesake(service)) is not None:
        found = different(service, namesake)
        other = _copied_label(ground, service, namesake)
        if other is not None:
            return other
        return _Reason(Severity.WARNING, f"{what}: {found.words}", found.mend(wanted), path)
    if ground.has_strangers or not carriers.in_namespace(service.namespace):
        why = f"{what} of the input: an operator or another input may make them"
        return _absent(Severity.INFO, why, path)
    return _Reason(
        Severity.WARNING,
        f"{what} of the input",
        f"create pods labelled {wanted}, or mend the selector",
        path,
    )


def _wrong_label(ground: Ground, service: Service, miss: MissedLabel) -> _Reason | None:
    """The pods' label is misspelt, not the selector, where names around it agree with the latter.

    Only a value: the names of the Service, of what makes the pods and of their containers, other
    labels and other selectors vote.
    """
    template = ground.template_of(miss.who)
    (key, wanted), (carried, value) = miss.wanted, miss.meant
    if template is None or key != carried or template.manifest.observed:
        return None
    own = labels(template.manifest.data, "metadata", "labels") if template.path else {}
    names_ = [service.name, template.name, *(one.name for one in template.containers())]
    names_ += [own.get(key, ""), *(ground.selected_by(service.namespace, key, service))]
    if names_.count(wanted) <= names_.count(value):
        return None
    return _Reason(
        Severity.ERROR,
        f"the selector {written(service.selector or {})} matches no pod: pod {miss.who.name} has "
        f"{key}={value}",
        f"write {key}: {wanted} in the labels of {template.subject}'s pods",
        (*template.path, "metadata", "labels", key),
        template.manifest,
    )


def _copied_label(ground: Ground, service: Service, pod: Pod) -> _Reason | None:
    """The pods of the workload that is called as the Service is carry another Service's label."""
    wrong = [(k, v) for k, v in (service.selector or {}).items() if pod.labels.get(k) != v]
    template = ground.template_of(pod)
    if len(wrong) != 1 or template is None or template.manifest.observed:
        return None
    key, value = wrong[0]
    carried = pod.labels.get(key, "")
    other = ground.cluster.services.get(f"{service.namespace}/{carried}")
    if value != service.name or other is None or pod not in ground.selected(other):
        return None
    return _Reason(
        Severity.WARNING,
        f"the selector {written(service.selector or {})} matches no pod: the pods of "
        f"{template.subject} have {key}={carried}, so that Service {other.key} leads to them, too",
        f"write {key}: {value} in the labels of {template.subject}'s pods (template and "
        "matchLabels)",
        (*template.path, "metadata", "labels", key),
        template.manifest,
    )


def _own_label(ground: Ground, service: Service) -> _Reason | None:
    """A label of the selector that the Service itself has, but for a letter."""
    manifest = ground.inventory.of("Service").get(service.key)
    own = labels(manifest.data, "metadata", "labels") if manifest is not None else {}
    for key, value in (service.selector or {}).items():
        meant = next(
            (
                (other, text)
                for other, text in own.items()
                if (other == key and is_typo(value, text))
                or (text == value and key not in own and is_typo(key, other))
            ),
            None,
        )
        if meant is not None:
            return _Reason(
                Severity.WARNING,
                f"the selector {written(service.selector or {})} matches no pod of the input; the "
                f"Service itself is labelled {meant[0]}={meant[1]}",
                f"write {meant[0]}: {meant[1]} in the selector",
                ("spec", "selector", key),
            )
    return None


def _absent(severity: Severity, why: str, path: tuple[str, ...] = ("spec", "selector")) -> _Reason:
    return _Reason(severity, why, "check the workloads together with their Services", path)


def _away(ground: Ground, service: Service, pod: Pod) -> _Reason:
    """A pod that fits stands in another namespace: the namespace with fewer objects is wrong."""
    maker = ground.maker(pod)
    alone = maker is not None and is_astray(ground.cluster, service, pod)
    mended = service.namespace if alone else pod.namespace
    both = (maker, ground.inventory.of("Service").get(service.key))
    elsewhere = ground.is_kustomized and any(m is not None and m.namespace is None for m in both)
    return _Reason(
        Severity.WARNING if elsewhere else Severity.ERROR,
        f"the selector {written(service.selector or {})} matches no pod of namespace "
        f"{service.namespace}; pod {pod.name} has these labels, but is in namespace "
        f"{pod.namespace}",
        f"put Service and pods into one namespace ({mended}?): a Service selects in its own only",
        ("metadata", "namespace"),
        maker if alone else None,
    )


def _unready(ground: Ground, service: Service, pods: tuple[Pod, ...]) -> _Reason:
    who = names([pod.name for pod in pods])
    pending = [pod for pod in pods if pod.node_name is None or not pod.addresses]
    lost = [on_lost_node(ground.cluster, pod) for pod in pods]
    if lost[0] is not None and all(lost):
        return _Reason(Severity.ERROR, lost[0].reason, lost[0].advice)
    if len(pending) < len(pods):
        unready = [pod for pod in pods if pod not in pending]
        return _Reason(
            Severity.ERROR if any(pod.unready_sure for pod in unready) else Severity.WARNING,
            f"none of the pods that it selects is ready ({who})" + _kept(service, pods),
            _readiness(service, unready),
            at=unready[0].origins.get("unready_reason") if unready[0].unready_mend else None,
        )
    if pending[0].node_name is not None:
        return _Reason(Severity.WARNING, why_silent(pending[0]), room(pending[0]))
    claims = waits_for_claim(pending[0])
    guessed = ground.nodes_are_assumed and not claims
    sure = Severity.WARNING if claims else Severity.ERROR
    return _Reason(
        Severity.INFO if guessed else sure,
        f"all pods that it selects are Pending ({who}): "
        + (pending[0].pending_reason.rstrip(".") or "no node was found"),
        "check together with the Node objects" if guessed else room(pending[0]),
    )


def _kept(service: Service, pods: Sequence[Pod]) -> str:
    """What keeps the first of them from being ready, where its state says so."""
    known = pods[0].unready_reason
    return f": {known}{waits_for_itself(service, pods[0])}" if known else ""


def _readiness(service: Service, pods: Sequence[Pod]) -> str:
    """A StatefulSet's pods may wait for each other's names, which only ready pods have."""
    space = "" if service.namespace == "default" else f" -n {service.namespace}"
    look = readiness(pods[0], space, waits_for_itself(service, pods[0]))
    if service.headless and any(pod.owner and pod.owner[0] == "StatefulSet" for pod in pods):
        return (
            f"{look}; if the pods look for each other by name before they are ready, set "
            "publishNotReadyAddresses: true in the Service"
        )
    return look


RULE = CheckRule(
    id=ID,
    summary="A Service has no endpoints",
    help=__doc__ or "",
    severity=Severity.ERROR,
    look=look,
)
