"""A Service's port and the container's port have different protocols.

Rules, endpoints and sockets are made per protocol: a TCP request to a UDP port finds nobody. A
named targetPort resolves only where the protocol is the same (pkg/api/v1/pod FindPort).

Does not apply where some selected pod declares the port with the Service's protocol. A warning
only, where the same Service has a port of the declared protocol that leads to the same target (DNS
over UDP and TCP, of which the container declares one), and where a name or a well-known number says
that the container has but forgotten the protocol (514, udp-echo): ``containerPort`` is
documentation, and the walk assumes that somebody listens.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.check.ports import Match
from k8stui.cluster.programs.listening import declared

ID = "target-port-protocol"


def look(ground: Ground) -> Iterator[Finding]:
    for target in ground.targets:
        pods = target.pods(Match.OTHER_PROTOCOL)
        if not pods or target.pods(Match.DECLARED):
            continue
        service, port = target.service, target.port
        there = next(p for p in declared(pods[0]) if port.target_port in (p.number, p.name))
        twin = any(
            p.target_port == port.target_port and p.protocol is there.protocol
            for p in service.ports
        )
        assumed = not target.is_named and all(
            ground.listening.on(pod, service, int(port.target_port), port.protocol).listens
            for pod in pods
        )
        yield Finding(
            rule=ID,
            severity=Severity.WARNING if twin or assumed else Severity.ERROR,
            subject=f"Service {service.key}",
            place=ground.port_place(service, port, "protocol"),
            why=f"port {port.port} is {port.protocol.name}, but {pods[0].name} declares "
            f"{port.target_port} for {there.protocol.name} only"
            + ("; assumed to be listened on all the same" if assumed else ""),
            fix=f"write protocol: {there.protocol.name}, or let the container declare "
            f"{port.target_port} with protocol: {port.protocol.name}",
            claim=None if assumed else ground.ask(service, port),
        )


RULE = CheckRule(
    id=ID,
    summary="Service and container disagree about the protocol",
    help=__doc__ or "",
    severity=Severity.ERROR,
    look=look,
)
