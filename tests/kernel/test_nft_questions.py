"""Two addresses that rules of nftables ask nothing different of come to the same verdict."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel.nft_rules import CONDITION, NEAR

from k8stui.kernel.address import Address
from k8stui.kernel.border import Border
from k8stui.kernel.context import PacketContext
from k8stui.kernel.nft.questions import ask
from k8stui.kernel.nft.text import parse
from k8stui.kernel.nft.traverse import traverse
from k8stui.kernel.nft_ruleset import NftTable
from k8stui.kernel.packet import Packet, Protocol
from k8stui.kernel.standing import PlacedNames
from k8stui.kernel.step import Hook
from k8stui.kernel.verdict import CannotEvaluate, Verdict

CLIENT = Address.parse("10.244.7.7")
SETS = """	set hosts {
		type ipv4_addr
		elements = { 10.244.1.1, 10.244.1.3, 10.244.2.2 }
	}

	set nets {
		type ipv4_addr
		flags interval
		elements = { 10.244.1.2/31, 10.244.2.0-10.244.2.4 }
	}

	set pairs {
		type ipv4_addr . ipv4_addr . inet_service
		elements = { 10.244.1.1 . 10.244.1.1 . 80, 10.244.1.2 . 10.244.1.2 . 80,
			10.244.1.3 . 10.244.7.7 . 80, 10.244.7.7 . 10.244.1.3 . 80 }
	}

	map ends {
		type ipv4_addr . inet_service : verdict
		flags interval
		elements = { 10.244.1.1 . 80 : drop, 10.244.1.2 . 80 : drop, 10.244.1.3 . 80 : accept,
			10.244.2.0/30 . 80 : drop, 10.244.1.4 . 53 : drop }
	}

	map devices {
		type ifname : verdict
		elements = { "veth1" : drop, "veth2" : drop, "veth3" : accept }
	}

	map marks {
		type ipv4_addr : mark
		elements = { 10.244.1.1 : 0x00000001, 10.244.1.2 : 0x00000001, 10.244.1.3 : 0x00000002 }
	}
"""
OF_SETS = st.sampled_from(
    [
        "ip daddr @hosts drop",
        "ip saddr != @hosts drop",
        "ip daddr @nets reject",
        "ip saddr . ip daddr . tcp dport @pairs drop",
        "ip daddr . ip daddr . tcp dport @pairs drop",
        "ip daddr . tcp dport vmap @ends",
        "ip saddr . tcp sport vmap @ends",
        "oifname vmap @devices",
        "iifname vmap @devices",
        "meta mark set ip daddr map @marks",
        "meta mark set ip saddr map { 10.244.1.0/24 : 0x00000001, 10.244.2.1 : 0x00000001 }",
        "meta mark 0x00000001 drop",
        "ip daddr . tcp dport vmap { 10.244.1.3 . 80 : drop, 10.244.2.0/30 . 80 : accept }",
        "dnat to 10.244.1.1-10.244.1.4",
        "dnat to ip daddr map { 10.244.1.1 : 10.9.9.1, 10.244.1.2 : 10.9.9.1 }",
    ]
)
RULE = st.one_of(
    OF_SETS,
    st.builds("{} {}".format, CONDITION, st.sampled_from(["drop", "accept", "reject", "return"])),
)


def table_of(*rules: str) -> NftTable:
    said = "\n".join(f"\t\t{rule}" for rule in rules)
    chain = (
        f"\tchain c {{\n\t\ttype filter hook forward priority filter; policy accept;\n{said}\n\t}}"
    )
    return parse(f"table ip t {{\n{SETS}\n{chain}\n}}\n").tables[0]


def port_of(address: Address) -> str:
    """The device in front of an address."""
    return f"veth{address.value & 0xFF}"


def signature(table: NftTable, address: Address) -> tuple[object, ...] | None:
    border = Border()
    if ask(border, table, table.chains["c"].chain) is None:
        return None
    return border.seen(address, PlacedNames((), (), ""), port_of(address))


def verdicts(table: NftTable, address: Address) -> list[object]:
    """Of a packet to the address and of the answer; where they end it counts no more where."""
    asked = Packet(src=CLIENT, dst=address, protocol=Protocol.TCP, sport=40000, dport=80, ttl=63)
    answer = replace(asked, src=address, dst=CLIENT, sport=80, dport=40000)
    port = port_of(address)
    found: list[object] = []
    for packet, devices, state in (
        (asked, ("eth0", port), "NEW"),
        (answer, (port, "eth0"), "ESTABLISHED"),
    ):
        context = PacketContext(
            hook=Hook.FORWARD,
            in_device=devices[0],
            out_device=devices[1],
            original=asked,
            ct_state=state,
            ct_reply=packet is answer,
        )
        result = traverse(table, table.chains["c"], packet, context)
        verdict: Verdict = result.verdict
        found += [type(verdict) if isinstance(verdict, CannotEvaluate) else verdict]
        found += [result.packet.mark, result.ct_mark]
    return found


@settings(max_examples=400, deadline=None)
@given(rules=st.lists(RULE, min_size=1, max_size=3), one=NEAR, other=NEAR)
def test_alike(rules: list[str], one: str, other: str) -> None:
    table = table_of(*rules)
    both = [Address.parse(each) for each in (one, other)]
    first, second = (signature(table, each) for each in both)
    if first is not None and first == second:
        assert verdicts(table, both[0]) == verdicts(table, both[1])


@pytest.mark.parametrize(
    ("rule", "one", "other"),
    [
        ("ip daddr 10.244.1.0/24 drop", "10.244.1.5", "10.244.1.6"),
        ("tcp dport 80 counter packets 0 bytes 0 accept", "10.244.1.5", "10.244.2.6"),
        ("ip saddr . ip daddr . tcp dport @pairs drop", "10.244.1.1", "10.244.1.2"),
        ("ip daddr . tcp dport vmap @ends", "10.244.1.1", "10.244.1.2"),
        ("ip daddr @nets drop", "10.244.1.2", "10.244.1.3"),
        ("fib daddr type local drop", "10.244.1.5", "10.244.2.6"),
        ("ct state established,related accept", "10.244.1.5", "10.244.2.6"),
        ('iifname "veth*" drop', "10.244.1.5", "10.244.1.6"),
        ("jhash tcp sport . tcp dport mod 2 seed 0x1 0 drop", "10.244.1.5", "10.244.1.6"),
    ],
)
def test_what_does_not_tell_them_apart(rule: str, one: str, other: str) -> None:
    table = table_of(rule)
    first, second = (signature(table, Address.parse(each)) for each in (one, other))
    assert first is not None
    assert first == second


@pytest.mark.parametrize(
    "rule",
    [
        "ip daddr 10.244.1.1 drop",
        "ip daddr & 0.0.0.1 == 0.0.0.1 drop",
        "ip daddr > 10.244.1.1 drop",
        "jhash ip saddr . ip daddr mod 2 seed 0x1 0 drop",
        "ether daddr 02:00:00:00:00:01 drop",
        'iifname "veth1" drop',
        "ip daddr @hosts drop",
        "ip daddr . tcp dport vmap @ends",
    ],
)
def test_what_does(rule: str) -> None:
    table = table_of(rule)
    first, second = (signature(table, Address.parse(each)) for each in ("10.244.1.1", "10.244.1.6"))
    assert first is None or first != second
