"""Truth: a node built from an equal cluster, against the machines of golden-walks.

There MAC addresses and warm tables are as k8stui assumes them, so these are compared too. Names of
veths differ (drawn otherwise), 10.244.3.0/24 points to a node that does not exist, and the nodes'
eth0 was set up without a broadcast address.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
import truth
from nodes.clusters import cluster, node, pod
from nodes.recorded import recorded_routes, routes

from k8stui.kernel.namespace import NetNamespace
from k8stui.nodes.network import ClusterNetwork, build_network
from k8stui.nodes.options import NodeOptions

STATES = {
    "standard": NodeOptions(cni="bridge"),
    "hairpin-off": NodeOptions(cni="bridge", hairpin=False),
    "bridge-nf-0": NodeOptions(cni="bridge", bridge_nf_call_iptables=False),
    "vxlan": NodeOptions(cni="flannel-vxlan"),
}
NAMES = {
    "pod/client": "veth9c3f81e7",
    "pod/server-1": "veth28e4e949",
    "pod/server-2": "vethf566434a",
}
CASES = [
    (state, namespace) for state in STATES for namespace in ("node-1", "node-2", *NAMES, "outside")
]


def network(state: str) -> ClusterNetwork:
    pods = (
        pod("client", "node-1", "10.244.1.2", namespace="pod"),
        pod("server-1", "node-1", "10.244.1.3", namespace="pod"),
        pod("server-2", "node-2", "10.244.2.2", namespace="pod"),
    )
    return build_network(cluster((node(1), node(2)), pods), STATES[state])


def recording(state: str, namespace: str) -> dict[str, Any]:
    states: dict[str, dict[str, Any]] = json.loads(
        (truth.folder("golden-walks") / f"state-{state}.json").read_text()
    )
    return states[namespace]


def golden_name(built: ClusterNetwork, name: str) -> str:
    """The recording's name of one of our veths."""
    for pod_key, golden in NAMES.items():
        eth0 = built[pod_key].interface("eth0")
        if eth0 and eth0.peer and eth0.peer[1] == name:
            return golden
    return name


def ours(state: str, namespace: str) -> tuple[ClusterNetwork, NetNamespace]:
    built = network(state)
    return built, built[namespace]


@pytest.mark.parametrize(("state", "namespace"), CASES, ids=lambda value: value)
class TestState:
    def test_devices(self, state: str, namespace: str) -> None:
        built, mine = ours(state, namespace)
        expected = {
            device["ifname"]: (
                device["address"],
                device["mtu"],
                device.get("master"),
                [(a["local"], a["prefixlen"], a["scope"]) for a in device["addr_info"]],
            )
            for device in recording(state, namespace)["addr"]
        }
        assert {
            golden_name(built, device.name): (
                device.mac,
                device.mtu_bytes,
                device.master,
                [
                    (str(a.address), a.prefix_length, str(a.scope))
                    for a in device.addresses
                    # IPv6 was switched off where they were recorded: no namespace had ::1.
                    if str(a.address) != "::1"
                ],
            )
            for device in mine.interfaces
        } == expected

    def test_routes(self, state: str, namespace: str) -> None:
        _, mine = ours(state, namespace)
        flannels_own = (
            {"10.244.0.0/16"} if state == "vxlan" and namespace.startswith("pod/") else set()
        )
        expected = [
            route
            for route in recorded_routes(recording(state, namespace)["route"])
            if route["dst"] != "10.244.3.0/24"
        ]
        # The recorded client is one host; ours stands for every public address besides.
        found = [route for route in routes(mine) if route.get("table") != "everything"]
        assert [route for route in found if route["dst"] not in flannels_own] == expected

    def test_neighbours(self, state: str, namespace: str) -> None:
        _, mine = ours(state, namespace)
        found = {(entry.device, str(entry.address), entry.mac) for entry in mine.neighbours}
        assert found == {
            (entry["dev"], entry["dst"], entry["lladdr"])
            for entry in recording(state, namespace)["neigh"]
        }

    def test_settings(self, state: str, namespace: str) -> None:
        _, mine = ours(state, namespace)
        sysctl = recording(state, namespace)["sysctl"]
        assert mine.sysctls.ip_forward == (sysctl["ipv4/ip_forward"] == "1")
        assert mine.sysctls.route_localnet.get("all", False) == (
            sysctl["ipv4/conf/all/route_localnet"] == "1"
        )
        if namespace.startswith("node"):
            assert mine.sysctls.bridge_nf_call_iptables == (
                sysctl["bridge/bridge-nf-call-iptables"] == "1"
            )


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", ["node-1", "node-2"])
def test_bridge(state: str, name: str) -> None:
    built, mine = ours(state, name)
    expected = recording(state, name)
    assert [
        (golden_name(built, port.name), port.port.hairpin) for port in mine.interfaces if port.port
    ] == [(port["ifname"], port["hairpin"]) for port in expected["bridge -j -d link"]]
    lines = set()
    for entry in mine.fdb:
        words = [entry.mac, "dev", golden_name(built, entry.device)]
        words += (
            ["dst", str(entry.destination), "self"] if entry.destination else ["master", "cni0"]
        )
        lines.add(" ".join([*words, "permanent"] if entry.permanent else words))
    assert lines == {line.strip() for line in expected["bridge fdb show"]}
