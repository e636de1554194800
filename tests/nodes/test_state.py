"""What was collected of a node: sections, readers, cables, and what is not there."""

from __future__ import annotations

import json
import lzma
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from k8stui.kernel import save
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.exchange import Result
from k8stui.kernel.iproute_json import IprouteError
from k8stui.kernel.namespace import DEFAULT_POLICY_RULES, PolicyRule, RuleAction, Socket
from k8stui.kernel.packet import Protocol
from k8stui.nodes.beside import with_dumps
from k8stui.nodes.dumps import read_observed
from k8stui.nodes.options import NodeOptions
from k8stui.nodes.sockets import as_seen
from k8stui.nodes.state.collected import CollectedNode
from k8stui.nodes.state.listening import SocketsError, parse_sockets
from k8stui.nodes.state.nftables import parse_nft
from k8stui.nodes.state.parsing import (
    as_one,
    parse_fdb,
    parse_interfaces,
    parse_neighbours,
    parse_policy_rules,
    parse_routes,
)
from k8stui.nodes.state.settings import SysctlError, parse_sysctls
from k8stui.nodes.state.stream import is_stream, sections
from k8stui.nodes.sysctl import is_full
from k8stui.origin import OriginKind
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Outcome
from k8stui.walk.walk import walk, walks
from k8stui.walk.world import build_world, sample


def device(name: str, index: int, **said: object) -> dict[str, object]:
    return {
        "ifindex": index,
        "ifname": name,
        "flags": ["UP", "LOWER_UP"],
        "mtu": 1500,
        "link_type": "ether",
        "address": f"02:00:00:00:00:{index:02x}",
        "linkinfo": {"info_kind": "veth"},
        "addr_info": [],
        **said,
    }


def stream(parts: Mapping[tuple[str, str], object]) -> str:
    """`parts`: (namespace, command) → what it printed, a text or what becomes JSON."""
    lines = []
    for (space, command), said in parts.items():
        printed = said if isinstance(said, str) else json.dumps(said)
        lines += [f"@ {space} {command}", *([printed] if printed else [])]
    return "\n".join(lines) + "\n"


def collected(tmp_path: Path, parts: Mapping[tuple[str, str], object]) -> CollectedNode:
    file = tmp_path / "node-1.txt"
    file.write_text(stream(parts))
    return CollectedNode(str(file))


ADDR = "ip -j -d addr show"


def test_sections_know_their_lines_and_failures() -> None:
    text = "@ node hostname\na\n@ node ipset save\n! 127 not installed\n@ pod-a ss -Hltnu\n\nx\n"
    found = sections(text, "f")
    assert found["node"]["hostname"].placed == "\na\n"
    assert (found["node"]["ipset save"].text, found["node"]["ipset save"].failure) == (
        "",
        "127 not installed",
    )
    assert (found["pod-a"]["ss -Hltnu"].line, found["pod-a"]["ss -Hltnu"].text) == (6, "\nx\n")
    assert is_stream(text)
    assert not is_stream("*filter\nCOMMIT\n")


def test_an_error_names_the_line_of_the_stream_and_the_command(tmp_path: Path) -> None:
    node = collected(tmp_path, {("node", "hostname"): "a", ("node", ADDR): "\n[{"})
    assert node.interfaces is None
    (wrong,) = node.unread
    assert (wrong.file[-10:], wrong.line, wrong.command) == ("node-1.txt", 6, ADDR)


def test_a_rule_knows_its_line_in_the_stream(tmp_path: Path) -> None:
    save = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j DROP\nCOMMIT"
    node = collected(tmp_path, {("node", "hostname"): "a", ("node", "iptables-nft-save"): save})
    chain = node.rulesets[4].chain("filter", "INPUT")
    assert chain is not None
    assert chain.rules[0].reason is not None
    place = chain.rules[0].reason.origin.place
    assert place is not None
    assert (place.file, place.line) == (str(tmp_path / "node-1.txt"), 6)


def test_of_two_back_ends_the_one_with_rules_counts(tmp_path: Path) -> None:
    save = "*filter\n:INPUT DROP [0:0]\nCOMMIT"
    parts = {("node", "iptables-nft-save"): "", ("node", "iptables-legacy-save"): save}
    assert list(collected(tmp_path, parts).rulesets[4].tables) == ["filter"]


@pytest.mark.parametrize("has_names", [True, False], ids=["by-number", "by-index"])
def test_cables_join_devices_that_name_each_other(tmp_path: Path, *, has_names: bool) -> None:
    """Both pods' ends have index 2; the node's own pair is joined by name; eth0 leads out."""
    parts: dict[tuple[str, str], object] = {
        ("node", ADDR): [
            device("eth0", 2, link_index=9, link_netnsid=0),
            device("va", 4, link_index=2, link_netnsid=1),
            device("vb", 5, link_index=2, link_netnsid=2),
            device("one", 6, link="two"),
            device("two", 7, link="one"),
        ],
        ("a", ADDR): [device("eth0", 2, link_index=4, link_netnsid=0)],
        ("b", ADDR): [device("eth0", 2, link_index=5, link_netnsid=0)],
    }
    if has_names:
        known = [{"nsid": 0}, {"nsid": 1, "name": "a"}, {"nsid": 2, "name": "b"}]
        parts["node", "ip -j netns list-id"] = known
    cables = collected(tmp_path, parts).cables
    assert cables == {
        ("node", "va"): ("a", "eth0"),
        ("a", "eth0"): ("node", "va"),
        ("node", "vb"): ("b", "eth0"),
        ("b", "eth0"): ("node", "vb"),
        ("node", "one"): ("node", "two"),
        ("node", "two"): ("node", "one"),
    }


def test_policy_rules_of_both_families() -> None:
    plain = (
        '[{"priority":0,"src":"all","table":"local"},{"priority":32766,"src":"all","table":"main"}'
    )
    four = parse_policy_rules(plain + ',{"priority":32767,"src":"all","table":"default"}]', "f", 4)
    six = parse_policy_rules(plain + "]", "f", 6)
    assert as_one({4: four, 6: six}) == DEFAULT_POLICY_RULES
    assert as_one({4: four}) == DEFAULT_POLICY_RULES
    marked = PolicyRule(priority=9, table="7", mark=1, version=6)
    assert as_one({4: four, 6: (*six, marked)}) == (*four, *six, marked)


def test_a_rules_actions() -> None:
    """As ``ip -j rule`` of iproute2 6.1 prints them."""
    printed = """[
     {"priority":100,"not":null,"src":"10.0.0.0","srclen":8,"iif":"lo","oif":"d0","table":"100",
      "suppress_prefixlen":0,"ipproto":"tcp"},
     {"priority":200,"src":"all","goto":400},{"priority":300,"src":"all","action":"blackhole"},
     {"priority":400,"src":"all","nop":null},{"priority":1000,"src":"all","l3mdev":null}]"""
    rules = parse_policy_rules(printed, "f")
    assert [rule.action for rule in rules] == [
        RuleAction.TABLE, RuleAction.GOTO, RuleAction.BLACKHOLE, RuleAction.NOP, RuleAction.NOP,
    ]  # fmt: skip
    assert rules[0] == PolicyRule(
        priority=100,
        table="100",
        source=Prefix.parse("10.0.0.0/8"),
        iif="lo",
        oif="d0",
        inverted=True,
        suppress_prefix_length=0,
        protocol=6,
    )
    assert rules[1].goto == 400


def test_forwarding_entries_of_a_vxlan_port() -> None:
    """One MAC address twice: where the bridge sends it, and to which node the tunnel does."""
    printed = """[
     {"mac":"02:00:00:00:00:01","ifname":"vx","flags":[],"master":"br","state":""},
     {"mac":"02:00:00:00:00:01","ifname":"vx","dst":"10.0.0.2","flags":["self"],"state":""},
     {"mac":"33:33:00:00:00:01","ifname":"vx","flags":["self"],"state":"permanent"},
     {"mac":"02:00:00:00:00:09","ifname":"eth0","flags":["self"],"state":"permanent"}]"""
    found = parse_fdb(printed, "f")
    assert [(one.device, one.destination, one.permanent) for one in found] == [
        ("vx", None, False),
        ("vx", Address.parse("10.0.0.2"), False),
    ]


def test_settings_by_dots_and_by_slashes() -> None:
    dots = "net.ipv4.conf.eth0/100.rp_filter = 2\nnet.ipv4.ip_forward = 1\nkernel.x = a b\n"
    slashes = "net/ipv4/conf/eth0.100/rp_filter=2\nnet/ipv4/ip_forward=1\n"
    assert parse_sysctls(dots) == parse_sysctls(slashes)
    found = parse_sysctls(dots)
    assert (found.rp_filter, found.ip_forward) == ({"eth0.100": 2}, True)
    assert not is_full(parse_sysctls(f"{dots}net.netfilter.nf_conntrack_max = {'9' * 400}"))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a=1\nfoo bar\n", 2),
        ("\nnet.ipv4.ip_forward = yes\n", 2),
        ("net.netfilter.nf_conntrack_max = 5\n", 0),
    ],
)
def test_no_settings(text: str, line: int) -> None:
    with pytest.raises(SysctlError) as caught:
        parse_sysctls(text)
    assert caught.value.line == line


def test_who_listens() -> None:
    text = (
        "udp UNCONN 0 0 127.0.0.53%lo:53 0.0.0.0:*\n"
        'tcp LISTEN 0 64 *:6443 *:* users:(("kube-apiserver",pid=1,fd=3))\n'
        "tcp LISTEN 0 64 [::1]:10248 [::]:*\n"
        "tcp LISTEN 0 64 0.0.0.0:80 0.0.0.0:*\n"
        "tcp LISTEN 0 64 [::]:81 [::]:*\n"
    )
    found = parse_sockets(text, "f")
    assert [(one.protocol, one.port, one.address, one.version, one.owner) for one in found] == [
        (Protocol.UDP, 53, Address.parse("127.0.0.53"), None, ""),
        (Protocol.TCP, 6443, None, None, "kube-apiserver"),
        (Protocol.TCP, 10248, Address.parse("::1"), None, ""),
        (Protocol.TCP, 80, None, 4, ""),
        (Protocol.TCP, 81, None, 6, ""),
    ]
    of_old = "tcp LISTEN 0 128 *:80 *:*\ntcp LISTEN 0 128 [::]:81 :::*\n"
    assert {one.version for one in parse_sockets(of_old, "f")} == {None}
    with pytest.raises(SocketsError, match="not what ss -Hltnu prints"):
        parse_sockets("tcp LISTEN 0 64 nowhere", "f")


def test_a_process_that_was_seen_asks_whom_it_is_known_to_ask() -> None:
    """docker-proxy has a hostPort open; ss does not say for whom."""
    (seen,) = parse_sockets("tcp LISTEN 0 64 *:8000 *:*", "f")
    pod = (Address.parse("10.244.1.2"), 80)
    known = Socket(protocol=Protocol.TCP, port=8000, onward=pod, owner="docker-proxy")
    (found,) = as_seen([known], [seen])
    assert (found.onward, found.owner, found.answers_as_asked) == (pod, "docker-proxy", False)


def nft(*things: Mapping[str, object]) -> str:
    return json.dumps({"nftables": list(things)})


def chain(family: str, table: str, **said: object) -> dict[str, object]:
    return {"chain": {"family": family, "table": table, "name": "c", **said}}


@pytest.mark.parametrize("text", ["", "[]", '{"nftables": [{"chain": {}}]}'])
def test_no_ruleset(text: str, tmp_path: Path) -> None:
    node = collected(tmp_path, {("node", "nft -j list ruleset"): f"{text}\n"})
    assert node.nft is None
    (wrong,) = node.unread
    assert (wrong.command, wrong.line) == ("nft -j list ruleset", 2)


def test_of_a_ruleset_as_text_the_hooks_are_known() -> None:
    text = """\
table ip kube-proxy {
	map service-ips {
		type ipv4_addr . inet_proto . inet_service : verdict
	}

	chain nat-prerouting {
		type nat hook prerouting priority dstnat - 10; policy accept;
		jump services
	}

	chain idle {
		type filter hook forward priority filter; policy accept;
	}
}
table inet fw {
	chain in {
		type filter hook input priority 5; policy drop;
	}
}
"""
    found = parse_nft(text, "f")
    stand = [
        (version, chain.base.hook, chain.base.priority)
        for version in (4, 6)
        for _, chain in found.base_chains(version)
        if chain.base is not None
    ]
    assert stand == [(4, "prerouting", -110), (4, "input", 5), (6, "input", 5)]


def test_a_folders_states_are_found_and_options_come_first(tmp_path: Path) -> None:
    nodes = tmp_path / "nodes"
    nodes.mkdir()
    for name in ("node-1.txt", "node-2.txt.xz", "stranger.txt", "node-3.yaml"):
        (nodes / name).touch()
    said = NodeOptions(state={"node-1": "mine"})
    found = with_dumps(said, [str(tmp_path)], ["node-1", "node-2", "node-3"])
    assert found.state == {"node-1": "mine", "node-2": str(nodes / "node-2.txt.xz")}


def test_a_state_of_no_node_is_told(tmp_path: Path) -> None:
    (tmp_path / "nodes").mkdir()
    (tmp_path / "nodes" / "gone.txt").write_text("@ node hostname\ngone\n")
    (tmp_path / "node.yaml").write_text("apiVersion: v1\nkind: Node\nmetadata: {name: here}\n")
    world = build_world([str(tmp_path)])
    assert [note.message for note in world.notes] == [
        "what was collected of gone: no Node has that name"
    ]


SAVE = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT {} [0:0]\nCOMMIT"
NODE = """\
apiVersion: v1
kind: Node
metadata: {name: node-1}
status: {addresses: [{type: InternalIP, address: 192.0.2.1}]}
"""


def asked(tmp_path: Path, parts: Mapping[tuple[str, str], object]) -> Outcome:
    """The node asks a host of its network, having only what `parts` say beside its devices."""
    address = {"family": "inet", "local": "192.0.2.1", "prefixlen": 24, "scope": "global"}
    whole = {
        ("node", ADDR): [device("eth7", 2, addr_info=[address])],
        ("node", "ip -j -4 route show table all"): [{"dst": "192.0.2.0/24", "dev": "eth7"}],
        ("node", "sysctl"): "net/ipv4/ip_forward=1",
        **parts,
    }
    (tmp_path / "nodes").mkdir()
    (tmp_path / "nodes" / "node-1.txt").write_text(stream(whole))
    (tmp_path / "node.yaml").write_text(NODE)
    world = build_world([str(tmp_path)])
    return walk(world, parse_request(world, "node/node-1", "192.0.2.9:80")).outcome


@pytest.mark.parametrize(
    ("nft", "legacy", "expected"),
    [
        ("ACCEPT", "ACCEPT", Result.CONNECTED),
        ("ACCEPT", "DROP", Result.TIMEOUT),
        ("DROP", "ACCEPT", Result.TIMEOUT),
    ],
)
def test_a_packet_meets_both_back_ends(
    nft: str, legacy: str, expected: Result, tmp_path: Path
) -> None:
    """Each has its own tables at the same hooks: what either drops is gone."""
    parts = {
        ("node", "iptables-nft-save"): SAVE.format(nft),
        ("node", "iptables-legacy-save"): SAVE.format(legacy),
    }
    found = asked(tmp_path, parts)
    assert found.result is expected


def test_half_an_observation_is_said(tmp_path: Path) -> None:
    parts = {("node", "iptables-save"): "! 127 not installed"}
    found = asked(tmp_path, parts)
    assert (
        "of node-1: nothing was collected of its rules (iptables-save: 127 not installed); "
        "assumed instead"
    ) in found.reason


def test_what_was_collected_whole_is_not_doubted(tmp_path: Path) -> None:
    found = asked(tmp_path, {("node", "iptables-save"): ""})
    assert (found.result, "collected" in found.reason) == (Result.CONNECTED, False)


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        (nft(chain("ip", "filter", hook="output", prio=0, policy="drop")), Result.TIMEOUT),
        (nft(chain("ip", "filter", hook="output", prio=0, policy="accept")), Result.CONNECTED),
        (nft(chain("inet", "fw", hook="output", prio=0, policy="drop")), Result.TIMEOUT),
        (nft(chain("ip6", "fw", hook="output", prio=0, policy="drop")), Result.CONNECTED),
    ],
)
def test_with_nft_alone_it_tells_iptables_rules_too(
    printed: str, expected: Result, tmp_path: Path
) -> None:
    """The tables that iptables made are nftables', too: none is left out."""
    parts = {
        ("node", "iptables-save"): "! 127 not installed",
        ("node", "nft -j list ruleset"): printed,
    }
    assert asked(tmp_path, parts).result is expected


def test_tables_of_iptables_are_not_met_twice(tmp_path: Path) -> None:
    parts = {
        ("node", "iptables-nft-save"): SAVE.format("ACCEPT"),
        ("node", "nft -j list ruleset"): nft(
            chain("ip", "filter", name="OUTPUT", hook="output", prio=0, policy="drop")
        ),
    }
    assert asked(tmp_path, parts).result is Result.CONNECTED


def test_rules_as_text_alone_are_walked(tmp_path: Path) -> None:
    base = "chain out {\n\t\ttype filter hook output priority 0; policy drop;\n\t}"
    text = f"table ip own {{\n\t{base}\n}}"
    parts = {
        ("node", "nft -j list ruleset"): "! 1 not built in",
        ("node", "nft list ruleset"): text,
    }
    found = asked(tmp_path, parts)
    assert found.result is Result.TIMEOUT
    assert "the policy DROP of chain out (table ip own)" in found.reason
    assert found.advice == "on node-1: nft add rule ip own out tcp dport 80 accept"


def test_pods_hang_where_neighbours_and_the_bridge_say(tmp_path: Path) -> None:
    """Without the pods' own namespaces: not in the ports' order, where more is known."""
    plain = build_world([str(sample("guestbook"))])
    pods = [pod for pod in plain.cluster.pods.values() if pod.node_name == "node-1"]
    pods = sorted((pod for pod in pods if not pod.host_network), key=lambda pod: pod.addresses[0])
    bridge = {"linkinfo": {"info_kind": "bridge"}, "addr_info": []}
    gateway = {"family": "inet", "local": "10.244.1.1", "prefixlen": 24, "scope": "global"}
    port = {"linkinfo": {"info_kind": "veth", "info_slave_kind": "bridge"}, "master": "cni0"}
    own = {"family": "inet", "local": "192.168.0.11", "prefixlen": 24, "scope": "global"}
    links = [
        device("eth0", 2, addr_info=[own]),
        device("cni0", 3, **{**bridge, "addr_info": [gateway]}),
        *(device(f"veth{n}", 4 + n, **port) for n in range(len(pods))),
    ]
    turned = list(reversed(range(len(pods))))
    near = [
        {"dst": str(pod.addresses[0]), "dev": "cni0", "lladdr": f"0a:00:00:00:00:0{n}"}
        for n, pod in enumerate(pods)
    ]
    known = [
        {"mac": f"0a:00:00:00:00:0{n}", "ifname": f"veth{turned[n]}", "master": "cni0", "state": ""}
        for n in range(len(pods))
    ]
    for name, records in {"addr": links, "near": near, "fdb": known}.items():
        (tmp_path / name).write_text(json.dumps(records))
    options = NodeOptions(
        ip_addr={"node-1": str(tmp_path / "addr")},
        ip_neigh={"node-1": str(tmp_path / "near")},
        fdb={"node-1": str(tmp_path / "fdb")},
    )
    world = build_world([str(sample("guestbook"))], None, options)
    cables = [world.network[pod.key].interface("eth0") for pod in pods]
    assert [cable and cable.peer for cable in cables] == [
        ("node-1", f"veth{turned[n]}") for n in range(len(pods))
    ]
    assert len(pods) > 1
    for destination in ("pod/frontend-1:80", "svc/frontend:80"):
        for trace in walks(world, parse_request(world, "node/node-1", destination)):
            assert trace.outcome.result is Result.CONNECTED


PRINTED = Path(__file__).parent / "printed"
"""What one node's `ip` printed, as text and with ``-j``."""


@pytest.mark.parametrize(
    ("name", "parse"),
    [
        ("addr", parse_interfaces),
        ("addr-d", parse_interfaces),
        ("route", parse_routes),
        ("route6", partial(parse_routes, version=6)),
        ("rule", parse_policy_rules),
        ("neigh", parse_neighbours),
    ],
)
def test_text_says_what_json_does(
    name: str, parse: Callable[[str, str], tuple[object, ...]]
) -> None:
    text, data = (PRINTED / f"{name}.txt").read_text(), (PRINTED / f"{name}.json").read_text()
    assert parse(text, "f") == parse(data, "f") != ()
    posted = f"root@node-1:~# ip {name}\n{text}"
    assert parse(posted, "f") == parse(data, "f")


def test_text_knows_its_lines() -> None:
    (first, *_) = parse_routes("\ndefault via 10.0.0.1 dev eth0\n", "f")
    assert first.reason is not None
    assert first.reason.origin.place is not None
    assert first.reason.origin.place.line == 2
    with pytest.raises(IprouteError, match="not what ip route prints: hello") as caught:
        parse_routes("default via 10.0.0.1 dev eth0\nhello world\n", "f")
    assert caught.value.line == 2


LISTED = """\
-P PREROUTING ACCEPT
-P INPUT ACCEPT
-P OUTPUT ACCEPT
-P POSTROUTING ACCEPT
-N KUBE-SERVICES
-A PREROUTING -j KUBE-SERVICES
"""


def test_rules_as_they_are_listed() -> None:
    ruleset = save.parse(LISTED)
    assert list(ruleset.tables) == ["nat"]
    assert save.dump(ruleset) == (
        "*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
        ":POSTROUTING ACCEPT [0:0]\n:KUBE-SERVICES - [0:0]\n"
        "-A PREROUTING -j KUBE-SERVICES\nCOMMIT\n"
    )
    both = f"$ sudo iptables -S\n-P FORWARD DROP\n$ sudo iptables -t nat -S\n{LISTED}"
    assert list(save.parse(both).tables) == ["filter", "nat"]
    # Without the commands, a table is over where another one's policies stand.
    one = "-P INPUT ACCEPT\n-P FORWARD DROP\n-P OUTPUT ACCEPT\n-A INPUT -j DROP\n"
    raw = "-P PREROUTING ACCEPT\n-P OUTPUT ACCEPT\n"
    found = save.parse(one + LISTED + raw)
    assert [(table.name, next(iter(table.chains))) for table in found] == [
        ("filter", "INPUT"), ("nat", "PREROUTING"), ("raw", "PREROUTING"),
    ]  # fmt: skip
    chain_by_chain = save.parse("-P INPUT DROP\n-A INPUT -j ACCEPT\n-P FORWARD ACCEPT\n")
    assert list(chain_by_chain.tables) == ["filter"]
    with pytest.raises(save.SaveError, match=r":2: .*is not a policy"):
        save.parse("-P INPUT ACCEPT\n-P FORWARD SOMETIMES\n", file="f")


POD = """\
---
apiVersion: v1
kind: Pod
metadata: {name: ghost}
spec: {nodeName: node-1, containers: [{name: c, image: i}]}
status: {phase: Running, podIP: 10.1.0.9, podIPs: [{ip: 10.1.0.9}]}
"""


@pytest.mark.parametrize(
    ("source", "destination"), [("node/node-1", "pod/ghost:80"), ("pod/ghost", "192.0.2.9:80")]
)
def test_a_pod_without_a_cable_is_said_to_have_none(
    source: str, destination: str, tmp_path: Path
) -> None:
    """Other pods' namespaces were collected, none has its address."""
    parts = {("node", ADDR): [device("eth7", 2)], ("other", ADDR): [device("eth0", 2)]}
    (tmp_path / "nodes").mkdir()
    (tmp_path / "nodes" / "node-1.txt").write_text(stream(parts))
    (tmp_path / "node.yaml").write_text(NODE + POD)
    world = build_world([str(tmp_path)])
    found = walk(world, parse_request(world, source, destination)).outcome
    assert found.result is not Result.CONNECTED
    assert found.reason.startswith(
        "pod default/ghost is not attached in this snapshot: no namespace that was collected of "
        "node-1 has its address"
    )


def ruled(tmp_path: Path, **selectors: object) -> Outcome:
    """The node asks, and a rule leads what it selects nowhere."""
    rules = [
        {"priority": 0, "src": "all", "table": "local"},
        {"priority": 7, "src": "all", **selectors, "action": "blackhole"},
        {"priority": 32766, "src": "all", "table": "main"},
    ]
    parts = {("node", "iptables-save"): "", ("node", "ip -j -4 rule show"): rules}
    return asked(tmp_path, parts)


def test_a_selector_that_is_not_evaluated_is_said(tmp_path: Path) -> None:
    """Its rule would lead nowhere: it is passed over, and the walk says that it was."""
    found = ruled(tmp_path, tun_id=5)
    assert found.result is Result.CONNECTED
    assert "its ip rule 7 asks for tun_id 5, which is not evaluated" in found.reason


@pytest.mark.parametrize(
    ("selectors", "is_meant"),
    [
        ({"ipproto": "tcp", "dport": 80}, True),
        ({"ipproto": "udp", "dport": 80}, False),
        ({"ipproto": "ipproto-6"}, True),
        ({"ipproto": "ospf"}, False),
        ({"sport_start": 30000, "sport_end": 50000}, True),
        ({"dport_start": 81, "dport_end": 90}, False),
        ({"uid_start": 0, "uid_end": 0}, True),
        ({"uid_start": 1, "uid_end": 4294967294}, False),
    ],
)
def test_rules_ask_for_ports_and_users(
    tmp_path: Path, selectors: dict[str, object], *, is_meant: bool
) -> None:
    found = ruled(tmp_path, **selectors)
    assert found.result is (Result.UNREACHABLE if is_meant else Result.CONNECTED)
    assert ("are taken for root's" in found.reason) is ("uid_start" in selectors)


def test_ranges_as_text() -> None:
    """As ``ip rule`` of iproute2 6.1 prints them."""
    (one,) = parse_policy_rules(
        "100:\tfrom all ipproto udp sport 53 dport 1000-2000 uidrange 5-9 lookup 7\n", "f"
    )
    assert one == PolicyRule(
        priority=100,
        table="7",
        protocol=17,
        source_ports=(53, 53),
        destination_ports=(1000, 2000),
        users=(5, 9),
    )


HOPS = """\
default proto bgp metric 20
\tnexthop via 192.168.0.1 dev eth0 weight 1
\tnexthop via inet6 fe80::1 dev eth1 weight 3 onlink
"""


def test_several_next_hops_as_text_and_as_json() -> None:
    data = json.dumps(
        [
            {
                "dst": "default",
                "protocol": "bgp",
                "metric": 20,
                "flags": [],
                "nexthops": [
                    {"gateway": "192.168.0.1", "dev": "eth0", "weight": 1, "flags": []},
                    {
                        "via": {"family": "inet6", "host": "fe80::1"},
                        "dev": "eth1",
                        "weight": 3,
                        "flags": ["onlink"],
                    },
                ],
            }
        ]
    )
    (one,), (other,) = parse_routes(HOPS, "f"), parse_routes(data, "f")
    assert one == other
    assert [(str(hop.gateway), hop.device, hop.weight, hop.onlink) for hop in one.hops] == [
        ("192.168.0.1", "eth0", 1, False),
        ("fe80::1", "eth1", 3, True),
    ]


METRICS = """\
198.51.100.0/24 via 192.0.2.2 dev v0 mtu 1400
198.51.101.0/24 via 192.0.2.2 dev v0 mtu lock 1300 advmss 1000
198.51.103.0/24  encap ip id 100 src 0.0.0.0 dst 10.0.0.1 ttl 0 tos 0 via 192.0.2.2 dev v0
198.51.105.0/24 mtu 1350
\tnexthop via 192.0.2.2 dev v0 weight 1
\tnexthop via 203.0.113.2 dev d0 weight 1 dead linkdown
198.51.106.0/24 via 203.0.113.2 dev d0 dead linkdown
2001:db8:1::/64  encap seg6 mode encap segs 1 [ 2001:db8::5 ] dev v0 metric 1024 pref medium
"""
METRICS_JSON = """\
[{"dst":"198.51.100.0/24","gateway":"192.0.2.2","dev":"v0","flags":[],"metrics":[{"mtu":1400}]},
{"dst":"198.51.101.0/24","gateway":"192.0.2.2","dev":"v0","flags":[],
"metrics":[{"mtu":1300,"advmss":1000}]},
{"dst":"198.51.103.0/24","encap":"ip","id":100,"src":"0.0.0.0","dst":"10.0.0.1","ttl":0,"tos":0,
"gateway":"192.0.2.2","dev":"v0","flags":[]},
{"dst":"198.51.105.0/24","flags":[],"metrics":[{"mtu":1350}],
"nexthops":[{"gateway":"192.0.2.2","dev":"v0","weight":1,"flags":[]},
{"gateway":"203.0.113.2","dev":"d0","weight":1,"flags":["dead","linkdown"]}]},
{"dst":"198.51.106.0/24","gateway":"203.0.113.2","dev":"d0","flags":["dead","linkdown"]},
{"dst":"2001:db8:1::/64","encap":"seg6","mode":"encap","segs":["2001:db8::5"],"dev":"v0",
"metric":1024,"flags":[],"pref":"medium"}]
"""


def test_what_routes_take_and_put_around_packets() -> None:
    """As iproute2 6.1 prints them; its JSON does not tell that an MTU is locked."""
    found, told = parse_routes(METRICS, "f"), parse_routes(METRICS_JSON, "f")
    assert [replace(one, mtu_locked=False) for one in found] == list(told)
    assert [(one.mtu_bytes, one.mtu_locked, one.encap) for one in found] == [
        (1400, False, ""),
        (1300, True, ""),
        (0, False, "ip"),
        (1350, False, ""),
        (0, False, "seg6"),
    ]
    assert not found[3].hops
    assert str(found[3].gateway) == "192.0.2.2"


@pytest.mark.parametrize(
    ("line", "version"),
    [
        ("default via inet6 fe80::1 dev eth0 proto bgp", 4),
        ("default via fe80::1 dev eth0", 6),
        ("default proto ra\n\tnexthop via fe80::1 dev a\n\tnexthop via fe80::2 dev a", 6),
        ("unreachable default dev lo metric 4278198272 pref medium", 6),
        ("unreachable default metric 4278198272", 4),
    ],
)
def test_the_family_of_a_default_route(line: str, version: int) -> None:
    (route,) = parse_routes(line, "f")
    assert route.destination.address.version == version


def test_a_dump_of_one_command_comes_before_the_state(tmp_path: Path) -> None:
    """Its rules stand, and what it says in JSON need not be known from text."""
    base = "chain c {\n\t\ttype filter hook input priority 5; policy drop;\n\t}"
    parts = {
        ("node", "iptables-nft-save"): SAVE.format("DROP"),
        ("node", "nft list ruleset"): f"table ip x {{\n\t{base}\n}}",
    }
    (tmp_path / "state").write_text(stream(parts))
    (tmp_path / "save").write_text(SAVE.format("ACCEPT"))
    (tmp_path / "nft").write_text(nft(chain("ip", "x", hook="input", type="filter", prio=5)))
    (tmp_path / "addr").write_text(json.dumps([device("eth0", 2)]))
    options = NodeOptions(
        state={"node-1": str(tmp_path / "state")},
        iptables={"node-1": str(tmp_path / "save")},
        nft={"node-1": str(tmp_path / "nft")},
        ip_addr={"node-1": str(tmp_path / "addr")},
    )
    found = read_observed(options)["node-1"]
    output = found.rulesets[4].chain("filter", "OUTPUT")
    assert output is not None
    assert output.policy == "ACCEPT"
    assert found.nft is not None
    assert [part.partition(" (")[0] for part in found.unseen] == ["its routes", "its settings"]


@pytest.mark.parametrize("way", ["option", "state"])
def test_a_stale_entry_of_a_real_node_is_told_with_its_line(way: str, tmp_path: Path) -> None:
    """The classic: a name server went, and a socket that asks on follows the entry."""
    world = build_world([str(sample("guestbook"))])
    client = world.cluster.pods["default/client"]
    asked = world.cluster.services["default/frontend"].cluster_ips[0]
    line = (
        f"udp      17 23 src={client.addresses[0]} dst={asked} sport=5000 dport=53 "
        f"src=10.244.9.9 dst={client.addresses[0]} sport=53 dport=5000 [ASSURED] mark=0 use=1\n"
    )
    file = tmp_path / "node-1"
    if way == "option":
        file.write_text(line)
        options = NodeOptions(conntrack={"node-1": str(file)})
    else:
        file.write_text(stream({("node", "conntrack -L -o extended"): line}))
        options = NodeOptions(state={"node-1": str(file)})
    world = build_world([str(sample("guestbook"))], None, options)
    request = parse_request(world, "pod/client", f"{asked}:53/udp")
    assert request.connect is not None
    own = replace(request, connect=replace(request.connect, source_port=5000))
    trace = walk(world, own)
    assert trace.outcome.result is Result.TIMEOUT
    assert "the conntrack entry on node-1 still leads to 10.244.9.9:53" in trace.outcome.reason
    (step,) = [step for hop in trace.hops for step in hop.steps if "was there before" in step.text]
    assert step.origin is not None
    assert step.origin.place is not None
    assert (step.origin.kind, step.origin.place.line) == (
        OriginKind.OBSERVED,
        1 if way == "option" else 2,
    )


@pytest.mark.parametrize("has_others", [False, True])
def test_namespaces_that_could_not_be_entered_are_said(tmp_path: Path, *, has_others: bool) -> None:
    failed = f"@ shut {ADDR}\n! 1 nsenter: Invalid argument\n@ shut sysctl\n"
    parts = {("node", ADDR): [device("eth7", 2)]}
    if has_others:
        parts[("other", ADDR)] = [device("eth0", 2)]
    file = tmp_path / "node-1.txt"
    file.write_text(stream(parts) + failed)
    node = CollectedNode(str(file))
    assert node.shut == ("shut",)
    assert set(node.pods) == ({"other"} if has_others else set())


def test_a_rule_that_decided_is_told_with_its_line(tmp_path: Path) -> None:
    rules = (
        '[{"priority":0,"src":"all","table":"local"},\n'
        '{"priority":7,"src":"all","dport":80,"table":"9"},\n'
        '{"priority":32766,"src":"all","table":"main"}]'
    )
    routes = [{"dst": "192.0.2.0/24", "dev": "eth7", "table": "9"}]
    address = {"family": "inet", "local": "192.0.2.1", "prefixlen": 24, "scope": "global"}
    parts = {
        ("node", ADDR): [device("eth7", 2, addr_info=[address])],
        ("node", "ip -j -4 rule show"): rules,
        ("node", "ip -j -4 route show table all"): routes,
    }
    (tmp_path / "nodes").mkdir()
    (tmp_path / "nodes" / "node-1.txt").write_text(stream(parts))
    (tmp_path / "node.yaml").write_text(NODE)
    world = build_world([str(tmp_path)])
    trace = walk(world, parse_request(world, "node/node-1", "192.0.2.9:80"))
    assert trace.outcome.result is Result.CONNECTED
    texts = [step.text for hop in trace.hops for step in hop.steps if "by ip rule" in step.text]
    assert texts[0].endswith("(by ip rule 7: from all dport 80 lookup 9)")
    deny = rules.replace('"dport":80,"table":"9"', '"dport":80,"action":"prohibit"')
    (tmp_path / "nodes" / "node-1.txt").write_text(
        stream({**parts, ("node", "ip -j -4 rule show"): deny})
    )
    world = build_world([str(tmp_path)])
    trace = walk(world, parse_request(world, "node/node-1", "192.0.2.9:80"))
    step = trace.hops[0].steps[0]
    assert trace.outcome.result is Result.UNREACHABLE
    assert step.origin is not None
    assert step.origin.place is not None
    assert "prohibit" in deny.splitlines()[1]
    lines = (tmp_path / "nodes" / "node-1.txt").read_text().splitlines()
    assert "prohibit" in lines[step.origin.place.line - 1]


@pytest.mark.parametrize("states", [["STALE"], ["FAILED"], ["INCOMPLETE"], ["REACHABLE"]])
def test_a_neighbour_that_did_not_answer_is_not_invented(tmp_path: Path, states: list[str]) -> None:
    """A host of the nodes' network of which nothing else is known; stale ones are asked again."""
    near: dict[str, object] = {"dst": "192.0.2.9", "dev": "eth7", "state": states}
    if states[0] in ("STALE", "REACHABLE"):
        near["lladdr"] = "0a:00:00:00:00:99"
    parts = {("node", "iptables-save"): "", ("node", "ip -j neigh show"): [near]}
    found = asked(tmp_path, parts)
    if states == ["FAILED"]:
        assert found.result is not Result.CONNECTED
        assert found.reason.startswith("192.0.2.9 did not answer node-1 before (")
        assert ": FAILED)" in found.reason
    else:
        assert found.result is Result.CONNECTED


def test_another_node_that_did_not_answer_is_walked_with_that_said(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text(
        "{apiVersion: v1, kind: Node, metadata: {name: node-2},"
        " status: {addresses: [{type: InternalIP, address: 192.0.2.9}]}}"
    )
    near = {"dst": "192.0.2.9", "dev": "eth7", "state": ["FAILED"]}
    asked(tmp_path, {("node", "ip -j neigh show"): [near]})
    world = build_world([str(tmp_path)])
    trace = walk(world, parse_request(world, "node/node-1", "192.0.2.9:80"))
    (said,) = [one for one in trace.assumptions if "did not answer" in one]
    assert said.startswith("192.0.2.9 did not answer node-1 when its neighbours were listed (")
    assert "node-1.txt:" in said


def test_neighbours_and_forwarding_entries_know_their_lines() -> None:
    (near,) = parse_neighbours("\n10.0.0.9 dev eth0 lladdr 0a:00:00:00:00:09 REACHABLE\n", "f")
    (entry,) = parse_fdb("\n\n0a:00:00:00:00:09 dev veth1 master cni0\n", "f")
    for one, line in ((near.reason, 2), (entry.reason, 3)):
        assert one is not None
        assert one.origin.place is not None
        assert one.origin.place.line == line


def test_of_a_node_that_no_walk_enters_the_beginning_is_read(tmp_path: Path) -> None:
    """Devices, routes and neighbours tell what the wire needs; the rules stay where they are."""
    rule = f"-A INPUT -m comment --comment {'x' * 90} -j ACCEPT\n"
    save = f"*filter\n:INPUT ACCEPT [0:0]\n{rule * 6000}COMMIT"
    parts: dict[tuple[str, str], object] = {
        ("node", ADDR): [device("eth0", 2), device("va", 3, link_index=2, link_netnsid=1)],
        ("node", "ip -j -4 route show table all"): [{"dst": "default", "dev": "eth0"}],
        ("node", "ip -j -6 route show table all"): [],
        ("node", "ip -j neigh show"): [],
        ("node", "iptables-nft-save"): save,
        ("node", ADDR + " "): [],
        ("pod-a", ADDR): [device("eth0", 2, link_index=3, link_netnsid=0)],
    }
    node = collected(tmp_path, parts)
    assert [one.name for one in node.devices or ()] == ["eth0", "va"]
    assert [route.device for route in node.routes or ()] == ["eth0"]
    assert node.neighbours == ()
    assert "_all_sections" not in vars(node)
    assert len(node.rulesets[4].tables["filter"].chains["INPUT"].rules) == 6000
    assert list(node.pods) == ["pod-a"]
    # Of two alike the first counts, whether or not all was read.
    assert [one.name for one in node.interfaces or ()] == ["eth0", "va"]


_BROKEN = {
    ADDR: "[{",
    "ip -j -4 route show table all": '[{"dst": "192.0.2.0/24"',
    "ip -j -6 route show table all": "[{]",
    "ip -j -4 rule show": '[{"priority": "x"',
    "ip -j -6 rule show": "{",
    "ip -j neigh show": '[{"dst": "192.0.2.9", "lladdr": 7}]',
    "bridge -j fdb show": "[7]",
    "ip -j netns list-id": "[",
    "iptables-nft-save": "*filter\n:INPUT DROP [0:0]\n-A INP",
    "iptables-legacy-save": "*filter\nwhat",
    "ip6tables-nft-save": "-A nothing",
    "nft -j list ruleset": '{"nftables": [',
    "ipset save": "create",
    "sysctl": "net/ipv4/ip_forward",
    "ss -Hltnu": "tcp",
    "bpftool -j net show": "[{",
    "conntrack -L -o extended": "ipv4 2 tcp",
}


@pytest.mark.parametrize("command", _BROKEN)
def test_a_section_that_cannot_be_read_costs_itself_alone(command: str, tmp_path: Path) -> None:
    outcome = asked(tmp_path, {("node", command): _BROKEN[command]})
    assert outcome.result is Result.CONNECTED
    text = (tmp_path / "nodes" / "node-1.txt").read_text().splitlines()
    line = text.index(f"@ node {command}") + 2
    told = [outcome.reason] if f"{command}, not read: " in outcome.reason else []
    assert told, outcome.reason
    assert any(f"node-1.txt:{n}: " in told[0] for n in range(line, line + 3)), told


def test_bytes_that_are_no_text_cost_their_section_alone(tmp_path: Path) -> None:
    node = collected(tmp_path, {("node", ADDR): [device("eth0", 2)], ("node", "ipset save"): "a"})
    file = tmp_path / "node-1.txt"
    file.write_bytes(file.read_bytes().replace(b"\na\n", b"\n#\n\xff\n"))
    assert [one.name for one in node.interfaces or ()] == ["eth0"]
    assert node.sets == {}
    assert [(one.line, one.message) for one in node.unread] == [(5, "it is not text (UTF-8)")]


def test_what_cannot_be_read_is_a_problem_of_the_input(tmp_path: Path) -> None:
    asked(tmp_path, {})
    file = tmp_path / "nodes" / "node-1.txt"
    file.write_text(file.read_text() + "@ node ipset save\nx\n")
    world = build_world([str(tmp_path)])
    _ = world.network["node-1"]
    (problem,) = world.problems
    assert problem.line == len(file.read_text().splitlines())
    assert "run again on the node: ipset save" in problem.render()


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("ip -j -4 route show table all", "[{"),
        ("ip -j -4 rule show", "[{"),
        ("ip -j neigh show", "[{"),
        ("iptables-nft-save", "*nat\n:A"),
        ("sysctl", "x"),
        ("ss -Hltnu", "tcp"),
    ],
)
def test_of_a_pods_sections_too(command: str, text: str, tmp_path: Path) -> None:
    """The rest of the pod's namespace is used, and a walk from it says what was not read."""
    states = Path(__file__).parents[1] / "real-nodes" / "kindnet"
    (tmp_path / "nodes").mkdir()
    (tmp_path / "cluster.yaml").write_bytes((states / "cluster.yaml").read_bytes())
    for packed in (states / "nodes").iterdir():
        said = lzma.decompress(packed.read_bytes()).decode()
        parts = re.split(r"(?m)^(?=@ )", said)
        is_one = re.compile(rf"@ cni-\S+ {command}\n")
        broken = [f"{p.splitlines()[0]}\n{text}\n" if is_one.match(p) else p for p in parts]
        (tmp_path / "nodes" / packed.stem).write_text("".join(broken))
    world = build_world([str(tmp_path)])
    request = parse_request(world, "pod/web-2", "pod/db-1:5432")
    outcome = walk(world, request).outcome
    assert outcome.result is Result.CONNECTED
    assert f"of pod default/web-2: nothing was collected of {command}, not read: " in outcome.reason
    assert any(command in problem.message for problem in world.problems)
