"""A workload is taken by the API server, and its pods are refused.

The controller is told, pod after pod, in an event: a ResourceQuota is used up or wants resources
that are not written, a LimitRange allows less, an account is missing. A StatefulSet's template is
not even looked into before (ValidateStatefulSetSpec): most often a volumeMount names a volume that
neither the template nor a volumeClaimTemplate has. A paused Deployment makes no pods either.

An error where it gets no pod at all; a warning where it gets some, and of a quota, which others
of the input use up too. Does not apply to a dump.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.apiserver.validation.unfinished import is_filled_in
from k8stui.apiserver.validation.workload import refused_pod
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.cluster.workloads import PAUSED
from k8stui.manifests.manifest import field_name
from k8stui.origin import OriginKind
from k8stui.walk.diagnosis.refusals import mend

ID = "refused-pods"


def look(ground: Ground) -> Iterator[Finding]:
    for key, manifest in ground.inventory.of("StatefulSet").items():
        wrong = None if manifest.observed else refused_pod(manifest)
        if wrong is not None and not is_filled_in(manifest, wrong):
            yield Finding(
                rule=ID,
                severity=Severity.ERROR,
                subject=f"StatefulSet {key}",
                place=manifest.place(*(wrong.at or wrong.path)),
                why="it gets no pods, the API server refuses each of them: "
                f"{field_name(wrong.path)} {wrong.message}",
                fix=f"write {wrong.mended}" if wrong.mended else wrong.hint,
            )

    for workload in ground.cluster.workloads:
        if not workload.lack or workload.origin.kind is OriginKind.OBSERVED:
            continue
        if workload.refused is not None:  # told above, with a workload of no replicas too
            continue
        few = (
            f"only {len(workload.pods)} of {workload.replicas} pods" if workload.pods else "no pods"
        )
        mild = workload.lack == PAUSED or " quota: " in workload.lack
        mild |= ground.is_kustomized  # its patches may put the pods right
        yield Finding(
            rule=ID,
            severity=Severity.WARNING if workload.pods or mild else Severity.ERROR,
            subject=f"{workload.kind} {workload.namespace}/{workload.name}",
            place=workload.origin.place,
            why=f"it gets {few}: {workload.lack}",
            fix=mend(workload),
        )


RULE = CheckRule(
    id=ID,
    summary="Pods of a workload are refused",
    help=__doc__ or "",
    severity=Severity.ERROR,
    look=look,
)
