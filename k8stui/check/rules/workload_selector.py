"""A workload's selector does not match the labels of its own template.

The API server refuses it (``selector does not match template labels``), so that no pod is made;
apps/v1 needs a selector, a ReplicationController takes its template's labels where it has none
(recordings-cluster/rejected 24 and 25).

Does not apply to Jobs, whose selector is made for them, to CronJobs and Pods, and to a dump.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.check.finding import Finding, Rule, Severity
from k8stui.check.ground import Ground
from k8stui.check.template import Template
from k8stui.cluster.fields import at, labels, table
from k8stui.cluster.selectors import matches
from k8stui.walk.diagnosis.selectors import written

ID = "workload-selector"
_KINDS = ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "ReplicationController")


def look(ground: Ground) -> Iterator[Finding]:
    for template in ground.templates:
        if template.kind in _KINDS and not template.manifest.observed:
            yield from _judge(template)


def _judge(template: Template) -> Iterator[Finding]:
    manifest, carried = template.manifest, template.labels
    selector = at(manifest.data, "spec", "selector")
    if template.kind == "ReplicationController":
        wanted = labels(selector) if selector else {}
        if wanted.items() <= carried.items():
            return
        path: tuple[str, ...] = ("spec", "selector")
    elif selector is None:
        if manifest.group != "apps" or manifest.api_version != "apps/v1":
            return  # older versions take the template's labels
        yield _refused(template, ("spec",), "spec.selector is missing", "write spec.selector")
        return
    else:
        if matches(selector, carried):
            return
        wanted = labels(table(selector), "matchLabels")
        path = ("spec", "selector", "matchLabels")
    wrong = next((k for k, v in wanted.items() if carried.get(k) != v), None)
    yield _refused(
        template,
        (*path, wrong) if wrong else ("spec", "selector"),
        f"the selector {written(wanted)} does not match the template's labels "
        f"{written(carried) or '(none)'}",
        "make selector and template labels the same",
    )


def _refused(template: Template, path: tuple[str, ...], why: str, fix: str) -> Finding:
    return Finding(
        rule=ID,
        severity=Severity.ERROR,
        subject=template.subject,
        place=template.manifest.place(*path),
        why=f"the API server refuses it: {why}",
        fix=fix,
    )


RULE = Rule(
    id=ID,
    summary="A workload does not select its own pods",
    help=__doc__ or "",
    severity=Severity.ERROR,
    look=look,
)
