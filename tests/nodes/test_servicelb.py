"""Truth: klipper-lb's rules in its pod, against recordings-agents/servicelb; and a walk through."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import truth
from nodes.clusters import ORIGIN, cluster, node, pod, port

from k8stui.cluster.model import Container
from k8stui.kernel.address import Address
from k8stui.kernel.exchange import Connect, Result
from k8stui.kernel.save import dump
from k8stui.kernel.simulate import connect
from k8stui.nodes.network import build_network
from k8stui.nodes.servicelb import servicelb


def folders() -> list[Path]:
    found = truth.find("recordings-agents")
    return sorted((found / "servicelb").iterdir()) if found else []


def container(env: dict[str, str]) -> Container:
    made = Container(
        name="lb", image="rancher/klipper-lb:v0.4.17", env=tuple(env.items()), origin=ORIGIN
    )
    return replace(made, ports=(port(int(env["SRC_PORT"]), host_port=int(env["SRC_PORT"])),))


@pytest.mark.parametrize("case", folders(), ids=lambda case: case.name)
def test_rules(case: Path) -> None:
    lines = (truth.read(case / "env") or "").split()
    env = {name: value for name, _, value in (line.partition("=") for line in lines)}
    has_v6 = (case / "ip6tables").exists() and "v6off" not in case.name
    addresses = ("10.42.1.9", "fd00:42:0:1::9") if has_v6 else ("10.42.1.9",)
    made = pod("svclb-web", "node-1", *addresses, containers=[container(env)])
    ours = {version: dump(rules) for version, rules in servicelb(node(1), made).items()}
    assert ours[4].strip() == (truth.read(case / "iptables") or "").strip()
    if has_v6:
        assert ours[6].strip() == (truth.read(case / "ip6tables") or "").strip()


def test_a_packet_goes_through_it() -> None:
    """Here to a pod, where a cluster has the Service's address."""
    env = {
        "SRC_PORT": "80",
        "SRC_RANGES": "0.0.0.0/0",
        "DEST_PROTO": "TCP",
        "DEST_PORT": "8080",
        "DEST_IPS": "10.244.2.2",
    }
    made = cluster(
        (node(1), node(2)),
        (
            pod("svclb-web", "node-1", "10.244.1.9", containers=[container(env)]),
            pod("web", "node-2", "10.244.2.2", ports=[port(8080)]),
        ),
    )
    request = Connect(namespace="outside", destination=Address.parse("192.168.0.11"), port=80)
    felt = connect(build_network(made), request).felt
    assert felt.result is Result.CONNECTED
    assert (felt.server, str(felt.source_seen)) == ("default/web", "10.244.1.9")


@pytest.mark.parametrize("wrong", ["", "0" * 9, "65536", "9" * 5000, "80 -j ACCEPT", "８０"])
@pytest.mark.parametrize("name", ["SRC_PORT", "DEST_PORT"])
def test_what_is_no_port_stands_in_no_rule(name: str, wrong: str) -> None:
    env = {"SRC_PORT": "80", "DEST_PORT": "80", "DEST_IPS": "10.43.0.9", name: wrong}
    lb = Container(
        name="lb", image="rancher/klipper-lb:v0.4.17", env=(*env.items(),), origin=ORIGIN
    )
    assert not servicelb(node(1), pod("svclb-web", "node-1", "10.42.1.9", containers=[lb]))
