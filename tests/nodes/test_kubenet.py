"""Truth: kubenet's hostPorts, against recordings-cni/kubelet-hostport-recreated."""

from __future__ import annotations

import truth
from nodes.clusters import lab, port

from k8stui.kernel.save import dump
from k8stui.nodes.network import node_ruleset
from k8stui.nodes.options import NodeOptions


def test_host_ports() -> None:
    made = lab({"frontend-1": [port(80, host_port=8080)]})
    ours = dump(node_ruleset(made, made.nodes["node-1"], 4, "cni", NodeOptions(cni="kubenet")))
    folder = truth.folder("recordings-cni") / "kubelet-hostport-recreated"
    marks = ("KUBE-HOSTPORTS", "KUBE-HP-", "hostports", "kubenet")
    expected = [
        line
        for line in (truth.read(folder / "node-1.iptables") or "").splitlines()
        if any(mark in line for mark in marks)
    ]
    assert [line for line in ours.splitlines() if any(mark in line for mark in marks)] == expected


def test_it_is_promiscuous_without_hairpin_mode_and_has_its_own_bridge() -> None:
    made = lab({"frontend-1": [port(80, host_port=8080)]})
    rules = node_ruleset(made, made.nodes["node-1"], 4, "all", NodeOptions(cni="kubenet"))
    chain = rules.chain("nat", "POSTROUTING")
    assert chain is not None
    assert ["-o cbr0" in rule.text for rule in chain.rules].count(True) == 1
