"""Nothing is built before somebody looks at it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from k8stui.cluster.model import (
    Cluster,
    Endpoint,
    EndpointPort,
    EndpointSlice,
    Node,
    ProxyConfiguration,
    Service,
    ServicePort,
    ServiceType,
)
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.save import dump_lines
from k8stui.nodes.contribution import compose
from k8stui.nodes.errors import NodeOptionError
from k8stui.nodes.kubeproxy import (
    Everywhere,
    KubeProxyRules,
    proxy_contribution,
    proxy_ruleset,
)
from k8stui.nodes.kubeproxy.names import chain_suffix
from k8stui.nodes.kubeproxy.userspace import proxy_sockets
from k8stui.origin import assumed

ORIGIN = assumed("test")


def cluster_of(services: int, mode: str = "iptables") -> Cluster:
    found = {}
    slices = {}
    for i in range(services):
        service = Service(
            namespace="shop",
            name=f"s{i}",
            cluster_ips=(Address(4, (10 << 24 | 96 << 16) + i + 1),),
            ports=(ServicePort(port=80, target_port=80, origin=ORIGIN),),
            origin=ORIGIN,
        )
        endpoints = tuple(
            Endpoint(addresses=(Address(4, (10 << 24 | 244 << 16) + 2 * i + j),), origin=ORIGIN)
            for j in range(2)
        )
        found[service.key] = service
        slices[service.key] = (
            EndpointSlice(
                namespace="shop",
                name=service.name,
                service=service.name,
                ports=(EndpointPort(port=80),),
                endpoints=endpoints,
                origin=ORIGIN,
            ),
        )
    node = Node(name="node-1", index=1, addresses=(Address.parse("192.168.0.11"),), origin=ORIGIN)
    return Cluster(
        nodes={"node-1": node},
        pods={},
        services=found,
        endpoint_slices=slices,
        workloads=(),
        proxy=ProxyConfiguration(mode=mode, origin=ORIGIN),
        pod_cidr=Prefix.parse("10.244.0.0/16"),
        service_cidr=Prefix.parse("10.96.0.0/12"),
    )


def test_looking_up_one_chain_plans_no_other_service_port() -> None:
    cluster = cluster_of(50)
    rules = KubeProxyRules(cluster, cluster.nodes["node-1"])
    chains = rules.ruleset.tables["nat"].chains
    assert rules.planned == 0
    name = f"KUBE-SVC-{chain_suffix('shop/s7tcp')}"
    assert name in chains
    targets = [rule.text.rpartition(" -j ")[2] for rule in chains[name].rules]
    assert all("--to-destination" in chains[t].rules[1].text for t in targets)
    assert rules.planned == 1


def test_an_endpoint_chain_is_found_without_its_service() -> None:
    cluster = cluster_of(50)
    rules = KubeProxyRules(cluster, cluster.nodes["node-1"])
    name = f"KUBE-SEP-{chain_suffix('shop/s7tcp10.244.0.14:80')}"
    dnat = rules.ruleset.tables["nat"].chains[name].rules[1]
    assert dnat.text.endswith("--to-destination 10.244.0.14:80")


@pytest.mark.parametrize(
    "name", ["KUBE-SVC-AAAAAAAAAAAAAAAA", "KUBE-SEP-AAAAAAAAAAAAAAAA", "KUBE-SVC-", "CNI-HOSTPORT"]
)
def test_a_chain_that_is_not_there(name: str) -> None:
    cluster = cluster_of(2)
    chains = proxy_ruleset(cluster, cluster.nodes["node-1"], 4).tables["nat"].chains
    assert name not in chains
    with pytest.raises(KeyError):
        chains[name]


@pytest.mark.parametrize("prefix", ["KUBE-SVL-", "KUBE-EXT-", "KUBE-FW-"])
def test_a_service_has_no_chain_that_it_does_not_need(prefix: str) -> None:
    cluster = cluster_of(2)
    chains = proxy_ruleset(cluster, cluster.nodes["node-1"], 4).tables["nat"].chains
    name = prefix + chain_suffix("shop/s1tcp")
    assert name not in chains
    with pytest.raises(KeyError):
        chains[name]


def test_names_come_in_byte_order_and_all_can_be_looked_up() -> None:
    cluster = cluster_of(20)
    chains = proxy_ruleset(cluster, cluster.nodes["node-1"], 4).tables["nat"].chains
    names = list(chains)[4:]
    assert names == sorted(names)
    assert all(chains[name].name == name for name in names)
    assert len([name for name in names if name.startswith("KUBE-SEP-")]) == 40


@pytest.mark.parametrize(("endpoints", "commented"), [(1000, True), (1002, False)])
def test_a_large_cluster_leaves_the_comments_of_endpoints_out(
    endpoints: int, commented: bool
) -> None:
    cluster = cluster_of(endpoints // 2)
    chains = proxy_ruleset(cluster, cluster.nodes["node-1"], 4).tables["nat"].chains
    rules = chains[f"KUBE-SVC-{chain_suffix('shop/s7tcp')}"].rules
    assert all(("--comment" in rule.text) is commented for rule in rules)


def test_without_nfacct_no_rule_counts() -> None:
    cluster = cluster_of(1)
    node = cluster.nodes["node-1"]
    forward = proxy_ruleset(cluster, node, 4, nfacct=False).tables["filter"].chains["KUBE-FORWARD"]
    assert forward.rules[0].text == "-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP"


def test_proxy_ports_are_stable_and_all_different() -> None:
    many = proxy_sockets(cluster_of(400, "userspace"), 4)
    assert len({socket.port for socket in many.values()}) == len(many) == 400
    few = proxy_sockets(cluster_of(3, "userspace"), 4)
    assert [s.port for s in few.values()] == [many[name].port for name in few]
    assert [b.text for b in few["shop/s1"].backends] == ["10.244.0.2:80", "10.244.0.3:80"]


def test_a_mode_that_is_not_imitated_is_refused() -> None:
    cluster = cluster_of(1, "ipvs")
    with pytest.raises(NodeOptionError, match="ipvs"):
        proxy_ruleset(cluster, cluster.nodes["node-1"], 4)


@pytest.mark.parametrize("mode", ["ClusterCIDR", "NodeCIDR"])
def test_what_nodes_share_is_what_each_would_write_alone(mode: str) -> None:
    plain = cluster_of(4)
    changes: tuple[dict[str, Any], ...] = (
        {},
        {"external_traffic_policy": "Local", "type": ServiceType.NODE_PORT},
        {"internal_traffic_policy": "Local"},
        {"session_affinity": "ClientIP"},
    )
    nodes = {
        f"node-{n}": replace(
            plain.nodes["node-1"],
            name=f"node-{n}",
            pod_cidrs=(Prefix.parse(f"10.244.{n}.0/24"),),
        )
        for n in (1, 2, 3)
    }
    services, slices = {}, {}
    for (key, service), change in zip(plain.services.items(), changes, strict=True):
        port = replace(service.ports[0], node_port=30001) if "type" in change else service.ports[0]
        services[key] = replace(service, ports=(port,), **change)
        (piece,) = plain.endpoint_slices[key]
        endpoints = tuple(
            replace(one, node_name=f"node-{n}", for_nodes=(f"node-{n}",) if not change else ())
            for n, one in enumerate(piece.endpoints, 1)
        )
        slices[key] = (replace(piece, endpoints=endpoints),)
    proxy = replace(plain.proxy, detect_local_mode=mode)
    cluster = replace(plain, nodes=nodes, services=services, endpoint_slices=slices, proxy=proxy)
    everywhere = Everywhere(cluster, 4)
    kept = []
    for node in nodes.values():
        kept.append(compose([proxy_contribution(cluster, node, 4, everywhere=everywhere)]))
        list(dump_lines(kept[-1]))
        for chain in kept[-1].tables["nat"].chains:
            assert kept[-1].tables["nat"].chains[chain].rules is not None
    for node, shared in zip(nodes.values(), kept, strict=True):
        assert list(dump_lines(shared)) == list(dump_lines(proxy_ruleset(cluster, node, 4)))
