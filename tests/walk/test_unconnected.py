"""A UDP server that answers from another address than the one that was asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8stui.cli import run
from k8stui.kernel.exchange import Result
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Outcome
from k8stui.walk.walk import walk
from k8stui.walk.world import build_world

POD = """\
apiVersion: v1
kind: Pod
metadata: {{name: {name}}}
spec:
  nodeName: {node}
  hostNetwork: {host}
  containers: [{{name: main, image: {name}, ports: [{ports}]}}]
"""
PODS = "---\n".join(
    (
        POD.format(
            name="echo",
            node="node-2",
            host="true",
            ports="{containerPort: 6100, protocol: UDP}, {containerPort: 6100}",
        ),
        POD.format(name="filler", node="node-2", host="false", ports=""),
        POD.format(name="caller", node="node-1", host="false", ports=""),
    )
)


def _asked(folder: Path, to: str, *, unconnected: bool) -> Outcome:
    file = folder / "pods.yaml"
    file.write_text(PODS)
    world = build_world([str(file)])
    request = parse_request(world, "pod/caller", to, unconnected=unconnected)
    return walk(world, request).outcome


@pytest.mark.parametrize(
    ("destination", "connected", "unconnected"),
    [
        # The bridge's address of another node: the way back prefers eth0's.
        ("10.244.2.1:6100/udp", Result.TIMEOUT, Result.CONNECTED),
        ("192.168.0.12:6100/udp", Result.CONNECTED, Result.CONNECTED),
        # Nobody listens: only a connected socket hears of it.
        ("192.168.0.12:6101/udp", Result.REFUSED, Result.TIMEOUT),
        # TCP answers from where it was asked.
        ("10.244.2.1:6100", Result.CONNECTED, Result.CONNECTED),
    ],
)
def test_what_each_sort_of_socket_hears(
    tmp_path: Path, destination: str, connected: Result, unconnected: Result
) -> None:
    assert _asked(tmp_path, destination, unconnected=False).result is connected
    assert _asked(tmp_path, destination, unconnected=True).result is unconnected


def test_the_reason_names_both_addresses(tmp_path: Path) -> None:
    done = _asked(tmp_path, "10.244.2.1:6100/udp", unconnected=False)
    assert "answers from 192.168.0.12:" in done.reason
    assert "not from 10.244.2.1:6100" in done.reason
    assert "ask 192.168.0.12" in done.advice


def test_on_the_command_line(tmp_path: Path) -> None:
    file = tmp_path / "pods.yaml"
    file.write_text(PODS)
    asked = ["walk", str(file), "--from", "pod/caller", "--to"]
    assert run([*asked, "10.244.2.1:6100/udp"]) == 1
    assert run([*asked, "10.244.2.1:6100/udp", "--unconnected"]) == 0
    assert run([*asked, "10.244.2.1:6100", "--unconnected"]) == 2
