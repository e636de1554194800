"""What the first packets of a connection do not tell: when the later ones are worth a walk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel.nets import CLIENT, Broken, ip, standard, via
from kernel.nft_rules import CONDITION

from k8stui.kernel.address import Prefix
from k8stui.kernel.exchange import Connect, Exchange, Result
from k8stui.kernel.later import matters
from k8stui.kernel.namespace import DEFAULT_POLICY_RULES, PolicyRule
from k8stui.kernel.nft.text import parse
from k8stui.kernel.nft_ruleset import NftRuleset
from k8stui.kernel.simulate import connect
from k8stui.kernel.step import Direction, Step

FAR = Connect(namespace=CLIENT, destination=ip("10.244.2.2"), port=8080)


def ask(network: Broken, data_bytes: int | None = None) -> Exchange:
    asked = replace(FAR, data_bytes=data_bytes)
    return connect(network.spaces, asked, until_answered=True)


def assert_same(network: Broken) -> None:
    """What speaks only where that matters fares as what always does; where it does, to the byte."""
    whole = ask(network, 100)

    def speak(handshake: Sequence[Step]) -> int | None:
        return 100 if matters(network.spaces, handshake) else None

    found = connect(network.spaces, FAR, until_answered=True, speak=speak)
    assert found.felt.result is whole.felt.result
    assert found == whole or not found.felt.established


PARTS = st.sampled_from(
    [
        "-p tcp",
        "-p tcp -m tcp --dport 8080",
        "-p tcp -m tcp --sport 8080",
        "-p tcp -m tcp --tcp-flags SYN SYN",
        "-p tcp -m tcp --tcp-flags ACK ACK",
        "-p tcp -m tcp --tcp-flags PSH PSH",
        "-p tcp -m length --length 60:100",
        "-s 10.244.1.0/24",
        "-i cni0",
        "-m mark --mark 0x4000/0x4000",
        "-m mark ! --mark 0x4000/0x4000",
        "-m conntrack --ctstate NEW",
        "-m conntrack ! --ctstate NEW",
        "-m conntrack --ctstate RELATED,ESTABLISHED",
        "-m conntrack --ctstate INVALID",
        "-m conntrack --ctdir ORIGINAL",
        "-m state --state NEW,ESTABLISHED",
        '-m comment --comment "-m conntrack"',
    ]
)
TARGETS = st.sampled_from(
    [f"-j {t}" for t in ("ACCEPT", "DROP", "RETURN", "REJECT", "LOG", "MARK --set-xmark 0x1/0x1")]
    + ["-j SIDE", "-g SIDE"]
)


def in_chain(name: str, targets: st.SearchStrategy[str], most: int) -> st.SearchStrategy[list[str]]:
    rule = st.builds(lambda part, target: f"-A {name} {part} {target}", PARTS, targets)
    return st.lists(rule, max_size=most)


RULES = st.builds(
    lambda rules, side: [*rules, *(side or ["-A SIDE -j RETURN"])],
    in_chain("FORWARD", TARGETS, 5),
    in_chain("SIDE", TARGETS.filter(lambda target: "SIDE" not in target), 3),
)


@settings(max_examples=300, deadline=None)
@given(rules=RULES, policy=st.sampled_from(["ACCEPT", "DROP"]))
def test_what_is_not_walked_would_have_arrived(rules: list[str], policy: str) -> None:
    network = standard().filters(1, *rules, forward_policy=policy)
    assert_same(network)


@pytest.mark.parametrize(
    "rule",
    [
        "-A FORWARD -m conntrack --ctstate ESTABLISHED --ctdir ORIGINAL -m connbytes -j DROP",
        "-A FORWARD -p tcp -m tcp --tcp-flags PSH PSH -j DROP",
        "-A FORWARD -j CONNMARK --restore-mark",
    ],
)
def test_rules_that_are(rule: str) -> None:
    network = standard().filters(1, rule)
    assert matters(network.spaces, ask(network).steps)


@pytest.mark.parametrize(
    ("rules", "is_worth"),
    [
        # kube-proxy's: a Service without endpoints is refused, what is marked or known may pass.
        ([], False),
        (
            ["-A FORWARD -m conntrack --ctstate NEW -j SIDE", "-A SIDE -d 10.9.0.0/16 -j DROP"],
            False,
        ),
        (
            [
                "-A FORWARD -m conntrack --ctstate NEW -j SIDE",
                "-A SIDE -d 10.244.0.0/16 -j ACCEPT",
                "-A SIDE -j DROP",
            ],
            True,
        ),
    ],
)
def test_a_chain_that_only_ends_is_missed_by_nobody(rules: list[str], is_worth: bool) -> None:
    network = standard().filters(1, *rules)
    handshake = ask(network)
    assert handshake.felt.result is Result.CONNECTED
    assert matters(network.spaces, handshake.steps) is is_worth


NFT_TARGETS = ["accept", "drop", "return", "reject", "counter packets 0 bytes 0", "jump side"]
NFT_RULES = st.lists(
    st.builds("{} {}".format, CONDITION, st.sampled_from([*NFT_TARGETS, "goto side"])), max_size=4
)
SIDE_RULES = st.lists(
    st.builds("{} {}".format, CONDITION, st.sampled_from(NFT_TARGETS[:-1])), max_size=2
)


def nftables(rules: list[str], side: list[str], policy: str) -> NftRuleset:
    def said(lines: list[str]) -> str:
        return "".join(f"\t\t{line}\n" for line in lines)

    return parse(
        f"table inet t {{\n\tchain side {{\n{said(side)}\t}}\n\n"
        f"\tchain forward {{\n\t\ttype filter hook forward priority filter; policy {policy};\n"
        f"{said(rules)}\t}}\n}}\n"
    )


@settings(max_examples=300, deadline=None)
@given(rules=NFT_RULES, side=SIDE_RULES, policy=st.sampled_from(["accept", "drop"]))
def test_nor_through_nftables(rules: list[str], side: list[str], policy: str) -> None:
    network = standard().change("node-1", nft=nftables(rules, side, policy))
    assert_same(network)


@pytest.mark.parametrize(
    ("rules", "is_worth"),
    [
        # kube-proxy's: whoever is new is looked up, and comes back.
        (["ct state new jump side"], False),
        (["ct state established,related accept", "ct state new accept", "drop"], False),
        (["ct state vmap { established : accept, related : accept }", "tcp dport 8080 accept",
          "drop"], False),
        (["ct state new accept", "tcp dport 8080 drop"], True),
        (["tcp flags psh drop"], True),
        (["meta length > 60 drop"], True),
    ],
)  # fmt: skip
def test_rules_of_nftables_that_are(rules: list[str], is_worth: bool) -> None:
    side = ["ip daddr vmap { 10.9.9.9 : drop }", "ip daddr 10.9.0.0/16 reject"]
    network = standard().change("node-1", nft=nftables(rules, side, "accept"))
    handshake = ask(network)
    assert handshake.felt.result is Result.CONNECTED
    assert matters(network.spaces, handshake.steps) is is_worth


@pytest.mark.parametrize(
    ("rules", "is_worth"),
    [
        # The mark is on the first packet alone, and what comes behind that rule it has not seen.
        (["-A FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT", "-A FORWARD -j SIDE"], True),
        (
            [
                "-A FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT",
                "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
                "-A FORWARD -j SIDE",
            ],
            False,
        ),
    ],
)
def test_a_chain_that_only_later_packets_come_to_is(rules: list[str], is_worth: bool) -> None:
    network = standard().filters(1, *rules, "-A SIDE -p tcp -m tcp --dport 8080 -j DROP")
    asked = Connect(namespace="outside", destination=ip("192.168.0.11"), port=30012)
    handshake = connect(network.spaces, asked, until_answered=True)
    assert handshake.felt.result is Result.CONNECTED
    assert matters(network.spaces, handshake.steps) is is_worth
    whole = connect(network.spaces, replace(asked, data_bytes=100), until_answered=True)
    assert (whole.felt.result is Result.CONNECTED) is not is_worth


@pytest.mark.parametrize(
    ("rule", "is_worth"),
    [
        (PolicyRule(priority=100, table="main", mark=0x4000), True),
        (PolicyRule(priority=100, table="main", source=Prefix.parse("10.0.0.0/8")), True),
        (PolicyRule(priority=100, table="main", iif="eth0"), False),
        (PolicyRule(priority=100, table="main"), False),
    ],
)
def test_policy_routing_by_mark_or_source_is(rule: PolicyRule, is_worth: bool) -> None:
    rules = (*DEFAULT_POLICY_RULES, rule)
    network = standard().change("node-1", policy_rules=rules)
    assert matters(network.spaces, ask(network).steps) is is_worth


def test_a_node_that_sees_one_direction_only_drops_the_ack() -> None:
    """tcp_conntracks: an ACK is invalid where no SYN-ACK came by; KUBE-FORWARD drops that."""
    network = standard().routes("router", via("10.244.0.0/16", "192.168.0.11"))
    asked = replace(FAR, namespace="outside")
    handshake = connect(network.spaces, asked, until_answered=True)
    assert handshake.felt.result is Result.CONNECTED
    assert "node-1" not in {s.namespace for s in handshake.steps if s.direction is Direction.REPLY}
    assert matters(network.spaces, handshake.steps)
    found = connect(network.spaces, replace(asked, data_bytes=100)).felt
    assert (found.result, found.established, found.decided_at) == (
        Result.TIMEOUT,
        True,
        "node-1",
    )


def test_a_lowered_mss_counts_in_both_directions() -> None:
    """TCPMSS, as measured between two real namespaces: 1400 leaves 1348 bytes of data, 900 888."""
    rule = "-A FORWARD -p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS"
    for option, longest in ((" --clamp-mss-to-pmtu", 1400), (" --set-mss 900", 940)):
        network = standard().filters(1, rule + option).device("node-1", "eth0", mtu_bytes=1400)
        found = ask(network, 5000)
        assert found.felt.result is Result.CONNECTED
        assert max(step.after.length_bytes for step in found.steps) == longest
    raised = standard().filters(1, f"{rule} --set-mss 9000")
    assert max(step.after.length_bytes for step in ask(raised, 5000).steps) == 1500
