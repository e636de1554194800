"""A targetPort is a name that the selected pods' containers do not declare.

The EndpointSlice controller resolves the name pod by pod and leaves the port out where no
container has it (pkg/api/v1/pod FindPort). A pod without the name is no endpoint of that port: an
error where no selected pod has it, a warning where only some lack it.

Does not apply where the name is declared with another protocol (target-port-protocol), nor to what
is no port name at all (service-ports).
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Sequence

from k8stui.apiserver.validation.unfinished import is_placeholder
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground, names
from k8stui.check.ports import Match, ServedPort, name_fault
from k8stui.cluster.model import Pod
from k8stui.cluster.programs.listening import declared
from k8stui.kernel.packet import Protocol
from k8stui.order import listed
from k8stui.suggest import Wordbook

ID = "target-port-name"
_Book = tuple[Wordbook, Sequence[str], Collection[int]]
"""The names of ports that are declared, and all numbers."""
_Books = dict[tuple[Hashable, ...], _Book]
_ABSENT = (Match.OTHER_PORTS, Match.UNSURE, Match.SILENT)


def look(ground: Ground) -> Iterator[Finding]:
    told: set[tuple[str, object]] = set()
    books: _Books = {}
    for target in ground.targets:
        if target.is_named and target.led and is_placeholder(str(target.port.target_port)):
            yield _unfilled(ground, target)
        if not target.is_named or name_fault(str(target.port.target_port)):
            continue
        absent = target.pods(*_ABSENT)
        if absent and len(absent) == len(target.led):
            yield _nowhere(ground, target, books)
            continue
        key = (target.service.key, target.port.target_port)
        if absent and target.pods(Match.DECLARED) and key not in told:
            told.add(key)
            yield _somewhere(ground, target)


def _unfilled(ground: Ground, target: ServedPort) -> Finding:
    return Finding(
        rule=ID,
        severity=Severity.WARNING,
        subject=f"Service {target.service.key}",
        place=ground.port_place(target.service, target.port, "targetPort"),
        why=f"{target.port.target_port} is a placeholder that nobody has filled in: as it stands "
        "no port has that name",
        fix="fill it in (envsubst, helm template, kustomize), and check what comes out",
    )


def _somewhere(ground: Ground, target: ServedPort) -> Finding:
    absent, name = target.pods(*_ABSENT), target.port.target_port
    return Finding(
        rule=ID,
        severity=Severity.WARNING,
        subject=f"Service {target.service.key}",
        place=ground.port_place(target.service, target.port, "targetPort"),
        why=f"no port named {name} in {names([p.name for p in absent])}: no request to port "
        f"{target.port.port} gets there",
        fix=f"name the container's port {name} there too, or select fewer pods",
    )


def _book(books: _Books, pods: Sequence[Pod], protocol: Protocol) -> _Book:
    """The names of the pods' ports: the same for every port of a Service."""
    key = (*(id(pod.containers) for pod in pods), protocol)
    if key not in books:
        ports = [port for pod in pods for port in declared(pod)]
        names = dict.fromkeys(p.name for p in ports if p.name and p.protocol is protocol)
        books[key] = Wordbook(names), tuple(names), {port.number for port in ports}
    return books[key]


def _nowhere(ground: Ground, target: ServedPort, books: _Books) -> Finding:
    wanted, pods = str(target.port.target_port), target.pods(*_ABSENT)
    book, has, numbers = _book(books, pods, target.port.protocol)
    near = book.nearest(wanted) or (has[0] if len(has) == 1 else None)
    if near:
        fix = f"write targetPort: {near}"
    elif len(numbers) == 1:
        fix = f"name the container's port {wanted}, or write targetPort: {next(iter(numbers))}"
    else:
        left = ground.listening.left_name(pods[0], target.port.protocol)
        fix = f"write targetPort: {left}, or " if left else ""
        fix += f"name the container's port {wanted}"
    return Finding(
        rule=ID,
        # A kustomization's patch may add a container that has it, as kubebuilder's do.
        severity=Severity.ERROR if near or not ground.is_kustomized else Severity.WARNING,
        subject=f"Service {target.service.key}",
        place=ground.port_place(target.service, target.port, "targetPort"),
        why=f"no container of {names([p.name for p in pods])} declares a port named {wanted}; "
        f"declared: {listed(target.words(*_ABSENT)) or 'nothing'}",
        fix=fix,
        # The name of a headless Service leads to pods, whatever its ports are.
        claim=None if target.service.headless else ground.ask(target.service, target.port),
    )


RULE = CheckRule(
    id=ID,
    summary="A targetPort names a port that no container declares",
    help=__doc__ or "",
    severity=Severity.ERROR,
    look=look,
)
