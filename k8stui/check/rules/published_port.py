"""kind publishes a port of its node, and nothing on the node answers there.

A node of kind is a container: ``extraPortMappings`` leads from the machine's hostPort to the
node's containerPort, and there a node port (30000-32767) or a pod's hostPort has to be. Told where
the input shows which Service was meant. Does not apply to the API server's port.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.walk.diagnosis.published import unanswered

ID = "published-port"


def look(ground: Ground) -> Iterator[Finding]:
    for port in ground.cluster.published:
        found = unanswered(ground.cluster, port)
        if found is not None:
            yield Finding(
                rule=ID,
                severity=Severity.WARNING,
                subject="kind's Cluster",
                place=port.origin.place,
                why=found.reason,
                fix=found.advice,
            )


RULE = CheckRule(
    id=ID,
    summary="kind publishes a port at which nobody answers",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
