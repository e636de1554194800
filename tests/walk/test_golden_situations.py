"""From manifests to the packets that a real kernel moved in the same situation.

The engine is judged elsewhere against the recorded state; here everything else is: addresses,
names, MAC addresses, devices, routes and rules are what the product makes of
`golden_cluster.yaml`. Switch and router are one namespace here, so of `wire` only the nodes' ports
are compared and of `router` nothing.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import truth
from kernel import golden

from k8stui.kernel.exchange import Exchange
from k8stui.kernel.simulate import connect
from k8stui.nodes.options import NodeOptions
from k8stui.walk.request import parse_request
from k8stui.walk.walk import trace
from k8stui.walk.world import World, build_world

MANIFEST = str(Path(__file__).parent / "golden_cluster.yaml")
_FOLDER = truth.find("golden-walks")
_WALKS = (
    sorted(path.stem for path in _FOLDER.glob("*.json") if not path.stem.startswith("state-"))
    if _FOLDER
    else []
)
OPTIONS = {
    "state-standard.json": NodeOptions(),
    "state-hairpin-off.json": NodeOptions(hairpin=False),
    "state-bridge-nf-0.json": NodeOptions(bridge_nf_call_iptables=False),
    "state-vxlan.json": NodeOptions(cni="flannel-vxlan"),
}
KEEPS_PORT = {"pod-to-outside": NodeOptions(cni="bridge-ipmasq")}
"""Recorded with a plug-in whose MASQUERADE keeps the port; flannel's has --random-fully."""
VETHS = {
    "veth9c3f81e7": "default/client",
    "veth28e4e949": "default/server-1",
    "vethf566434a": "default/server-2",
}


def _walk(name: str, tmp_path: Path) -> tuple[dict[str, Any], World, Exchange, str]:
    folder = truth.folder("golden-walks")
    walk = json.loads((folder / f"{name}.json").read_text())
    state = (folder / walk["state"]).read_text()
    options = KEEPS_PORT.get(name) or OPTIONS.get(walk["state"])
    if options is None:  # a foreign rule on the node: given as that node's own dump
        options = NodeOptions(iptables=_dumps(json.loads(state), tmp_path))
    world = build_world([MANIFEST], node_options=options)
    assert not world.problems
    request = walk["request"]
    protocol = "" if request["protocol"] == "TCP" else f"/{request['protocol'].lower()}"
    asked = parse_request(world, request["source"].split(" ")[0], request["destination"] + protocol)
    assert asked.connect is not None
    return walk, world, connect(world.network, asked.connect), state


def _dumps(state: dict[str, Any], tmp_path: Path) -> dict[str, str]:
    files = {}
    for node in ("node-1", "node-2"):
        files[node] = str(tmp_path / f"{node}.save")
        Path(files[node]).write_text("\n".join(state[node]["iptables-save"]) + "\n")
    return files


def _comparable(where: str, device: str) -> bool:
    return where != "router" and (where != "wire" or device.startswith("node-"))


def _place(walk: dict[str, Any], namespace: str, packet: tuple[Any, ...]) -> tuple[Any, ...]:
    """Within a place the order is compared. Where ARP is waited for several packets are under way
    at once, and one machine less on the wire lets them overtake: there each direction on each
    device is a place of its own."""
    crowded = any("arp" in each for each in walk["packets"])
    return (namespace, *packet[:3]) if crowded else (namespace,)


def _expected(
    walk: dict[str, Any], world: World, ports: golden.Ports
) -> dict[tuple[Any, ...], list[tuple[Any, ...]]]:
    """What was recorded, by place, in the product's names."""
    names = {veth: _host_end(world, pod) for veth, pod in VETHS.items()}
    found: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    for packet in walk["packets"]:
        if _comparable(packet["where"], packet["dev"]):
            where = packet["where"].replace("pod/", "default/")
            device, *rest = golden.recorded(packet, ports)
            comparable = (names.get(str(device), device), *rest)
            found.setdefault(_place(walk, where, comparable), []).append(comparable)
    return found


def _host_end(world: World, pod: str) -> str:
    device = world.network[pod].interface("eth0")
    assert device is not None
    assert device.peer is not None
    return device.peer[1]


@pytest.mark.parametrize("name", _WALKS)
def test_same_packets_on_the_same_devices(name: str, tmp_path: Path) -> None:
    walk, world, exchange, state = _walk(name, tmp_path)
    known = golden.known_ports(walk, state)
    seen = walk["outcome"].get("source_seen_by_server")
    theirs = golden.Ports(known, int(seen.rsplit(":", 1)[1]) if seen else None)
    ours = golden.Ports(known, exchange.felt.source_port_seen if seen else None)
    found: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    for capture in exchange.captures:
        packet = golden.captured(capture, ours)
        if _comparable(capture.namespace, capture.device):
            found.setdefault(_place(walk, capture.namespace, packet), []).append(packet)
    assert found == _expected(walk, world, theirs)


@pytest.mark.parametrize("name", _WALKS)
def test_same_outcome_in_the_trace(name: str, tmp_path: Path) -> None:
    walk, world, exchange, _ = _walk(name, tmp_path)
    request = walk["request"]
    protocol = "" if request["protocol"] == "TCP" else f"/{request['protocol'].lower()}"
    asked = parse_request(world, request["source"].split(" ")[0], request["destination"] + protocol)
    outcome, golden_outcome = trace(world, asked, exchange).outcome, walk["outcome"]
    assert outcome.result.value == golden_outcome["result"]
    assert outcome.errno == golden_outcome.get("errno")
    server = golden_outcome.get("server", "")
    if server:
        seen = golden_outcome["source_seen_by_server"].rpartition(":")[0]
        assert str(outcome.source_seen_by_server) == seen
        if server.startswith("pod/"):
            assert outcome.server_pod == server.replace("pod/", "default/")
    else:
        assert outcome.reason
        assert outcome.advice
