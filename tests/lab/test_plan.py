"""What a lab is made of, as data: nothing here needs a kernel."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from k8stui.cluster.options import ClusterOptions
from k8stui.kernel.exchange import Exchange
from k8stui.kernel.simulate import connect
from k8stui.lab.errors import LabError, NotComparedError
from k8stui.lab.experiment import experiments
from k8stui.lab.plan import NOWHERE, Plan, Space, Tools
from k8stui.lab.planning import build
from k8stui.nodes.options import NodeOptions
from k8stui.walk.request import parse_request
from k8stui.walk.world import World, build_world

DUAL = Path(__file__).with_name("dual-stack.yaml")


def planned(world: World, tools: Tools, source: str, destination: str) -> tuple[Plan, Exchange]:
    request = parse_request(world, source, destination).connect
    assert request is not None
    exchange = connect(world.network, request)
    made, _ = build.plan(world.network, request, exchange, tools, 5.0)
    return made, exchange


def space(made: Plan, name: str) -> Space:
    return next(one for one in made["spaces"] if one["name"] == name)


def lines(commands: list[list[str]]) -> list[str]:
    return [" ".join(words) for words in commands]


def test_only_what_the_walk_touches(guestbook: World, some_tools: Tools) -> None:
    made, _ = planned(guestbook, some_tools, "outside", "node/node-1:30080")
    names = [one["name"] for one in made["spaces"]]
    assert names == ["outside", "wire", "node-1", "default/frontend-2", NOWHERE]
    assert json.loads(json.dumps(made)) == made


def test_a_cable_is_made_once(guestbook: World, some_tools: Tools) -> None:
    made, _ = planned(guestbook, some_tools, "outside", "node/node-1:30080")
    links = [line for one in made["spaces"] for line in lines(one["links"])]
    assert (
        links.count(
            "link add name eth0 address 02:00:cb:00:71:0a mtu 1500 type veth peer name eth1"
            " address 02:00:cb:00:71:01 mtu 1500 netns {fd:1}"
        )
        == 1
    )
    assert not [line for line in lines(space(made, "wire")["links"]) if "name eth1 " in line]


def test_cables_to_what_is_not_built_end_nowhere(guestbook: World, some_tools: Tools) -> None:
    made, _ = planned(guestbook, some_tools, "outside", "node/node-1:30080")
    index = len(made["spaces"]) - 1
    ends = re.findall(
        rf"peer name (\S+) netns {{fd:{index}}}", str(lines(space(made, "wire")["links"]))
    )
    up = lines(space(made, NOWHERE)["ip"])
    assert len(ends) == 2  # node-2, and the other hosts on the nodes' network
    assert {f"link set dev {end} up" for end in ends} <= set(up)
    assert not space(made, NOWHERE)["listeners"]


def test_a_node_stands_as_the_model_has_it(guestbook: World, some_tools: Tools) -> None:
    made, _ = planned(guestbook, some_tools, "outside", "node/node-1:30080")
    node = space(made, "node-1")
    ip = lines(node["ip"])
    assert "addr replace 10.244.1.1/24 broadcast 10.244.1.255 dev cni0 scope global" in ip
    assert "route replace unicast 10.244.2.0/24 via 192.168.0.12 dev eth0 table 254" in ip
    assert any(
        re.search(r"bridge_slave hairpin on isolated off learning on flood on", x) for x in ip
    )
    assert any(x.startswith("neigh replace 192.168.0.1 lladdr 02:00:c0:a8:00:01") for x in ip)
    settings = {one["path"]: one["value"] for one in node["settings"]}
    assert settings["net/ipv4/ip_forward"] == "1"
    assert settings["net/bridge/bridge-nf-call-iptables"] == "1"
    assert settings["net/ipv4/conf/all/route_localnet"] == "1"
    assert settings["net/ipv6/conf/default/disable_ipv6"] == "1"


def test_routing_tables_with_a_name_get_a_number(guestbook: World, some_tools: Tools) -> None:
    made, _ = planned(guestbook, some_tools, "outside", "node/node-1:30080")
    ip = lines(space(made, "outside")["ip"])
    assert "route replace local 0.0.0.0/0 dev lo table 1000 scope host" in ip
    assert "rule add pref 100 iif eth0 lookup 1000" in ip


def test_chance_is_decided_where_it_was(guestbook: World, some_tools: Tools) -> None:
    made, exchange = planned(guestbook, some_tools, "outside", "node/node-1:30080")
    (fork,) = exchange.forks
    assert fork.chosen == 0
    rules = space(made, "node-1")["rules"]["4"]
    assert rules.count("--probability 1.00000000000") == 1
    assert "--probability 0.50000000000" in rules


def test_who_listens(guestbook: World, some_tools: Tools) -> None:
    made, _ = planned(guestbook, some_tools, "pod/client", "outside:4711")
    ports = [(x["protocol"], x["port"]) for x in space(made, "outside")["listeners"]]
    assert ports == [(6, 4711)]
    assert [(x["port"]) for x in space(made, "node-1")["listeners"]] == [10250, 6443] or [
        x["port"] for x in space(made, "node-1")["listeners"]
    ] == [6443, 10250]


def test_names_of_others_become_no_commands(some_tools: Tools) -> None:
    made, _ = planned(build_world([str(DUAL)]), some_tools, "outside", "node/a:30080")
    wire = space(made, "wire")
    assert "worker" not in str(wire["links"]) + str(wire["ip"]) + str(wire["bridge"])
    assert list(wire["devices"].values()) == ["worker.with-a-long-name.example.com"]


def test_vxlan_comes_after_the_device_below_it(some_tools: Tools) -> None:
    world = build_world([], node_options=NodeOptions(cni="flannel-vxlan"))
    made, _ = planned(world, some_tools, "pod/client", "pod/frontend-1:80")
    last = lines(space(made, "node-1")["links"])[-1]
    assert last.endswith("type vxlan id 1 local 192.168.0.11 dev eth0 dstport 8472 nolearning")
    assert {8472} == {port for one in made["spaces"] for port in one["vxlan_ports"]}


def test_too_many_namespaces(
    guestbook: World, some_tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "MAX_NAMESPACES", 3)
    with pytest.raises(LabError, match="4 namespaces; a lab has 3 at most"):
        planned(guestbook, some_tools, "outside", "node/node-1:30080")


@pytest.mark.parametrize(
    ("destination", "message"),
    [
        ("pod/frontend-1:80/sctp", "by TCP, UDP and ping, not by SCTP"),
        ("nobody.example:80", "no packet is ever sent"),
    ],
)
def test_requests_that_no_lab_can_ask(
    guestbook: World, some_tools: Tools, destination: str, message: str
) -> None:
    request = parse_request(guestbook, "pod/client", destination)
    with pytest.raises(LabError, match=message):
        next(experiments(guestbook, request, some_tools))


@pytest.mark.parametrize(
    ("missing", "mode", "engine"),
    [("nft", "nftables", None), ("ipset", "iptables", "kube-router")],
)
def test_what_is_not_installed_is_named_where_it_is_needed(
    some_tools: Tools, missing: str, mode: str, engine: str | None
) -> None:
    tools: Tools = {**some_tools, missing: ""}  # type: ignore[misc]
    policies = [str(Path(__file__).with_name("policies.yaml"))]
    ends = ("pod/till", "pod/shelf:8080")
    plain = build_world(policies)
    assert planned(plain, tools, *ends)
    world = build_world(
        policies, ClusterOptions(proxy_mode=mode), NodeOptions(policy_engine=engine)
    )
    with pytest.raises(NotComparedError, match="not installed") as found:
        planned(world, tools, *ends)
    package = {"nft": "nftables"}.get(missing, missing)
    assert f"apt install {package}" in found.value.hint
