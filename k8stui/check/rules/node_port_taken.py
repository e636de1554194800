"""Two Services, or two ports of one Service, with the same nodePort.

The allocator does not know protocols: a number belongs to one Service
(portallocator/allocator.go; docs/facts/control-plane.md section 3). The second Service is refused
with ``provided port is already allocated``. Inside one Service ports of different protocols may
share a number; with the same protocol they may not.

Does not apply to node ports that are not written: the API server chooses free ones.

Such an object never reaches the cluster: ``apiserver.validation`` leaves it out, and what it says
is filed under this rule (`check.unreadable`).
"""

from __future__ import annotations

from k8stui.check.finding import CheckRule, Severity

ID = "node-port-taken"

RULE = CheckRule(
    id=ID,
    summary="A nodePort is taken twice",
    help=__doc__ or "",
    severity=Severity.ERROR,
    look=lambda _: (),
)
