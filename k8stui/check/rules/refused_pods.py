"""A StatefulSet is taken by the API server, and each of its pods is refused.

The server does not look into a StatefulSet's pod template (ValidateStatefulSetSpec): it is the
controller that is told, pod after pod, in an event. Most often a volumeMount names a volume that
neither the template nor a volumeClaimTemplate has.

Does not apply to a dump, nor to other workloads: the server refuses those themselves.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.apiserver.fields import table
from k8stui.apiserver.validation.workload import refused_pod
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.manifests.manifest import field_name

ID = "refused-pods"


def look(ground: Ground) -> Iterator[Finding]:
    for key, manifest in ground.inventory.of("StatefulSet").items():
        wrong = None if manifest.observed else refused_pod(table(manifest.data, "spec"))
        if wrong is not None:
            yield Finding(
                rule=ID,
                severity=Severity.ERROR,
                subject=f"StatefulSet {key}",
                place=manifest.place(*(wrong.at or wrong.path)),
                why="it gets no pods, the API server refuses each of them: "
                f"{field_name(wrong.path)} {wrong.message}",
                fix=f"write {wrong.mended}" if wrong.mended else wrong.hint,
            )


RULE = CheckRule(
    id=ID,
    summary="Every pod of a StatefulSet is refused",
    help=__doc__ or "",
    severity=Severity.ERROR,
    look=look,
)
