"""Truth: portmap's and flannel's rules in newer releases, against recordings-agents."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import truth
from nodes.clusters import ORIGIN, cluster, node, pod, port

from k8stui.cluster.model import Cluster, Container
from k8stui.cluster.networks.cni_configurations import cni_configuration
from k8stui.kernel.nft.listing import listing
from k8stui.kernel.packet import Protocol
from k8stui.kernel.save import dump
from k8stui.nodes.network import ClusterNetwork, build_network
from k8stui.nodes.options import NodeOptions


def folders(kind: str) -> list[Path]:
    found = truth.find("recordings-agents")
    return sorted((found / kind).iterdir()) if found else []


def text(case: Path, name: str) -> str:
    return truth.read(case / name) or ""


def portmapped(case: Path) -> Cluster:
    """One node, the case's pods with their port mappings, and its configuration as one list."""
    told = json.loads(text(case, "net.json"))
    conf = {"name": told["bridge"]["name"], "plugins": [told["bridge"], told["portmap"]]}
    pods = []
    addresses = [json.loads(line) for line in text(case, "pod-ips").splitlines()]
    for given, one in zip(addresses, json.loads(text(case, "portMappings.json")), strict=True):
        ports = [
            port(
                mapped["containerPort"],
                Protocol[mapped["protocol"].upper()],
                host_port=mapped["hostPort"],
                host_ip=mapped.get("hostIP"),
            )
            for mapped in one["portMappings"]
        ]
        made = pod(one["containerID"], "node-1", *(a.partition("/")[0] for a in given), ports=ports)
        pods.append(replace(made, container_id=one["containerID"]))
    ranges: list[Any] = told["bridge"]["ipam"]["ranges"]
    subnets = [each[0]["subnet"] for each in ranges]
    configuration = cni_configuration(conf, ORIGIN)
    assert configuration is not None
    nodes = (node(1, "192.168.0.11", *(["fd00::11"] if len(subnets) > 1 else []), cidrs=subnets),)
    return replace(cluster(nodes, pods), cni_configurations=(configuration,))


@pytest.mark.parametrize("case", folders("portmap"), ids=lambda case: case.name)
def test_portmap(case: Path) -> None:
    network = build_network(portmapped(case), NodeOptions())
    made = network.cluster.nodes["node-1"]
    assert network.plugin_of(made) == "bridge"
    _same_rules(network, case)
    localnet = [
        name
        for name, on in network["node-1"].sysctls.route_localnet.items()
        if on and name != "all"
    ]
    assert localnet == re.findall(r"conf/(\S+)/route_localnet=1", text(case, "sysctls"))


@pytest.mark.parametrize("case", folders("flannel"), ids=lambda case: case.name)
def test_flannel(case: Path) -> None:
    said = dict(word.split("=") for word in text(case, "args").split())
    subnets = [one for one in (said["subnet"], said["ipv6subnet"]) if one]
    addresses = ["192.168.0.11", "fd00::11"][: len(subnets)]
    net_conf = {
        "Network": said["network"],
        "IPv6Network": said["ipv6network"],
        "EnableNFTables": said["mode"] == "nft",
    }
    words = (
        "/opt/bin/flanneld",
        f"--ip-masq={said['ipMasq']}",
        f"--iptables-forward-rules={said['forwardRules']}",
    )
    daemon = pod(
        "kube-flannel",
        "node-1",
        host_network=True,
        containers=(Container(name="kube-flannel", spoken=words, origin=ORIGIN),),
    )
    made = cluster((node(1, *addresses, cidrs=subnets),), (daemon,), flannel=net_conf)
    _same_rules(build_network(made, NodeOptions()), case)


def _same_rules(network: ClusterNetwork, case: Path) -> None:
    """Of what iptables-nft wrote ``nft`` shows the same as ``iptables``, through nft's eyes."""
    made = network.cluster.nodes["node-1"]
    for version, name in ((4, "iptables"), (6, "ip6tables")):
        assert dump(network.ruleset(made, version, "cni")).strip() == text(case, name).strip()
    native = listing(network.nft(made, "cni")).strip()
    assert native == ("" if case.name.startswith("iptables") else text(case, "nft").strip())
