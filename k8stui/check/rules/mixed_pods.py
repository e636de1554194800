"""One selector over pods of several workloads, of which only some have the Service's port.

kube-proxy chooses at random among all endpoints, so a part of the requests is refused: the kind of
mistake that works on the second try. An error; a warning where a container that declares nothing
may have the port, and where the workloads have one name (a DaemonSet and a Deployment of it, to
choose from). An information where one workload declares the port and the other no port at
all, so that nobody can tell, and where it is a Job, whose pods end.

Does not apply where all workloads declare the port (versions side by side, as in bookinfo's
``reviews``), nor where none does (target-port-number, wrong-pods).
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.apiserver.fields import array, number
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground, names
from k8stui.check.ports import Match, ServedPort
from k8stui.cluster.model import Pod
from k8stui.cluster.programs.listening import ends
from k8stui.order import listed
from k8stui.origin import Place
from k8stui.suggest import is_digit_slip
from k8stui.walk.diagnosis.selectors import apart

ID = "mixed-pods"
_WRONG = (Match.OTHER_PORTS, Match.UNSURE, Match.OTHER_PROTOCOL)


def look(ground: Ground) -> Iterator[Finding]:
    for target in ground.targets:
        right = target.pods(Match.DECLARED)
        if target.is_named or not right:
            continue
        silent = [p for p in target.pods(Match.SILENT) if _owner(p) != _owner(right[0])]
        wrong = (*target.pods(*_WRONG), *filter(ends, silent))
        if wrong:
            yield _some_refuse(ground, target, right, wrong)
        elif silent:
            yield Finding(
                rule=ID,
                severity=Severity.INFO,
                subject=f"Service {target.service.key}",
                place=ground.place(target.service, "spec", "selector"),
                why=f"it selects several ({names([_owner(p) for p in (right[0], *silent)])}): "
                f"{right[0].name} declares {target.word}, {silent[0].name} no port at all",
                fix="declare the port there too, or select the workload that is meant",
            )


def _some_refuse(
    ground: Ground, target: ServedPort, right: tuple[Pod, ...], wrong: tuple[Pod, ...]
) -> Finding:
    stay = [pod for pod in wrong if not ends(pod)]
    unsure = {pod.key for pod in target.pods(Match.UNSURE)}
    severity = Severity.ERROR if any(p.key not in unsure for p in stay) else Severity.WARNING
    if not stay:
        severity = Severity.INFO
    elif _are_alternatives(right, wrong):
        severity = Severity.WARNING
    return Finding(
        rule=ID,
        severity=severity,
        subject=f"Service {target.service.key}",
        place=_slip(ground, target, wrong) or ground.place(target.service, "spec", "selector"),
        why=f"a part of its requests to port {target.port.port} is refused: "
        f"{right[0].name} declares {target.word}, but not {names([p.name for p in wrong])} "
        f"({listed(target.words(*_WRONG)) or 'no port'})",
        fix=apart(right[0], wrong[0]),
        claim=ground.ask(target.service, target.port, some=True),
    )


def _are_alternatives(right: tuple[Pod, ...], wrong: tuple[Pod, ...]) -> bool:
    """Whether each workload without the port has the name of one with it, and another kind.

    A folder offers one thing in two ways, as a DaemonSet and as a Deployment: nobody applies both.
    """
    named = {pod.owner[1] for pod in right if pod.owner is not None}
    return all(pod.owner is not None and pod.owner[1] in named for pod in wrong)


def _slip(ground: Ground, target: ServedPort, wrong: tuple[Pod, ...]) -> Place | None:
    """Where a container's port is written that is a digit away from the Service's."""
    wanted = int(target.port.target_port)
    for pod in wrong:
        template = ground.template_of(pod)
        for container in template.containers() if template is not None else ():
            for index, entry in enumerate(array(container.data, "ports")):
                if is_digit_slip(number(entry, "containerPort") or 0, wanted):
                    path = (*container.path, "ports", index, "containerPort")
                    return template.manifest.place(*path) if template is not None else None
    return None


def _owner(pod: Pod) -> str:
    return " ".join(pod.owner) if pod.owner else f"pod {pod.name}"


RULE = CheckRule(
    id=ID,
    summary="A Service reaches pods that do not have its port",
    help=__doc__ or "",
    severity=Severity.ERROR,
    look=look,
)
