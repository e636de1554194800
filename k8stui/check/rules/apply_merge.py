"""Two ports of one number on top of a live Service: client-side ``kubectl apply`` loses one.

A Service's ports are a list that strategic merge patches join by ``port`` alone (patchMergeKey in
k8s.io/api/core/v1 types.go), though the API server tells them apart by protocol too: what is
applied over a live object is merged by number, and one of two ports with the same number is lost
(kubernetes/kubernetes issue 39188).

Applies only where the input holds the live object beside the manifest. Does not apply to what is
created, replaced, or applied with ``--server-side``.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.cluster.merged_ports import merged_ports

ID = "apply-merge"


def look(ground: Ground) -> Iterator[Finding]:
    for found in merged_ports(ground.inventory):
        yield Finding(
            rule=ID,
            severity=Severity.WARNING,
            subject=f"Service {found.service}",
            place=found.origin.place,
            why=found.why,
            fix="kubectl apply --server-side, or kubectl replace",
        )


RULE = CheckRule(
    id=ID,
    summary="kubectl apply loses one of two ports with the same number",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
