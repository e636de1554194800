"""Calico's tunnels: what stands on the nodes, and packets that go through them.

The hashes are those of public dumps of nodes with IPIP.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from manifests_of import pod, service

from k8stui.export.drawing.card import cards
from k8stui.export.drawing.header import endpoint
from k8stui.export.drawing.ink import Ink
from k8stui.export.json import packet
from k8stui.kernel.branches import branches
from k8stui.kernel.exchange import Result
from k8stui.kernel.namespace import LinkKind, Route
from k8stui.kernel.packet import Packet, Protocol
from k8stui.kernel.step import StepKind
from k8stui.nodes.policy.calico import rule as felix
from k8stui.nodes.policy.calico import static
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Trace, TraceStep
from k8stui.walk.walk import walk
from k8stui.walk.world import World, build_world

Manifest = dict[str, Any]
ALWAYS, CROSS = "Always", "CrossSubnet"


def node(number: int, address: str, **annotations: str) -> Manifest:
    marked = {f"projectcalico.org/{name}": value for name, value in annotations.items()}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": f"node-{number}", "annotations": marked},
        "spec": {"podCIDR": f"10.244.{number}.0/24"},
        "status": {"addresses": [{"type": "InternalIP", "address": address}]},
    }


NEAR = [node(1, "192.168.0.11"), node(2, "192.168.0.12")]
FAR = [node(1, "192.168.0.11"), node(2, "172.16.7.12")]
TOLD = [
    node(1, "192.168.0.11", IPv4Address="192.168.0.11/24"),
    node(2, "192.168.7.12", IPv4Address="192.168.7.12/24"),
]
NO_LENGTH = [
    node(1, "192.168.0.11", IPv4Address=f"192.168.0.11/{'9' * 5000}"),
    node(2, "192.168.0.12", IPv4Address="192.168.0.12"),
]
PODS = [
    pod("loom", "app=loom", ports=[{"containerPort": 7000}], node="node-2"),
    pod("dyer", node="node-1"),
    service(
        "loom", "app=loom", type="NodePort",
        ports=[{"port": 70, "targetPort": 7000, "nodePort": 30070}],
    ),
]  # fmt: skip


def pool(**spec: Any) -> Manifest:
    return {
        "apiVersion": "crd.projectcalico.org/v1",
        "kind": "IPPool",
        "metadata": {"name": "wool"},
        "spec": {"cidr": "10.244.0.0/16", "natOutgoing": True, **spec},
    }


def world_of(place: Path, nodes: list[Manifest], **spec: Any) -> World:
    daemon = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "calico-node", "namespace": "kube-system"},
        "spec": {
            "selector": {"matchLabels": {"k8s-app": "calico-node"}},
            "template": {
                "metadata": {"labels": {"k8s-app": "calico-node"}},
                "spec": {
                    "hostNetwork": True,
                    "containers": [{"name": "calico-node", "image": "calico/node:v3.30.0"}],
                },
            },
        },
    }
    path = place / "all.yaml"
    path.write_text(yaml.safe_dump_all([*nodes, *PODS, daemon, pool(**spec)]))
    return build_world([str(path)])


def ask(world: World, source: str, target: str) -> Trace:
    return walk(world, parse_request(world, source, target))


def routes(world: World, name: str, device: str) -> list[Route]:
    return [one for one in world.network[name].routes if one.device == device and one.gateway]


def wrapped(trace: Trace) -> list[TraceStep]:
    return [step for step in trace.steps if step.kind is StepKind.ENCAPSULATE]


def outer_and_inner(step: TraceStep) -> tuple[Packet, Packet]:
    outer = step.after
    assert outer is not None
    assert outer.carried is not None
    return outer, outer.carried


IPIP_RULES = {
    ("filter", "cali-INPUT"): "PajejrV4aFdkZojI _wjq-Yrma8Ly1Svo",
    ("filter", "cali-OUTPUT"): "Mq1_rAdXXH3YkrzW 69FkRTJDvD5Vu6Vl AnEsmO6bDZbQntWW",
    ("nat", "cali-POSTROUTING"): "Z-c7XtVd2Bq7s_hA nYKhEzDlr11Jccal SXWvdsbh4Mw7wOln",
}


@pytest.mark.parametrize(("table", "chain"), IPIP_RULES)
def test_rules_of_real_nodes_with_ipip(table: str, chain: str) -> None:
    rules = {
        "filter": static.filter_(4, vxlan=False, ipip=True),
        "nat": static.nat(4, vxlan=False, ipip=True, outgoing=None),
    }[table][chain]
    wanted = IPIP_RULES[table, chain].split()
    assert felix.hashes(chain, rules)[: len(wanted)] == wanted


def test_ipip_goes_by_tunl0_to_the_node_s_address(tmp_path: Path) -> None:
    world = world_of(tmp_path, NEAR, ipipMode=ALWAYS)
    (way,) = routes(world, "node-1", "tunl0")
    assert (str(way.destination), str(way.gateway)) == ("10.244.2.0/24", "192.168.0.12")
    assert way.onlink
    trace = ask(world, "pod/dyer", "pod/loom:7000")
    assert trace.outcome.result is Result.CONNECTED
    there, back = wrapped(trace)
    outer, inner = outer_and_inner(there)
    assert (str(outer.src), str(outer.dst)) == ("192.168.0.11", "192.168.0.12")
    assert (outer.protocol, outer.ttl, inner.ttl) == (Protocol.IPIP, 63, 63)
    assert outer.length_bytes == inner.length_bytes + 20
    assert str(inner.dst) == "10.244.2.2"
    assert endpoint(outer, source=True) == "192.168.0.11", "IPIP has no ports"
    drawn = [text for card in cards(there, Ink.TEXT) for line in card for text, _ in line]
    assert {"IPIP", "10.244.2.2:7000"} <= set(" ".join(drawn).split())
    shown = packet(outer)
    assert shown is not None
    assert shown["protocol"] == "IPIP"
    assert shown["inner"]["dport"] == 7000  # type: ignore[index]
    assert str(outer_and_inner(back)[0].dst) == "192.168.0.11"
    said = [step.text for step in trace.steps]
    assert any("Allow IPIP packets from Calico hosts" in one for one in said)


def test_vxlan_goes_by_the_other_end_s_mac_address(tmp_path: Path) -> None:
    nodes = [NEAR[0], node(2, "192.168.0.12", IPv4VXLANTunnelAddr="10.244.2.77")]
    world = world_of(tmp_path, nodes, vxlanMode=ALWAYS)
    (way,) = routes(world, "node-1", "vxlan.calico")
    assert str(way.gateway) == "10.244.2.77"
    device = next(d for d in world.network["node-1"].interfaces if d.kind is LinkKind.VXLAN)
    assert (device.name, device.mac, device.mtu_bytes) == (
        "vxlan.calico", "66:b3:68:28:39:8e", 1450,
    )  # fmt: skip
    trace = ask(world, "pod/dyer", "pod/loom:7000")
    assert trace.outcome.result is Result.CONNECTED
    outer, _ = outer_and_inner(wrapped(trace)[0])
    assert (outer.vni, outer.dport) == (4096, 4789)
    said = [step.text for step in trace.steps]
    assert any("Allow IPv4 VXLAN packets from allowed hosts" in one for one in said)


@pytest.mark.parametrize("tunnel", ["ipipMode", "vxlanMode"])
@pytest.mark.parametrize(
    ("nodes", "mode", "is_wrapped"),
    [
        (NEAR, CROSS, False),
        (FAR, CROSS, True),
        (TOLD, CROSS, True),
        (NO_LENGTH, CROSS, False),
        (NEAR, ALWAYS, True),
        (NEAR, "Never", False),
    ],
    ids=["same-subnet", "other-subnet", "as-annotated", "no-length", "always", "never"],
)
def test_the_mode_says_which_nodes_are_far(
    tmp_path: Path, tunnel: str, nodes: list[Manifest], mode: str, *, is_wrapped: bool
) -> None:
    world = world_of(tmp_path, nodes, **{tunnel: mode})
    trace = ask(world, "pod/dyer", "svc/loom:70")
    assert trace.outcome.result is Result.CONNECTED
    assert str(trace.outcome.source_seen_by_server) == "10.244.1.2"
    assert bool(wrapped(trace)) is is_wrapped
    assert all("private addresses of two networks" in one for one in trace.assumptions)


@pytest.mark.parametrize(("tunnel", "own"), [("ipipMode", "tunl0"), ("vxlanMode", "vxlan.calico")])
def test_a_node_asks_by_its_tunnel_s_address(tmp_path: Path, tunnel: str, own: str) -> None:
    world = world_of(tmp_path, NEAR, **{tunnel: ALWAYS})
    (device,) = (one for one in world.network["node-1"].interfaces if one.name == own)
    address = str(device.addresses[0].address)
    for source, target in (("node/node-1", "svc/loom:70"), ("outside", "node/node-1:30070")):
        trace = ask(world, source, target)
        assert trace.outcome.result is Result.CONNECTED
        assert str(trace.outcome.source_seen_by_server) == address


def test_pods_send_no_more_than_the_tunnel_takes(tmp_path: Path) -> None:
    world = world_of(tmp_path, NEAR, ipipMode=ALWAYS)
    eth0 = next(one for one in world.network["default/dyer"].interfaces if one.name == "eth0")
    assert eth0.mtu_bytes == 1480


def test_without_the_other_end_it_is_lost(tmp_path: Path) -> None:
    world = world_of(tmp_path, NEAR, ipipMode=ALWAYS)
    spaces = {name: world.network[name] for name in world.network}
    there = spaces["node-2"]
    left = tuple(one for one in there.interfaces if one.kind is not LinkKind.IPIP)
    spaces["node-2"] = replace(there, interfaces=left)
    connect = parse_request(world, "pod/dyer", "pod/loom:7000").connect
    assert connect is not None
    exchange = next(iter(branches(spaces, connect)))
    assert exchange.felt.result is Result.TIMEOUT
    assert exchange.felt.deciding_step is not None
    said = exchange.steps[exchange.felt.deciding_step].text
    assert said == "no ipip device here is the other end of a tunnel from 192.168.0.11"
