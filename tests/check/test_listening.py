"""The judge of who listens is one: what check says of a port, the pod's sockets do."""

from __future__ import annotations

from pathlib import Path

import pytest
from check.test_cases import CASES, options
from check.worlds import world

from k8stui.check import Severity, check
from k8stui.check.ground import Ground
from k8stui.check.ports import Match
from k8stui.cluster.programs.listening import Opinion
from k8stui.kernel.exchange import Result
from k8stui.walk.request import parse_request
from k8stui.walk.walk import walk

_ARGS = """
apiVersion: v1
kind: Service
metadata: {name: relay}
spec: {selector: {app: relay}, ports: [{port: 9666}]}
---
apiVersion: v1
kind: Pod
metadata: {name: relay, labels: {app: relay}}
spec:
  containers:
    - {name: c, image: x, args: [ARGUMENT], ports: [{containerPort: 8080}]}
---
apiVersion: v1
kind: Pod
metadata: {name: client}
spec: {containers: [{name: c, image: x}]}
"""


@pytest.mark.parametrize("case", CASES, ids=[case.stem for case in CASES])
def test_a_pod_has_a_socket_where_check_says_that_it_listens(case: Path) -> None:
    made = world(case, options(case.read_text()))
    ground = Ground(made)
    for target in ground.targets:
        for pod in target.pods(Match.OTHER_PORTS, Match.UNSURE, Match.SILENT):
            if target.is_named or pod.host_network or pod.key not in made.network:
                continue
            number, protocol = int(target.port.target_port), target.port.protocol
            opinion = ground.listening.on(pod, target.service, number, protocol)
            listens = any(
                socket.protocol is protocol
                and socket.port in (None, number)
                and number not in socket.but_not_ports
                for socket in made.network[pod.key].sockets
            )
            assert listens == (opinion.listens and pod.phase == "Running")


@pytest.mark.parametrize(
    ("argument", "opinion"),
    [
        ("--rpc=:9666", Opinion.SPOKEN),
        ("--port=9666", Opinion.SPOKEN),
        ("--upstream=http://other:9666", Opinion.OTHER_PORT),
        ("--port=19666", Opinion.OTHER_PORT),
        ("--verbose", Opinion.OTHER_PORT),
    ],
)
def test_walk_and_check_agree_on_a_port_in_an_argument(
    argument: str, opinion: Opinion, tmp_path: Path
) -> None:
    file = tmp_path / "relay.yaml"
    file.write_text(_ARGS.replace("ARGUMENT", f'"{argument}"'))
    made = world(file)
    ground = Ground(made)
    (target,) = ground.targets
    pod = made.cluster.pods["default/relay"]
    assert ground.listening.on(pod, target.service, 9666, target.port.protocol) is opinion
    result = walk(made, parse_request(made, "pod/client", "svc/relay:9666")).outcome.result
    assert (result is Result.CONNECTED) == opinion.listens
    errors = [f for f in check(made) if f.severity is Severity.ERROR]
    assert (not errors) == opinion.listens
