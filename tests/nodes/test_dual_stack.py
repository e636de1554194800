"""IPv6 beside IPv4, and alone: addresses, routes and rules of both families."""

from __future__ import annotations

from nodes.clusters import cluster, node, pod, port

from k8stui.cluster.model import Cluster
from k8stui.kernel.save import dump
from k8stui.nodes.network import build_network, node_ruleset
from k8stui.nodes.options import NodeOptions

ADDRESSES = [("192.168.0.11", "fd00:192:168::b"), ("192.168.0.12", "fd00:192:168::c")]


def dual() -> Cluster:
    nodes = (
        node(i, *addresses, cidrs=[f"10.244.{i}.0/24", f"fd00:10:244:{i}::/64"])
        for i, addresses in enumerate(ADDRESSES, 1)
    )
    pods = (
        pod("a", "node-1", "10.244.1.2", "fd00:10:244:1::2", ports=[port(80, host_port=8080)]),
        pod("b", "node-2", "10.244.2.2", "fd00:10:244:2::2"),
    )
    return cluster(nodes, pods)


def v6(name: str, made: Cluster, options: NodeOptions | None = None) -> list[str]:
    routes = build_network(made, options or NodeOptions())[name].routes
    return [
        f"{r.destination} via {r.gateway} dev {r.device}"
        for r in routes
        if r.destination.address.version == 6 and r.table == "main" and r.gateway
    ]


def test_node_routes() -> None:
    assert v6("node-1", dual()) == [
        "::/0 via fd00:192:168::1 dev eth0",
        "fd00:10:244:2::/64 via fd00:192:168::c dev eth0",
    ]


def test_pod_routes() -> None:
    assert v6("default/a", dual()) == [
        "::/0 via fd00:10:244:1::1 dev eth0",
        "fd00:10:244::/56 via fd00:10:244:1::1 dev eth0",
    ]


def test_tunnel_of_its_own() -> None:
    assert v6("node-1", dual(), NodeOptions(cni="flannel-vxlan"))[1:] == [
        "fd00:10:244:2::/64 via fd00:10:244:2:: dev flannel-v6.1"
    ]


def test_both_families_of_rules() -> None:
    made = dual()
    assert set(build_network(made)["node-1"].rulesets) == {4, 6}
    lines = dump(node_ruleset(made, made.nodes["node-1"], 6, "cni")).splitlines()
    chain = next(line.split()[1] for line in lines if line.startswith("-A CNI-DN-"))
    assert [line for line in lines if line.startswith("-A CNI-DN-")] == [
        f"-A {chain} -s fd00:10:244:1::/64 -p tcp -m tcp --dport 8080 -j CNI-HOSTPORT-SETMARK",
        f"-A {chain} -p tcp -m tcp --dport 8080 -j DNAT --to-destination [fd00:10:244:1::2]:80",
    ]
    masquerade = (
        '-A FLANNEL-POSTRTG -s fd00:10:244::/56 ! -d ff00::/8 -m comment --comment "flanneld masq" '
        "-j MASQUERADE --random-fully"
    )
    assert masquerade in lines


def test_wire_and_outside_speak_both() -> None:
    network = build_network(dual())
    for name, device in (("wire", "lan"), ("wire", "eth1"), ("outside", "eth0")):
        interface = network[name].interface(device)
        assert interface is not None
        assert {entry.address.version for entry in interface.addresses} == {4, 6}


def test_ipv6_alone() -> None:
    nodes = (node(i, pair[1], cidrs=[f"fd00:10:244:{i}::/64"]) for i, pair in enumerate(ADDRESSES))
    made = cluster(nodes, [pod("a", "node-1", "fd00:10:244:1::2")], pod_cidr="fd00:10:244::/56")
    network = build_network(made)
    assert {i.name for i in network["node-1"].interfaces} > {"lo", "eth0", "cni0"}
    assert v6("default/a", made)[0] == "::/0 via fd00:10:244:1::1 dev eth0"
    assert network["outside"].routes
