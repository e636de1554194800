"""A request that is made again meets what the first one left behind."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from k8stui.cli import run
from k8stui.cluster.options import ClusterOptions
from k8stui.kernel.branches import branches
from k8stui.kernel.exchange import Result
from k8stui.kernel.simulate import connect
from k8stui.kernel.step import Direction, RuleCause, StepKind
from k8stui.walk.again import again
from k8stui.walk.gone import leaving, without
from k8stui.walk.request import RequestError, parse_request
from k8stui.walk.trace import Trace
from k8stui.walk.walk import walk, walks
from k8stui.walk.world import World, build_world

MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: mill}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: mill}}}}
  template:
    metadata: {{labels: {{app: mill}}}}
    spec:
      containers:
      - name: grind
        image: mill
        ports: [{{containerPort: 7000}}, {{containerPort: 7001, protocol: UDP}}]
---
apiVersion: v1
kind: Service
metadata: {{name: mill}}
spec:
  type: NodePort
  selector: {{app: mill}}
  sessionAffinity: {affinity}
  ports:
  - {{name: flour, port: 70, targetPort: 7000, nodePort: 30070}}
  - {{name: query, port: 71, targetPort: 7001, protocol: UDP}}
---
apiVersion: v1
kind: Pod
metadata: {{name: baker}}
spec: {{containers: [{{name: main, image: oven}}]}}
"""


def _world(folder: Path, replicas: int, affinity: str, *, mode: str | None = None) -> World:
    file = folder / "mill.yaml"
    file.write_text(MANIFEST.format(replicas=replicas, affinity=affinity))
    return build_world([str(file)], ClusterOptions(proxy_mode=mode))


@settings(max_examples=12, deadline=None)
@given(
    replicas=st.integers(1, 5),
    is_sticky=st.booleans(),
    times=st.integers(1, 3),
    asked=st.sampled_from(["pod/baker svc/mill:70", "outside node/node-1:30070"]),
)
def test_a_new_connection_goes_where_the_last_one_went_only_with_affinity(
    *, replicas: int, is_sticky: bool, times: int, asked: str
) -> None:
    with TemporaryDirectory() as folder:
        world = _world(Path(folder), replicas, "ClientIP" if is_sticky else "None")
        request = parse_request(world, *asked.split())
        first = walk(world, request).outcome.server_pod
        found = {
            trace.outcome.server_pod: trace.probability
            for trace in walks(world, again(request, times))
        }
        assert sum(found.values()) == 1
        if is_sticky:
            assert found == {first: 1}
        else:
            assert len(found) == replicas
            assert set(found.values()) == {Fraction(1, replicas)}


def test_affinity_ends_after_its_time(tmp_path: Path) -> None:
    world = _world(tmp_path, 3, "ClientIP")
    request = parse_request(world, "pod/baker", "svc/mill:70")
    assert len(list(walks(world, again(request, 1, 10_799)))) == 1
    assert len(list(walks(world, again(request, 1, 10_801)))) == 3


def test_the_same_socket_meets_its_entry(tmp_path: Path) -> None:
    world = _world(tmp_path, 3, "None")
    request = parse_request(world, "pod/baker", "svc/mill:71/udp")
    first = walk(world, request)
    (second,) = walks(world, again(request, 1))
    assert second.outcome.server_address == first.outcome.server_address
    tables = {s.cause.table for s in second.steps if isinstance(s.cause, RuleCause)}
    assert "nat" not in tables
    # nf_conntrack_udp_timeout is 30 s
    assert len(list(walks(world, again(request, 1, 29)))) == 1
    assert len(list(walks(world, again(request, 1, 31)))) == 3


def test_a_socket_in_use_keeps_its_entry_for_two_minutes(tmp_path: Path) -> None:
    world = _world(tmp_path, 3, "None")
    request = again(parse_request(world, "pod/baker", "svc/mill:71/udp"), 2, 3)
    assert request.connect is not None
    (entry,) = connect(world.network, request.connect).conntrack["node-2"]
    assert "[ASSURED]" in entry
    assert " 119 " in entry


@pytest.mark.parametrize("affinity", ["None", "ClientIP"])
def test_kube_proxy_itself_takes_turns(affinity: str, tmp_path: Path) -> None:
    world = _world(tmp_path, 3, affinity, mode="userspace")
    request = parse_request(world, "pod/baker", "svc/mill:70")
    served = []
    for times in range(4):
        found = list(walks(world, again(request, times)))
        assert len(found) == (1 if times else 3)
        served.append(found[0].outcome.server_pod)
    assert served[3] == served[0]
    assert len(set(served)) == (3 if affinity == "None" else 1)


@settings(max_examples=12, deadline=None)
@given(
    times=st.integers(0, 2),
    asked=st.sampled_from(
        ["pod/baker svc/mill:70", "pod/baker svc/mill:71/udp", "outside node/node-2:30070"]
    ),
)
def test_the_answer_is_the_question_turned_round(times: int, asked: str) -> None:
    """Whatever NAT did on the way there is undone on the way back."""
    with TemporaryDirectory() as folder:
        world = _world(Path(folder), 3, "None")
        request = again(parse_request(world, *asked.split()), times)
        assert request.connect is not None
        for exchange in branches(world.network, request.connect, until_answered=True):
            sent = exchange.steps[0].before
            got = [
                s.after
                for s in exchange.steps
                if s.direction is Direction.REPLY and s.kind is StepKind.DELIVER
            ][-1]
            assert (got.src, got.sport, got.dst, got.dport) == (
                sent.dst,
                sent.dport,
                sent.src,
                sent.sport,
            )


def test_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mill.yaml"
    file.write_text(MANIFEST.format(replicas=2, affinity="None"))
    asked = ["walk", str(file), "--from", "pod/baker", "--to", "svc/mill:70", "--again", "2"]
    assert run(asked) == 0
    assert "request 3, 1 s after the last: a new connection" in capsys.readouterr().out
    assert run([*asked, "--all", "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [one["request"] for one in document["again"]] == [2, 3]
    assert [len(one["branches"]) for one in document["again"]] == [2, 2]
    steps = document["again"][0]["branches"][0]["hops"][0]["steps"]
    assert {step["before"]["sport"] for step in steps if step["before"]} == {40002}
    assert run([*asked[:-2], "--pause", "3"]) == 2


def _after_it_is_gone(world: World, to: str) -> list[Trace]:
    request = parse_request(world, "pod/baker", to)
    served = walk(world, request).outcome.server_pod
    assert served is not None
    after = without(world, leaving(world, request, f"pod/{served.partition('/')[2]}", "default"))
    return list(walks(after, again(request, 1, formerly=world.network)))


def test_an_entry_outlives_its_endpoint(tmp_path: Path) -> None:
    (stale,) = _after_it_is_gone(_world(tmp_path, 3, "None"), "svc/mill:71/udp")
    assert stale.outcome.result is Result.TIMEOUT
    assert "still leads to" in stale.outcome.reason
    assert "conntrack -D -p udp" in stale.outcome.advice


@pytest.mark.parametrize("affinity", ["None", "ClientIP"])
def test_a_new_connection_finds_the_endpoints_that_are_left(affinity: str, tmp_path: Path) -> None:
    found = _after_it_is_gone(_world(tmp_path, 3, affinity), "svc/mill:70")
    assert [trace.outcome.result for trace in found] == [Result.CONNECTED] * 2
    assert {trace.probability for trace in found} == {Fraction(1, 2)}


def test_who_asks_stays(tmp_path: Path) -> None:
    world = _world(tmp_path, 1, "None")
    request = parse_request(world, "pod/baker", "svc/mill:70")
    for wrong, said in (("baker", "the one who asks"), ("svc/mill", "not a pod")):
        with pytest.raises(RequestError, match=said):
            leaving(world, request, wrong, "default")
