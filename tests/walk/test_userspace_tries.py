"""kube-proxy dials: it tries the next endpoint; what the client feels when none answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8stui.cluster.options import ClusterOptions
from k8stui.export.rules import save_lines
from k8stui.kernel.exchange import Result
from k8stui.kernel.step import StepKind
from k8stui.nodes.options import NodeOptions
from k8stui.walk.again import again
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


def test_what_cannot_be_evaluated_ends_the_tries(tmp_path: Path) -> None:
    """Nobody knows whether the first try fails; another one is no answer to that."""
    usual = _walks(tmp_path, "TCP", "10.244.1.2", "10.244.1.88")
    assert [_proxies(trace) for trace in usual] == [1, 2]
    world = build_world([str(tmp_path)], ClusterOptions(proxy_mode="userspace"))
    saved = "\n".join(save_lines(world.network["node-1"].rulesets[4]))
    rule = "-A OUTPUT -d 10.244.1.88/32 -m u32 --u32 0=1 -j DROP"
    dump = tmp_path / "node-1.save"
    dump.write_text(saved.replace("-A OUTPUT", f"{rule}\n-A OUTPUT", 1) + "\n")
    assert saved.index("*filter") < saved.index("-A OUTPUT") < saved.index("*nat")
    world = build_world(
        [str(tmp_path / "desk.yaml")],
        ClusterOptions(proxy_mode="userspace"),
        NodeOptions(iptables={"node-1": str(dump)}),
    )
    found = list(walks(world, parse_request(world, "node/node-1", "svc/desk:60")))
    assert [trace.outcome.result for trace in found] == [Result.CONNECTED, Result.UNKNOWN]
    assert [_proxies(trace) for trace in found] == [1, 1]


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


@pytest.mark.parametrize("times", [0, 1, 2])
def test_who_asks_again_is_passed_on_by_the_same_tries(tmp_path: Path, times: int) -> None:
    """Each endpoint is dialled once, also where it is known whose turn it is."""
    _walks(tmp_path, "TCP", "10.244.1.88", "10.244.1.89")
    world = build_world([str(tmp_path)], ClusterOptions(proxy_mode="userspace"))
    asked = again(parse_request(world, "node/node-1", "svc/desk:60"), times)
    for trace in walks(world, asked):
        assert trace.outcome.errno == "ECONNRESET"
        assert _proxies(trace) == 2
