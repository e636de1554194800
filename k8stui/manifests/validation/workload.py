"""Workloads: selector against template, strategy, restart policy, and the pods of the template.

Source: pkg/apis/apps/validation/validation.go (ValidateDeploymentSpec, ValidateReplicaSetSpec,
ValidateDaemonSetSpec, ValidateStatefulSetSpec), core ValidateReplicationControllerSpec,
pkg/apis/batch/validation/validation.go (ValidateJobSpec, validateCronJobSpec), 1.36;
recordings-cluster/rejected 24-26, 31.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.manifests.manifest import Path
from k8stui.manifests.validation.fields import Table, number, table, text
from k8stui.manifests.validation.metadata import check_labels, check_meta, selects
from k8stui.manifests.validation.mistake import Mistake, Wrong
from k8stui.manifests.validation.pod import check_pod_spec
from k8stui.manifests.validation.selectors import check_selector, matches

_SPEC = ("spec",)
_OWN_LABELS = ("spec", "template", "metadata", "labels")
_NOT_NEGATIVE = (
    "minReadySeconds",
    "revisionHistoryLimit",
    "progressDeadlineSeconds",
    "backoffLimit",
    "activeDeadlineSeconds",
    "ttlSecondsAfterFinished",
)
_CRON_FIELDS = 5


def check_apps(data: Table) -> Iterator[Mistake]:
    """A Deployment, ReplicaSet, DaemonSet or StatefulSet."""
    spec, kind = table(data, "spec"), text(data, "kind")
    selector = spec.get("selector")
    carried = table(spec, "template", "metadata", "labels")
    # extensions/v1beta1 and apps/v1beta1 took the selector from the template.
    if selector is None and text(data, "apiVersion") in ("apps/v1", "apps/v1beta2"):
        labels = ", ".join(f"{key}: {value}" for key, value in carried.items())
        hint = f"write selector: {{matchLabels: {{{labels}}}}} in spec" if labels else ""
        yield Mistake(("spec", "selector"), Wrong.REQUIRED, "has to be written", hint=hint)
        message = "are matched by no selector: there is none"
        yield Mistake(_OWN_LABELS, Wrong.INVALID, message)
    elif isinstance(selector, dict):
        yield from check_selector(selector, ("spec", "selector"))
        if not selector.get("matchLabels") and not selector.get("matchExpressions"):
            message = "may not be empty: it would match every pod"
            yield Mistake(("spec", "selector"), Wrong.INVALID, message)
        elif not matches(selector, carried):
            yield _mismatch(table(selector, "matchLabels"), carried)
    yield from _template(spec, _SPEC, pods=kind != "StatefulSet")
    yield from _always(spec, kind)
    yield from _numbers(spec, _SPEC)
    if kind == "Deployment":
        yield from _strategy(table(spec, "strategy"))
        deadline, ready = number(spec, "progressDeadlineSeconds"), number(spec, "minReadySeconds")
        if (deadline is not None or ready is not None) and (
            600 if deadline is None else deadline
        ) <= (ready or 0):
            message = f"has to be more than minReadySeconds, {ready or 0}"
            yield Mistake(("spec", "progressDeadlineSeconds"), Wrong.INVALID, message)


def check_replication_controller(data: Table) -> Iterator[Mistake]:
    spec = table(data, "spec")
    carried = table(spec, "template", "metadata", "labels")
    selector = table(spec, "selector") or carried
    if not selector:
        message = "has to be written: the template has no labels to take it from"
        yield Mistake(("spec", "selector"), Wrong.REQUIRED, message)
    elif not selects(selector, carried):
        yield _mismatch(selector, carried)
    yield from check_labels(spec.get("selector"), ("spec", "selector"))
    yield from _template(spec, _SPEC)
    yield from _always(spec, "ReplicationController")
    yield from _numbers(spec, _SPEC)


def check_job(data: Table) -> Iterator[Mistake]:
    return _job(table(data, "spec"), _SPEC)


def check_cron_job(data: Table) -> Iterator[Mistake]:
    spec = table(data, "spec")
    schedule = text(spec, "schedule")
    path = ("spec", "schedule")
    if not schedule:
        yield Mistake(path, Wrong.REQUIRED, "has to be written", hint='write schedule: "0 * * * *"')
    elif "TZ" in schedule:
        yield Mistake(path, Wrong.INVALID, "may not name a time zone: timeZone does")
    elif schedule[:1] != "@" and len(schedule.split()) != _CRON_FIELDS:
        message = f"has {len(schedule.split())} fields; a schedule has {_CRON_FIELDS}"
        yield Mistake(path, Wrong.INVALID, message)
    policy = text(spec, "concurrencyPolicy")
    if policy not in ("", "Allow", "Forbid", "Replace"):
        message = f"is {policy!r}; it is one of Allow, Forbid, Replace"
        yield Mistake(("spec", "concurrencyPolicy"), Wrong.UNSUPPORTED, message)
    yield from _job(table(spec, "jobTemplate", "spec"), ("spec", "jobTemplate", "spec"))


def _job(spec: Table, base: Path) -> Iterator[Mistake]:
    # PodTemplate's Always is filled in where nothing is written, so it is refused as missing.
    policy = text(table(spec, "template", "spec"), "restartPolicy")
    if policy in ("", "Always"):
        message = "has to be OnFailure or Never for a Job" + (
            "; not written it is Always" if not policy else ""
        )
        hint = "write restartPolicy: Never beside containers" if not policy else ""
        path = (*base, "template", "spec", "restartPolicy")
        yield Mistake(path, Wrong.REQUIRED, message, mended="Never" if policy else "", hint=hint)
    if spec.get("selector") is not None and spec.get("manualSelector") is not True:
        message = "is made by the server; leave it out, or write manualSelector: true too"
        yield Mistake((*base, "selector"), Wrong.INVALID, message)
    if text(spec, "completionMode") == "Indexed" and number(spec, "completions") is None:
        message = "has to be written when completionMode is Indexed"
        yield Mistake((*base, "completions"), Wrong.REQUIRED, message)
    yield from _template(spec, base)
    yield from _numbers(spec, base)


def _mismatch(wanted: Table, carried: Table) -> Mistake:
    wrong = next((key for key, value in wanted.items() if carried.get(key) != value), "")
    if wrong in carried:
        message = f"have {wrong}: {carried[wrong]}, and the selector wants {wrong}: {wanted[wrong]}"
        return Mistake(
            _OWN_LABELS, Wrong.INVALID, message, (*_OWN_LABELS, wrong), mended=str(wanted[wrong])
        )
    if wrong:
        message = f"lack {wrong}: {wanted[wrong]}, which the selector wants"
        return Mistake(_OWN_LABELS, Wrong.INVALID, message)
    return Mistake(_OWN_LABELS, Wrong.INVALID, "are not matched by spec.selector")


def _template(spec: Table, base: Path, *, pods: bool = True) -> Iterator[Mistake]:
    """The template; of a StatefulSet the server looks at labels alone, not at the pods."""
    template = table(spec, "template")
    path = (*base, "template")
    yield from check_meta(table(template, "metadata"), (*path, "metadata"))
    if pods:
        yield from check_pod_spec(table(template, "spec"), (*path, "spec"))


def _always(spec: Table, kind: str) -> Iterator[Mistake]:
    pod = table(spec, "template", "spec")
    base = ("spec", "template", "spec")
    if (policy := text(pod, "restartPolicy")) not in ("", "Always"):
        message = f"is {policy}; for a {kind} it is Always"
        yield Mistake((*base, "restartPolicy"), Wrong.UNSUPPORTED, message, mended="Always")
    if pod.get("activeDeadlineSeconds") is not None:
        message = f"may not be written in a {kind}: its pods are to run on"
        yield Mistake((*base, "activeDeadlineSeconds"), Wrong.FORBIDDEN, message)


def _numbers(spec: Table, base: Path) -> Iterator[Mistake]:
    for field in _NOT_NEGATIVE:
        if field in spec and (value := number(spec, field)) is not None and value < 0:
            yield Mistake((*base, field), Wrong.INVALID, f"is {value}; 0 is the least")


def _strategy(strategy: Table) -> Iterator[Mistake]:
    path = ("spec", "strategy")
    kind, rolling = text(strategy, "type") or "RollingUpdate", strategy.get("rollingUpdate")
    if kind not in ("Recreate", "RollingUpdate"):
        message = f"is {kind!r}; it is one of Recreate, RollingUpdate"
        yield Mistake((*path, "type"), Wrong.UNSUPPORTED, message)
    elif kind == "Recreate" and rolling is not None:
        message = "may not be written when type is Recreate"
        yield Mistake((*path, "rollingUpdate"), Wrong.FORBIDDEN, message)
    elif isinstance(rolling, dict):
        nothing = (0, "0%")
        if rolling.get("maxUnavailable") in nothing and rolling.get("maxSurge") in nothing:
            message = "may not be 0 when maxSurge is 0: no pod could be replaced"
            yield Mistake((*path, "rollingUpdate", "maxUnavailable"), Wrong.INVALID, message)
