"""Workloads that run on: selector against template, restart policy, the pods of the template.

Source: pkg/apis/apps/validation/validation.go (ValidateDeploymentSpec, ValidateReplicaSetSpec,
ValidateDaemonSetSpec, ValidateStatefulSetSpec), core ValidateReplicationControllerSpec, 1.36;
recordings-cluster/rejected 24-26, 31. How pods are replaced: `rollout`; Jobs: `job`.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.apiserver.fields import Object, array, number, table, text
from k8stui.apiserver.validation.kept import is_kept
from k8stui.apiserver.validation.metadata import check_labels, check_meta, selects
from k8stui.apiserver.validation.mistake import Mistake, Wrong, not_negative
from k8stui.apiserver.validation.pod import check_pod_spec
from k8stui.apiserver.validation.rollout import check_rollout
from k8stui.apiserver.validation.selectors import check_selector, matches
from k8stui.apiserver.validation.unfinished import is_filled_in
from k8stui.manifests.manifest import Manifest, Path

_SPEC = ("spec",)
_OWN_LABELS = ("spec", "template", "metadata", "labels")
_MATCH_LABELS = ("spec", "selector", "matchLabels")
_NOT_NEGATIVE = ("minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds")


def check_apps(data: Object) -> Iterator[Mistake]:
    """A Deployment, ReplicaSet, DaemonSet or StatefulSet."""
    spec, kind = table(data, "spec"), text(data, "kind")
    selector = spec.get("selector")
    carried = table(spec, "template", "metadata", "labels")
    # extensions/v1beta1 and apps/v1beta1 took the selector from the template.
    if selector is None and text(data, "apiVersion") in ("apps/v1", "apps/v1beta2"):
        labels = ", ".join(f"{key}: {value}" for key, value in carried.items())
        hint = f"write selector: {{matchLabels: {{{labels}}}}} in spec" if labels else ""
        if kind != "DaemonSet":  # ValidateDaemonSetSpec only finds that it does not match
            yield Mistake(("spec", "selector"), Wrong.REQUIRED, "has to be written", hint=hint)
            hint = ""
        message = "are matched by no selector: there is none"
        yield Mistake(_OWN_LABELS, Wrong.INVALID, message, hint=hint)
    elif isinstance(selector, dict):
        yield from check_selector(selector, ("spec", "selector"))
        if not selector.get("matchLabels") and not selector.get("matchExpressions"):
            message = "may not be empty: it would match every pod"
            yield Mistake(("spec", "selector"), Wrong.INVALID, message)
        elif not matches(selector, carried):
            yield mismatch(data, table(selector, "matchLabels"), carried)
    yield from check_template(spec, _SPEC, pods=kind != "StatefulSet")
    yield from _always(spec, kind)
    yield from not_negative(spec, _NOT_NEGATIVE, _SPEC)
    yield from check_rollout(spec, kind)
    if kind == "Deployment":
        deadline, ready = number(spec, "progressDeadlineSeconds"), number(spec, "minReadySeconds")
        if (deadline is not None or ready is not None) and (
            600 if deadline is None else deadline
        ) <= (ready or 0):
            message = f"has to be more than minReadySeconds, {ready or 0}"
            yield Mistake(("spec", "progressDeadlineSeconds"), Wrong.INVALID, message)


def check_replication_controller(data: Object) -> Iterator[Mistake]:
    """A ReplicationController (core/validation ValidateReplicationController)."""
    spec = table(data, "spec")
    carried = table(spec, "template", "metadata", "labels")
    selector = table(spec, "selector") or carried
    if not selector:
        message = "has to be written: the template has no labels to take it from"
        yield Mistake(("spec", "selector"), Wrong.REQUIRED, message)
    elif not selects(selector, carried):
        yield mismatch(data, selector, carried, ("spec", "selector"))
    yield from check_labels(spec.get("selector"), ("spec", "selector"))
    yield from check_template(spec, _SPEC)
    yield from _always(spec, "ReplicationController")
    yield from not_negative(spec, _NOT_NEGATIVE, _SPEC)


def mismatch(data: Object, wanted: Object, carried: Object, where: Path = _MATCH_LABELS) -> Mistake:
    """What the selector, written at `where`, does not find in the template's labels.

    Which of the two is misspelt, the names and labels around them say: two against one.
    """
    wrong = next((key for key, value in wanted.items() if carried.get(key) != value), "")
    if wrong in carried:
        message = f"have {wrong}: {carried[wrong]}, and the selector wants {wrong}: {wanted[wrong]}"
        named = {*_names_in(data), text(data, "metadata", "labels", wrong)}
        at: Path = (*_OWN_LABELS, wrong)
        meant = wanted[wrong]
        if carried[wrong] in named and wanted[wrong] not in named:
            at, meant = (*where, wrong), carried[wrong]
        return Mistake(_OWN_LABELS, Wrong.INVALID, message, at, mended=str(meant))
    left = (key for key in carried if key not in wanted)
    same = next((key for key in left if carried[key] == wanted.get(wrong)), "")
    if wrong and same:
        message = f"have {same}: {carried[same]}, and the selector wants {wrong}: {wanted[wrong]}"
        return Mistake(_OWN_LABELS, Wrong.INVALID, message, (*where, wrong), at_key=True)
    if wrong:
        message = f"lack {wrong}: {wanted[wrong]}, which the selector wants"
        return Mistake(_OWN_LABELS, Wrong.INVALID, message)
    return Mistake(_OWN_LABELS, Wrong.INVALID, "are not matched by spec.selector")


def _names_in(data: Object) -> Iterator[str]:
    """What the object, its containers and its governing Service are called, and who it avoids."""
    spec = table(data, "spec")
    pods = table(spec, "template", "spec")
    yield text(data, "metadata", "name")
    yield text(spec, "serviceName")
    yield from (text(one, "name") for one in array(pods, "containers"))
    far = table(pods, "affinity", "podAntiAffinity")
    for field in ("required", "preferred"):
        for term in array(far, f"{field}DuringSchedulingIgnoredDuringExecution"):
            inner = table(term, "podAffinityTerm") or table(term)
            yield from map(str, table(inner, "labelSelector", "matchLabels").values())


def check_template(spec: Object, base: Path, *, pods: bool = True) -> Iterator[Mistake]:
    """The template; of a StatefulSet the server looks at labels alone, not at the pods."""
    template = table(spec, "template")
    path = (*base, "template")
    yield from check_meta(table(template, "metadata"), (*path, "metadata"), path)
    if pods:
        yield from check_pod_spec(table(template, "spec"), (*path, "spec"))


def refused_pod(one: Manifest) -> Mistake | None:
    """What the server has against the pods of a StatefulSet whose own spec it takes.

    The controller adds a volume for each claim template before it asks (stateful_set_utils.go
    updateStorage), and the server looks at the pod itself only then. What somebody fills in comes
    last.
    """
    spec = table(one.data, "spec")
    pod = table(spec, "template", "spec")
    claims = [
        {"name": text(claim, "metadata", "name"), "emptyDir": {}}
        for claim in array(spec, "volumeClaimTemplates")
    ]
    own = {text(claim, "name") for claim in claims}
    kept = [one for one in array(pod, "volumes") if text(one, "name") not in own]
    whole = {**pod, "volumes": [*kept, *claims]} if claims else pod
    base = (*_SPEC, "template", "spec")
    found = [m for m in check_pod_spec(whole, base) if not is_kept(m)]
    return min(found, key=lambda mistake: is_filled_in(one, mistake), default=None)


def _always(spec: Object, kind: str) -> Iterator[Mistake]:
    pod = table(spec, "template", "spec")
    base = ("spec", "template", "spec")
    if (policy := text(pod, "restartPolicy")) not in ("", "Always"):
        message = f"is {policy}; for a {kind} it is Always"
        yield Mistake((*base, "restartPolicy"), Wrong.UNSUPPORTED, message, mended="Always")
    if pod.get("activeDeadlineSeconds") is not None:
        message = f"may not be written in a {kind}: its pods are to run on"
        yield Mistake((*base, "activeDeadlineSeconds"), Wrong.FORBIDDEN, message)
