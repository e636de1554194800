"""Our rules and sets are those that kube-router left on real nodes."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import truth
from nodes.policy.recorded import Lines, folder, folders, network_of, normal_form, runs, written

from k8stui.kernel import save
from k8stui.kernel.address import Prefix
from k8stui.nodes.network import ClusterNetwork, build_network
from k8stui.nodes.options import NodeOptions
from k8stui.nodes.policy.kube_router.chains import OWNER
from k8stui.walk.world import build_world

LEAK = "port-names-leak"
"""Its result depends on the order of a Go map: see below."""
RUNS = [
    (each.name, run) for each in folders() if each.name != LEAK for run in sorted(runs(each.name))
]


def rules(network: ClusterNetwork, node: str, version: int) -> str:
    return save.dump(network.ruleset(network.cluster.nodes[node], version, OWNER))


def sets(network: ClusterNetwork, node: str) -> str:
    found = network.sets(network.cluster.nodes[node], OWNER).items()
    return "\n".join(line for name, one in found for line in one.save_lines(name))


def normal(four: str, all_sets: str, six: str) -> tuple[Lines, Lines, Lines]:
    made: tuple[Lines, Lines, Lines] = normal_form()["normalize"](four, all_sets, six)
    return made


def filter_table(lines: Lines) -> Lines:
    begin = lines.index("*filter")
    return lines[begin : lines.index("COMMIT", begin)]


def recorded(name: str, file: str) -> str:
    return truth.read(folder(name) / file) or ""


@pytest.mark.parametrize(("name", "run"), RUNS, ids=[f"{name}/{run}" for name, run in RUNS])
def test_rules_and_sets_are_those_of_the_node(name: str, run: str, tmp_path: Path) -> None:
    network, node = network_of(name, run), run.split(".", maxsplit=1)[0]
    four = rules(network, node, 4)
    before = recorded(name, f"{run}.before.iptables")
    if before:  # the engine puts its rules where others' stand
        (tmp_path / "before").write_text(before)
        network = network_of(name, run, iptables={node: str(tmp_path / "before")})
        four = save.dump(network.ruleset(network.cluster.nodes[node], 4))
    six = recorded(name, f"{run}.ip6tables")
    made = normal(four, sets(network, node), rules(network, node, 6) if six else "")
    real = normal(recorded(name, f"{run}.iptables"), recorded(name, f"{run}.ipset"), six)
    assert filter_table(made[0]) == filter_table(real[0])
    assert made[1:] == real[1:]


@pytest.mark.parametrize(("name", "run"), RUNS, ids=[f"{name}/{run}" for name, run in RUNS])
def test_chains_have_the_names_of_the_sync(name: str, run: str) -> None:
    network, node = network_of(name, run), run.split(".", maxsplit=1)[0]
    for version, end in ((4, "iptables"), (6, "ip6tables")):
        text = recorded(name, f"{run}.{end}")
        if text:
            own = r"^:(KUBE-(?:NWPLCY|POD-FW|ROUTER)-\S+)"
            named = set(re.findall(own, text, re.MULTILINE))
            ours = rules(network, node, version)
            assert set(re.findall(own, ours, re.MULTILINE)) == named


def test_names_of_ports_share_addresses_as_in_one_of_the_runs() -> None:
    """Which of two results comes out is the order of a Go map; ours is one of them."""
    if truth.read(folder(LEAK) / "manifests.yaml") is None:
        pytest.skip("no such recording here")
    ranges = (Prefix.parse("10.43.0.0/16"),)
    cluster = replace(written(LEAK), service_cidr=ranges[0], service_cidrs=ranges)
    network = build_network(cluster, NodeOptions(policy_engine="kube-router"))
    made = normal(rules(network, "node-1", 4), sets(network, "node-1"), "")
    real = [
        normal(recorded(LEAK, f"node-1.{run}.iptables"), recorded(LEAK, f"node-1.{run}.ipset"), "")
        for run in ("a", "b")
    ]
    assert (filter_table(made[0]), made[2]) in [(filter_table(r[0]), r[2]) for r in real]


@pytest.mark.parametrize(
    ("told", "ports"),
    [
        ("20000-20100", "20000:20100"),
        ("20000+100", "20000:20100"),
        ("", "30000:32767"),
        ("20100-20000", "30000:32767"),
        ("20000-70000", "30000:32767"),
        ("1-2\nCOMMIT\n*nat\n:PREROUTING DROP", "30000:32767"),
        ("²-³", "30000:32767"),
    ],
)
def test_k3s_s_node_ports_are_a_range_or_the_usual_one(
    tmp_path: Path, told: str, ports: str
) -> None:
    """An argument in an annotation is anybody's text; what stands in a rule is two numbers."""
    arguments = json.dumps(["server", "--service-node-port-range", told])
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "n", "annotations": {"k3s.io/node-args": arguments}},
        "status": {"addresses": [{"type": "InternalIP", "address": "192.168.0.5"}]},
    }
    (tmp_path / "node.json").write_text(json.dumps(node))
    network = build_world([str(tmp_path / "node.json")]).network
    chain = network.ruleset(network.cluster.nodes["n"], 4).chain("filter", "KUBE-ROUTER-INPUT")
    assert chain is not None
    found = [rule.text for rule in chain.rules if "--dports" in rule.text]
    assert len(found) == 2
    assert all(f" -m multiport --dports {ports} -j RETURN" in text for text in found)


@pytest.mark.parametrize("limit", ["٣/minute", "3/minute -j ACCEPT", "often", "3/fortnight"])
def test_a_limit_that_is_none_is_the_usual_one(tmp_path: Path, limit: str) -> None:
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {
            "name": "p", "annotations": {"kube-router.io/netpol-nflog-limit": limit},
        },
        "spec": {"podSelector": {}},
    }  # fmt: skip
    (tmp_path / "policy.json").write_text(json.dumps(policy))
    options = NodeOptions(policy_engine="kube-router")
    network = build_world([str(tmp_path / "policy.json")], node_options=options).network
    node = next(iter(network.cluster.nodes.values()))
    text = save.dump(network.ruleset(node, 4, OWNER))
    assert "-m limit --limit 10/min --limit-burst 10 " in text
    assert limit not in text
