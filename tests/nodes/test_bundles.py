"""Folders that other programs collect of a node, in small: each is a path like any other."""

from __future__ import annotations

import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from k8stui.kernel.exchange import Result
from k8stui.nodes.options import NodeOptions
from k8stui.nodes.state.bundle import layout_of
from k8stui.nodes.state.collected import CollectedNode
from k8stui.walk.request import parse_request
from k8stui.walk.walk import walk
from k8stui.walk.world import World, build_world

OBJECTS = """\
apiVersion: v1
kind: Node
metadata: {name: worker-7}
spec: {podCIDR: 10.42.0.0/24}
status: {addresses: [{type: InternalIP, address: 192.0.2.7}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec: {nodeName: worker-7, containers: [{name: c, image: i, ports: [{containerPort: 80}]}]}
status: {phase: Running, podIP: 10.42.0.9, podIPs: [{ip: 10.42.0.9}]}
"""
ADDRESSES = """\
1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000
    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00{d}
    inet 127.0.0.1/8 scope host lo
       valid_lft forever preferred_lft forever
2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc mq state UP group default qlen 1000
    link/ether 0a:00:00:00:00:07 brd ff:ff:ff:ff:ff:ff{d}
    inet 192.0.2.7/24 brd 192.0.2.255 scope global eth0
       valid_lft forever preferred_lft forever
3: cni0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default qlen 1000
    link/ether 0a:00:00:00:00:08 brd ff:ff:ff:ff:ff:ff{d}{bridge}
    inet 10.42.0.1/24 brd 10.42.0.255 scope global cni0
       valid_lft forever preferred_lft forever
4: vetha1b2c3d4@if2: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue master cni0 state UP
    link/ether 0a:00:00:00:00:09 brd ff:ff:ff:ff:ff:ff link-netnsid 0{d}{veth}
"""
PLAIN = ADDRESSES.format(d="", bridge="", veth="")
DETAILED = ADDRESSES.format(
    d=" promiscuity 0 minmtu 68 maxmtu 65535",
    bridge="\n    bridge forward_delay 1500 hello_time 200 numtxqueues 1",
    veth="\n    veth\n    bridge_slave state forwarding hairpin on learning on flood on",
)
ROUTES = """\
default via 192.0.2.1 dev eth0 proto static
10.42.0.0/24 dev cni0 proto kernel scope link src 10.42.0.1
192.0.2.0/24 dev eth0 proto kernel scope link src 192.0.2.7
local 10.42.0.1 dev cni0 table local proto kernel scope host src 10.42.0.1
local 127.0.0.0/8 dev lo table local proto kernel scope host src 127.0.0.1
local 192.0.2.7 dev eth0 table local proto kernel scope host src 192.0.2.7
fe80::/64 dev eth0 proto kernel metric 256 pref medium
"""
SAVE = """\
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A OUTPUT -d 10.42.0.9/32 -p tcp -m tcp --dport 81 -j REJECT --reject-with icmp-port-unreachable
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
COMMIT
"""
RULES = "0:\tfrom all lookup local\n32766:\tfrom all lookup main\n32767:\tfrom all lookup default\n"
NEIGH = "10.42.0.9 dev cni0 lladdr 0a:00:00:00:00:99 used 0/0/0 probes 1 REACHABLE\n"
SYSCTL = "net.ipv4.ip_forward = 1\nnet.bridge.bridge-nf-call-iptables = 1\n"
RANCHER: Mapping[str, str] = {
    "systeminfo/hostname": "Worker-7.example.org\n",
    "systeminfo/sysctla": SYSCTL,
    "networking/iptablessave": SAVE,
    "networking/ipaddrshow": PLAIN,
    "networking/iproute": ROUTES,
    "networking/iprule": RULES,
    "networking/ipneighbour": NEIGH.replace(" used 0/0/0 probes 1", ""),
    "networking/ip6tablessave": "ip6tables-save: command not found\n",
    "networking/sstunlp4": "Netid State  Recv-Q Send-Q Local Address:Port Peer Address:Port\n"
    'tcp   LISTEN 0      4096   127.0.0.1:10248    0.0.0.0:*    users:(("kubelet",pid=1,fd=2))\n',
    "networking/sstunlp6": "Netid State  Recv-Q Send-Q Local Address:Port Peer Address:Port\n"
    'tcp   LISTEN 0      4096   *:10250    *:*    users:(("kubelet",pid=1,fd=3))\n',
}
_SOS = "sos_commands/networking"
SOS: Mapping[str, str] = {
    "sos_commands/host/hostname": "worker-7\n",
    "sos_commands/kernel/sysctl_-a": SYSCTL,
    f"{_SOS}/ip_-d_address": DETAILED,
    f"{_SOS}/ip_route_show_table_all": ROUTES,
    f"{_SOS}/ip_-4_rule_list": RULES,
    f"{_SOS}/ip_-s_-s_neigh_show": NEIGH,
    "sos_commands/firewall_tables/iptables_-vnxL": "Chain INPUT (policy ACCEPT 0 packets)\n",
}
BY_HAND: Mapping[str, str] = {
    "nodes/worker-7/iptables.save": SAVE,
    "nodes/worker-7/ip-addr.json": DETAILED,
    "nodes/worker-7/ip-route.json": ROUTES,
    "nodes/worker-7/sysctl.txt": SYSCTL,
}
MICROK8S: Mapping[str, str] = {
    "network/iptables-S": "-P INPUT ACCEPT\n-P FORWARD ACCEPT\n-P OUTPUT ACCEPT\n"
    "-A OUTPUT -p tcp --dport 81 -j REJECT --reject-with icmp-port-unreachable\n",
    "network/iptables": "Chain PREROUTING (policy ACCEPT 0 packets, 0 bytes)\n",
}


def laid(tmp_path: Path, files: Mapping[str, str], inside: str = "") -> World:
    for name, text in files.items():
        file = tmp_path / inside / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (tmp_path / "objects.yaml").write_text(OBJECTS)
    return build_world([str(tmp_path)])


@pytest.mark.parametrize("inside", ["", "worker-7-2026-03-01"])
@pytest.mark.parametrize("files", [RANCHER, SOS], ids=["rancher", "sos"])
def test_a_bundle_is_its_node(files: Mapping[str, str], inside: str, tmp_path: Path) -> None:
    """Unpacked as the path itself, or beside the objects; by the host's name in small letters."""
    world = laid(tmp_path, files, inside)
    assert not world.strangers
    node = world.network["worker-7"]
    assert {one.name for one in node.interfaces} == {"lo", "eth0", "cni0", "vetha1b2c3d4"}
    trace = walk(world, parse_request(world, "node/worker-7", "pod/web:80"))
    assert trace.outcome.result is Result.CONNECTED
    places = {
        step.origin.place.file
        for hop in trace.hops
        for step in hop.steps
        if step.origin is not None and step.origin.place is not None
    }
    assert any(place.startswith(str(tmp_path / inside)) for place in places)


def test_rules_and_listeners_of_rancher_s(tmp_path: Path) -> None:
    world = laid(tmp_path, RANCHER)
    refused = walk(world, parse_request(world, "node/worker-7", "pod/web:81"))
    assert refused.outcome.result is Result.REFUSED
    assert "OUTPUT" in refused.outcome.reason
    kubelet = walk(world, parse_request(world, "pod/web", "192.0.2.7:10250"))
    assert kubelet.outcome.result is Result.CONNECTED
    hidden = walk(world, parse_request(world, "pod/web", "192.0.2.7:10248"))
    assert hidden.outcome.result is Result.REFUSED


def test_what_cannot_be_read_names_the_command(tmp_path: Path) -> None:
    world = laid(tmp_path, SOS)
    cut = world.network["worker-7"].rules_cut
    assert cut is not None
    assert "iptables_-vnxL cannot be read; run on the node: iptables-save" in cut.words


def test_nftables_rules_with_their_handles(tmp_path: Path) -> None:
    listed = (
        "table ip own { # handle 3\n\tchain out { # handle 1\n"
        "\t\ttype filter hook output priority filter; policy accept;\n"
        "\t\ttcp dport 82 reject # handle 2\n\t}\n}\n"
    )
    world = laid(tmp_path, {**SOS, "sos_commands/firewall_tables/nft_-a_list_ruleset": listed})
    refused = walk(world, parse_request(world, "node/worker-7", "pod/web:82"))
    assert "tcp dport 82 reject" in refused.outcome.reason


def test_one_file_a_command(tmp_path: Path) -> None:
    world = laid(tmp_path, BY_HAND)
    trace = walk(world, parse_request(world, "node/worker-7", "pod/web:81"))
    assert trace.outcome.result is Result.REFUSED


def test_a_folder_by_option(tmp_path: Path) -> None:
    laid(tmp_path, RANCHER, "bundle")
    (tmp_path / "bundle" / "systeminfo" / "hostname").unlink()
    options = NodeOptions(state={"worker-7": str(tmp_path / "bundle")})
    world = build_world([str(tmp_path / "objects.yaml")], None, options)
    assert "vetha1b2c3d4" in {one.name for one in world.network["worker-7"].interfaces}


def test_microk8s_shows_half_of_it(tmp_path: Path) -> None:
    """Nothing in it says which node it is: it is the one that there is."""
    world = laid(tmp_path, MICROK8S)
    assert layout_of(str(tmp_path)) is not None
    trace = walk(world, parse_request(world, "node/worker-7", "pod/web:81"))
    assert trace.outcome.result is Result.REFUSED
    assert "it has no table nat" in trace.outcome.reason


def test_a_host_that_is_no_node_is_told(tmp_path: Path) -> None:
    world = laid(tmp_path, {**RANCHER, "systeminfo/hostname": "bastion\n"})
    (note,) = world.strangers
    assert "bastion" in note.message


def test_what_a_shell_said_in_place_of_output_is_no_output(tmp_path: Path) -> None:
    laid(tmp_path, RANCHER)
    node = CollectedNode(str(tmp_path))
    assert set(node.rulesets) == {4}
    (tmp_path / "networking" / "iptablessave").write_text("who knows\n")
    node = CollectedNode(str(tmp_path))
    assert 4 not in node.rulesets
    (wrong,) = node.unread
    assert (wrong.command, wrong.line) == ("iptables-save", 1)


def test_bytes_that_are_no_text_cost_their_file_alone(tmp_path: Path) -> None:
    laid(tmp_path, RANCHER)
    (tmp_path / "networking" / "iptablessave").write_bytes(SAVE.encode() + b"# caf\xe9\n")
    node = CollectedNode(str(tmp_path))
    assert 4 not in node.rulesets
    assert node.routes
    (wrong,) = node.unread
    assert (wrong.command, wrong.line) == ("iptables-save", SAVE.count("\n") + 1)
    assert wrong.message == "it is not text (UTF-8)"


@pytest.mark.parametrize("inside", ["", "worker-7-2026-03-01"])
@pytest.mark.parametrize("files", [RANCHER, SOS], ids=["rancher", "sos"])
def test_a_bundle_may_stay_packed(files: Mapping[str, str], inside: str, tmp_path: Path) -> None:
    laid(tmp_path / "unpacked", files, inside)
    file = tmp_path / "bundle.tar.gz"
    with tarfile.open(file, "w:gz") as made:
        made.add(tmp_path / "unpacked" / inside, arcname="worker-7-2026-03-01")
    paths = [str(tmp_path / "unpacked" / "objects.yaml"), str(file)] if inside else [str(file)]
    world = build_world(paths)
    assert not world.strangers
    trace = walk(world, parse_request(world, "node/worker-7", "pod/web:80"))
    assert trace.outcome.result is Result.CONNECTED
    places = {
        step.origin.place.file
        for hop in trace.hops
        for step in hop.steps
        if step.origin is not None and step.origin.place is not None
    }
    assert any(place.startswith(f"{file}/") for place in places)
