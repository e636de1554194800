"""A ping is answered by kernels, not by programs: who has the address answers."""

from __future__ import annotations

import pytest

from k8stui.kernel.exchange import Result
from k8stui.kernel.packet import Protocol
from k8stui.kernel.step import StepKind
from k8stui.walk.request import RequestError, parse_request
from k8stui.walk.walk import walk
from k8stui.walk.world import World, build_world

MANIFEST = """\
apiVersion: v1
kind: Pod
metadata: {name: bell, labels: {app: bell}}
spec: {containers: [{name: main, image: bell}]}
---
apiVersion: v1
kind: Pod
metadata: {name: ear}
spec: {containers: [{name: main, image: ear}]}
---
apiVersion: v1
kind: Service
metadata: {name: bell}
spec: {selector: {app: bell}, ports: [{port: 81}]}
---
apiVersion: v1
kind: Service
metadata: {name: bells}
spec: {selector: {app: bell}, clusterIP: None, ports: [{port: 81}]}
"""


@pytest.fixture(name="world", scope="module")
def _world(tmp_path_factory: pytest.TempPathFactory) -> World:
    file = tmp_path_factory.mktemp("ping") / "bell.yaml"
    file.write_text(MANIFEST)
    return build_world([str(file)])


@pytest.mark.parametrize(
    ("destination", "result", "server"),
    [
        ("pod/bell/icmp", Result.CONNECTED, "default/bell"),
        ("svc/bells/icmp", Result.CONNECTED, "default/bell"),
        ("bells.default.svc.cluster.local/icmp", Result.CONNECTED, "default/bell"),
        ("node/node-1/icmp", Result.CONNECTED, None),
        ("192.168.0.77/icmp", Result.CONNECTED, None),
        ("outside/icmp", Result.CONNECTED, None),
        ("9.9.9.9/ICMP", Result.CONNECTED, None),
        ("localhost/icmp", Result.CONNECTED, "default/ear"),
        ("10.244.1.200/icmp", Result.UNREACHABLE, None),
        ("svc/bell/icmp", Result.UNREACHABLE, None),
        ("nobody.default.svc.cluster.local/icmp", Result.NO_SUCH_NAME, None),
    ],
)
def test_who_answers(world: World, destination: str, result: Result, server: str | None) -> None:
    trace = walk(world, parse_request(world, "pod/ear", destination))
    assert (trace.outcome.result, trace.outcome.server_pod) == (result, server)
    assert trace.request.protocol is Protocol.ICMP
    assert not trace.outcome.server_port


def test_nobody_has_a_cluster_ip(world: World) -> None:
    done = walk(world, parse_request(world, "node/node-1", "svc/bell/icmp")).outcome
    assert "a ping is for none" in done.reason
    assert "svc/bell:81" in done.advice


def test_the_identifier_comes_back(world: World) -> None:
    """MASQUERADE --random-fully draws it, as of any other protocol (seen on a real kernel)."""
    trace = walk(world, parse_request(world, "pod/ear", "9.9.9.9/icmp"))
    (snat,) = (s for s in trace.steps if s.kind is StepKind.SNAT)
    assert snat.before is not None
    assert snat.after is not None
    assert snat.before.sport != snat.after.sport
    assert "identifier" in snat.text
    last = trace.steps[-1].after
    assert last is not None
    assert last.sport == snat.before.sport


def test_what_is_too_long_is_cut_by_the_sender(world: World) -> None:
    request = parse_request(world, "pod/ear", "pod/bell/icmp", data_bytes=4000)
    assert walk(world, request).outcome.result is Result.CONNECTED


def test_a_ping_asks_no_port(world: World) -> None:
    with pytest.raises(RequestError, match="no port"):
        parse_request(world, "pod/ear", "svc/bell:81/icmp")
