"""A nodePort outside 30000-32767, or on a Service that has no node ports.

The API server refuses both (``provided port is not in the valid range``; ``may not be used when
type is 'ClusterIP'``). The range is the API server's --service-node-port-range.

Does not apply to Services of a dump: what was accepted is right there. A number of 0 means "not
given".

Such an object never reaches the cluster: ``apiserver.validation`` leaves it out, and what it says
is filed under this rule (`check.unreadable`).
"""

from __future__ import annotations

from k8stui.check.finding import CheckRule, Severity

ID = "node-port"

RULE = CheckRule(
    id=ID,
    summary="A nodePort that the API server refuses",
    help=__doc__ or "",
    severity=Severity.ERROR,
    look=lambda _: (),
)
