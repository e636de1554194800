"""A clusterIP that cannot be given: another Service has it, or it is outside the Services' range.

The API server refuses the second Service with ``provided IP is already allocated``, and an address
outside the range with ``is not in the valid range`` (recordings-cluster/rejected 07 and 08).

Does not apply to addresses that the API server would choose. The range counts only where the input
says it (ServiceCIDR, kubeadm's serviceSubnet).

Such an object never reaches the cluster: ``apiserver.validation`` leaves it out, and what it says
is filed under this rule (`check.unreadable`).
"""

from __future__ import annotations

from k8stui.check.finding import CheckRule, Severity

ID = "cluster-ip"

RULE = CheckRule(
    id=ID,
    summary="A clusterIP that cannot be given",
    help=__doc__ or "",
    severity=Severity.ERROR,
    look=lambda _: (),
)
