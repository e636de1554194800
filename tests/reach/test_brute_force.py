"""All pairs by classes are what every pair is that is walked for itself."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from k8stui.cluster.options import ClusterOptions
from k8stui.kernel.packet import Protocol
from k8stui.nodes.options import NodeOptions
from k8stui.reach.ends import asked, askers
from k8stui.reach.felt import walked
from k8stui.reach.reach import reach
from k8stui.reach.told import told
from k8stui.walk.world import World, build_world

LABELS = st.fixed_dictionaries(
    {"app": st.sampled_from(["ant", "bee"])}, optional={"tier": st.sampled_from(["in", "out"])}
)
SPACES = st.sampled_from(["meadow", "pond"])
SELECTORS = st.one_of(
    st.just({}),
    st.builds(lambda labels: {"matchLabels": labels}, LABELS),
    st.just({"matchExpressions": [{"key": "tier", "operator": "Exists"}]}),
    st.just({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["ant"]}]}),
)
BLOCKS = st.sampled_from(
    [
        {"cidr": "10.244.0.0/16"},
        {"cidr": "10.244.0.0/16", "except": ["10.244.1.0/24"]},
        {"cidr": "10.244.2.3/32"},
        {"cidr": "192.168.0.0/24"},
        {"cidr": "0.0.0.0/0"},
        {"cidr": "0.0.0.0/0", "except": ["10.244.0.0/16", "192.168.0.0/24"]},
        {"cidr": "10.244.0.0/16", "except": ["10.244.1.2/32", "10.244.2.2/31"]},
        {"cidr": "10.244.0.0/16", "except": []},
        {"cidr": "fd00::/8"},
    ]
)
SPACE_SELECTORS = st.sampled_from(
    [
        {},
        {"matchLabels": {"wet": "yes"}},
        {"matchExpressions": [{"key": "wet", "operator": "DoesNotExist"}]},
        {"matchLabels": {"kubernetes.io/metadata.name": "meadow"}},
    ]
)
PEERS = st.one_of(
    st.builds(lambda one: {"podSelector": one}, SELECTORS),
    st.builds(lambda one: {"namespaceSelector": one}, SPACE_SELECTORS),
    st.builds(
        lambda one, two: {"podSelector": one, "namespaceSelector": two}, SELECTORS, SPACE_SELECTORS
    ),
    st.builds(lambda one: {"ipBlock": one}, BLOCKS),
)
PORTS = st.sampled_from(
    [
        {"port": 8080},
        {"port": "http"},
        {"port": 53, "protocol": "UDP"},
        {"port": "http", "protocol": "UDP"},
        {"port": 8000, "endPort": 8090},
        {"port": 53, "endPort": 53, "protocol": "UDP"},
        {"port": 8080, "protocol": "SCTP"},
        {"protocol": "UDP"},
        {},
    ]
)


def rules(side: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    rule = st.fixed_dictionaries(
        {}, optional={side: st.lists(PEERS, max_size=2), "ports": st.lists(PORTS, max_size=2)}
    )
    return st.lists(rule, max_size=2)


POLICIES = st.fixed_dictionaries(
    {"namespace": SPACES, "podSelector": SELECTORS},
    optional={
        "policyTypes": st.sampled_from([["Ingress"], ["Egress"], ["Ingress", "Egress"]]),
        "ingress": rules("from"),
        "egress": rules("to"),
    },
)
INSIDE = st.one_of(
    st.builds(
        lambda one: {"namespaces": one},
        st.sampled_from([{}, {"matchLabels": {"wet": "yes"}}]),
    ),
    st.builds(lambda one: {"pods": {"podSelector": one, "namespaceSelector": {}}}, SELECTORS),
)
BEYOND = st.sampled_from(
    [{"networks": ["10.244.1.0/24", "203.0.113.0/24"]}, {"networks": ["0.0.0.0/0"]}, {"nodes": {}}]
)
PROTOCOLS = st.sampled_from(
    [
        {"tcp": {"destinationPort": {"number": 8080}}},
        {"udp": {"destinationPort": {"range": {"start": 1, "end": 9000}}}},
    ]
)


def tier_rules(side: str, peers: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    rule = st.fixed_dictionaries(
        {
            "action": st.sampled_from(["Accept", "Deny", "Pass"]),
            side: st.lists(peers, min_size=1, max_size=2),
        },
        optional={"protocols": st.lists(PROTOCOLS, min_size=1, max_size=1)},
    )
    return st.lists(rule, max_size=2)


CLUSTER_POLICIES = st.fixed_dictionaries(
    {
        "tier": st.sampled_from(["Admin", "Baseline"]),
        "priority": st.integers(0, 3),
        "subject": INSIDE,
        "ingress": tier_rules("from", INSIDE),
        "egress": tier_rules("to", st.one_of(INSIDE, BEYOND)),
    }
)
WORKLOADS = st.fixed_dictionaries(
    {
        "namespace": SPACES,
        "labels": LABELS,
        "replicas": st.integers(1, 3),
        "port": st.sampled_from([8080, 8081]),
        "protocol": st.sampled_from(["TCP", "TCP", "UDP"]),
        "named": st.booleans(),
        "host": st.sampled_from([False, False, False, True]),
        "ready": st.sampled_from([True, True, False]),
    }
)
SERVICES = st.fixed_dictionaries(
    {
        "namespace": SPACES,
        "selector": st.one_of(st.none(), LABELS, LABELS),
        "type": st.sampled_from(["ClusterIP", "ClusterIP", "NodePort", "Headless", "ExternalName"]),
        "targetPort": st.sampled_from([8080, "http", 9]),
    },
    optional={
        "internalTrafficPolicy": st.just("Local"),
        "externalTrafficPolicy": st.just("Local"),
        "sessionAffinity": st.just("ClientIP"),
        "externalIPs": st.sampled_from([["198.51.100.9"], ["10.244.1.2"], ["192.168.0.11"]]),
    },
)
CNIS = [
    *("flannel", "flannel-vxlan", "bridge", "docker0", "docker-28"),
    *("ptp", "ptp-ipmasq", "kindnet", "calico", "amazon-vpc-cni", "kube-router"),
]
ANTS = {"selector": {"matchLabels": {"app": "ant"}}}
MESH = {
    "strict": ("PeerAuthentication", {"mtls": {"mode": "STRICT"}}),
    "ants": ("PeerAuthentication", ANTS | {"mtls": {"mode": "PERMISSIVE"}}),
    "pond": ("AuthorizationPolicy", {"rules": [{"from": [{"source": {"namespaces": ["pond"]}}]}]}),
    "nobody": ("AuthorizationPolicy", ANTS),
}
"""What a mesh in the namespace ``pond`` is told."""
CLUSTERS = st.fixed_dictionaries(
    {
        "nodes": st.integers(1, 3),
        "workloads": st.lists(WORKLOADS, min_size=1, max_size=3),
        "services": st.lists(SERVICES, min_size=1, max_size=3),
        "policies": st.lists(POLICIES, max_size=3),
        "cluster_policies": st.lists(CLUSTER_POLICIES, max_size=2),
        "enforced": st.booleans(),
        "engine": st.sampled_from([None, "kube-router", "api", "none"]),
        "cni": st.sampled_from(CNIS),
        "mode": st.sampled_from(["iptables", "nftables"]),
        "flannel_by_nftables": st.booleans(),
    }
)


def _deployment(number: int, one: dict[str, Any]) -> dict[str, Any]:
    port = {"containerPort": one["port"], "protocol": one["protocol"]} | (
        {"name": "http"} if one["named"] else {}
    )
    pod: dict[str, Any] = {"containers": [{"name": "c", "image": "x", "ports": [port]}]}
    if one["host"]:
        pod["hostNetwork"] = True
        port["hostPort"] = one["port"]
    if not one["ready"]:
        pod["readinessGates"] = [{"conditionType": "never"}]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": f"w{number}", "namespace": one["namespace"]},
        "spec": {
            "replicas": 1 if one["host"] else one["replicas"],
            "selector": {"matchLabels": one["labels"]},
            "template": {"metadata": {"labels": one["labels"]}, "spec": pod},
        },
    }


def _service(number: int, one: dict[str, Any]) -> dict[str, Any]:
    kind = one["type"]
    port: dict[str, Any] = {"port": 80, "targetPort": one["targetPort"]}
    spec: dict[str, Any] = {"ports": [port]}
    if kind == "ExternalName":
        spec |= {"type": kind, "externalName": "away.example"}
    elif one["selector"]:
        spec["selector"] = one["selector"]
    if kind == "Headless":
        spec["clusterIP"] = "None"
    if kind == "NodePort":
        spec["type"] = kind
        port["nodePort"] = 30000 + number
        spec |= {k: one[k] for k in ("externalTrafficPolicy",) if k in one}
    if kind in ("NodePort", "ClusterIP"):
        kept = ("internalTrafficPolicy", "sessionAffinity", "externalIPs")
        spec |= {k: one[k] for k in kept if k in one}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": f"s{number}", "namespace": one["namespace"]},
        "spec": spec,
    }


def _policy(number: int, one: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": f"p{number}", "namespace": one["namespace"]},
        "spec": {key: value for key, value in one.items() if key != "namespace"},
    }


def _objects(cluster: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "labels": {"wet": wet} | more},
        }
        for name, wet, more in (
            ("meadow", "no", {}),
            ("pond", "yes", {"istio-injection": "enabled"} if cluster.get("mesh") else {}),
        )
    ]
    found += [
        {
            "apiVersion": "security.istio.io/v1",
            "kind": MESH[name][0],
            "metadata": {"name": name, "namespace": "pond"},
            "spec": MESH[name][1],
        }
        for name in sorted(cluster.get("mesh", ()))
    ]
    found += [_deployment(n, one) for n, one in enumerate(cluster["workloads"])]
    found += [_service(n, one) for n, one in enumerate(cluster["services"])]
    found += [_policy(n, one) for n, one in enumerate(cluster["policies"])]
    found += [
        {
            "apiVersion": "policy.networking.k8s.io/v1alpha2",
            "kind": "ClusterNetworkPolicy",
            "metadata": {"name": f"c{n}"},
            "spec": one,
        }
        for n, one in enumerate(cluster["cluster_policies"])
    ]
    if cluster["flannel_by_nftables"] and cluster["cni"].startswith("flannel"):
        net_conf = {"Network": "10.244.0.0/16", "EnableNFTables": True}
        net_conf["Backend"] = {"Type": "vxlan" if "vxlan" in cluster["cni"] else "host-gw"}
        found.append(
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "kube-flannel-cfg", "namespace": "kube-flannel"},
                "data": {"net-conf.json": json.dumps(net_conf)},
            }
        )
    if cluster["enforced"]:
        labels = {"k8s-app": "calico-node"}
        found.append(
            {
                "apiVersion": "apps/v1",
                "kind": "DaemonSet",
                "metadata": {"name": "calico-node", "namespace": "kube-system"},
                "spec": {
                    "selector": {"matchLabels": labels},
                    "template": {
                        "metadata": {"labels": labels},
                        "spec": {
                            "hostNetwork": True,
                            "containers": [{"name": "calico-node", "image": "calico/node:v3.30.0"}],
                        },
                    },
                },
            }
        )
    return found


def world_of(cluster: dict[str, Any]) -> World:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "cluster.json"
        file.write_text(
            json.dumps({"apiVersion": "v1", "kind": "List", "items": _objects(cluster)})
        )
        return build_world(
            [str(file)],
            ClusterOptions(nodes=cluster["nodes"], proxy_mode=cluster["mode"]),
            NodeOptions(cni=cluster["cni"], policy_engine=cluster["engine"]),
        )


def differences(world: World) -> list[str]:
    """Pairs of which their class says something else than their own walk: results, place, why."""
    rows = list(askers(world))
    undeclared = asked(world, ((8085, Protocol.TCP), (53, Protocol.UDP), (8080, Protocol.SCTP)))
    columns = [*asked(world), *undeclared]
    found = reach(world, rows, columns)
    assert all(one.pairs for one in found.classes.values())
    wrong = []
    for number, one in enumerate(columns):
        for asker, cell in zip(rows, found.column(number), strict=True):
            own = walked(world, asker, one)
            here = told(world.cluster, found.parts[cell.part], asker, one, cell)
            said = found.classes[cell.number].felt.shares, here.decided_at, here.reason
            if said != (own.shares, own.decided_at, own.reason):
                wrong.append(f"{asker.name} -> {one.name}: {own}, not {said}")
    return wrong


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(CLUSTERS, st.sets(st.sampled_from([*MESH]), max_size=2))
def test_classes_say_what_each_pair_says(cluster: dict[str, Any], mesh: set[str]) -> None:
    assert not differences(world_of(cluster | {"mesh": mesh}))


@pytest.mark.parametrize(
    ("cni", "engine", "mode"),
    [("docker0", None, "iptables"), ("bridge", "api", "nftables"), ("calico", None, "iptables")],
)
def test_a_pod_asks_a_node_port_of_local_endpoints(cni: str, engine: str | None, mode: str) -> None:
    """It is sent to any endpoint, though nobody else who asks that node is: some have none."""
    workload: dict[str, Any] = {"namespace": "meadow", "labels": {"app": "ant"}, "replicas": 3}
    workload |= {"port": 8080, "protocol": "TCP", "named": False, "host": False, "ready": True}
    alone: dict[str, Any] = {**workload, "labels": {"app": "bee", "tier": "in"}, "replicas": 1}
    service: dict[str, Any] = {"namespace": "meadow", "selector": {"app": "ant"}}
    service |= {"type": "NodePort", "targetPort": 8080, "externalTrafficPolicy": "Local"}
    policy: dict[str, Any] = {"namespace": "meadow"}
    policy["podSelector"] = {"matchLabels": {"app": "bee"}}
    policy["ingress"] = [{"from": [{"podSelector": {"matchLabels": {"tier": "in"}}}]}]
    services = [service, {**service, "selector": {"app": "bee"}}]
    cluster: dict[str, Any] = {"nodes": 2, "workloads": [workload, alone], "services": services}
    cluster |= {"policies": [policy], "cluster_policies": [], "enforced": False, "engine": engine}
    cluster |= {"cni": cni, "mode": mode, "flannel_by_nftables": False}
    assert not differences(world_of(cluster))
