"""Truth: kubelet's chains, against recordings-cni/kubelet-recreated; and who shares them."""

from __future__ import annotations

from dataclasses import replace

import pytest
import truth
from nodes.clusters import lab, port

from k8stui.kernel.save import dump, parse
from k8stui.nodes.contribution import compose
from k8stui.nodes.kubelet import kubelet
from k8stui.nodes.network import node_ruleset


@pytest.mark.parametrize(
    ("file", "minor"),
    [("1.20", 20), ("1.24", 24), ("1.24", 26), ("1.28-and-later", 28), ("1.28-and-later", None)],
)
def test_by_version(file: str, minor: int | None) -> None:
    folder = truth.folder("recordings-cni") / "kubelet-recreated"
    expected = parse(truth.read(folder / f"kubelet-{file}.iptables") or "")
    assert dump(compose([kubelet(4, minor)])) == dump(expected)


@pytest.mark.parametrize(
    ("said", "counts"), [("", True), ("v1.31.0", True), ("v1.30.9+k3s1", False)]
)
def test_kube_proxy_counts_since_1_31(said: str, counts: bool) -> None:
    cluster = lab()
    node = replace(cluster.nodes["node-1"], kubelet_version=said)
    cluster = replace(cluster, nodes={**cluster.nodes, "node-1": node})
    lines = dump(node_ruleset(cluster, node, owner="kube-proxy")).splitlines()
    assert any("nfacct" in line for line in lines) is counts
    assert any("--ctstate INVALID" in line for line in lines)


def test_the_marks_of_an_old_kubelet_stand_once_beside_kube_proxys() -> None:
    cluster = lab()
    node = replace(cluster.nodes["node-1"], kubelet_version="v1.26.4")
    cluster = replace(cluster, nodes={**cluster.nodes, "node-1": node})
    lines = dump(node_ruleset(cluster, node)).splitlines()
    assert lines.count("-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000") == 1
    assert sum(line.endswith("-j KUBE-POSTROUTING") for line in lines) == 1


def test_ipv6_has_canaries_and_hint_only() -> None:
    lines = dump(compose([kubelet(6)])).splitlines()
    assert [line for line in lines if line.startswith(":KUBE")] == [
        ":KUBE-IPTABLES-HINT - [0:0]",
        ":KUBE-KUBELET-CANARY - [0:0]",
        ":KUBE-KUBELET-CANARY - [0:0]",
        ":KUBE-KUBELET-CANARY - [0:0]",
    ]
    assert not [line for line in lines if line.startswith("-A")]


def test_firewall_stands_once_beside_kube_proxy() -> None:
    cluster = lab()
    rules = node_ruleset(cluster, cluster.nodes["node-1"])
    firewall = rules.chain("filter", "KUBE-FIREWALL")
    assert firewall is not None
    assert len(firewall.rules) == 1
    for chain in ("INPUT", "OUTPUT"):
        found = rules.chain("filter", chain)
        assert found is not None
        assert [r.text for r in found.rules].count(f"-A {chain} -j KUBE-FIREWALL") == 1


def test_order_in_the_built_in_chains() -> None:
    """docs/facts/cni.md section 3: the usual kubeadm and flannel node."""
    cluster = lab({"frontend-1": [port(80, host_port=8080)]})
    rules = node_ruleset(cluster, cluster.nodes["node-1"])

    def targets(chain: str) -> list[str]:
        found = rules.chain("nat", chain)
        assert found is not None
        return [rule.text.rpartition(" -j ")[2] for rule in found.rules]

    assert targets("POSTROUTING") == ["CNI-HOSTPORT-MASQ", "KUBE-POSTROUTING", "FLANNEL-POSTRTG"]
    assert targets("PREROUTING") == ["KUBE-SERVICES", "CNI-HOSTPORT-DNAT"]
    assert targets("OUTPUT") == ["KUBE-SERVICES", "CNI-HOSTPORT-DNAT"]
