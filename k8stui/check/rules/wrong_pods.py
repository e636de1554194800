"""A Service selects pods that declare other ports, while another workload declares its port.

The selector matches, so nothing looks wrong in ``kubectl get``; but the pods behind the Service
are not those that were meant. The other workload counts as the one that was meant when it is
called like the Service, or when no Service of the namespace selects it.

Does not apply where one of the selected pods declares the port, or where no other workload of the
namespace does: then it is the number that is wrong (target-port-number).
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground, names
from k8stui.check.ports import Match, ServedPort
from k8stui.cluster.model import Pod
from k8stui.order import listed
from k8stui.walk.diagnosis.selectors import written

ID = "wrong-pods"
_OTHERS = (Match.OTHER_PORTS, Match.UNSURE)


def look(ground: Ground) -> Iterator[Finding]:
    for target in ground.targets:
        pod = meant_instead(ground, target)
        if pod is not None:
            yield _finding(ground, target, pod)


def meant_instead(ground: Ground, target: ServedPort) -> Pod | None:
    """A pod of the workload that the Service was meant to select; None where none stands out."""
    others = target.pods(*_OTHERS)
    if target.is_named or not others or len(others) != len(target.led):
        return None
    number, protocol = int(target.port.target_port), target.port.protocol
    return ground.listening.meant_instead(target.service, number, protocol, others[0])


def _finding(ground: Ground, target: ServedPort, meant: Pod) -> Finding:
    service, selector = target.service, target.service.selector or {}
    pods = target.pods(*_OTHERS)
    own = {key: meant.labels[key] for key in selector if key in meant.labels}
    labels = own if own.keys() == selector.keys() else dict(list(meant.labels.items())[:2])
    key = next((k for k in selector if meant.labels.get(k) != selector[k]), None)
    declared = listed(target.words(*_OTHERS))
    path = ("spec", "selector", key) if key else ("spec", "selector")
    return Finding(
        rule=ID,
        severity=Severity.ERROR,
        subject=f"Service {service.key}",
        place=ground.place(service, *path),
        why=f"the selector {written(selector)} leads to pods that declare {declared}, not "
        f"{target.word} ({names([p.name for p in pods])}); {meant.name} declares {target.word}",
        fix=f"select {written(labels)}",
        claim=ground.ask(service, target.port),
    )


RULE = CheckRule(
    id=ID,
    summary="A Service selects the wrong pods",
    help=__doc__ or "",
    severity=Severity.ERROR,
    look=look,
)
