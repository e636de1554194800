"""Truth: what each plug-in puts on node and pod, against recordings-cni."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import truth
from nodes.clusters import lab, port
from nodes.recorded import devices, recorded_devices, recorded_routes, routes

from k8stui.kernel.packet import Protocol
from k8stui.kernel.save import dump
from k8stui.nodes.network import build_network, node_ruleset
from k8stui.nodes.options import NodeOptions

FLANNEL_PORTS = {"frontend-1": [port(80, host_port=8080)]}
PORTMAP_PORTS = {
    "frontend-1": [port(80, host_port=8080), port(53, Protocol.UDP, host_port=5353)],
    "redis": [port(6379, host_port=6379, host_ip="192.168.0.11")],
    "frontend-3": [port(80, host_port=8080)],
}
CASES: dict[str, tuple[NodeOptions, dict[str, Any]]] = {
    "flannel-host-gw": (NodeOptions(cni="flannel"), FLANNEL_PORTS),
    "flannel-vxlan": (NodeOptions(cni="flannel-vxlan"), FLANNEL_PORTS),
    "bridge": (NodeOptions(cni="bridge"), {}),
    "bridge-nohairpin": (NodeOptions(cni="bridge", hairpin=False), {}),
    "bridge-ipmasq": (NodeOptions(cni="bridge-ipmasq"), {}),
    "ptp-ipmasq": (NodeOptions(cni="ptp-ipmasq"), FLANNEL_PORTS),
    "portmap": (NodeOptions(cni="bridge"), PORTMAP_PORTS),
    "portmap-ipmasq": (NodeOptions(cni="bridge-ipmasq"), PORTMAP_PORTS),
}
PODS = {"node-1": ("frontend-1", "frontend-2", "redis"), "node-2": ("frontend-3", "mysql")}
NODE_CASES = [(case, node) for case in CASES for node in PODS]
POD_CASES = [(case, node, pod) for case in CASES for node, pods in PODS.items() for pod in pods]


def recording(case: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        text_of(truth.folder("recordings-cni") / case / f"{name}.json")
    )
    return found


def text_of(path: Path) -> str:
    """No file: iptables-save printed nothing."""
    return truth.read(path) or ""


@pytest.mark.parametrize(("case", "node"), NODE_CASES, ids=lambda value: value)
class TestNode:
    def test_rules(self, case: str, node: str) -> None:
        options, ports = CASES[case]
        cluster = lab(ports)
        ours = dump(node_ruleset(cluster, cluster.nodes[node], 4, "cni", options))
        expected = text_of(truth.folder("recordings-cni") / case / f"{node}.iptables")
        assert printed(ours) == printed(expected)

    def test_devices(self, case: str, node: str) -> None:
        options, ports = CASES[case]
        ours = build_network(lab(ports), options)[node]
        assert devices(ours) == recorded_devices(recording(case, node))

    def test_routes(self, case: str, node: str) -> None:
        options, ports = CASES[case]
        ours = build_network(lab(ports), options)[node]
        expected = recorded_routes(recording(case, node)["ip -j route show table all"])
        assert routes(ours) == expected


@pytest.mark.parametrize(("case", "node", "pod"), POD_CASES, ids=lambda value: value)
def test_pod(case: str, node: str, pod: str) -> None:
    options, ports = CASES[case]
    ours = build_network(lab(ports), options)[f"default/{pod}"]
    expected = recording(case, f"{node}.{pod}")
    assert devices(ours) == recorded_devices(expected)
    assert routes(ours) == recorded_routes(expected["ip -j route show table all"])


def printed(text: str) -> dict[str, list[str]]:
    """The lines of each table. Which tables come first depends on the order of their creation."""
    tables: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith("*"):
            current = tables.setdefault(line, [])
        else:
            current.append(line)
    return tables
