"""A client without a sidecar asks who takes Istio's mutual TLS alone.

A PeerAuthentication of mode STRICT lets the sidecar of a pod close whatever comes in plain: the
connection is made, and reset at the first data. Whoever is told to ask such a pod (env, command,
arguments), or serves an Ingress that leads there, has to be in the mesh itself.

Does not apply to clients that nobody is known to be, nor to ports that annotations take out of the
sidecar's hands.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.check.calls import behind, of_ingresses, told
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.cluster.mesh import closed_to

ID = "mutual-tls"


def look(ground: Ground) -> Iterator[Finding]:
    if not ground.cluster.peer_authentications:
        return
    known: set[tuple[str, str]] = set()
    for call in (*told(ground), *of_ingresses(ground)):
        for pod, number in behind(ground, call.service, call.port):
            if (call.client.key, pod.key) in known:
                continue
            lack = closed_to(ground.cluster, call.client, pod, number)
            if lack is not None:
                known.add((call.client.key, pod.key))
                yield Finding(
                    rule=ID,
                    severity=Severity.WARNING,
                    subject=f"Service {call.service.key}",
                    place=lack.origin.place,
                    why=f"{call.said}: {lack.why}",
                    fix=lack.mend,
                )


RULE = CheckRule(
    id=ID,
    summary="Plain requests to a pod that takes mutual TLS alone",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
