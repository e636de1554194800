"""Truth: Amazon's VPC CNI, against the states of real nodes (real-nodes/aws-vpc-cni).

Two things of that recording are the cloud's choice and not ours: pods on a second interface.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import truth
from nodes.clusters import lab, pod

from k8stui.cluster.build import build
from k8stui.cluster.options import ClusterOptions
from k8stui.kernel.address import Address
from k8stui.kernel.exchange import Connect, Result
from k8stui.kernel.save import dump
from k8stui.kernel.simulate import connect
from k8stui.manifests import load
from k8stui.nodes.network import ClusterNetwork, build_network
from k8stui.nodes.options import NodeOptions

AWS = NodeOptions(cni="amazon-vpc-cni")
NODES = """\
apiVersion: v1
kind: Node
metadata: {name: ip-1}
status: {addresses: [{type: InternalIP, address: 172.31.16.10}]}
---
apiVersion: v1
kind: Node
metadata: {name: ip-2}
status: {addresses: [{type: InternalIP, address: 172.31.17.20}]}
"""
POD = """\
---
apiVersion: v1
kind: Pod
metadata: {name: NAME, namespace: default}
spec: {nodeName: NODE, containers: [{name: a, image: a, ports: [{containerPort: 80}]}]}
status: {phase: Running, podIP: ADDRESS, podIPs: [{ip: ADDRESS}]}
"""
PODS = (("web", "ip-1", "172.31.20.110"), ("client", "ip-1", "172.31.20.112"))
FAR = ("db", "ip-2", "172.31.21.210")
DAEMON = """\
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: aws-node, namespace: kube-system}
spec:
  selector: {matchLabels: {k8s-app: aws-node}}
  template:
    metadata: {labels: {k8s-app: aws-node}}
    spec:
      hostNetwork: true
      containers:
      - name: aws-node
        image: 602401143452.dkr.ecr.us-west-2.amazonaws.com/amazon-k8s-cni:v1.19.0
        env: [ENV]
"""


def made(tmp_path: Path, pods: Sequence[tuple[str, str, str]], env: str | None) -> ClusterNetwork:
    text = NODES
    for name, node, address in pods:
        text += POD.replace("NAME", name).replace("NODE", node).replace("ADDRESS", address)
    if env is not None:
        text += DAEMON.replace("ENV", env)
    (tmp_path / "all.yaml").write_text(text)
    options = AWS if env is None else NodeOptions()
    return build_network(build(load([str(tmp_path)]), ClusterOptions()), options)


def recorded(command: str) -> str:
    """What a command printed on the node."""
    folder = truth.find("real-nodes")
    text = folder and truth.read(folder / "aws-vpc-cni" / "nodes" / "ip-172-31-16-10.txt")
    if not text:
        pytest.skip("real-nodes is not on this machine")
    found = re.search(rf"^@ node {re.escape(command)}\n(.*?)^@ ", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def test_rules_and_names_are_those_of_a_real_node(tmp_path: Path) -> None:
    pods = [(f"{one}-1" if one == "web" else one, node, at) for one, node, at in PODS]
    network = made(tmp_path, pods, None)
    node = network.cluster.nodes["ip-1"]
    ours = dump(network.ruleset(node, 4, "cni"))
    theirs = [line for line in recorded("iptables-legacy-save").splitlines() if "AWS" in line]
    rules = [line for line in theirs if line.startswith("-A")]
    assert {line for line in ours.splitlines() if line.startswith("-A")} == set(rules)
    for chain in ("-A PREROUTING", "-A AWS-SNAT", "-A AWS-CONNMARK"):
        kept = [line for line in rules if line.startswith(chain)]
        assert sorted(kept) == sorted(x for x in ours.splitlines() if x.startswith(chain))
    names = {one["ifname"] for one in json.loads(recorded("ip -j -d addr show"))}
    cables = {one.name for one in network["ip-1"].interfaces if one.name.startswith("eni")}
    assert len(cables) == 2
    assert cables <= names


def test_policy_rules_are_those_of_a_real_node(tmp_path: Path) -> None:
    network = made(tmp_path, PODS, None)
    ours = {
        (one.priority, str(one.destination.address) if one.destination else None)
        for one in network["ip-1"].policy_rules
    }
    theirs = {
        (one["priority"], one.get("dst"))
        for one in json.loads(recorded("ip -j -4 rule show"))
        if one.get("dst") != "172.31.20.114" and one["table"] != "2"
    }
    assert ours == theirs
    assert network["ip-1"].sysctls.rp_filter == {"eth0": 2}


def seen(network: ClusterNetwork, source: str, address: str, port: int = 80) -> tuple[Result, str]:
    request = Connect(namespace=source, destination=Address.parse(address), port=port)
    felt = connect(network, request).felt
    return felt.result, str(felt.source_seen)


@pytest.mark.parametrize(
    ("source", "address", "source_seen"),
    [
        ("default/client", "172.31.20.110", "172.31.20.112"),
        ("default/client", "172.31.21.210", "172.31.20.112"),
        ("ip-1", "172.31.21.210", "172.31.16.10"),
        ("ip-1", "172.31.20.110", "172.31.16.10"),
    ],
)
def test_inside_the_vpc_addresses_are_kept(
    tmp_path: Path, source: str, address: str, source_seen: str
) -> None:
    network = made(tmp_path, (*PODS, FAR), None)
    assert seen(network, source, address) == (Result.CONNECTED, source_seen)


def test_a_moment_later_a_node_knows_the_others_new_pods() -> None:
    before = lab()
    now = replace(before, pods={**before.pods, "default/db": pod("db", "node-2", "10.244.2.77")})
    earlier = build_network(before, AWS)
    assert earlier["node-1"].routes
    later, afresh = build_network(now, AWS, earlier), build_network(now, AWS)
    assert later["node-1"].routes == afresh["node-1"].routes


def test_beyond_it_the_nodes_address_is_seen(tmp_path: Path) -> None:
    network = made(tmp_path, PODS, None)
    assert seen(network, "default/client", "8.8.8.8", 443)[1] == "172.31.16.10"


def test_the_daemon_set_says_more(tmp_path: Path) -> None:
    env = (
        "{name: AWS_VPC_K8S_CNI_EXCLUDE_SNAT_CIDRS, value: '10.0.0.0/8'}, "
        "{name: AWS_VPC_K8S_CNI_RANDOMIZESNAT, value: hashrandom}"
    )
    network = made(tmp_path, PODS, env)
    node = network.cluster.nodes["ip-1"]
    assert network.plugin_of(node) == "amazon-vpc-cni"
    chain = network["ip-1"].rulesets[4].chain("nat", "AWS-SNAT-CHAIN-0")
    assert chain is not None
    assert [re.sub(' -m comment --comment "[^"]*"', "", rule.text) for rule in chain.rules] == [
        "-A AWS-SNAT-CHAIN-0 -d 172.31.0.0/16 -j RETURN",
        "-A AWS-SNAT-CHAIN-0 -d 10.0.0.0/8 -j RETURN",
        (
            "-A AWS-SNAT-CHAIN-0 ! -o vlan+ -m addrtype ! --dst-type LOCAL -j SNAT --to-source "
            "172.31.16.10 --random"
        ),
    ]


def test_snat_can_be_left_to_others(tmp_path: Path) -> None:
    network = made(tmp_path, PODS, "{name: AWS_VPC_K8S_CNI_EXTERNALSNAT, value: 'true'}")
    assert network["ip-1"].rulesets[4].chain("nat", "AWS-SNAT-CHAIN-0") is None
