"""Walk and check never disagree: over samples, recordings' manifests, cases, and mutants of them.

What check calls an error of a Service's port does not answer in the walk; a port that the walk does
not reach, for a reason that a manifest declares, has a finding on the same Service or line: by the
ClusterIP, by the pods' own addresses (headless), by node ports and by host ports.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from check.worlds import world

from k8stui.check import Finding, Severity, check
from k8stui.check.ground import Ground, service_target
from k8stui.cluster.model import Service, ServicePort, ServiceType
from k8stui.cluster.programs.listening import declared
from k8stui.kernel.exchange import Result
from k8stui.origin import OriginKind
from k8stui.walk.error import RequestError
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Outcome
from k8stui.walk.walk import walk
from k8stui.walk.world import World

_TESTS = Path(__file__).parents[1]
_FOLDERS = (_TESTS.parent / "samples", _TESTS / "check" / "cases")
_FILES = sorted(file for folder in _FOLDERS for file in folder.rglob("*.yaml"))
_MUTANTS = 3
_PORT = re.compile(r"(?P<key>targetPort|containerPort|port|nodePort): ?(?P<value>\d+)")
_WORD = re.compile(
    r"(?P<key>protocol|clusterIP|dnsPolicy|externalTrafficPolicy|internalTrafficPolicy|targetPort"
    r"|externalName|hostNetwork|publishNotReadyAddresses): ?(?P<value>[A-Za-z][\w.-]+)"
)
_OTHER_WORDS = {
    "protocol": ("UDP", "TCP"), "clusterIP": ("None",), "dnsPolicy": ("Default", "ClusterFirst"),
    "externalTrafficPolicy": ("Local", "Cluster"), "internalTrafficPolicy": ("Local", "Cluster"),
    "targetPort": ("other",), "externalName": ("nobody.default.svc.cluster.local",),
    "hostNetwork": ("true", "false"), "publishNotReadyAddresses": ("true", "false"),
}  # fmt: skip
_LABEL = re.compile(r"(?P<key>app|tier|role|run|name): ?(?P<value>[a-z][a-z-]{3,})")
"""Certain of a Service's port: each says that requests to it do not get through."""
_CERTAIN = frozenset(
    {"target-port-number", "target-port-name", "target-port-protocol", "wrong-pods"}
)


@pytest.mark.parametrize("file", _FILES, ids=lambda f: f"{f.parent.name}-{f.stem}")
def test_as_it_is(file: Path) -> None:
    _agree(world(file))


@pytest.mark.parametrize("file", _FILES, ids=lambda f: f"{f.parent.name}-{f.stem}")
def test_mutants(file: Path, tmp_path: Path) -> None:
    chance = random.Random(file.stem)  # noqa: S311 - to be the same each time
    text = file.read_text()
    for number in range(_MUTANTS):
        mutant = tmp_path / f"{number}.yaml"
        mutant.write_text(_mutate(text, chance))
        _agree(world(mutant))


def _mutate(text: str, chance: random.Random) -> str:
    """One port, one label or one word of a setting gets another value."""
    places = [*_PORT.finditer(text), *_LABEL.finditer(text), *_WORD.finditer(text)]
    if not places:
        return text
    one = chance.choice(places)
    value = one["value"]
    if one["key"] in _OTHER_WORDS and not value.isdigit():
        mended = chance.choice([w for w in _OTHER_WORDS[one["key"]] if w != value] or [value])
    elif value.isdigit():
        mended = str(max(1, int(value) + chance.choice((1, -1, 1000, 10))))
    else:
        at = chance.randrange(len(value) - 1)
        swapped = value[:at] + value[at + 1] + value[at] + value[at + 2 :]
        mended = chance.choice((swapped, "another", "other-one"))
    return text[: one.start("value")] + mended + text[one.end("value") :]


def _agree(made: World) -> None:
    findings = check(made)
    ground = Ground(made)
    for service, port, outcome in _asked(ground):
        told = [f for f in findings if _is_about(f, service, outcome)]
        certain = [f for f in told if f.rule in _CERTAIN and f.severity is Severity.ERROR]
        of_port = [
            f for f in certain if f.claim and f.claim.destination == service_target(service, port)
        ]
        if of_port and not any(f.claim and f.claim.some for f in of_port):
            assert outcome.result is not Result.CONNECTED, (of_port, outcome)
        declared = outcome.origin is not None and outcome.origin.kind is OriginKind.DECLARED
        if outcome.result is not Result.CONNECTED and declared:
            assert told, (service.key, port.port, outcome, findings)
    for outcome in _asked_of_nodes(made):
        place = outcome.origin.place if outcome.origin is not None else None
        if outcome.result is not Result.CONNECTED and place is not None:
            where = (place.file, place.line)
            told = [f for f in findings if f.place and (f.place.file, f.place.line) == where]
            assert told, (outcome, findings)


def _asked_of_nodes(made: World) -> Iterator[Outcome]:
    """Each host port, on every node."""
    for pod in made.cluster.pods.values():
        for port in declared(pod):
            if not port.host_port or pod.node_name is None:
                continue
            behind = "" if port.protocol.name == "TCP" else f"/{port.protocol.name.lower()}"
            for node in made.cluster.nodes:
                asked = parse_request(made, "outside", f"node/{node}:{port.host_port}{behind}")
                yield walk(made, asked).outcome


def _asked(ground: Ground) -> Iterator[tuple[Service, ServicePort, Outcome]]:
    made = ground.world
    for service in ground.services:
        if service.type is ServiceType.EXTERNAL_NAME:
            continue
        for port in service.ports:
            claim = ground.ask(service, port)
            ways = [(claim.source, claim.destination)] if claim is not None else []
            if port.node_port is not None:
                behind = "" if port.protocol.name == "TCP" else f"/{port.protocol.name.lower()}"
                node = next(iter(made.cluster.nodes))
                ways.append(("outside", f"node/{node}:{port.node_port}{behind}"))
            for asker, destination in ways:
                try:
                    request = parse_request(made, asker, destination)
                except RequestError:
                    continue
                yield service, port, walk(made, request).outcome


def _is_about(finding: Finding, service: Service, outcome: Outcome) -> bool:
    place = outcome.origin.place if outcome.origin is not None else None
    same_line = (
        finding.place is not None
        and place is not None
        and (finding.place.file, finding.place.line) == (place.file, place.line)
    )
    return finding.subject == f"Service {service.key}" or same_line or service.name in finding.why
