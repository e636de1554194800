"""A targetPort is a number that no container of the selected pods declares, though others are.

``containerPort`` is documentation; but where every container of every selected pod declares ports
and this is none of them, nothing is known to listen there, and the pod's kernel answers with RST.
An error then; a warning where some container declares nothing, so that the port may be its, and
for a headless Service, whose ports nobody translates. An information where a probe, an argument or
an env value speaks of the port (and no declared one is a digit away), where the Service has more
ports than the containers declare, and where the port is called a dummy.

Does not apply where no container declares any port, where the number is declared with another
protocol (target-port-protocol), where some of the pods declare it (mixed-pods), and where the
Service probably selects the wrong pods (wrong-pods).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from k8stui.apiserver.fields import Object, array, at, text
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground, names
from k8stui.check.ports import Match, Target, declared, words
from k8stui.check.rules.probe_port import HANDLERS, PROBES
from k8stui.check.rules.wrong_pods import meant_instead
from k8stui.check.typo import is_digit_slip

ID = "target-port-number"
_OTHERS = (Match.OTHER_PORTS, Match.UNSURE)
_PLACEHOLDERS = ("dummy", "placeholder", "unused")
"""Names of ports that a Service has because it needs one."""


def look(ground: Ground) -> Iterator[Finding]:
    for target in ground.targets:
        if undeclared(target) and meant_instead(ground, target) is None:
            yield _finding(ground, target)


def mentioned(ground: Ground, target: Target) -> bool:
    """Whether the pods speak of the port elsewhere: a probe asks it, an argument names it."""
    word = re.compile(rf"(?<!\d){target.port.target_port}(?!\d)")
    return all(
        template is not None and any(_speaks(c.data, word) for c in template.containers())
        for template in (ground.template_of(pod) for pod in target.pods(*_OTHERS))
    )


def _speaks(container: Object, word: re.Pattern[str]) -> bool:
    texts = [
        *array(container, "command"),
        *array(container, "args"),
        *(text(entry, "value") for entry in array(container, "env")),
        *(at(container, probe, how, "port") for probe in PROBES for how in HANDLERS),
    ]
    return any(word.search(str(one)) for one in texts)


def _one_of_many(target: Target) -> bool:
    """Whether other ports of the Service are declared, and none is left over that was meant."""
    led: set[int | str] = {port.target_port for port in target.service.ports}
    ports = [p for pod in target.pods(*_OTHERS) for p in declared(pod)]
    met = [p for p in ports if p.number in led or p.name in led]
    more = len(target.service.ports) > len({p.number for p in ports})
    return bool(met) and more and not _slips(target)


def _slips(target: Target) -> bool:
    """Whether a declared port that the Service does not lead to is a digit away."""
    led: set[int | str] = {port.target_port for port in target.service.ports}
    wanted = int(target.port.target_port)
    ports = [p for pod in target.pods(*_OTHERS) for p in declared(pod)]
    left = [p for p in ports if p.number not in led and p.name not in led]
    return any(is_digit_slip(wanted, p.number) for p in left)


def undeclared(target: Target) -> bool:
    """Whether the port is a number, and all pods declare other ports."""
    others = target.pods(*_OTHERS)
    return not target.is_named and bool(others) and len(others) == len(target.led)


def _finding(ground: Ground, target: Target) -> Finding:
    pods = target.pods(Match.OTHER_PORTS, Match.UNSURE)
    severity = Severity.ERROR
    if target.service.headless or target.pods(Match.UNSURE):
        severity = Severity.WARNING
    if target.port.name in _PLACEHOLDERS or _one_of_many(target):
        severity = Severity.INFO
    elif mentioned(ground, target):
        severity = Severity.WARNING if _slips(target) else Severity.INFO
    usable = {p.number for pod in pods for p in declared(pod) if p.protocol is target.port.protocol}
    number = target.port.target_port
    fix = f"let a container declare {number}, or mend targetPort"
    if len(usable) == 1:
        fix = f"write targetPort: {usable.pop()}, or let the container listen on {number}"
    return Finding(
        rule=ID,
        severity=severity,
        subject=f"Service {target.service.key}",
        place=ground.port_place(target.service, target.port, "targetPort"),
        why=f"port {target.port.port} leads to {target.word} of {names([p.name for p in pods])}, "
        f"where {words(pods)} is declared",
        fix=fix,
        # The name of a headless Service leads to pods, whatever its ports are.
        claim=None
        if severity is Severity.INFO or target.service.headless
        else ground.ask(target.service, target.port),
    )


RULE = CheckRule(
    id=ID,
    summary="A targetPort is none of the ports that the containers declare",
    help=__doc__ or "",
    severity=Severity.ERROR,
    look=look,
)
