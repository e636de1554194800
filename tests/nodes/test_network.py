"""The lazy mapping: what is in it, what gets built, and that it is the same every time."""

from __future__ import annotations

from typing import Any

import pytest
from nodes.clusters import cluster, lab, node, pod
from nodes.recorded import peers_match

from k8stui.because import Because
from k8stui.cluster.model import Cluster, PodPhase
from k8stui.kernel.save import dump
from k8stui.nodes.errors import NodeOptionError, NoNamespaceError
from k8stui.nodes.network import build_network, node_ruleset
from k8stui.nodes.options import NodeOptions
from k8stui.origin import OriginKind


def mixed() -> Cluster:
    return cluster(
        (node(1), node(2)),
        (
            pod("a", "node-1", "10.244.1.2"),
            pod("host", "node-2", "192.168.0.12", host_network=True),
            pod("pending", None, phase=PodPhase.PENDING),
            pod("initialising", "node-1", "10.244.1.3", phase=PodPhase.PENDING),
            pod("done", "node-1", "10.244.1.4", phase=PodPhase.SUCCEEDED),
            pod("lost", "node-9", "10.244.9.2"),
        ),
    )


def test_keys() -> None:
    network = build_network(mixed())
    expected = ["node-1", "node-2", "default/a", "default/initialising", "wire", "lan", "outside"]
    assert list(network) == expected
    assert len(network) == len(expected)
    assert network.built == frozenset()


@pytest.mark.parametrize(
    ("name", "place"),
    [("a", "default/a"), ("host", "node-2"), ("initialising", "default/initialising")],
)
def test_namespace_of(name: str, place: str) -> None:
    made = mixed()
    assert build_network(made).namespace_of(made.pods[f"default/{name}"]) == place


@pytest.mark.parametrize(
    ("name", "why"),
    [("pending", "Pending"), ("done", "succeeded"), ("lost", "node-9 is not in the input")],
)
def test_no_namespace(name: str, why: str) -> None:
    made = mixed()
    network = build_network(made)
    with pytest.raises(NoNamespaceError, match=why):
        network.namespace_of(made.pods[f"default/{name}"])
    assert f"default/{name}" not in network
    with pytest.raises(KeyError):
        network[f"default/{name}"]


def test_looking_up_one_node_builds_one() -> None:
    many = cluster(
        node(i, f"192.168.{i // 200}.{i % 200 + 10}", cidrs=[f"10.{i // 250}.{i % 250}.0/24"])
        for i in range(1000)
    )
    network = build_network(many)
    first = network["node-1"]
    assert network.built == {"node-1"}
    assert network["node-1"] is first
    assert len([route for route in first.routes if route.gateway]) == 1000


def test_every_cable_has_two_ends() -> None:
    assert peers_match(dict(build_network(lab())))


def test_same_input_same_network() -> None:
    for name, namespace in build_network(lab()).items():
        again = build_network(lab())[name]
        assert namespace.interfaces == again.interfaces
        assert namespace.routes == again.routes
        assert namespace.sockets == again.sockets
        for version, rules in namespace.rulesets.items():
            assert dump(rules) == dump(again.rulesets[version])


def test_every_object_has_a_reason() -> None:
    network = build_network(lab())
    for namespace in network.values():
        things: list[Any] = [*namespace.interfaces, *namespace.routes, *namespace.sockets]
        things += [address for device in namespace.interfaces for address in device.addresses]
        for thing in things:
            assert isinstance(thing.reason, Because), thing
            assert thing.reason.text
        for rules in namespace.rulesets.values():
            for table in rules:
                for chain in table.chains.values():
                    assert all(isinstance(rule.reason, Because) for rule in chain.rules)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (NodeOptions(cni="flanel"), "--cni: there is no 'flanel'; did you mean 'flannel'"),
        (NodeOptions(iptables={"nod-1": "x"}), "--iptables: there is no 'nod-1'; did you mean"),
        (NodeOptions(ip_addr={"nod-1": "x"}), "--ip-addr: there is no 'nod-1'"),
        (NodeOptions(ip_route={"zzz": "x"}), "--ip-route: there is no 'zzz' .choices: node-1,"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_unknown_names(options: NodeOptions, message: str) -> None:
    with pytest.raises(NodeOptionError, match=message):
        build_network(lab(), options)


def test_unknown_owner() -> None:
    made = lab()
    with pytest.raises(NodeOptionError, match=r"--owner: there is no 'kubeproxy'.*kube-proxy"):
        node_ruleset(made, made.nodes["node-1"], 4, "kubeproxy")


@pytest.mark.parametrize(
    ("owner", "chains"),
    [
        ("kubelet", {"KUBE-KUBELET-CANARY", "KUBE-IPTABLES-HINT", "KUBE-FIREWALL"}),
        ("cni", {"FLANNEL-POSTRTG", "FLANNEL-FWD"}),
    ],
)
def test_owner(owner: str, chains: set[str]) -> None:
    made = lab()
    rules = node_ruleset(made, made.nodes["node-1"], 4, owner)
    found = {
        name for table in rules for name, chain in table.chains.items() if chain.policy is None
    }
    assert found == chains


def test_assumed_names_say_so() -> None:
    veth = build_network(lab())["node-1"].interfaces[3]
    assert isinstance(veth.reason, Because)
    assert veth.reason.origin.kind is OriginKind.ASSUMED
    assert veth.reason.pod == "default/frontend-1"


def test_pod_outside_its_node_network_is_reachable() -> None:
    """An observed address that is not of the podCIDR (other plug-ins' address blocks)."""
    made = cluster((node(1), node(2)), (pod("a", "node-1", "172.16.7.9"),))
    network = build_network(made)
    far = [(str(r.destination), str(r.gateway)) for r in network["node-2"].routes if r.gateway]
    assert ("172.16.7.9/32", "192.168.0.11") in far
    own = [r.device for r in network["node-1"].routes if str(r.destination) == "172.16.7.9/32"]
    assert own == ["cni0"]
    eth0 = network["default/a"].interface("eth0")
    assert eth0 is not None
    assert eth0.addresses[0].prefix_length == 32
    assert all(route.onlink for route in network["default/a"].routes if route.gateway)


def test_node_without_pods_has_no_bridge() -> None:
    names = [d.name for d in build_network(cluster((node(1), node(2))))["node-1"].interfaces]
    assert names == ["lo", "eth0"]
