"""A HorizontalPodAutoscaler counts in percent of a request that the pods do not make.

Utilization is what is used divided by what is requested; where one container of a pod requests
nothing of the resource the autoscaler knows nothing, and scales nobody (``<unknown>/50%``:
pkg/controller/podautoscaler/replica_calculator.go calculateRequests, "missing request for cpu"). A
limit counts as a request (pkg/apis/core/v1/defaults.go SetDefaults_Pod).

Does not apply to values that are no percentages, nor where a LimitRange of the namespace may give
the request.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.apiserver.fields import array, table, text
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.check.template import Template
from k8stui.manifests import Manifest

ID = "autoscaler-metric"


def look(ground: Ground) -> Iterator[Finding]:
    limited = {one.namespace or "default" for one in ground.of_kind("LimitRange").values()}
    for template in ground.templates:
        scaler = ground.scaler(template)
        if scaler is None or template.namespace in limited:
            continue
        for name, path in _utilizations(scaler):
            lacking = next(
                (
                    one.name
                    for one in template.containers()
                    if "containers" in one.path
                    and not any(
                        name in table(one.data, "resources", field)
                        for field in ("requests", "limits")
                    )
                ),
                None,
            )
            if lacking is not None:
                yield _finding(template, scaler, name, path, lacking)


def _utilizations(scaler: Manifest) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    """(resource, where it is written), of those that are percentages."""
    if "targetCPUUtilizationPercentage" in table(scaler.data, "spec"):
        yield "cpu", ("spec", "targetCPUUtilizationPercentage")
    for index, one in enumerate(array(scaler.data, "spec", "metrics")):
        told = table(one, "resource")
        by_percent = (
            text(told, "target", "type") == "Utilization" or "targetAverageUtilization" in told
        )
        if text(one, "type") == "Resource" and by_percent:
            yield text(told, "name"), ("spec", "metrics", index, "resource")


def _finding(
    template: Template, scaler: Manifest, name: str, path: tuple[str | int, ...], lacking: str
) -> Finding:
    return Finding(
        rule=ID,
        severity=Severity.WARNING,
        subject=f"HorizontalPodAutoscaler {template.namespace}/{scaler.name}",
        place=scaler.place(*path),
        why=f"it counts in percent of the {name} that the pods of {template.subject} request, and "
        f"container {lacking} requests none: it knows nothing, and scales nobody",
        fix=f"write resources.requests.{name} into container {lacking}",
    )


RULE = CheckRule(
    id=ID,
    summary="An autoscaler counts in percent of nothing",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
