"""A targetPort is a name that the selected pods' containers do not declare.

The EndpointSlice controller resolves the name pod by pod and leaves the port out where no
container has it (pkg/api/v1/pod FindPort). A pod without the name is no endpoint of that port: an
error where no selected pod has it, a warning where only some lack it.

Does not apply where the name is declared with another protocol (target-port-protocol).
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.check.finding import Finding, Rule, Severity
from k8stui.check.ground import Ground, names
from k8stui.check.ports import Match, Target, declared, words
from k8stui.walk.error import nearest

ID = "target-port-name"
_ABSENT = (Match.OTHER_PORTS, Match.UNSURE, Match.SILENT)


def look(ground: Ground) -> Iterator[Finding]:
    for target in ground.targets:
        if not target.is_named:
            continue
        absent = target.pods(*_ABSENT)
        if absent and len(absent) == len(target.led):
            yield _nowhere(ground, target)
        elif absent and target.pods(Match.DECLARED):
            yield Finding(
                rule=ID,
                severity=Severity.WARNING,
                subject=f"Service {target.service.key}",
                place=ground.port_place(target.service, target.port, "targetPort"),
                why=f"{names([p.name for p in absent])} declares no port named "
                f"{target.port.target_port} and is no endpoint of port {target.port.port}",
                fix=f"name the container's port {target.port.target_port} there too",
            )


def _nowhere(ground: Ground, target: Target) -> Finding:
    wanted, pods = str(target.port.target_port), target.pods(*_ABSENT)
    has = [
        port.name
        for pod in pods
        for port in declared(pod)
        if port.name and port.protocol is target.port.protocol
    ]
    near = nearest(wanted, has) or (has[0] if len(set(has)) == 1 else None)
    numbers = {p.number for pod in pods for p in declared(pod)}
    if near:
        fix = f"write targetPort: {near}"
    elif len(numbers) == 1:
        fix = f"name the container's port {wanted}, or write targetPort: {numbers.pop()}"
    else:
        fix = f"name the container's port {wanted}"
    return Finding(
        rule=ID,
        severity=Severity.ERROR,
        subject=f"Service {target.service.key}",
        place=ground.port_place(target.service, target.port, "targetPort"),
        why=f"no container of {names([p.name for p in pods])} declares a port named {wanted}; "
        f"declared: {words(pods) or 'nothing'}",
        fix=fix,
        claim=ground.ask(target.service, target.port),
    )


RULE = Rule(
    id=ID,
    summary="A targetPort names a port that no container declares",
    help=__doc__ or "",
    severity=Severity.ERROR,
    look=look,
)
