"""ptp: cables without a bridge. What it puts where is in test_recorded_plugins; here, what follows.

A newcomer's plug-in: one file, one line in `k8stui.nodes.cni`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from nodes.clusters import lab
from nodes.recorded import peers_match

from k8stui.cluster.model import Node, Pod
from k8stui.kernel.address import Address
from k8stui.kernel.exchange import Connect, Exchange, Result
from k8stui.kernel.simulate import connect
from k8stui.nodes import cni
from k8stui.nodes.cni.bridge import Bridge
from k8stui.nodes.cni.ptp import Ptp
from k8stui.nodes.contribution import Contribution
from k8stui.nodes.network import ClusterNetwork, build_network
from k8stui.nodes.options import NodeOptions
from k8stui.nodes.part import Part
from k8stui.nodes.site import Site

FIRST, BESIDE, FAR = "default/frontend-1", "10.244.1.3", "10.244.2.2"


def ask(network: ClusterNetwork, source: str, address: str, port: int = 8080) -> Exchange:
    return connect(
        network, Connect(namespace=source, destination=Address.parse(address), port=port)
    )


def dumped(names: Sequence[str], addresses: Sequence[str], *, masters: bool = False) -> str:
    """A node's ``ip -j -d addr``: the uplink, and a cable for each name."""
    records: list[dict[str, object]] = [
        {
            "ifindex": 2,
            "ifname": "ens3",
            "flags": ["UP", "LOWER_UP"],
            "mtu": 1500,
            "operstate": "UP",
            "link_type": "ether",
            "address": "52:54:00:00:00:0b",
            "addr_info": [{"family": "inet", "local": "192.168.0.11", "prefixlen": 24}],
        }
    ]
    for number, name in enumerate(names, 3):
        records.append(
            {
                "ifindex": number,
                "ifname": name,
                "flags": ["UP", "LOWER_UP"],
                "mtu": 1500,
                "operstate": "UP",
                "link_type": "ether",
                "address": f"0a:00:00:00:00:{number:02x}",
                "linkinfo": {"info_kind": "veth"},
                "addr_info": [
                    {"family": "inet", "local": one, "prefixlen": 32} for one in addresses
                ],
                **({"master": "br9"} if masters else {}),
            }
        )
    return json.dumps(records)


def routed(devices: dict[str, str]) -> str:
    """``ip -j route``: each pod's address by a device, the other node by the wire."""
    routes = [
        {"dst": dst, "dev": dev, "scope": "host", "flags": []} for dst, dev in devices.items()
    ]
    routes += [
        {"dst": "default", "gateway": "192.168.0.1", "dev": "ens3", "flags": []},
        {"dst": "192.168.0.0/24", "dev": "ens3", "scope": "link", "flags": []},
        {"dst": "10.244.2.0/24", "gateway": "192.168.0.12", "dev": "ens3", "flags": []},
    ]
    return json.dumps(routes)


def observed(folder: Path, addresses: str, routes: str) -> ClusterNetwork:
    (folder / "addr.json").write_text(addresses)
    (folder / "route.json").write_text(routes)
    options = NodeOptions(
        ip_addr={"node-1": str(folder / "addr.json")},
        ip_route={"node-1": str(folder / "route.json")},
    )
    return build_network(lab(), options)


@pytest.mark.parametrize("plugin", ["ptp", "ptp-ipmasq"])
def test_the_node_routes_between_its_own_pods(plugin: str) -> None:
    network = build_network(lab(), NodeOptions(cni=plugin))
    made = ask(network, FIRST, BESIDE)
    assert made.felt.result is Result.CONNECTED
    assert str(made.felt.source_seen) == "10.244.1.2"
    arrived = [one for one in made.captures if one.namespace == "default/frontend-2"]
    assert arrived[0].packet.ttl == 63  # recordings-cni/ptp-ipmasq/packets.json
    assert peers_match(dict(network))


@pytest.mark.parametrize(
    ("plugin", "seen"), [("ptp", "10.244.1.2"), ("ptp-ipmasq", "192.168.0.11")]
)
def test_between_nodes_ip_masq_hides_the_pod(plugin: str, seen: str) -> None:
    made = ask(build_network(lab(), NodeOptions(cni=plugin)), FIRST, FAR)
    assert made.felt.result is Result.CONNECTED
    assert str(made.felt.source_seen) == seen


def test_pods_hang_on_the_devices_that_the_routes_name(tmp_path: Path) -> None:
    """The dump's order says nothing: the routes do."""
    network = observed(
        tmp_path,
        dumped(["vethc", "vetha", "vethb"], ["10.244.1.1"]),
        routed({"10.244.1.2": "vetha", "10.244.1.3": "vethb", "10.244.1.4": "vethc"}),
    )
    for pod, device in (("frontend-1", "vetha"), ("frontend-2", "vethb"), ("redis", "vethc")):
        eth0 = network[f"default/{pod}"].interface("eth0")
        assert eth0 is not None
        assert eth0.peer == ("node-1", device)
    assert peers_match(dict(network))
    for source in (FIRST, "default/mysql", "node-2"):
        assert ask(network, source, BESIDE).felt.result is Result.CONNECTED


def test_cables_without_an_address_are_not_ptps(tmp_path: Path) -> None:
    """Cilium's lxc… have none: another plug-in's work is not taken for this one's."""
    network = observed(tmp_path, dumped(["lxc1"], []), routed({"10.244.1.2": "lxc1"}))
    assert network["node-1"].rulesets[4].chain("nat", "FLANNEL-POSTRTG")
    network = observed(tmp_path, dumped(["cali1"], []), routed({"10.244.1.2": "cali1"}))
    assert network.plugin_of(network.cluster.nodes["node-1"]) == "calico"


class Cable:
    """A plug-in in few words: everything ptp does, and a rule of its own."""

    def __init__(self, site: Site) -> None:
        self._ptp = Ptp(site)

    def recognises(self, node: Node) -> bool:
        del node
        return False

    def addresses(self, node: Node) -> Sequence[Address]:
        return self._ptp.addresses(node)

    def node_part(self, node: Node) -> Part:
        return self._ptp.node_part(node)

    def pod_part(self, node: Node, pod: Pod) -> Part:
        return self._ptp.pod_part(node, pod)

    def contributions(self, node: Node, version: int) -> Sequence[Contribution]:
        del node, version
        return ()


def test_one_line_adds_a_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cni, "_PLUGINS", {"cable": Cable, "bridge": Bridge})
    network = build_network(lab(), NodeOptions(cni="cable"))
    assert ask(network, FIRST, FAR).felt.result is Result.CONNECTED
