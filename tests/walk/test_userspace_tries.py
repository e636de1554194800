"""kube-proxy dials: it tries the next endpoint; what the client feels when none answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8stui.cluster.options import ClusterOptions
from k8stui.kernel.exchange import Result
from k8stui.kernel.step import StepKind
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Trace
from k8stui.walk.walk import walks
from k8stui.walk.world import build_world

MANIFEST = """\
apiVersion: v1
kind: Pod
metadata: {{name: clerk}}
spec:
  nodeName: node-1
  containers: [{{name: main, image: desk, ports: [{{containerPort: 60, protocol: {protocol}}}]}}]
---
apiVersion: v1
kind: Service
metadata: {{name: desk}}
spec: {{ports: [{{port: 60, protocol: {protocol}}}]}}
---
apiVersion: v1
kind: Endpoints
metadata: {{name: desk}}
subsets:
- addresses: [{addresses}]
  ports: [{{port: 60, protocol: {protocol}}}]
"""


def _walks(folder: Path, protocol: str, *addresses: str) -> list[Trace]:
    listed = ", ".join(f"{{ip: {address}}}" for address in addresses)
    (folder / "desk.yaml").write_text(MANIFEST.format(protocol=protocol, addresses=listed))
    world = build_world([str(folder)], ClusterOptions(proxy_mode="userspace"))
    return list(walks(world, parse_request(world, "node/node-1", "svc/desk:60")))


def _proxies(trace: Trace) -> int:
    return sum(step.kind is StepKind.PROXY for step in trace.steps)


def test_the_next_endpoint_is_tried(tmp_path: Path) -> None:
    first, second = _walks(tmp_path, "TCP", "10.244.1.2", "10.244.1.88")
    assert first.outcome.result is second.outcome.result is Result.CONNECTED
    assert first.outcome.server_pod == second.outcome.server_pod == "default/clerk"
    assert (_proxies(first), _proxies(second)) == (1, 2)
    assert [step.number for step in second.steps] == list(range(1, len(second.steps) + 1))


def test_four_tries_in_vain_close_the_connection(tmp_path: Path) -> None:
    """Nobody answers ARP, which takes longer than each try waits."""
    (trace,) = _walks(tmp_path, "TCP", "10.244.1.88")
    done = trace.outcome
    assert (done.result, done.errno, done.seconds) == (Result.REFUSED, "ECONNRESET", 3.75)
    assert _proxies(trace) == 1


@pytest.mark.parametrize("address", ["10.244.1.88", "10.244.1.2"])
def test_a_datagram_has_one_try(tmp_path: Path, address: str) -> None:
    for trace in _walks(tmp_path, "UDP", address, "10.244.1.89"):
        is_there = trace.outcome.server_pod == "default/clerk"
        assert trace.outcome.result is (Result.CONNECTED if is_there else Result.TIMEOUT)
        assert trace.outcome.errno is None
        assert _proxies(trace) == 1
