"""docker-proxy is a process: what it takes, it passes on in a connection of its own."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from k8stui.kernel.exchange import Result
from k8stui.kernel.step import StepKind
from k8stui.nodes.options import NodeOptions
from k8stui.walk.request import parse_request
from k8stui.walk.walk import walk
from k8stui.walk.world import build_world

POD = """\
apiVersion: v1
kind: Pod
metadata: {{name: {name}}}
spec: {{containers: [{{name: main, image: shop, ports: [{ports}]}}]}}
"""


@pytest.mark.parametrize("source", ["pod/buyer", "outside"])
def test_the_pod_sees_the_bridge(source: str, tmp_path: Path) -> None:
    shop = POD.format(name="shop", ports="{containerPort: 9000, hostPort: 8088}")
    file = tmp_path / "pods.yaml"
    file.write_text(f"{shop}---\n{POD.format(name='buyer', ports='')}")
    world = build_world([str(file)], None, NodeOptions(cni="docker0"))
    node = world.cluster.nodes[str(world.cluster.pods["default/shop"].node_name)]
    trace = walk(world, parse_request(world, source, f"{node.address()}:8088"))
    done = trace.outcome
    assert (done.result, done.server_pod, done.server_port) == (
        Result.CONNECTED,
        "default/shop",
        9000,
    )
    bridge = world.network[node.name].interface("docker0")
    assert bridge is not None
    assert done.source_seen_by_server == bridge.addresses[0].address
    assert trace.probability == Fraction(1)
    assert [s.kind for hop in trace.hops for s in hop.steps].count(StepKind.PROXY) == 1
    assert "docker-proxy" in done.reason
