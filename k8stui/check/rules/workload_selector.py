"""A workload's selector does not match the labels of its own template.

The API server refuses it (``selector does not match template labels``), so that no pod is made;
apps/v1 needs a selector, a ReplicationController takes its template's labels where it has none
(recordings-cluster/rejected 24 and 25).

Does not apply to Jobs, whose selector is made for them, to CronJobs and Pods, and to a dump.

Such an object never reaches the cluster: ``apiserver.validation`` leaves it out, and what it says
is filed under this rule (`check.unreadable`).
"""

from __future__ import annotations

from k8stui.check.finding import CheckRule, Severity

ID = "workload-selector"

RULE = CheckRule(
    id=ID,
    summary="A workload does not select its own pods",
    help=__doc__ or "",
    severity=Severity.ERROR,
    look=lambda _: (),
)
