"""nftables' own rules in the lab: the kernel says of each statement what the walk says."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kernel.nft_rules import CONDITION

from k8stui.cluster.options import ClusterOptions
from k8stui.export.lab import lab_lines
from k8stui.kernel.nft.text import parse
from k8stui.kernel.step import RuleCause, StepKind
from k8stui.lab.errors import NotComparedError
from k8stui.lab.experiment import Experiment, experiments
from k8stui.lab.plan import Tools
from k8stui.lab.planning.nftables import text
from k8stui.nodes.options import NodeOptions
from k8stui.walk.again import again
from k8stui.walk.request import parse_request
from k8stui.walk.world import World, build_world

SAVED = """*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A FORWARD -m comment --comment "its mark is told" -j ACCEPT
COMMIT
"""
TABLE = """table inet probe {
	set nets {
		type ipv4_addr
		flags interval
		elements = { 10.244.0.0/16, 192.0.2.7-192.0.2.9 }
	}

	set ends {
		type ipv4_addr . inet_proto . inet_service
		flags interval
		elements = { 10.244.0.0/16 . tcp . 1-100, 192.0.2.1 . udp . 53 }
	}

	set cards {
		typeof iifname
		flags interval
		elements = { "cni*" }
	}

	set seen {
		type ipv4_addr
		size 100
		flags dynamic,timeout
		timeout 1m
	}

	map lent {
		type ipv4_addr : mark
		size 100
		flags dynamic
	}

	map marks {
		type ipv4_addr : mark
		flags interval
		elements = { 10.244.0.0/16 : 0x00000007 }
	}

	map ways {
		type inet_proto . inet_service : verdict
		elements = { tcp . 80 : jump away, udp . 53 : drop }
	}

	chain away {
		return
	}

	chain probe {
		type filter hook forward priority -10; policy accept;
RULES	}
}
"""
CONDITIONS = (
    "ip saddr 10.244.0.0/16",
    "ip saddr != 10.244.0.0/16",
    "ip saddr 10.244.0.1-10.244.9.0",
    "ip daddr @nets",
    "ip daddr != @nets",
    "ip daddr & 255.255.0.0 == 10.244.0.0",
    "ip daddr & 0.0.0.1 == 0.0.0.0",
    "ip protocol tcp",
    "ip protocol { udp, icmp }",
    "ip version 4",
    "ip ttl 64",
    "ip ttl < 64",
    "ip6 daddr ::1",
    "ip6 nexthdr tcp",
    "tcp dport 80",
    "tcp dport != 80",
    "tcp dport { 22, 70-90 }",
    "tcp sport 80",
    "tcp dport > 79",
    "tcp dport <= 79",
    "udp dport 53",
    "th dport 80",
    "th sport . th dport { 1-65535 . 80 }",
    "icmp type echo-request",
    "icmp type != echo-request",
    "icmp code 0",
    "tcp flags syn",
    "tcp flags == syn",
    "tcp flags != syn",
    "tcp flags ! syn",
    "tcp flags ack",
    "tcp flags syn,ack",
    "tcp flags { syn, syn | ack }",
    "tcp flags syn / fin,syn,rst,ack",
    "tcp flags != syn,ack / syn,ack",
    "meta l4proto { tcp, udp }",
    "meta nfproto ipv4",
    "meta nfproto ipv6",
    "meta protocol ip",
    "meta mark & 0x80000000 == 0x80000000",
    "meta pkttype host",
    "meta pkttype multicast",
    "meta skuid 0",
    'iifname "cni0"',
    'iifname != "cni0"',
    'iifname "cn*"',
    'oifname { "eth0", "cni1" }',
    'iif "cni0"',
    'oif "cni0"',
    "iifname @cards",
    "ct state new",
    "ct state established,related",
    "ct state != established",
    "ct state != established,related",
    "ct state { new, untracked }",
    "ct state invalid",
    "ct direction reply",
    "ct status dnat",
    "ct status seen-reply",
    "ct status confirmed",
    "ct status & (dnat | seen-reply) == seen-reply",
    "ct status snat,seen-reply",
    "ct original ip daddr @nets",
    "ct original ip saddr 10.244.0.0/16",
    "ct mark 0x00000000",
    "ct mark set 0x00000005",
    "ct mark 0x00000005",
    "ct mark set ct mark & 0xfffffffe | 0x00000010 ct mark 0x00000014",
    "fib daddr type unicast",
    "fib daddr type local",
    "fib saddr type { local, unicast }",
    "fib daddr . iif type local",
    "fib saddr . iif oif missing",
    "fib saddr . iif oif exists",
    "fib saddr . iif oif 0",
    'fib saddr . iif oif "cni0"',
    "ip daddr . meta l4proto . th dport @ends",
    "ip daddr . meta l4proto . th dport != @ends",
    "ip saddr . tcp dport { 10.244.0.0/16 . 80, 10.0.0.0/8 . 90 }",
    "limit rate 1000/second",
    "limit rate over 1000/second",
    "quota over 100 mbytes",
    "quota 100 mbytes",
    "ct count over 100",
    "jhash ip daddr mod 2 seed 0x1 == 0",
    "jhash ip saddr . ip daddr mod 7 seed 0xdeadbeef 3",
    "jhash ip saddr . tcp dport mod 4 seed 0x2 offset 10 { 10-11 }",
    "jhash ip saddr . ip daddr . ip saddr . ip daddr mod 5 seed 0x3 < 3",
    "numgen random mod 1 offset 3 == 3",
    "tcp option maxseg size 1-1400",
    "tcp option maxseg size set 536 tcp option maxseg size 536",
    "tcp option maxseg size set 1300",
    "ip ttl set 63",
    "tcp option maxseg exists",
    "tcp option maxseg missing",
    "tcp option md5sig missing",
    "tcp option fastopen exists",
    "reset tcp option maxseg tcp option maxseg missing",
    "exthdr hbh exists",
    "exthdr frag missing",
    "rt type 0",
    "ip option rr exists",
    "ip option lsrr missing",
    "ah spi 5",
    "esp spi != 5",
    "comp cpi 5",
    "meter first { ip saddr limit rate 1000/second }",
    "meter second { ip saddr . tcp dport ct count over 100 }",
    "add @lent { ip saddr : 0x00000003 }",
    "meta priority set 1:2",
    "ct event set new,destroy",
    "ip saddr @seen",
    "update @seen { ip saddr } ip saddr @seen",
    "ip daddr @seen",
    "meta l4proto . th dport vmap @ways",
    "ip daddr vmap { 10.244.0.0/16 : continue, * : continue }",
    "counter",
    "log",
)
"""Each of which one kind of packet matches, and another one mostly not."""

# A mark has 32 bits; the highest is for a condition that asks for it.
_BITS = 30


def marking(conditions: Sequence[str]) -> str:
    """Each condition that holds sets a bit of the mark, which an iptables rule behind shows."""
    rules = "".join(
        f"\t\t{one} meta mark set meta mark | {1 << bit:#x}\n" for bit, one in enumerate(conditions)
    )
    return TABLE.replace("RULES", rules)


def compared(
    tools: Tools, folder: Path, ruleset: str, asked: str, *, every: bool = False
) -> list[Experiment]:
    rules, save = folder / "ruleset.nft", folder / "save"
    pods = addresses(build_world([]))
    for name, address in pods.items():
        ruleset = ruleset.replace(name.upper(), address)
    rules.write_text(ruleset)
    save.write_text(SAVED)
    options = NodeOptions(iptables={"node-1": str(save)}, nft={"node-1": str(rules)})
    world = build_world([], node_options=options)
    request = parse_request(world, "pod/client", asked.format(**pods))
    return list(experiments(world, request, tools, every=every))


def addresses(world: World) -> dict[str, str]:
    """Two pods of another node than that of the one who asks."""
    there = [pod.addresses[0] for pod in world.cluster.pods.values() if pod.node_name == "node-2"]
    return dict(zip(("node_2", "other"), map(str, there), strict=False))


ASKED = ["{node_2}:80", "{node_2}:53/udp", "{node_2}/icmp"]
CHUNKS = [CONDITIONS[at : at + _BITS] for at in range(0, len(CONDITIONS), _BITS)]


@pytest.mark.parametrize("chunk", range(len(CHUNKS)))
@pytest.mark.parametrize("asked", ASKED)
def test_the_kernel_matches_as_the_walk_does(
    nft: Tools, tmp_path: Path, chunk: int, asked: str
) -> None:
    if not nft["nft"]:
        pytest.skip("nft is not on this machine")
    [found] = compared(nft, tmp_path, marking(CHUNKS[chunk]), asked)
    left_out = [note for note in found.trial.notes if "node-1" in note]
    assert found.comparison.agrees, "\n".join([*left_out, *lab_lines(found, packets=False)])
    assert not [note for note in left_out if "not handed" in note]


STATUS = [f"ct status {one}" for one in ("seen-reply", "assured", "confirmed")]


@pytest.mark.parametrize("asked", ["192.168.0.12:8088", "192.168.0.12:8053/udp"])
def test_a_connection_that_is_refused_is_not_assured(
    nft: Tools, tmp_path: Path, asked: str
) -> None:
    """By RST it has been answered, by an ICMP error it has not."""
    if not nft["nft"]:
        pytest.skip("nft is not on this machine")
    [found] = compared(nft, tmp_path, marking(STATUS), asked)
    assert found.comparison.kernel.result == "refused"
    assert found.comparison.agrees, "\n".join(lab_lines(found, packets=False))


@given(st.lists(CONDITION, min_size=_BITS, max_size=_BITS), st.sampled_from(ASKED))
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_kernel_matches_rules_at_random(
    nft: Tools, tmp_path: Path, conditions: list[str], asked: str
) -> None:
    if not nft["nft"]:
        pytest.skip("nft is not on this machine")
    [found] = compared(nft, tmp_path, marking(conditions), asked)
    assert found.comparison.agrees, "\n".join([*conditions, *lab_lines(found, packets=False)])
    assert not [note for note in found.trial.notes if "node-1: not handed" in note]


def test_a_drawn_number_is_the_walks(nft: Tools, tmp_path: Path) -> None:
    """Each branch of a map gets a lab in which the kernel draws that number."""
    if not nft["nft"]:
        pytest.skip("nft is not on this machine")
    ruleset = (
        "table ip own {\n\tchain pre {\n\t\ttype nat hook prerouting priority dstnat; "
        "policy accept;\n\t\tip daddr 198.51.100.1 meta l4proto tcp dnat ip to numgen random "
        "mod 4 offset 1 map { 1-3 : NODE_2 . 80, 4 : OTHER . 81 }\n\t}\n}\n"
    )
    found = compared(nft, tmp_path, ruleset, "198.51.100.1:80", every=True)
    assert [one.probability for one in found] == [Fraction(3, 4), Fraction(1, 4)]
    went = []
    for one in found:
        assert one.comparison.agrees, "\n".join(lab_lines(one, packets=False))
        went.append({row.kernel.dport for row in one.comparison.rows if row.kernel})
    assert [81 in ports for ports in went] == [False, True]


def test_of_two_tables_with_one_priority_the_later_is_first(nft: Tools, tmp_path: Path) -> None:
    if not nft["nft"]:
        pytest.skip("nft is not on this machine")
    ruleset = "".join(
        f"table inet {name} {{\n\tchain c {{\n\t\ttype filter hook forward priority -10; "
        f"policy accept;\n\t\tmeta mark set {mark}\n\t}}\n}}\n"
        for name, mark in (("one", 1), ("two", 2))
    )
    [found] = compared(nft, tmp_path, ruleset, "{node_2}:80")
    assert found.comparison.agrees, "\n".join(lab_lines(found, packets=False))


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        pytest.param("drop", "timeout", id="drop"),
        pytest.param("reject", "refused", id="reject"),
        pytest.param("reject with icmpx admin-prohibited", "unreachable", id="admin"),
        pytest.param("meta l4proto tcp reject with tcp reset", "refused", id="reset"),
        pytest.param("goto over\n\t\tdrop", "connected", id="goto"),
        pytest.param("jump over\n\t\tdrop", "timeout", id="jump"),
        pytest.param("ct state established accept\n\t\treturn", "connected", id="return"),
    ],
)
def test_a_verdict_is_the_kernels(nft: Tools, tmp_path: Path, rules: str, expected: str) -> None:
    if not nft["nft"]:
        pytest.skip("nft is not on this machine")
    ruleset = (
        "table inet own {\n\tchain over {\n\t}\n\n\tchain base {\n\t\ttype filter hook forward "
        f"priority filter; policy accept;\n\t\t{rules}\n\t}}\n}}\n"
    )
    [found] = compared(nft, tmp_path, ruleset, "{node_2}:80")
    assert found.comparison.agrees, "\n".join(lab_lines(found, packets=False))
    assert found.comparison.kernel.result == expected


def test_a_file_that_includes_another_is_not_handed_on() -> None:
    ruleset = parse(
        'table ip t {\n\tchain c {\n\t\tinclude "/etc/passwd"\n\t\taccept; define x = 1\n'
        '\t\tjump no\n\t\tip saddr @none drop\n\t\tlimit name "slow" drop\n\t}\n\n'
        "\tchain 'odd {\n\t}\n}\ntable bridge b {\n}\n"
    )
    made, refused = text(ruleset, {}, ())
    assert made == "table ip t {\n\tchain c {\n\t\taccept\n\t}\n}\n"
    assert set(refused) == {
        'include "/etc/passwd"', "define x = 1", "jump no", "ip saddr @none drop",
        'limit name "slow" drop', "'odd", "table bridge b",
    }  # fmt: skip


SERVICE = """kind: Service
apiVersion: v1
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}], sessionAffinity: AFFINITY}
---
kind: Pod
apiVersion: v1
metadata: {name: web-1, labels: {app: web}}
spec: {containers: [{name: web, image: web, ports: [{containerPort: 80}]}]}
---
kind: Pod
apiVersion: v1
metadata: {name: web-2, labels: {app: web}}
spec: {containers: [{name: web, image: web, ports: [{containerPort: 80}]}]}
---
kind: Pod
apiVersion: v1
metadata: {name: client}
spec: {containers: [{name: client, image: client}]}
"""


PORTED = "ports: [{port: 80, nodePort: 30080}"


@pytest.mark.parametrize("affinity", ["None", "ClientIP"])
@pytest.mark.parametrize("times", [0, 2])
def test_kube_proxy_draws_what_the_walk_does(
    nft: Tools, tmp_path: Path, affinity: str, times: int
) -> None:
    """Each branch, the first time and the third."""
    if not nft["nft"]:
        pytest.skip("nft is not on this machine")
    path = tmp_path / "web.yaml"
    path.write_text(SERVICE.replace("AFFINITY", affinity))
    world = build_world([str(path)], cluster_options=ClusterOptions(proxy_mode="nftables"))
    request = again(parse_request(world, "pod/client", "svc/web"), times, 0.0)
    found = list(experiments(world, request, nft, every=True))
    assert len(found) == (1 if times and affinity == "ClientIP" else 2)
    for one in found:
        assert one.comparison.agrees, "\n".join(lab_lines(one, packets=False))
        assert not [note for note in one.trial.notes if "not handed" in note]


def test_of_iptables_and_nftables_nat_iptables_is_asked_first(nft: Tools, tmp_path: Path) -> None:
    """Both have one priority: portmap's chains are met before kube-proxy's DNAT."""
    if not nft["nft"]:
        pytest.skip("nft is not on this machine")
    path = tmp_path / "web.yaml"
    made = SERVICE.replace("AFFINITY", "None, type: NodePort").replace("ports: [{port: 80}", PORTED)
    path.write_text(made.replace("containerPort: 80}", "containerPort: 80, hostPort: 8000}", 1))
    world = build_world([str(path)], cluster_options=ClusterOptions(proxy_mode="nftables"))
    address = world.cluster.nodes["node-1"].addresses[0]
    [found] = experiments(world, parse_request(world, "outside", f"{address}:30080"), nft)
    assert found.comparison.agrees, "\n".join(lab_lines(found, packets=False))
    steps = found.trial.exchange.steps
    translated = next(at for at, step in enumerate(steps) if step.kind is StepKind.DNAT)
    causes = [step.cause for step in steps[:translated]]
    assert "nat" in [one.table for one in causes if isinstance(one, RuleCause)]


def test_a_number_that_is_drawn_anew_is_anothers_rule() -> None:
    """The first rule matches once; the next is for the packet that comes then."""
    ruleset = parse(
        "table ip t {\n\tchain c {\n"
        "\t\tip ttl 9 numgen random mod 2 vmap { 0 : drop, 1 : accept }\n"
        "\t\tmeta mark set numgen random mod 2\n\t}\n}\n"
    )
    made, refused = text(ruleset, {("ip t", "c", 1): (1, 0)}, ())
    assert not refused
    assert [line.strip() for line in made.splitlines() if "ttl" in line] == [
        "ip ttl 9 numgen inc mod 65536 0 numgen inc mod 1 offset 1 vmap { 0 : drop, 1 : accept }",
        "ip ttl 9 numgen inc mod 1 offset 0 vmap { 0 : drop, 1 : accept }",
    ]
    with pytest.raises(NotComparedError, match="several numbers"):
        text(ruleset, {("ip t", "c", 2): (1, 0)}, ())
