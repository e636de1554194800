"""Jumps, returns, marks, verdicts and forks of one chain."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.packet import Packet, Protocol
from k8stui.kernel.save import parse
from k8stui.kernel.step import Fork, Hook, StepKind, Way
from k8stui.kernel.traverse import (
    Accept,
    CannotEvaluate,
    Dnat,
    Drop,
    Masquerade,
    Netmap,
    PacketContext,
    Redirect,
    Reject,
    Snat,
    Traversal,
    Verdict,
    traverse,
)

PACKET = Packet(
    src=Address.parse("10.244.1.2"),
    dst=Address.parse("10.96.0.10"),
    protocol=Protocol.TCP,
    sport=40000,
    dport=80,
)


def run(
    rules: str,
    *,
    table: str = "filter",
    chain: str = "FORWARD",
    policy: str = "ACCEPT",
    packet: Packet = PACKET,
    **context: Any,
) -> Traversal:
    """Put the rules (``CHAIN …`` a line) into a table and run the packet through its chain."""
    lines = [f"-A {line.strip()}" for line in rules.strip().split("\n") if line.strip()]
    own = dict.fromkeys(line.split(" ")[1] for line in lines)
    own.pop(chain, None)
    text = "\n".join(
        [f"*{table}", f":{chain} {policy}", *(f":{name} -" for name in own), *lines, "COMMIT"]
    )
    context.setdefault("hook", Hook(chain))
    return traverse(parse(text).tables[table], chain, packet, PacketContext(**context))


def texts(result: Traversal) -> list[str]:
    return [visit.cause.rule.text for visit in result.visits if visit.cause.rule]


def test_policy_decides_where_no_rule_does() -> None:
    result = run("FORWARD -p udp -j ACCEPT\nFORWARD -p icmp -j ACCEPT", policy="DROP")
    assert result.verdict == Drop()
    assert result.cause is not None
    assert (result.cause.rule, result.cause.index, result.cause.skipped) == (None, 0, 2)
    assert result.visits == ()


def test_a_missing_chain_accepts_with_no_cause() -> None:
    empty = parse("*filter\nCOMMIT\n").tables["filter"]
    result = traverse(empty, "FORWARD", PACKET, PacketContext(hook=Hook.FORWARD))
    assert (result.verdict, result.cause) == (Accept(), None)


def test_jump_and_return_by_the_end_of_the_chain() -> None:
    result = run(
        """
        FORWARD -j A
        FORWARD -j DROP
        A -p udp -j ACCEPT
        A -p tcp -j B
        A -p icmp
        B -j LOG
        """
    )
    assert result.verdict == Drop()
    assert texts(result) == [
        "-A FORWARD -j A",
        "-A A -p tcp -j B",
        "-A B -j LOG",
        "-A FORWARD -j DROP",
    ]
    assert [visit.kind for visit in result.visits] == [
        StepKind.JUMP,
        StepKind.JUMP,
        StepKind.RULE,
        StepKind.DROP,
    ]
    assert [visit.cause.skipped for visit in result.visits] == [0, 1, 0, 0]
    assert [visit.cause.index for visit in result.visits] == [1, 2, 1, 2]


def test_return_leaves_only_its_chain() -> None:
    result = run("FORWARD -j A\nFORWARD -j DROP\nA -j RETURN\nA -j ACCEPT")
    assert result.verdict == Drop()
    assert "-A A -j ACCEPT" not in texts(result)


def test_return_from_a_built_in_chain_meets_the_policy() -> None:
    result = run("FORWARD -j RETURN\nFORWARD -j ACCEPT", policy="DROP")
    assert result.verdict == Drop()
    assert result.cause is not None
    assert (result.cause.rule, result.cause.skipped) == (None, 0)


def test_goto_does_not_come_back() -> None:
    rules = "FORWARD -j A\nFORWARD -j DROP\nA -g B\nA -j ACCEPT\nB -p udp -j ACCEPT"
    result = run(rules)
    assert result.verdict == Drop()
    assert texts(result) == ["-A FORWARD -j A", "-A A -g B", "-A FORWARD -j DROP"]


def test_goto_from_a_built_in_chain_ends_in_its_policy() -> None:
    result = run("FORWARD -g A\nFORWARD -j ACCEPT\nA -p udp -j ACCEPT", policy="DROP")
    assert result.verdict == Drop()


@pytest.mark.parametrize("rules", ["FORWARD -j A\nA -j A", "FORWARD -g A\nA -g B\nB -g A"])
def test_chains_that_jump_in_a_circle_end(rules: str) -> None:
    verdict = run(rules).verdict
    assert isinstance(verdict, CannotEvaluate)
    assert "circle" in verdict.what


@pytest.mark.parametrize(
    ("target", "verdict", "kind"),
    [
        ("ACCEPT", Accept(), StepKind.RULE),
        ("DROP", Drop(), StepKind.DROP),
        ("REJECT", Reject("icmp-port-unreachable"), StepKind.REJECT),
        ("REJECT --reject-with tcp-reset", Reject("tcp-reset"), StepKind.REJECT),
        (
            "DNAT --to-destination 10.0.0.1:8080",
            Dnat((Address.parse("10.0.0.1"),) * 2, (8080, 8080)),
            StepKind.DNAT,
        ),
        (
            "DNAT --to-destination 10.0.0.1-10.0.0.4:80-90/8080 --random --persistent",
            Dnat(
                (Address.parse("10.0.0.1"), Address.parse("10.0.0.4")), (80, 90), True, True, 8080
            ),
            StepKind.DNAT,
        ),
        ("DNAT --to-destination :8080", Dnat(None, (8080, 8080)), StepKind.DNAT),
        (
            "DNAT --to-destination [fd00::1]:80",
            Dnat((Address.parse("fd00::1"),) * 2, (80, 80)),
            StepKind.DNAT,
        ),
        (
            "DNAT --to-destination fd00::1",
            Dnat((Address.parse("fd00::1"),) * 2),
            StepKind.DNAT,
        ),
        (
            "SNAT --to-source 192.0.2.1:1024-65535 --random-fully",
            Snat((Address.parse("192.0.2.1"),) * 2, (1024, 65535), random_fully=True),
            StepKind.SNAT,
        ),
        ("MASQUERADE --random-fully", Masquerade(random_fully=True), StepKind.SNAT),
        ("MASQUERADE --to-ports 1-9 --random", Masquerade((1, 9), random=True), StepKind.SNAT),
        ("REDIRECT --to-ports 8080", Redirect((8080, 8080)), StepKind.DNAT),
        ("NETMAP --to 192.0.2.0/24", Netmap(Prefix.parse("192.0.2.0/24")), StepKind.SNAT),
    ],
)
def test_verdicts(target: str, verdict: Verdict, kind: StepKind) -> None:
    result = run(f"POSTROUTING -j {target}", table="nat", chain="POSTROUTING")
    assert result.verdict == verdict
    assert [visit.kind for visit in result.visits] == [kind]


def test_netmap_changes_the_destination_before_routing() -> None:
    result = run("PREROUTING -j NETMAP --to 192.0.2.0/24", table="nat", chain="PREROUTING")
    assert [visit.kind for visit in result.visits] == [StepKind.DNAT]


def test_reject_speaks_the_packets_family() -> None:
    six = replace(PACKET, src=Address.parse("fd00::1"), dst=Address.parse("fd00::2"))
    assert run("FORWARD -j REJECT", packet=six).verdict == Reject("icmp6-port-unreachable")


@pytest.mark.parametrize(
    ("target", "before", "after"),
    [
        ("--set-xmark 0x4000/0x4000", 0x1, 0x4001),
        ("--set-xmark 0x4000/0x0", 0x4001, 0x1),
        ("--or-mark 0x4000", 0x1, 0x4001),
        ("--and-mark 0xffffbfff", 0x4001, 0x1),
        ("--xor-mark 0x4000", 0x4001, 0x1),
        ("--set-mark 0x10/0xf0", 0xFF, 0x1F),
        ("--set-mark 7", 0xFF, 7),
    ],
)
def test_mark(target: str, before: int, after: int) -> None:
    result = run(f"FORWARD -j MARK {target}", packet=replace(PACKET, mark=before))
    assert result.packet.mark == after
    assert [(v.kind, v.before.mark, v.after.mark) for v in result.visits] == [
        (StepKind.MARK, before, after)
    ]


def test_the_connection_mark_is_seen_by_the_rules_behind() -> None:
    result = run(
        """
        FORWARD -j CONNMARK --set-xmark 0x10/0xff
        FORWARD -m connmark --mark 0x10 -j CONNMARK --restore-mark
        FORWARD -m mark --mark 0x10 -j MARK --set-mark 0x3
        FORWARD -j CONNMARK --save-mark
        """,
        ct_mark=0xF,
    )
    assert (result.ct_mark, result.packet.mark) == (3, 3)


def test_the_context_given_is_left_alone() -> None:
    context = PacketContext(hook=Hook.FORWARD, ct_mark=5)
    table = parse("*filter\n:FORWARD ACCEPT\n-A FORWARD -j CONNMARK --set-mark 6\nCOMMIT\n")
    assert traverse(table.tables["filter"], "FORWARD", PACKET, context).ct_mark == 6
    assert context.ct_mark == 5


@pytest.mark.parametrize("target", ["NOTRACK", "CT --notrack"])
def test_notrack_goes_on(target: str) -> None:
    result = run(
        f"PREROUTING -j {target}\nPREROUTING -m conntrack --ctstate UNTRACKED -j ACCEPT",
        table="raw",
        chain="PREROUTING",
    )
    assert result.untracked
    assert result.verdict == Accept()
    assert len(result.visits) == 2


@pytest.mark.parametrize(
    "target",
    ["LOG --log-prefix x", "NFLOG --nflog-group 1", "TRACE", "TCPMSS --set-mss 1400", "CHECKSUM"],
)
def test_logging_goes_on(target: str) -> None:
    assert run(f"FORWARD -j {target}\nFORWARD -j DROP").verdict == Drop()


@pytest.mark.parametrize(
    ("rule", "what"),
    [
        ("FORWARD -m u32 --u32 0=1 -j DROP", "match -m u32 --u32 0=1"),
        ("FORWARD -j NFQUEUE --queue-num 1", "target NFQUEUE --queue-num 1"),
        ("FORWARD -j NOBODY", "target NOBODY: neither known nor a chain of this table"),
        ("FORWARD -m statistic --mode odd -j DROP", "match -m statistic --mode odd"),
        ("FORWARD -m conntrack --ctexpire 5 -j DROP", "match --ctexpire 5"),
    ],
)
def test_what_cannot_be_evaluated_ends_the_walk_and_says_so(rule: str, what: str) -> None:
    result = run(f"{rule}\nFORWARD -j ACCEPT")
    assert isinstance(result.verdict, CannotEvaluate)
    assert result.verdict.what == what
    assert result.verdict.cause.rule is not None
    assert result.verdict.cause.rule.text == f"-A {rule}"
    assert result.visits[-1].kind is StepKind.UNKNOWN


def test_an_unknown_match_of_a_rule_without_effect_does_not_matter() -> None:
    assert run("FORWARD -m u32 --u32 0=1 -j LOG\nFORWARD -j DROP").verdict == Drop()


ENDPOINTS = """
PREROUTING -j SVC
SVC -m statistic --mode random --probability 0.33333333349 -j DNAT --to-destination 10.0.0.1
SVC -m statistic --mode random --probability 0.50000000000 -j DNAT --to-destination 10.0.0.2
SVC -j DNAT --to-destination 10.0.0.3
"""


@pytest.mark.parametrize(("way", "address"), enumerate(("10.0.0.1", "10.0.0.2", "10.0.0.3")))
def test_a_chain_of_random_rules_is_one_fork(way: int, address: str) -> None:
    result = run(ENDPOINTS, table="nat", chain="PREROUTING", choose=lambda _: way, namespace="n")
    assert isinstance(result.verdict, Dnat)
    assert result.verdict.addresses == (Address.parse(address),) * 2
    (fork,) = result.forks
    assert (fork.namespace, fork.table, fork.chain.name) == ("n", "nat", "SVC")
    assert fork.ways == tuple(Way(place, Fraction(1, 3)) for place in range(3))
    assert fork.chosen == way
    assert result.cause is not None
    assert result.cause.skipped == way


def test_every_nth_packet_is_a_chance_too() -> None:
    (fork,) = run("FORWARD -m statistic --mode nth --every 4 --packet 0 -j DROP").forks
    assert fork.ways == (Way(0, Fraction(1, 4)), Way(None, Fraction(3, 4)))


@pytest.mark.parametrize(
    ("way", "verdict", "mark"), [(0, Accept(), 1), (1, Accept(), 2), (2, Drop(), 0)]
)
def test_what_matches_and_ends_nothing_leads_on_to_the_next_rules(
    way: int, verdict: object, mark: int
) -> None:
    chance = "-m statistic --mode random --probability"
    rules = f"""
FORWARD {chance} 0.5 -j MARK --set-xmark 0x1
FORWARD -p udp {chance} 0.5 -j DROP
FORWARD {chance} 0.5 -m mark --mark 0x0 -j MARK --set-xmark 0x2
FORWARD -m mark ! --mark 0x0 -j ACCEPT
FORWARD -j DROP
"""
    result = run(rules, choose=lambda _: way)
    assert (result.verdict, result.packet.mark) == (verdict, mark)
    # the rule that asks for another protocol is no part of it
    assert result.forks[0].ways == (
        Way(0, Fraction(1, 2)),
        Way(2, Fraction(1, 4)),
        Way(4, Fraction(1, 4)),
    )


def test_certain_chances_are_no_forks() -> None:
    chance = "-m statistic --mode random --probability"
    result = run(f"FORWARD {chance} 0 -j ACCEPT\nFORWARD {chance} 1 -j DROP")
    assert (result.verdict, result.forks) == (Drop(), ())


def test_what_cannot_be_known_ends_a_fork() -> None:
    rules = (
        "FORWARD -m statistic --mode random --probability 0.5 -j DROP\n"
        "FORWARD -m u32 --u32 0=1 -j DROP"
    )
    assert run(rules, choose=lambda _: 0).verdict == Drop()
    assert isinstance(run(rules, choose=lambda _: 1).verdict, CannotEvaluate)


@given(st.lists(st.fractions(0, 1, max_denominator=2**31), max_size=300))
def test_shares_sum_to_one(chances: list[Fraction]) -> None:
    rules = "\n".join(
        f"FORWARD -m statistic --mode random --probability {float(chance):.11f} -j DROP"
        for chance in chances
    )
    for fork in run(rules, choose=lambda fork: len(fork.ways) - 1).forks:
        assert sum(way.share for way in fork.ways) == 1
        assert all(way.share > 0 for way in fork.ways)


def test_chance_is_only_asked_where_it_decides() -> None:
    def choose(fork: Fork) -> int:
        raise AssertionError(fork)

    rule = "FORWARD -m statistic --mode random --probability 0.5 -p udp -m udp --dport 1 -j DROP"
    assert run(rule, choose=choose).verdict == Accept()


def test_what_recent_lists_get_is_reported() -> None:
    result = run(
        "FORWARD -p tcp -m recent --set --name SEP --mask 255.255.255.0 --rsource -j ACCEPT"
    )
    assert result.recent_set == (("SEP", Address.parse("10.244.1.0")),)


def test_an_assumption_is_said_once() -> None:
    result = run("FORWARD -m limit --limit 5/min -j LOG\nFORWARD -m limit --limit 1/sec -j ACCEPT")
    assert result.notes == ("assumed: the rate limit is not exceeded",)
