"""KubeSkoop's collector files: real nodes' states in its shape, walked as the states themselves."""

from __future__ import annotations

import base64
import ipaddress
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import truth

from k8stui.errors import K8sTuiError
from k8stui.nodes.difference import differences
from k8stui.nodes.options import NodeOptions
from k8stui.nodes.state.collected import CollectedNode
from k8stui.nodes.state.kubeskoop import sections as read
from k8stui.nodes.state.stream import Section, sections
from k8stui.walk.request import parse_request
from k8stui.walk.walk import walks
from k8stui.walk.world import World, build_world

STATE = "kindnet"
TYPES = {"local": 2, "broadcast": 3}
TABLES = {"main": 254, "local": 255, "default": 253}


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """A real state, and the same as KubeSkoop would have written it."""
    if shutil.which("iptables-xml") is None:
        pytest.skip("iptables-xml is not on this machine")
    source = truth.folder("real-nodes") / STATE
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for folder in (ours, theirs):
        (folder / "nodes").mkdir(parents=True)
        shutil.copy(source / "cluster.yaml", folder)
    for file in sorted((source / "nodes").glob("*.txt*")):
        node = file.name.partition(".txt")[0]
        text = truth.read(source / "nodes" / f"{node}.txt")
        assert text is not None
        (ours / "nodes" / f"{node}.txt").write_text(text)
        spaces = [_space(name, found) for name, found in sections(text, node).items()]
        document = {"pods": [{"netns": ""}], "netns": spaces}
        (theirs / "nodes" / f"{node}.json").write_text(json.dumps(document))
    return ours, theirs


def _space(name: str, found: Any) -> dict[str, Any]:
    save = _text(found, "iptables-nft-save") or _text(found, "iptables-save")
    xml = subprocess.run(
        ["iptables-xml"], input=save, text=True, capture_output=True, check=True
    ).stdout
    settings = (
        re.split(r"[ =]+", line, maxsplit=1) for line in _text(found, "sysctl").splitlines()
    )
    near = json.loads(_text(found, "ip -j neigh show") or "[]")
    return {
        "k": "" if name == "node" else f"default/{name}",
        "if": [_link(one, near) for one in json.loads(_text(found, "ip -j -d addr show") or "[]")],
        "s": dict(settings),
        "r": [_route(one) for one in json.loads(_text(found, "ip -j -4 route show table all"))],
        "ru": [
            {"p": priority, "tb": table, "m": 0, "ma": -1}
            for priority, table in ((0, 255), (32766, 254), (32767, 253))
        ],
        "it": xml,
        "is": "",
        "c": list(_listening(_text(found, "ss -Hltnu"))),
    }


def _listening(text: str) -> Iterator[dict[str, object]]:
    for line in text.splitlines():
        protocol, _, _, _, local = line.split()[:5]
        address, _, number = local.rpartition(":")
        address = "::" if address == "*" else address.strip("[]").partition("%")[0]
        yield {"p": protocol, "l": address, "lp": int(number), "st": 0}


def _text(found: Any, command: str) -> str:
    section = found.get(command)
    return section.text if isinstance(section, Section) else ""


def _net(written: str) -> dict[str, str]:
    network = ipaddress.ip_network(written, strict=False)
    mask = base64.b64encode(network.netmask.packed).decode()
    return {"IP": written.partition("/")[0], "Mask": mask}


def _link(one: Any, near: Any) -> dict[str, Any]:
    return {
        "n": one["ifname"],
        "i": one["ifindex"],
        "m": one["mtu"],
        "d": one.get("linkinfo", {}).get("info_kind", "device"),
        "st": 1,
        "p": one.get("link_index", 0),
        "a": [_net(f"{a['local']}/{a['prefixlen']}") for a in one["addr_info"]],
        "ne": [
            {
                "IP": each["dst"],
                "State": 2,
                "HardwareAddr": base64.b64encode(
                    bytes.fromhex(each["lladdr"].replace(":", ""))
                ).decode(),
            }
            for each in near
            if each.get("dev") == one["ifname"] and "lladdr" in each
        ],
        "f": [],
    }


def _route(one: Any) -> dict[str, Any]:
    to = "0.0.0.0/0" if one["dst"] == "default" else one["dst"]
    scopes = {"global": 0, "link": 253, "host": 254}
    return {
        "d": _net(to),
        "o": one.get("dev", ""),
        "g": one.get("gateway"),
        "s": one.get("prefsrc"),
        "tb": TABLES[one.get("table", "main")],
        "t": TYPES.get(one.get("type", "unicast"), 1),
        "sc": scopes.get(one.get("scope", "global"), 0),
    }


def _routes(world: World, node: str) -> list[tuple[object, ...]]:
    return [
        (one.destination, one.gateway, one.device, one.source, one.type, one.scope, one.table)
        for one in world.network[node].routes
        if one.destination.address.version == 4
    ]


def _answers(world: World, source: str, destination: str) -> set[tuple[str, str, str]]:
    return {
        (one.outcome.result.value, one.outcome.server_pod or "", one.outcome.decided_at)
        for one in walks(world, parse_request(world, source, destination))
    }


def test_a_state_walks_as_the_collected_one(folders: tuple[Path, Path]) -> None:
    ours, theirs = (build_world([str(one)]) for one in folders)
    for name, node in theirs.cluster.nodes.items():
        made, seen = (world.network.ruleset(node, 4) for world in (theirs, ours))
        assert differences(seen, made) == ()  # iptables-xml has chains in another order
        assert [one.name for one in theirs.network[name].interfaces] == [
            one.name for one in ours.network[name].interfaces
        ]
        assert _routes(theirs, name) == _routes(ours, name)
    asked = [(f"node/{one}", "svc/default/kubernetes:443") for one in ours.cluster.nodes]
    pods = [key for key, pod in ours.cluster.pods.items() if not pod.host_network]
    asked += [(f"pod/{one}", f"pod/{other}:80") for one in pods[:2] for other in pods[:3]]
    for source, destination in asked:
        assert _answers(theirs, source, destination) == _answers(ours, source, destination)


def test_rules_come_back_from_iptables_xml() -> None:
    xml = """<iptables-rules><table name="filter"><chain name="INPUT" policy="DROP"><rule>
    <conditions><match><s >10.0.0.0/8</s><i invert="1">eth0</i></match>
    <comment><comment>&quot;a &lt;b&gt;&quot;</comment></comment></conditions>
    <actions><call><X /></call></actions></rule></chain><chain name="X" /></table>
    </iptables-rules>"""
    found = read(json.dumps({"netns": [{"k": "", "it": xml}]}), "f")["node"]["iptables-save"]
    assert found.text.splitlines() == [
        "*filter",
        ":INPUT DROP [0:0]",
        ":X - [0:0]",
        '-A INPUT -s 10.0.0.0/8 ! -i eth0 -m comment --comment "a <b>" -j X',
        "COMMIT",
    ]


def test_sets_come_back_from_ipsets_xml() -> None:
    xml = """<ipsets><ipset name="A"><type>hash:net</type><header><family>inet</family>
    <memsize>1</memsize></header><members><member><elem>10.1.0.0/16</elem><nomatch/></member>
    </members></ipset></ipsets>"""
    found = read(json.dumps({"netns": [{"k": "", "is": xml}]}), "f")["node"]["ipset save"]
    assert found.text == "create A hash:net family inet\nadd A 10.1.0.0/16 nomatch\n"


def test_rules_that_are_not_written_down_whole_are_said(tmp_path: Path) -> None:
    """A goto is; of others without a table nobody knows what they do."""
    rules = [
        {"p": 0, "tb": 255},
        {"p": 7, "gt": 32766, "s": None},
        {"p": 8},
        {"p": 32766, "tb": 254},
    ]
    (tmp_path / "n.json").write_text(json.dumps({"netns": [{"k": "", "ru": rules}]}))
    node = CollectedNode(str(tmp_path / "n.json"))
    found = [
        (one.priority, one.action.value) for one in node.policy_rules or () if one.version == 4
    ]
    assert found == [(0, "lookup"), (7, "goto"), (8, "nop"), (32766, "lookup")]
    (said,) = node.half_seen
    assert said.startswith("KubeSkoop's collector does not show all of its ip rule 7, 8 (not, ")


@pytest.mark.parametrize(
    "text",
    ['{"netns": 1}', '{"netns": [{"k": "a/b"}]}', "{" * 100_000 + '"netns"', '{"netns"'],
)
def test_what_is_no_such_file_is_said(text: str, tmp_path: Path) -> None:
    (tmp_path / "n.json").write_text(text)
    (tmp_path / "a.yaml").write_text("apiVersion: v1\nkind: Node\nmetadata: {name: n}\n")
    options = NodeOptions(state={"n": str(tmp_path / "n.json")})
    with pytest.raises(K8sTuiError):
        build_world([str(tmp_path / "a.yaml")], None, options).network["n"]


def test_entities_are_refused() -> None:
    bomb = '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'
    found = read(json.dumps({"netns": [{"k": "", "it": bomb}]}), "f")["node"]["iptables-save"]
    assert "declarations" in found.failure
