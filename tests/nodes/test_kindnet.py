"""Truth: kindnetd's routes and rules, against recordings-agents/kindnetd; and how it is known."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import truth
from nodes.clusters import lab

from k8stui.cluster.build import build
from k8stui.cluster.options import ClusterOptions
from k8stui.kernel.save import dump
from k8stui.manifests import load
from k8stui.nodes.network import ClusterNetwork, build_network
from k8stui.nodes.options import NodeOptions

KINDNET = NodeOptions(cni="kindnet")
CASES = ("v4", "dual", "two-pod-subnets")


def folder(case: str) -> Path:
    return truth.folder("recordings-agents") / "kindnetd" / case


def made(case: str, tmp_path: Path) -> tuple[str, ClusterNetwork]:
    """The node that was recorded, in the case's cluster with kindnet's DaemonSet."""
    told = truth.read(folder(case) / "env") or ""
    node = re.search(r"# node: (\S+);", told)
    subnets = re.search(r"POD_SUBNET=(\S+)", told)
    assert node is not None
    assert subnets is not None
    manifest = tmp_path / "kindnet.yaml"
    manifest.write_text(f"""\
apiVersion: apps/v1
kind: DaemonSet
metadata: {{name: kindnet, namespace: kube-system}}
spec:
  selector: {{matchLabels: {{app: kindnet}}}}
  template:
    metadata: {{labels: {{app: kindnet}}}}
    spec:
      hostNetwork: true
      containers:
      - name: kindnet-cni
        image: docker.io/kindest/kindnetd:v20260821
        env: [{{name: POD_SUBNET, value: "{subnets[1]}"}}]
""")
    base = tmp_path / "base.yaml"
    base.write_text(truth.read(folder(case) / "base.yaml") or "")
    cluster = build(load([str(base), str(manifest)]), ClusterOptions())
    return node[1], build_network(cluster)


@pytest.mark.parametrize("case", CASES)
def test_rules(case: str, tmp_path: Path) -> None:
    node, network = made(case, tmp_path)
    for version, name in ((4, "iptables"), (6, "ip6tables")):
        ours = dump(network.ruleset(network.cluster.nodes[node], version, "cni"))
        assert ours.strip() == (truth.read(folder(case) / name) or "").strip()


@pytest.mark.parametrize("case", CASES)
def test_routes_to_the_other_nodes(case: str, tmp_path: Path) -> None:
    node, network = made(case, tmp_path)
    ours = {
        f"{route.destination} via {route.gateway} dev {route.device}"
        for route in network[node].routes
        if route.gateway is not None and route.destination.length
    }
    text = "\n".join(truth.read(folder(case) / n) or "" for n in ("ip-route", "ip6-route"))
    assert ours == set(re.findall(r"^\S+ via \S+ dev \S+", text, re.MULTILINE))


def test_the_daemon_set_is_enough(tmp_path: Path) -> None:
    node, network = made("v4", tmp_path)
    assert network.plugin_of(network.cluster.nodes[node]) == "kindnet"
    assert network.policy_engine_of(network.cluster.nodes[node]) == "kindnet"


def test_pods_hang_on_cables_of_their_own() -> None:
    network = build_network(lab(), KINDNET)
    eth0 = network["default/frontend-1"].interface("eth0")
    assert eth0 is not None
    assert eth0.peer is not None
    end = network["node-1"].interface(eth0.peer[1])
    assert end is not None
    assert [str(one.address) for one in end.addresses] == ["10.244.1.1"]
    assert network.policy_engine_of(network.cluster.nodes["node-1"]) == "kindnet"
