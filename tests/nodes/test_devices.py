"""Devices of real nodes: modelled, or said not to be where a packet meets them; never a cable."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from nodes.test_state import ADDR, NODE, device, stream

from k8stui.kernel.exchange import Result
from k8stui.nodes.state.parsing import parse_interfaces
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Outcome
from k8stui.walk.walk import walk
from k8stui.walk.world import build_world

KINDS = (
    "bond", "geneve", "gre", "gretap", "ifb", "ip6tnl", "ipip", "ipvlan", "macvlan", "macvtap",
    "netkit", "sit", "team", "tun", "vlan", "vrf", "vti", "wireguard", "xfrm",
)  # fmt: skip


def of_kind(name: str, kind: str, index: int, **said: object) -> dict[str, object]:
    return {**device(name, index, **said), "linkinfo": {"info_kind": kind}}


def asked(tmp_path: Path, devices: list[dict[str, object]], destination: str) -> Outcome:
    routes = [
        {"dst": "192.0.2.0/24", "dev": "eth7"},
        {"dst": "198.51.100.0/24", "dev": str(devices[-1]["ifname"])},
    ]
    parts = {
        ("node", ADDR): devices,
        ("node", "ip -j -4 route show table all"): routes,
        ("node", "iptables-save"): "",
        ("node", "sysctl"): "net/ipv4/ip_forward=1",
    }
    (tmp_path / "nodes").mkdir()
    (tmp_path / "nodes" / "node-1.txt").write_text(stream(parts))
    (tmp_path / "node.yaml").write_text(NODE)
    world = build_world([str(tmp_path)])
    return walk(world, parse_request(world, "node/node-1", destination)).outcome


OWN = {"family": "inet", "local": "192.0.2.1", "prefixlen": 24, "scope": "global"}


@pytest.mark.parametrize("kind", KINDS)
def test_what_leaves_by_another_device_is_not_followed(kind: str, tmp_path: Path) -> None:
    devices = [device("eth7", 2, addr_info=[OWN]), of_kind("x9", kind, 3)]
    found = asked(tmp_path, devices, "198.51.100.7:80")
    assert (found.result, found.decided_at) == (Result.UNKNOWN, "node-1")
    assert f"not modelled: {kind} device x9" in found.reason


def test_nor_is_what_leaves_by_a_card_of_which_nothing_is_known(tmp_path: Path) -> None:
    devices = [device("eth7", 2, addr_info=[OWN]), device("eth8", 3)]
    found = asked(tmp_path, devices, "198.51.100.7:80")
    assert found.result is Result.UNKNOWN
    assert "not modelled: where eth8 leads was not seen" in found.reason


@pytest.mark.parametrize("kind", ["bond", "team", "vlan", "macvlan"])
def test_the_node_s_own_address_may_stand_over_a_card(kind: str, tmp_path: Path) -> None:
    devices = [
        device("eth0", 2, **({"master": "eth7"} if kind in ("bond", "team") else {})),
        of_kind("eth7", kind, 3, addr_info=[OWN]),
    ]
    assert asked(tmp_path, devices, "192.0.2.9:80").result is Result.CONNECTED


def test_a_card_in_a_vrf_is_no_port_of_a_bridge(tmp_path: Path) -> None:
    """What comes in there is looked up in the VRF's own table."""
    devices = [device("eth7", 2, master="blue", addr_info=[OWN]), of_kind("blue", "vrf", 3)]
    found = asked(tmp_path, devices, "192.0.2.9:80")
    assert found.result is Result.UNKNOWN
    assert "not modelled: vrf device blue, which has eth7" in found.reason


@pytest.mark.parametrize("kind", KINDS)
def test_text_tells_the_kind_as_json_does(kind: str) -> None:
    """As ``ip -d addr`` prints a device."""
    text = (
        "7: x9@NONE: <POINTOPOINT,NOARP,UP,LOWER_UP> mtu 1480 qdisc noqueue state UNKNOWN\n"
        "    link/ether 02:00:00:00:00:07 brd ff:ff:ff:ff:ff:ff promiscuity 0\n"
        f"    {kind} any remote any local any ttl inherit numtxqueues 1\n"
        "    inet 10.244.1.0/32 scope global x9\n"
        "       valid_lft forever preferred_lft forever\n"
    )
    own = {"family": "inet", "local": "10.244.1.0", "prefixlen": 32, "scope": "global"}
    data = of_kind("x9", kind, 7, addr_info=[own], mtu=1480, address="02:00:00:00:00:07")
    data["flags"] = ["POINTOPOINT", "NOARP", "UP", "LOWER_UP"]
    (one,), (other,) = parse_interfaces(text, "f"), parse_interfaces(json.dumps([data]), "f")
    assert (one.kind, one.driver) == (other.kind, other.driver)
    assert kind in (one.kind, one.driver)
    assert one.addresses == other.addresses
