"""Hostile text in every field of every input: what goes to a program is of a checked type."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from k8stui.errors import K8sTuiError
from k8stui.kernel import words
from k8stui.kernel.simulate import connect
from k8stui.lab.errors import LabError
from k8stui.lab.experiment import experiments
from k8stui.lab.inside.commands import batch, set_lines
from k8stui.lab.inside.namespaces import put
from k8stui.lab.plan import Plan, Tools
from k8stui.lab.planning import build
from k8stui.lab.planning.restore import is_harmless
from k8stui.nodes.options import NodeOptions
from k8stui.walk.request import parse_request
from k8stui.walk.world import World, build_world

HOSTILE: tuple[Any, ...] = (
    "02:00:00:00:00:01\nlink add name owned type dummy",
    "x\n!touch /tmp/owned",
    "a b",
    " ",
    "",
    "-batch",
    "--modprobe=/tmp/owned",
    "a\0b",
    "a;reboot",
    "$(reboot)",
    "`reboot`",
    "'\"",
    '"',
    "\\",
    "../../etc/passwd",
    "é\u2028\u202e",
    "\ud800",
    "١٢",
    -1,
    1 << 70,
    1.5,
    True,
    None,
    [],
    {},
    [["x"]],
    {"a": {"b": ["c\n"]}},
)
EVERY = 11
"""Each value is tried in each eleventh field; there is no field in which none is tried."""
KEYWORDS = frozenset(
    re.findall(
        r"\w+",
        """link add name address mtu type veth peer netns bridge stp_state mcast_snooping vxlan id
        local dev dstport nolearning set up master bridge_slave hairpin isolated learning flood
        state on off addr replace broadcast scope global host nodad route via src table proto
        kernel metric onlink unicast blackhole unreachable prohibit throw rule pref from to fwmark
        iif lookup neigh lladdr nud stale fdb self permanent dst static""",
    )
)
TYPES = re.compile(
    r"[0-9]+|0x[0-9a-f]+/0x[0-9a-f]+|\{fd:[0-9]+\}"
    r"|[0-9a-f]{2}(?::[0-9a-f]{2}){5}"
    r"|[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?:/[0-9]{1,2})?|[0-9a-f:.]*:[0-9a-f:.]*(?:/[0-9]{1,3})?"
    r"|[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}"
)


def assert_checked(made: Plan) -> None:
    """Every word of every batch is a keyword or a value of a type; every rule is printed by us."""
    for space in made["spaces"]:
        for command in (*space["links"], *space["ip"], *space["ip6"], *space["bridge"]):
            assert command[0] in KEYWORDS
            for word in command:
                assert word in KEYWORDS or TYPES.fullmatch(word), command
        for one in (*space["settings"], *space["device_settings"]):
            assert re.fullmatch(r"net(/[A-Za-z0-9_][A-Za-z0-9_.-]*)+", one["path"])
            assert re.fullmatch(r"[0-9]+( [0-9]+)?", one["value"])
        for text in space["rules"].values():
            for line in text.split("\n")[:-1]:
                assert line == "COMMIT" or line[0] in "*:" or is_harmless(line), line
                assert line.isprintable()
                if line[0] == ":":
                    assert re.fullmatch(r":[A-Za-z0-9_.:+~@-]+ (ACCEPT|DROP|-) \[0:0\]", line)
                elif line[0] == "*":
                    assert line in {"*raw", "*mangle", "*nat", "*filter", "*security"}


def places(data: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every scalar, list and object inside."""
    if path:
        yield path
    inner = (
        data.items()
        if isinstance(data, dict)
        else enumerate(data)
        if isinstance(data, list)
        else ()
    )
    for key, value in inner:
        yield from places(value, (*path, key))


def put_at(data: Any, path: tuple[str | int, ...], value: object) -> Any:
    changed = deepcopy(data)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return changed


def plan_or_refusal(
    make: Callable[[], World], tools: Tools, file: Path, asked: tuple[tuple[str, str], ...]
) -> None:
    """Either a plan of checked words, or a refusal that says where."""
    refused = ""
    world = None
    try:
        world = make()
    except K8sTuiError as error:
        refused = error.render()
    if world is None:
        assert re.search(rf"{re.escape(file.name)}:\d+: ", refused), refused
        return
    for source, destination in asked:
        try:
            request = parse_request(world, source, destination).connect
            if request is None:
                continue
            exchange = connect(world.network, request)
            made, _ = build.plan(world.network, request, exchange, tools, 5.0)
        except K8sTuiError:
            continue
        assert_checked(json.loads(json.dumps(made)))


def _same(world: World) -> World:
    return world


def observed(option: str, file: Path) -> Callable[[], World]:
    named: dict[str, Any] = {option: {"node-1": str(file)}}
    return lambda: build_world([], node_options=replace(NodeOptions(), **named))


ADDR = [
    {
        "ifname": "lo", "flags": ["LOOPBACK", "UP"], "mtu": 65536, "link_type": "loopback",
        "address": "00:00:00:00:00:00",
        "addr_info": [{"family": "inet", "local": "127.0.0.1", "prefixlen": 8, "scope": "host"}],
    },
    {
        "ifname": "eth0", "flags": ["UP"], "mtu": 1500, "link_type": "ether",
        "address": "02:00:c0:a8:00:0b",
        "addr_info": [
            {"family": "inet", "local": "192.168.0.11", "prefixlen": 24,
             "broadcast": "192.168.0.255", "scope": "global"}
        ],
    },
    {
        "ifname": "cni0", "flags": ["UP"], "mtu": 1500, "link_type": "ether",
        "address": "02:00:0a:f4:01:01", "linkinfo": {"info_kind": "bridge"},
        "addr_info": [{"family": "inet", "local": "10.244.1.1", "prefixlen": 24}],
    },
    {
        "ifname": "veth1", "flags": ["UP"], "mtu": 1500, "master": "cni0", "link_type": "ether",
        "address": "06:00:0a:f4:01:02",
        "linkinfo": {"info_kind": "veth", "info_slave_kind": "bridge",
                     "info_slave_data": {"hairpin": True, "state": "forwarding"}},
    },
    {
        "ifname": "flannel.1", "flags": ["UP"], "mtu": 1450, "link_type": "ether",
        "address": "02:00:0a:f4:01:09",
        "linkinfo": {"info_kind": "vxlan", "info_data": {
            "id": 1, "local": "192.168.0.11", "port": 8472, "link": "eth0"}},
    },
]  # fmt: skip
ROUTE = [
    {"dst": "default", "gateway": "192.168.0.1", "dev": "eth0", "flags": []},
    {"dst": "10.244.2.0/24", "gateway": "192.168.0.12", "dev": "eth0", "metric": 5,
     "flags": ["onlink"], "table": "main", "type": "unicast", "prefsrc": "192.168.0.11"},
    {"dst": "10.244.1.0/24", "dev": "cni0", "protocol": "kernel", "scope": "link"},
    {"dst": "192.168.0.0/24", "dev": "eth0", "protocol": "kernel", "scope": "link",
     "table": "77"},
    {"dst": "10.9.0.0/16", "nexthops": [{"gateway": "192.168.0.12", "dev": "eth0"}]},
]  # fmt: skip
ASKED = (("pod/client", "svc/frontend:80"), ("outside", "node/node-1:30080"))


@pytest.mark.parametrize(
    ("option", "base"), [("ip_addr", ADDR), ("ip_route", ROUTE)], ids=["addr", "route"]
)
def test_node_state(option: str, base: list[Any], some_tools: Tools, tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    for number, path in enumerate(places(base)):
        for value in HOSTILE[number % EVERY :: EVERY]:
            file.write_text(json.dumps(put_at(base, path, value), indent=1))
            plan_or_refusal(observed(option, file), some_tools, file, ASKED[:1])


RULES = """*nat
:PREROUTING ACCEPT [0:0]
:KUBE-X - [0:0]
-A PREROUTING -i eth0 -p tcp -m comment --comment "into the cluster" -m tcp --dport 80 -j KUBE-X
-A KUBE-X -d 10.96.0.9/32 -m set --match-set LIST dst -j DNAT --to-destination 10.244.1.2:80
-A KUBE-X -m recent --name R --rcheck --seconds 9 --reap -j MARK --set-xmark 0x4000/0x4000
-A KUBE-X -m statistic --mode random --probability 0.5 -j RETURN
-A KUBE-X -m limit --limit 5/min -j LOG --log-prefix "seen "
COMMIT
"""
SET = "create LIST hash:ip,port family inet hashsize 1024 maxelem 65536\nadd LIST 10.0.0.1,tcp:80\n"


@pytest.mark.parametrize(
    ("option", "base"), [("iptables", RULES), ("ipset", SET)], ids=["iptables", "ipset"]
)
def test_lines(option: str, base: str, some_tools: Tools, tmp_path: Path) -> None:
    file = tmp_path / "state.txt"
    texts = [*filter(lambda h: isinstance(h, str), HOSTILE), "--mo /tmp/owned -j X"]
    for number, word in enumerate(re.finditer(r'"[^"]*"|\S+', base)):
        for hostile in texts[number % EVERY :: EVERY]:
            for new in (str(hostile), f"{word[0]} {hostile}"):
                text = base[: word.start()] + new + base[word.end() :]
                file.write_bytes(text.encode("utf-8", "surrogatepass"))
                plan_or_refusal(observed(option, file), some_tools, file, ASKED[1:])


MANIFESTS = """
{apiVersion: v1, kind: Node, metadata: {name: n1, labels: {a: b}, annotations: {
  flannel.alpha.coreos.com/backend-data: '{"VNI":1,"VtepMAC":"02:aa:00:00:00:01"}',
  flannel.alpha.coreos.com/backend-type: vxlan, flannel.alpha.coreos.com/public-ip: 192.168.0.21}},
 spec: {podCIDR: 10.244.1.0/24},
 status: {addresses: [{type: InternalIP, address: 192.168.0.21}]}}
---
{apiVersion: v1, kind: Node, metadata: {name: n2}, spec: {podCIDR: 10.244.2.0/24},
 status: {addresses: [{type: InternalIP, address: 192.168.0.22}]}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: kube-flannel-cfg, namespace: kube-flannel},
 data: {net-conf.json:
  '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan","VNI":7,"Port":4789}}'}}
---
{apiVersion: v1, kind: Pod, metadata: {name: web, labels: {app: web}},
 spec: {nodeName: n2, containers: [{name: c, image: i, ports: [{containerPort: 80, name: p,
  hostPort: 8088, hostIP: 192.168.0.22}]}]}, status: {podIP: 10.244.2.7, phase: Running}}
---
{apiVersion: v1, kind: Pod, metadata: {name: client}, spec: {nodeName: n1,
 containers: [{name: c, image: i}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {type: NodePort,
 selector: {app: web}, clusterIP: 10.96.0.77, externalIPs: [203.0.113.77],
 ports: [{name: p, port: 80, targetPort: p, nodePort: 30077, protocol: TCP}]}}
"""
TO_WEB = (("pod/client", "pod/web:80"), ("pod/client", "svc/web:80"))


def test_manifests(some_tools: Tools, tmp_path: Path) -> None:
    file = tmp_path / "all.json"
    objects = list(yaml.safe_load_all(MANIFESTS))
    for number, one in enumerate(objects):
        for at, path in enumerate(places(one)):
            for value in HOSTILE[at % EVERY :: EVERY]:
                items = [*objects[:number], put_at(one, path, value), *objects[number + 1 :]]
                whole = {"apiVersion": "v1", "kind": "List", "items": items}
                file.write_text(json.dumps(whole, indent=1))
                try:
                    world = build_world([str(file)])
                except K8sTuiError:
                    continue
                plan_or_refusal(partial(_same, world), some_tools, file, TO_WEB[:1])


def test_a_wrong_annotation_costs_only_itself(tmp_path: Path, some_tools: Tools) -> None:
    file = tmp_path / "all.yaml"
    file.write_text(MANIFESTS.replace("02:aa:00:00:00:01", "02:aa:00:00:00:01\\nlink del eth0"))
    world = build_world([str(file)])
    told = [note.render() for note in world.notes]
    assert any("backend-data: no MAC address" in one and "all.yaml:" in one for one in told)
    plan_or_refusal(lambda: world, some_tools, file, TO_WEB)


@pytest.mark.parametrize("word", ["", "a b", "a\nb", "-batch", "a;b", "$(a)", "a\0", "é", '"'])
def test_no_such_word_gets_to_a_program(word: str) -> None:
    with pytest.raises(LabError):
        batch([["link", "add", word]])


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("kernel/core_pattern", "1"),
        ("net/../kernel/core_pattern", "1"),
        ("net/ipv4/conf/a b/x", "1"),
        ("net/ipv4/ip_forward", "1\n2"),
        ("net/ipv4/ip_forward", "|/tmp/x"),
    ],
)
def test_no_other_setting_is_written(path: str, value: str) -> None:
    with pytest.raises(LabError):
        put([{"path": path, "value": value, "needed": True}])


def test_nothing_of_the_input_is_run(nft: Tools, tmp_path: Path) -> None:
    """A real lab with orders in a dump: none of them is carried out."""
    mark, script = tmp_path / "run", tmp_path / "evil"
    script.write_text(f"#!/bin/sh\ntouch {shlex.quote(str(mark))}\n")
    script.chmod(0o777)
    tmp_path.chmod(0o777)
    rules = RULES.replace(
        "COMMIT", "".join(
            f"-A KUBE-X {order} -m nosuchmatch -j ACCEPT\n"
            for order in (f"--mo {script}", f"--modprobe={script}", f"-M {script}", f"-nM{script}")
        ) + f'-A KUBE-X -m comment --comment "--modprobe={script}" -j RETURN\nCOMMIT',
    )  # fmt: skip
    file = tmp_path / "rules.save"
    file.write_text(rules)
    world = build_world([], node_options=NodeOptions(iptables={"node-1": str(file)}))
    request = parse_request(world, "pod/client", "pod/frontend-1:80")
    (one,) = experiments(world, request, nft)
    assert one.comparison.agrees
    assert sum("not handed to iptables" in note for note in one.trial.notes) >= 4
    assert not mark.exists()
    assert words.split(rules)


@pytest.mark.parametrize(
    "line",
    [
        "create a hash:ip family inet\nflush",
        "destroy",
        "create -exist hash:ip family inet",
        "create a hash:ip family inet comment",
        "add a -! 10.0.0.1",
        'add a 10.0.0.1 comment "x"',
        "add a 10.0.0.1; rm",
        "add a 10.0.0.1 nomatch timeout 5",
        " add a 10.0.0.1",
    ],
)
def test_only_lines_about_sets_are_read(line: str) -> None:
    with pytest.raises(LabError):
        set_lines(line)
    assert set_lines("create a hash:ip family inet6\nadd a fd00::1,tcp:80 nomatch\n")
