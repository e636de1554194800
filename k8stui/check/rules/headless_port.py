"""A headless Service (``clusterIP: None``) leads from one port to another: nobody translates it.

Its name leads to the pods' own addresses (Kubernetes DNS specification 2.4), so the client's packet
keeps the Service's port; ``targetPort`` counts for SRV records only. Asked for by the Service's
port, the pod's kernel refuses.

Does not apply where the pods listen on the Service's port too, nor where they declare the target
port no more than that (target-port-number, target-port-name).
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.check.ports import Match
from k8stui.cluster.programs.listening import declared
from k8stui.walk.sentence import port_word

ID = "headless-port"


def look(ground: Ground) -> Iterator[Finding]:
    for target in ground.targets:
        service, port = target.service, target.port
        if not service.headless or target.port.target_port == port.port:
            continue
        pods = target.pods(Match.DECLARED)
        if not pods:
            continue
        number = next(
            (
                one.number
                for one in declared(pods[0])
                if port.target_port in (one.number, one.name) and one.protocol is port.protocol
            ),
            port.port,
        )
        if number == port.port:
            continue
        opinion = ground.listening.asked(pods[0], port.port, port.protocol)
        if opinion.listens:
            continue
        word = port_word(port.port, port.protocol)
        yield Finding(
            rule=ID,
            severity=Severity.WARNING,
            subject=f"Service {service.key}",
            place=ground.port_place(service, port, "targetPort"),
            why=f"it is headless, so its name leads to the pods themselves, and nobody translates "
            f"port {word} to {number} of {pods[0].name}",
            fix=f"ask for port {number} (and write port: {number}), or leave clusterIP: None out",
            claim=ground.ask(service, port),
        )


RULE = CheckRule(
    id=ID,
    summary="A headless Service's port is not translated",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
