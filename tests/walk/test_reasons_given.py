"""Each step says why it happened to *this* packet, with the place where that is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8stui.cluster.options import ClusterOptions
from k8stui.kernel.step import StepKind
from k8stui.nodes.options import NodeOptions
from k8stui.origin import OriginKind
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Trace, TraceStep
from k8stui.walk.walk import walk
from k8stui.walk.world import World, build_world

SERVED = """\
apiVersion: v1
kind: Pod
metadata: {name: owl, labels: {app: owl}}
spec:
  nodeName: node-2
  containers: [{name: owl, image: owl, ports: [{containerPort: 8080}]}]
---
apiVersion: v1
kind: Service
metadata: {name: owl}
spec:
  type: NodePort
  selector: {app: owl}
POLICY
  ports: [{port: 80, targetPort: 8080, nodePort: 30111}]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "owl.yaml"


def _walk(world: World, source: str, destination: str) -> Trace:
    return walk(world, parse_request(world, source, destination))


def _only(trace: Trace, kind: StepKind) -> TraceStep:
    return next(step for step in trace.steps if step.kind is kind)


@pytest.mark.parametrize("policy", ["", "  externalTrafficPolicy: Cluster"])
@pytest.mark.parametrize("cni", ["flannel", "flannel-vxlan", "bridge"])
def test_snat_names_the_step_that_marked_and_the_policy_behind_it(
    file: Path, policy: str, cni: str
) -> None:
    file.write_text(SERVED.replace("POLICY\n", f"{policy}\n" if policy else ""))
    world = build_world([str(file)], None, NodeOptions(cni=cni))
    trace = _walk(world, "outside", "node/node-1:30111")
    snat, mark = _only(trace, StepKind.SNAT), _only(trace, StepKind.MARK)
    assert f"because marked at step {mark.number}" in snat.text
    assert "externalTrafficPolicy is Cluster" in snat.text
    assert snat.origin is not None
    assert snat.origin.place is not None
    lines = file.read_text().splitlines()
    line = lines[snat.origin.place.line - 1]
    if policy:
        assert snat.origin.kind is OriginKind.DECLARED
        assert "externalTrafficPolicy" in line
    else:
        assert snat.origin.kind is OriginKind.DEFAULTED


def test_a_node_that_asks_a_cluster_ip_is_masqueraded_because_it_is_no_pod(file: Path) -> None:
    file.write_text(SERVED.replace("POLICY\n", ""))
    trace = _walk(build_world([str(file)]), "node/node-1", "svc/owl:80")
    snat = _only(trace, StepKind.SNAT)
    assert "the client is no pod" in snat.text


def test_a_vxlan_entry_has_its_tunnel_end(file: Path) -> None:
    file.write_text(SERVED.replace("POLICY\n", ""))
    world = build_world([str(file)], None, NodeOptions(cni="flannel-vxlan"))
    trace = _walk(world, "outside", "node/node-1:30111")
    wrap = _only(trace, StepKind.ENCAPSULATE)
    assert "dev flannel.1 dst 192.168.0.12 self" in wrap.detail
    assert "master" not in wrap.detail


def test_marks_are_counted_over_the_whole_walk_where_a_process_stands_between(file: Path) -> None:
    file.write_text(SERVED.replace("POLICY\n", ""))
    world = build_world([str(file)], ClusterOptions(proxy_mode="userspace"))
    trace = _walk(world, "outside", "node/node-1:30111")
    for step in trace.steps:
        if "because marked at step" in step.text:
            number = int(step.text.partition("marked at step ")[2].partition(":")[0])
            assert trace.steps[number - 1].kind is StepKind.MARK
