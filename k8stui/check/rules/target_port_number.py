"""A targetPort is a number that no container of the selected pods declares, though others are.

``containerPort`` is documentation; but where the pods declare a port that no Service leads to, that
one was meant: nothing is known to listen here, and the pod's kernel answers with RST. An error
then. A warning where nothing speaks against the port (all that is declared is led to, or some
container declares nothing, or of a longer list the Service takes others, and none left comes near),
which the walk then assumes to be listened on, and for a headless Service, whose ports nobody
translates. An information where something else of the input names the
port (a probe, an argument, an env value, a ConfigMap, a Gateway, a webhook) and no declared one is
a digit away, where the Service has more ports than the containers declare, and where the port is
called a dummy. A warning, too, where several Services lead past the same declared port to the same
other one, or one Service past several: nobody makes one slip twice, so the program probably listens
where it declares nothing.

A warning as well where a port leads to a declared one, and the container has another of the port's
own name.

Does not apply where no container declares any port, where the number is declared with another
protocol (target-port-protocol), where some of the pods declare it (mixed-pods), and where the
Service probably selects the wrong pods (wrong-pods).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground, names
from k8stui.check.ports import Match, ServedPort
from k8stui.check.rules.wrong_pods import meant_instead
from k8stui.cluster.model import Pod
from k8stui.cluster.programs.evidence import is_opened
from k8stui.cluster.programs.listening import Opinion, declared
from k8stui.cluster.programs.streams import closed
from k8stui.order import listed
from k8stui.suggest import is_digit_slip

ID = "target-port-number"
_OTHERS = (Match.OTHER_PORTS, Match.UNSURE)
_PLACEHOLDERS = ("dummy", "placeholder", "unused")
"""Names of ports that a Service has because it needs one."""


def look(ground: Ground) -> Iterator[Finding]:
    by_hand = {one.service for one in ground.cluster.unread_endpoints}  # endpoints-by-hand tells
    found = [
        t
        for t in ground.targets
        if undeclared(t) and meant_instead(ground, t) is None and t.service.key not in by_hand
        if _opinions(ground, t) != {Opinion.TOLD_OTHER}  # told-port tells
    ]
    often = Counter(pair for pair, _ in {(_pair(t), t.service.key) for t in found})
    past = Counter(t.service.key for t in found)
    for target in found:
        is_habit = often[_pair(target)] > 1 or past[target.service.key] > 1
        yield _by_streams(ground, target, target.pods(*_OTHERS)) or _finding(
            ground, target, is_habit=is_habit
        )
    yield from _namesakes(ground)
    for target in ground.targets:
        if not target.is_named and (one := _by_streams(ground, target, target.pods(Match.SILENT))):
            yield one


_USUAL = frozenset({"http", "https", "web", "websecure", "grpc", "metrics", "tcp"})
"""Names that a Service's port and a container's share without being one: 443 (https) to http."""


def _namesakes(ground: Ground) -> Iterator[Finding]:
    """A port that leads to another than the container's of its own name.

    Which has its number, too, or is the only one, of a name that is nobody else's.
    """
    for target in ground.targets:
        port = target.port
        if target.is_named or not port.name or port.target_port == port.port:
            continue
        pods = target.pods(Match.DECLARED)
        named = ((pod, p) for pod in pods for p in declared(pod) if p.name == port.name)
        pod, own = next(named, (None, None))
        if pod is None or own is None or own.protocol is not port.protocol:
            continue
        if own.number == port.target_port:
            continue
        alone = [p.name for p in target.service.ports] == [port.name]
        if own.number != port.port and (port.name in _USUAL or not alone):
            continue
        yield Finding(
            rule=ID,
            severity=Severity.WARNING,
            subject=f"Service {target.service.key}",
            place=ground.port_place(target.service, port, "targetPort"),
            why=f"port {port.port} ({port.name}) leads to {port.target_port} of {pod.name}, "
            f"which declares {own.number} by that very name: somebody else answers",
            fix=f"write targetPort: {own.number}",
        )


def _by_streams(ground: Ground, target: ServedPort, pods: Sequence[Pod]) -> Finding | None:
    """An ingress-nginx that is not told to open the port."""
    number, protocol = int(target.port.target_port), target.port.protocol
    for pod in pods:
        lack = closed(ground.cluster.config_maps, pod, number, protocol)
        if lack is not None:
            return Finding.of_lack(ID, f"Service {target.service.key}", lack)
    return None


def _pair(target: ServedPort) -> tuple[int | str, tuple[str, ...]]:
    """The target port, and what is declared instead."""
    return target.port.target_port, target.words(*_OTHERS)


def _opinions(ground: Ground, target: ServedPort) -> set[Opinion]:
    """What the judge of the walk says about the port, for each kind of pod behind it."""
    number, protocol = int(target.port.target_port), target.port.protocol
    return {
        ground.listening.on(pod, target.service, number, protocol) for pod in target.pods(*_OTHERS)
    }


def _assumption(ground: Ground, target: ServedPort) -> str:
    number, protocol = int(target.port.target_port), target.port.protocol
    pods = target.pods(*_OTHERS)
    named = [ground.listening.who_names(p, target.service, number, protocol) for p in pods]
    spoken = next((who for who in named if who), "")
    return f"{spoken} names it: assumed to listen" if spoken else "assumed to listen all the same"


def _one_of_many(target: ServedPort) -> bool:
    """Whether other ports of the Service are declared, and none is left over that was meant."""
    led: set[int | str] = {port.target_port for port in target.service.ports}
    ports = [p for pod in target.pods(*_OTHERS) for p in declared(pod)]
    met = [p for p in ports if p.number in led or p.name in led]
    more = len(target.service.ports) > len({p.number for p in ports})
    return bool(met) and more and not _slips(target)


def _slips(target: ServedPort) -> bool:
    """Whether a declared port that the Service does not lead to is a digit away."""
    led: set[int | str] = {port.target_port for port in target.service.ports}
    wanted = int(target.port.target_port)
    ports = [p for pod in target.pods(*_OTHERS) for p in declared(pod)]
    left = [p for p in ports if p.number not in led and p.name not in led]
    return any(is_digit_slip(wanted, p.number) for p in left)


def undeclared(target: ServedPort) -> bool:
    """Whether the port is a number, and pods declare other ports, but none this one."""
    others = target.pods(*_OTHERS)
    silent = target.pods(Match.SILENT)
    return not target.is_named and bool(others) and len(others) + len(silent) == len(target.led)


def _finding(ground: Ground, target: ServedPort, *, is_habit: bool) -> Finding:
    pods = target.pods(*_OTHERS)
    opinions = _opinions(ground, target)
    listens = all(opinion.listens for opinion in opinions)
    severity = Severity.ERROR
    # A kustomization's patch may add a container that has it.
    if target.service.headless or listens or is_habit or ground.is_kustomized:
        severity = Severity.WARNING
    if target.port.name in _PLACEHOLDERS or (listens and _one_of_many(target)):
        severity = Severity.INFO
    elif opinions == {Opinion.SPOKEN}:
        told = any(is_opened(pod, int(target.port.target_port)) for pod in pods)
        severity = Severity.WARNING if _slips(target) and not told else Severity.INFO
    port = target.port
    meant = {ground.listening.meant(p, port.protocol, port.name, port.port) for p in pods}
    number = target.port.target_port
    fix = f"let the container listen on {number}, or mend targetPort"
    if len(meant) == 1 and None not in meant:
        fix = f"write targetPort: {meant.pop()}, or let the container listen on {number}"
    return Finding(
        rule=ID,
        severity=severity,
        subject=f"Service {target.service.key}",
        place=ground.port_place(target.service, target.port, "targetPort"),
        why=f"port {target.port.port} leads to {target.word} of {names([p.name for p in pods])}, "
        f"where {listed(target.words(*_OTHERS))} is declared"
        + (f"; {_assumption(ground, target)}" if listens else ""),
        fix=fix,
        # The name of a headless Service leads to pods, whatever its ports are.
        claim=ground.ask(target.service, target.port, some=bool(target.pods(Match.SILENT)))
        if severity is Severity.ERROR
        else None,
    )


RULE = CheckRule(
    id=ID,
    summary="A targetPort is none of the ports that the containers declare",
    help=__doc__ or "",
    severity=Severity.ERROR,
    look=look,
)
