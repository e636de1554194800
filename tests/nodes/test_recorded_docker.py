"""Truth: docker0 as Kubernetes set it up, against recordings-cni/docker-kubernetes-salt."""

from __future__ import annotations

import json
from typing import Any

import pytest
import truth
from nodes.clusters import cluster, node, pod, port
from nodes.recorded import devices, recorded_devices, recorded_routes, routes

from k8stui.cluster.model import Cluster
from k8stui.kernel.namespace import LinkKind
from k8stui.kernel.save import dump
from k8stui.nodes.network import build_network, node_ruleset
from k8stui.nodes.options import NodeOptions

DOCKER = NodeOptions(cni="docker0")
WHERE = {"frontend-1": 1, "frontend-2": 1, "web": 1, "frontend-3": 2}


def recording(name: str) -> dict[str, Any]:
    folder = truth.folder("recordings-cni") / "docker-kubernetes-salt"
    found: dict[str, Any] = json.loads(truth.read(folder / f"{name}.json") or "{}")
    return found


def docker(*names: str) -> Cluster:
    addresses = recording("containers")["containers"]
    pods = [
        pod(
            name,
            f"node-{WHERE[name]}",
            addresses[name]["address"],
            ports=[port(80, host_port=8080)] if name == "web" else (),
        )
        for name in names
    ]
    return cluster((node(1), node(2)), pods)


STATES = {
    "node-1.0-containers": (),
    "node-1.1-container": ("frontend-1",),
    "node-1.2-containers": ("frontend-1", "frontend-2"),
    "node-1.3-containers-one-published": ("frontend-1", "frontend-2", "web"),
    "node-2": ("frontend-3",),
}


@pytest.mark.parametrize("state", STATES)
def test_node(state: str) -> None:
    ours = build_network(docker(*STATES[state]), DOCKER)[state.partition(".")[0]]
    expected = recording(state)
    assert devices(ours) == recorded_devices(expected)
    assert routes(ours) == recorded_routes(expected["ip -j route show table all"])


@pytest.mark.parametrize("name", ["frontend-1", "frontend-2", "web", "frontend-3"])
def test_pod(name: str) -> None:
    expected = recording(f"node-{WHERE[name]}.{name}")
    ours = build_network(docker(*WHERE), DOCKER)[f"default/{name}"]
    assert devices(ours) == recorded_devices(expected)
    assert routes(ours) == recorded_routes(expected["ip -j route show table all"])
    eth0 = ours.interface("eth0")
    assert eth0 is not None
    assert eth0.mac == recording("containers")["containers"][name]["mac"]


def test_names_are_dockers() -> None:
    ours = build_network(docker(*WHERE), DOCKER)["node-1"]
    bridge = ours.interface("docker0")
    assert bridge is not None
    assert bridge.mac.startswith("02:42:")
    ports = [device for device in ours.interfaces if device.master == "docker0"]
    assert [len(device.name) for device in ports] == [len("vethdf9d15a")] * 3
    assert all(device.kind is LinkKind.VETH for device in ports)


def test_rules_are_none_but_the_masquerade() -> None:
    made = docker(*WHERE)
    lines = dump(node_ruleset(made, made.nodes["node-1"], 4, "cni", DOCKER)).splitlines()
    masquerade = (
        '-A POSTROUTING ! -d 10.0.0.0/8 -m comment --comment "kubelet: SNAT outbound cluster '
        'traffic" -m addrtype ! --dst-type LOCAL -j MASQUERADE'
    )
    assert [line for line in lines if line.startswith("-A")] == [masquerade]


def test_docker_proxy_holds_the_published_port() -> None:
    sockets = build_network(docker(*WHERE), DOCKER)["node-1"].sockets
    assert [s.port for s in sockets if s.owner == "docker-proxy"] == [8080]
