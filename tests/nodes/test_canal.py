"""Canal: Calico's cables and chains, flannel's tunnel and masquerade between the nodes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from manifests_of import pod, service

from k8stui.kernel import save
from k8stui.kernel.exchange import Result
from k8stui.kernel.step import StepKind
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Trace
from k8stui.walk.walk import walk
from k8stui.walk.world import World, build_world

Manifest = dict[str, Any]
LABELS = {"k8s-app": "canal"}


def canal(**net_conf: str) -> list[Manifest]:
    """As its manifest has it, cut down to what is read."""
    conf = {"Network": "10.244.0.0/16", "Backend": {"Type": "vxlan", **net_conf}}
    containers = [
        {
            "name": "calico-node",
            "image": "docker.io/calico/node:v3.30.0",
            "env": [
                {"name": "CALICO_NETWORKING_BACKEND", "value": "none"},
                {"name": "FELIX_DEFAULTENDPOINTTOHOSTACTION", "value": "ACCEPT"},
            ],
        },
        {
            "name": "kube-flannel",
            "image": "docker.io/flannel/flannel:v0.24.4",
            "command": ["/opt/bin/flanneld", "--ip-masq", "--kube-subnet-mgr"],
        },
    ]
    return [
        {
            "apiVersion": "apps/v1",
            "kind": "DaemonSet",
            "metadata": {"name": "canal", "namespace": "kube-system", "labels": LABELS},
            "spec": {
                "selector": {"matchLabels": LABELS},
                "template": {
                    "metadata": {"labels": LABELS},
                    "spec": {"hostNetwork": True, "containers": containers},
                },
            },
        },
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "canal-config", "namespace": "kube-system"},
            "data": {"net-conf.json": yaml.safe_dump(conf, default_flow_style=True)},
        },
    ]


MILL = [
    pod("mill", "app=mill", ports=[{"containerPort": 7000}], node="node-2"),
    pod("farmer", "role=farmer", node="node-1"),
    pod("tramp", node="node-1"),
    service("mill", "app=mill", 70, 7000),
    {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "millers"},
        "spec": {
            "podSelector": {"matchLabels": {"app": "mill"}},
            "ingress": [{"from": [{"podSelector": {"matchLabels": {"role": "farmer"}}}]}],
        },
    },
]


def world_of(place: Path, **net_conf: str) -> World:
    path = place / "all.yaml"
    path.write_text(yaml.safe_dump_all([*MILL, *canal(**net_conf)]))
    return build_world([str(path)])


def ask(world: World, source: str, target: str) -> Trace:
    return walk(world, parse_request(world, source, target))


@pytest.fixture(name="world")
def _world(tmp_path: Path) -> World:
    return world_of(tmp_path)


def test_it_is_recognised(world: World) -> None:
    node = world.cluster.nodes["node-1"]
    assert world.network.plugin_of(node) == "canal"
    assert world.network.policy_engine_of(node) == "calico"
    assert world.network.has_policy_rules(node)


def test_packets_go_through_flannel_s_tunnel_by_calico_s_cables(world: World) -> None:
    trace = ask(world, "pod/farmer", "svc/mill:70")
    assert trace.outcome.result is Result.CONNECTED
    assert trace.assumptions == ()
    assert [s.device for s in trace.steps if s.kind is StepKind.ENCAPSULATE] == ["flannel.1"] * 2
    assert str(trace.outcome.source_seen_by_server) == "10.244.1.2"
    eth0 = next(one for one in world.network["default/mill"].interfaces if one.name == "eth0")
    assert eth0.mtu_bytes == 1450
    assert eth0.peer is not None
    assert eth0.peer[1].startswith("cali")


def test_policies_are_calico_s_chains(world: World) -> None:
    trace = ask(world, "pod/tramp", "svc/mill:70")
    assert trace.outcome.result is Result.TIMEOUT
    assert "NetworkPolicy default/millers" in trace.outcome.reason
    assert "Calico on node-2 drops it" in trace.outcome.reason


def test_flannel_masquerades_and_calico_has_no_pool(world: World) -> None:
    text = save.dump(world.network.ruleset(world.cluster.nodes["node-1"], 4))
    assert "-A FLANNEL-POSTRTG -s 10.244.0.0/16 ! -d 224.0.0.0/4" in text
    assert ":cali-nat-outgoing -" in text
    assert "-A cali-nat-outgoing" not in text
    assert '"Configured DefaultEndpointToHostAction" -j ACCEPT' in text
    trace = ask(world, "pod/tramp", "203.0.113.9:443")
    assert str(trace.outcome.source_seen_by_server) == "192.168.0.11"


def test_another_backend_of_flannel_s(tmp_path: Path) -> None:
    trace = ask(world_of(tmp_path, Type="host-gw"), "pod/farmer", "svc/mill:70")
    assert trace.outcome.result is Result.CONNECTED
    assert not [step for step in trace.steps if step.kind is StepKind.ENCAPSULATE]
