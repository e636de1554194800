"""Ports of one Service that the API server refuses: the same twice, without names, or none.

Also a targetPort whose name is no port name; a number in quotes is one. Source:
pkg/apis/core/validation ValidateService; recordings-cluster/rejected 01, 02, 03, 11, 17 and 18.
Ports with the same number are fine when their protocols differ.

Does not apply to headless and ExternalName Services without ports.

Such an object never reaches the cluster: ``apiserver.validation`` leaves it out, and what it says
is filed under this rule (`check.unreadable`).
"""

from __future__ import annotations

from k8stui.check.finding import CheckRule, Severity

ID = "service-ports"

RULE = CheckRule(
    id=ID,
    summary="Ports of a Service that the API server refuses",
    help=__doc__ or "",
    severity=Severity.ERROR,
    look=lambda _: (),
)
