"""A targetPort is a number that no container of the selected pods declares, though others are.

``containerPort`` is documentation; but where every container of every selected pod declares ports
and this is none of them, nothing is known to listen there, and the pod's kernel answers with RST.
An error then; a warning where some container declares nothing, so that the port may be its, and
for a headless Service, whose ports nobody translates.

Does not apply where no container declares any port, where the number is declared with another
protocol (target-port-protocol), where some of the pods declare it (mixed-pods), and where the
Service probably selects the wrong pods (wrong-pods).
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.check.finding import Finding, Rule, Severity
from k8stui.check.ground import Ground, names
from k8stui.check.ports import Match, Target, declared, words
from k8stui.check.rules.wrong_pods import meant_instead

ID = "target-port-number"


def look(ground: Ground) -> Iterator[Finding]:
    for target in ground.targets:
        if undeclared(target) and meant_instead(ground, target) is None:
            yield _finding(ground, target)


def undeclared(target: Target) -> bool:
    """Whether the port is a number, and all pods declare other ports."""
    others = target.pods(Match.OTHER_PORTS, Match.UNSURE)
    return not target.is_named and bool(others) and len(others) == len(target.led)


def _finding(ground: Ground, target: Target) -> Finding:
    pods = target.pods(Match.OTHER_PORTS, Match.UNSURE)
    unsure = bool(target.pods(Match.UNSURE)) or target.service.headless
    usable = {p.number for pod in pods for p in declared(pod) if p.protocol is target.port.protocol}
    number = target.port.target_port
    fix = f"let a container declare {number}, or mend targetPort"
    if len(usable) == 1:
        fix = f"write targetPort: {usable.pop()}, or let the container listen on {number}"
    return Finding(
        rule=ID,
        severity=Severity.WARNING if unsure else Severity.ERROR,
        subject=f"Service {target.service.key}",
        place=ground.port_place(target.service, target.port, "targetPort"),
        why=f"port {target.port.port} leads to {target.word} of {names([p.name for p in pods])}, "
        f"where {words(pods)} is declared",
        fix=fix,
        claim=ground.ask(target.service, target.port),
    )


RULE = Rule(
    id=ID,
    summary="A targetPort is none of the ports that the containers declare",
    help=__doc__ or "",
    severity=Severity.ERROR,
    look=look,
)
