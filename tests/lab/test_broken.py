"""Labs that are built wrong on purpose: each is reported.

A plan is made as usual, one thing in it is changed, and the kernel does what the changed plan says.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from k8stui.cluster.options import ClusterOptions
from k8stui.kernel.exchange import Connect, Exchange, Result
from k8stui.kernel.simulate import connect
from k8stui.lab.comparing.compare import BranchComparison, compare
from k8stui.lab.plan import Plan, Space, Tools
from k8stui.lab.planning.build import plan
from k8stui.lab.run import run
from k8stui.nodes.options import NodeOptions
from k8stui.walk.request import parse_request
from k8stui.walk.world import World, build_world

Break = Callable[[Plan], None]


def space(made: Plan, name: str) -> Space:
    (found,) = (one for one in made["spaces"] if one["name"] == name)
    return found


def setting(name: str, path: str, value: str) -> Break:
    def change(made: Plan) -> None:
        found = False
        for one in space(made, name)["settings"]:
            if one["path"].endswith(path):
                one["value"], found = value, True
        assert found

    return change


def device_setting(name: str, path: str, value: str) -> Break:
    def change(made: Plan) -> None:
        space(made, name)["device_settings"].append(
            {"path": f"net/ipv4/conf/{path}", "value": value, "needed": True}
        )

    return change


def more_settings(name: str, path: str, value: str) -> Break:
    def change(made: Plan) -> None:
        space(made, name)["settings"].append({"path": path, "value": value, "needed": True})

    return change


def rules(name: str, old: str, new: str) -> Break:
    """Replace text in a rule; the whole line where `new` is empty."""

    def change(made: Plan) -> None:
        lines = space(made, name)["rules"]["4"].splitlines(keepends=True)
        at = next(n for n, line in enumerate(lines) if old in line)
        lines[at] = lines[at].replace(old, new) if new else ""
        space(made, name)["rules"]["4"] = "".join(lines)

    return change


def nftables(old: str, new: str, name: str = "node-1") -> Break:
    """Replace text in tables of nftables' own, once."""

    def change(made: Plan) -> None:
        text = space(made, name)["nft"]
        assert old in text
        space(made, name)["nft"] = text.replace(old, new, 1)

    return change


def in_chain(chain: str, rule: str, name: str = "node-1") -> Break:
    """Put a rule of nftables first in a chain that a hook calls."""

    def change(made: Plan) -> None:
        head, found, tail = space(made, name)["nft"].partition(f"chain {chain} {{\n")
        hook, _, rest = tail.partition("\n")
        assert found
        space(made, name)["nft"] = f"{head}{found}{hook}\n\t\t{rule}\n{rest}"

    return change


def before(name: str, old: str, line: str) -> Break:
    """Put a rule in front of another one."""

    def change(made: Plan) -> None:
        lines = space(made, name)["rules"]["4"].splitlines(keepends=True)
        at = next(n for n, other in enumerate(lines) if old in other)
        lines.insert(at, f"{line}\n")
        space(made, name)["rules"]["4"] = "".join(lines)

    return change


def words(name: str, kind: str, like: str, *new: tuple[str, str]) -> Break:
    """Change words of the first command that has all words of `like`; without `new` it goes."""

    def change(made: Plan) -> None:
        commands: list[list[str]] = space(made, name)[kind]  # type: ignore[literal-required]
        at = next(n for n, one in enumerate(commands) if set(like.split()) <= set(one))
        command = commands.pop(at)
        for old, word in new:
            assert old in command
            command = [word if one == old else one for one in command]
        if new:
            commands.insert(at, command)

    return change


def more(name: str, kind: str, command: str) -> Break:
    def change(made: Plan) -> None:
        space(made, name)[kind].append(command.split())  # type: ignore[literal-required]

    return change


def deaf(name: str) -> Break:
    def change(made: Plan) -> None:
        space(made, name)["listeners"].clear()

    return change


def other_listener(name: str, **fields: object) -> Break:
    def change(made: Plan) -> None:
        for one in space(made, name)["listeners"]:
            one.update(fields)  # type: ignore[typeddict-item]

    return change


def added(name: str, table: str, rule: str) -> Break:
    """Put a rule at the end of a table, which may not be there."""

    def change(made: Plan) -> None:
        text = space(made, name)["rules"]["4"]
        if f"*{table}\n" not in text:
            text += f"*{table}\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n"
        head, _, tail = text.partition(f"*{table}\n")
        body, _, rest = tail.partition("COMMIT\n")
        space(made, name)["rules"]["4"] = f"{head}*{table}\n{body}{rule}\nCOMMIT\n{rest}"

    return change


def mtu(name: str, like: str, value: str) -> Break:
    """Another MTU of a cable, at both of its ends."""

    def change(made: Plan) -> None:
        links = space(made, name)["links"]
        (at,) = (n for n, one in enumerate(links) if set(like.split()) <= set(one))
        links[at] = [value if word == "1500" else word for word in links[at]]
        assert value in links[at]

    return change


def no_hairpin(made: Plan) -> None:
    node = space(made, "node-1")
    node["ip"] = [one for one in node["ip"] if "hairpin" not in one]


def source_port(made: Plan) -> None:
    made["asker"]["source_port"] += 1


def listens(name: str, port: int) -> Break:
    def change(made: Plan) -> None:
        space(made, name)["listeners"].append(
            {
                "protocol": 6, "version": 4, "address": "", "port": port,
                "answers_as_asked": False, "stands_for": False, "passes_on": False, "onward": [],
            }
        )  # fmt: skip

    return change


NODE_PORT = ("outside", "node/node-1:30080")
NEAR = ("pod/client", "svc/redis-leader:6379")
FAR = ("pod/client", "pod/frontend-1:80")
CLOSED = ("pod/client", "pod/frontend-1:81")
HAIRPIN = ("deploy/redis-leader", "svc/redis-leader:6379")
UDP = ("pod/client", "8.8.8.8:53/udp")
FAR_SERVICE = ("outside", "node/node-1:30080")
FROM_NODE = ("node/node-1", "pod/frontend-1:80")
POD = "default/frontend-2"
SNAT = 'requiring SNAT"'
MASQUERADE = f"{SNAT} -j MASQUERADE --random-fully"
RAW = "-A PREROUTING -i cni0"
SYN = "-m tcp --tcp-flags SYN,RST SYN"
ANOTHER_SOURCE = "route replace 10.244.2.0/24 via 192.168.0.12 dev eth0 src 10.244.1.1"
HERE = "10.244.1.4"
CASES: list[tuple[str, tuple[str, str], Break | list[Break]]] = [
    ("ip-forward-off", NODE_PORT, setting("node-1", "net/ipv4/ip_forward", "0")),
    (
        "rp-filter-strict",
        FAR,
        [
            device_setting("node-2", "all/rp_filter", "1"),
            words("node-2", "ip", "route 10.244.1.0/24", ("10.244.1.0/24", "10.9.0.0/24")),
        ],
    ),
    ("bridge-nf-call-off", HAIRPIN, setting("node-1", "bridge-nf-call-iptables", "0")),
    ("default-ttl", NEAR, setting("default/client", "ip_default_ttl", "65")),
    ("route-missing", FAR, words("node-1", "ip", "route 10.244.2.0/24")),
    ("route-unreachable", FAR, more("node-1", "ip", "route add unreachable 10.244.2.2/32")),
    (
        "route-elsewhere",
        FAR,
        words("node-1", "ip", "route 10.244.2.0/24", ("192.168.0.12", "192.168.0.1")),
    ),
    ("rule-missing", NODE_PORT, rules("node-1", "--dport 30080", "")),
    (
        "rule-extra-that-does-nothing",
        NODE_PORT,
        before("node-1", "-A KUBE-FORWARD", "-A KUBE-FORWARD -p tcp -m comment --comment idle"),
    ),
    (
        "dnat-to-another-port",
        NODE_PORT,
        rules("node-1", "--to-destination 10.244.1.3:80", "--to-destination 10.244.1.3:81"),
    ),
    (
        "dnat-to-another-pod",
        NODE_PORT,
        rules("node-1", "--to-destination 10.244.1.3:80", "--to-destination 10.244.1.2:80"),
    ),
    ("masquerade-missing", NODE_PORT, rules("node-1", "requiring SNAT", "")),
    ("mark-missing", NODE_PORT, rules("node-1", "-A KUBE-MARK-MASQ", "")),
    (
        "mark-other-bit",
        NODE_PORT,
        rules(
            "node-1",
            "-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000",
            "-A KUBE-MARK-MASQ -j MARK --set-xmark 0x14000/0x14000",
        ),
    ),
    ("dropped-in-forward", FAR, before("node-1", "-A FORWARD", "-A FORWARD -j DROP")),
    (
        "rejected-otherwise",
        CLOSED,
        before(
            "node-2", "-A FORWARD", "-A FORWARD -p tcp -j REJECT --reject-with icmp-host-prohibited"
        ),
    ),
    (
        "answer-dropped",
        NODE_PORT,
        before("node-1", "-A FORWARD", "-A FORWARD -p tcp -m tcp --sport 80 -j DROP"),
    ),
    ("policy-drop", FAR, rules("node-1", ":FORWARD ACCEPT", ":FORWARD DROP")),
    (
        "mac-of-a-pod",
        NEAR,
        more("default/client", "ip", "link set dev eth0 address 02:00:00:00:00:99"),
    ),
    (
        "neighbour-wrong",
        NEAR,
        words("node-1", "ip", "neigh 10.244.1.4", ("02:00:0a:f4:01:04", "02:00:00:00:00:99")),
    ),
    ("neighbour-missing", NODE_PORT, words("outside", "ip", "neigh")),
    ("fdb-wrong-port", NODE_PORT, words("wire", "bridge", "fdb node-1", ("node-1", "hosts"))),
    ("hairpin-off", HAIRPIN, no_hairpin),
    ("port-down", NEAR, more("node-1", "ip", "link set dev cni0 down")),
    ("address-missing", NODE_PORT, more(POD, "ip", "addr del 10.244.1.3/24 dev eth0")),
    ("source-port", NEAR, source_port),
    ("socket-missing", NODE_PORT, deaf(POD)),
    ("socket-on-another-port", NODE_PORT, other_listener(POD, port=8080)),
    ("socket-where-none-was", CLOSED, listens("default/frontend-1", 81)),
    ("socket-on-localhost-only", NODE_PORT, other_listener(POD, address="127.0.0.1")),
    ("server-of-udp-silent", UDP, deaf("outside")),
    (
        "masquerade-from-other-ports",
        FAR_SERVICE,
        rules("node-1", MASQUERADE, f"{SNAT} -p tcp -j MASQUERADE --to-ports 700-800"),
    ),
    (
        "masquerade-to-another-address",
        FAR_SERVICE,
        rules("node-1", MASQUERADE, f"{SNAT} -j SNAT --to-source 192.168.0.11"),
    ),
    ("zone-of-conntrack", NEAR, added("node-1", "raw", f"{RAW} -j CT --zone 5")),
    ("not-tracked", NEAR, added("node-1", "raw", f"{RAW} -j CT --notrack")),
    (
        "mark-of-conntrack",
        NEAR,
        added("node-1", "mangle", f"{RAW} -j CONNMARK --set-xmark 0x7/0x7"),
    ),
    ("ttl-set", NEAR, added("node-1", "mangle", f"{RAW} -j TTL --ttl-set 70")),
    (
        "mss-clamped",
        NEAR,
        added("node-1", "mangle", f"{RAW} -p tcp {SYN} -j TCPMSS --set-mss 900"),
    ),
    ("asks-for-ecn", NEAR, more_settings("default/client", "net/ipv4/tcp_ecn", "1")),
    ("mtu-of-a-pod", NEAR, mtu("default/client", "eth0", "1400")),
    (
        "another-routing-table",
        FAR,
        [
            more("node-1", "ip", "rule add pref 9 from 10.244.1.0/24 lookup 77"),
            more("node-1", "ip", "route add default via 192.168.0.1 dev eth0 table 77"),
        ],
    ),
    (
        "arp-for-another",
        NEAR,
        [
            words("node-1", "ip", "neigh 10.244.1.4"),
            more("default/client", "ip", "addr add 10.244.1.4/32 dev eth0"),
        ],
    ),
    (
        "reset-for-refused",
        CLOSED,
        before("node-2", "-A FORWARD", "-A FORWARD -p tcp -j REJECT --reject-with tcp-reset"),
    ),
    ("source-of-a-route", FROM_NODE, more("node-1", "ip", ANOTHER_SOURCE)),
    (
        "never-chosen",
        NODE_PORT,
        rules("node-1", "--probability 1.00000000000", "--probability 0.00000000000"),
    ),
    ("copied", NEAR, added("node-1", "mangle", f"{RAW} -j TEE --gateway {HERE}")),
]


NO_PORT = ("pod/client", "10.102.69.253:81")
FORWARD = "filter-forward"
MARKED = "meta mark & 0x00004000 != 0x00000000 meta mark set meta mark ^ 0x00004000"
FRONTEND = "service-DTOG5KOK-default/frontend/tcp/"
MARKING = f"meta mark set meta mark | 0x00004000\n\t\tgoto {FRONTEND}"
TRACKING = "chain filter-input {"
UNTRACKED = "chain probe {\n\t\ttype filter hook prerouting priority raw;\n\t\tnotrack\n\t}\n\t"
OF_NFTABLES: list[tuple[str, tuple[str, str], Break]] = [
    ("element-missing", NODE_PORT, nftables("tcp . 30080 : goto", "tcp . 30081 : goto")),
    (
        "element-to-another-chain",
        NEAR,
        nftables(
            "goto service-RNWQOXEG-default/redis-leader/tcp/",
            "goto service-W2TDRVLD-default/redis-follower/tcp/",
        ),
    ),
    ("dnat-to-another-pod", NODE_PORT, nftables("0 : 10.244.1.3 . 80", "0 : 10.244.1.5 . 80")),
    ("dnat-to-another-port", NODE_PORT, nftables("0 : 10.244.1.3 . 80", "0 : 10.244.1.3 . 81")),
    ("another-number", NODE_PORT, nftables("mod 1 offset 0", "mod 1 offset 1")),
    ("masquerade-missing", NODE_PORT, nftables(f"{MARKED} masquerade fully-random", "")),
    (
        "masquerade-to-another-address",
        NODE_PORT,
        nftables(f"{MARKED} masquerade fully-random", f"{MARKED} snat to 192.168.0.11"),
    ),
    ("mark-missing", NODE_PORT, nftables(MARKING, f"goto {FRONTEND}")),
    ("jump-missing", NODE_PORT, nftables("jump masquerading", "")),
    ("services-never-asked", NEAR, nftables("jump services", "")),
    ("dropped-instead", NO_PORT, nftables("@cluster-ips reject", "@cluster-ips drop")),
    (
        "rejected-otherwise",
        NO_PORT,
        nftables("@cluster-ips reject", "@cluster-ips reject with icmp host-prohibited"),
    ),
    ("address-not-in-a-set", NO_PORT, nftables("10.102.69.253, 10.104", "10.102.69.252, 10.104")),
    (
        "hairpin-not-in-a-set",
        HAIRPIN,
        nftables("10.244.1.4 . 10.244.1.4 . tcp . 6379", "10.244.1.4 . 10.244.1.4 . tcp . 6380"),
    ),
    ("dropped-in-forward", FAR, in_chain(FORWARD, "tcp dport 80 drop")),
    ("answer-dropped", FAR, in_chain(FORWARD, "tcp sport 80 drop")),
    (
        "policy-drop",
        FAR,
        nftables(
            "hook forward priority filter; policy accept",
            "hook forward priority filter; policy drop",
        ),
    ),
    ("ttl-set", FAR, in_chain(FORWARD, "ip ttl set 70")),
    ("mss-clamped", FAR, in_chain(FORWARD, "tcp flags syn tcp option maxseg size set 900")),
    ("mark-of-conntrack", FAR, in_chain(FORWARD, "ct mark set 7")),
    ("not-tracked", FAR, nftables(TRACKING, f"{UNTRACKED}{TRACKING}")),
    ("another-mark", FAR, in_chain("filter-prerouting-pre-dnat", "meta mark set 7")),
]


@pytest.fixture(scope="module")
def in_nftables() -> World:
    return build_world([], cluster_options=ClusterOptions(proxy_mode="nftables"))


@pytest.fixture(scope="module")
def cluster() -> World:
    return build_world([], node_options=NodeOptions())


def _asked(world: World, ends: tuple[str, str]) -> tuple[Connect, Exchange]:
    request = parse_request(world, *ends).connect
    assert request is not None
    return request, connect(world.network, request)


def _tried(
    world: World, ends: tuple[str, str], tools: Tools, changes: list[Break]
) -> BranchComparison:
    request, exchange = _asked(world, ends)
    patience = exchange.felt.seconds + 1 if exchange.felt.result is not Result.TIMEOUT else 4
    made, _ = plan(world.network, request, exchange, tools, patience_seconds=patience)
    for change in changes:
        change(made)
    return compare(exchange, run(made))


@pytest.mark.parametrize("ends", [NODE_PORT, NEAR, FAR, CLOSED, HAIRPIN, UDP], ids="->".join)
def test_unbroken(cluster: World, nft: Tools, ends: tuple[str, str]) -> None:
    assert _tried(cluster, ends, nft, []).agrees


@pytest.mark.parametrize(
    ("ends", "change"),
    [pytest.param(ends, change, id=name) for name, ends, change in CASES],
)
def test_broken(
    cluster: World, nft: Tools, ends: tuple[str, str], change: Break | list[Break]
) -> None:
    found = _tried(cluster, ends, nft, change if isinstance(change, list) else [change])
    assert not found.agrees


@pytest.mark.parametrize("ends", [NODE_PORT, NEAR, FAR, NO_PORT, HAIRPIN], ids="->".join)
def test_unbroken_in_nftables(in_nftables: World, nft: Tools, ends: tuple[str, str]) -> None:
    assert _tried(in_nftables, ends, nft, []).agrees


@pytest.mark.parametrize(
    ("ends", "change"),
    [pytest.param(ends, change, id=name) for name, ends, change in OF_NFTABLES],
)
def test_broken_in_nftables(
    in_nftables: World, nft: Tools, ends: tuple[str, str], change: Break
) -> None:
    assert not _tried(in_nftables, ends, nft, [change]).agrees
