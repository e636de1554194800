"""A long chain's index leaves out only rules that cannot match, and keeps the order."""

from __future__ import annotations

import gc
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from kernel.recorded import rule_shapes

from k8stui.kernel import index
from k8stui.kernel.address import Address
from k8stui.kernel.packet import Packet, Protocol
from k8stui.kernel.rules import Chain, Rule, Table
from k8stui.kernel.step import Hook
from k8stui.kernel.traverse import PacketContext, Traversal, traverse

ADDRESSES = ["10.0.0.1", "10.0.0.2", "10.0.1.1", "127.0.0.1"]
PORTS = [80, 81, 443]


@st.composite
def _rules(draw: st.DrawFn) -> str:
    """A rule in printed order, of parts the index knows and parts it does not."""

    def maybe(*texts: str) -> str:
        return draw(st.sampled_from(["", "", *texts]))

    address = st.sampled_from(ADDRESSES)
    bang = st.sampled_from(["", "", "! "])
    protocol = draw(st.sampled_from(["tcp", "udp"]))
    port = draw(st.sampled_from(["80", "81", "443", "80:81", "81:"]))
    parts = [
        "-A X",
        maybe(f"{draw(bang)}-s {draw(address)}/32"),
        maybe(
            f"{draw(bang)}-d {draw(address)}/32", f"-d {draw(address)}", "-d 10.0.0.0/24", "-d ::/0"
        ),
        maybe(f"{draw(bang)}-i eth0"),
    ]
    if draw(st.booleans()):
        parts.append(f"{draw(bang)}-p {protocol}")
        parts.append(maybe('-m comment --comment "a \\" -d 10.0.0.1/32"', "-m comment --comment c"))
        parts.append(maybe("-m addrtype --dst-type LOCAL", "-m mark --mark 0x1"))
        parts.append(maybe(f"-m {protocol} {draw(bang)}--dport {port}", f"-m {protocol}"))
    parts.append(maybe(f"-m conntrack --ctorigdst {draw(address)}", "-m u32 --u32 0=1"))
    parts.append(maybe("-m statistic --mode random --probability 0.5"))
    parts.append(
        draw(st.sampled_from(["-j ACCEPT", "-j DROP", "-j MARK --or-mark 0x1", "-j Y", "-g Y", ""]))
    )
    return " ".join(part for part in parts if part)


PACKETS = st.builds(
    Packet,
    src=st.sampled_from(ADDRESSES).map(Address.parse),
    dst=st.sampled_from(ADDRESSES).map(Address.parse),
    protocol=st.sampled_from([Protocol.TCP, Protocol.UDP]),
    dport=st.sampled_from(PORTS),
)


UDP_81 = Packet(
    src=Address.parse("10.0.0.1"),
    dst=Address.parse("10.0.0.2"),
    protocol=Protocol.UDP,
    dport=81,
)


def _traverse(rules: list[str], packet: Packet, choices: list[int]) -> Traversal:
    remaining = iter(choices)
    table = Table(
        "filter",
        {
            "X": Chain("X", tuple(map(Rule, rules)), "ACCEPT"),
            "Y": Chain("Y", (Rule("-A Y -p udp -j DROP"),)),
        },
    )
    context = PacketContext(
        hook=Hook.INPUT,
        in_device="eth0",
        address_type=lambda address, _: "LOCAL" if address.value & 1 else "UNICAST",
        choose=lambda fork: next(remaining, 0) % len(fork.ways),
    )
    return traverse(table, "X", packet, context)


@example(  # a port whose protocol is only excluded
    rules=["-A X -d 10.0.0.1/32 -j ACCEPT", "-A X ! -p tcp -m tcp --dport 81 -j ACCEPT"],
    packet=UDP_81,
    choices=[],
)
@given(st.lists(_rules(), max_size=40), PACKETS, st.lists(st.integers(0, 9), max_size=20))
def test_indexed_and_linear_evaluation_agree(
    rules: list[str], packet: Packet, choices: list[int]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(index, "_WORTH_WHILE", 0)
        indexed = _traverse(rules, packet, choices)
        patch.setattr(index, "_WORTH_WHILE", 1000)
        assert _traverse(rules, packet, choices) == indexed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            (
                "-A KUBE-SERVICES -d 10.96.0.10/32 -p udp"
                ' -m comment --comment "a \\"b\\" --dport 9"'
                " -m udp --dport 53 -j KUBE-SVC"
            ),
            ("10.96.0.10", 17, 53),
        ),
        (
            (
                "-A KUBE-EXTERNAL-SERVICES -p tcp -m comment --comment c"
                " -m addrtype --dst-type LOCAL -m tcp --dport 30080 -j DROP"
            ),
            (None, 6, 30080),
        ),
        ("-A X -d fd00::10/128 -p tcp -m tcp --dport 80", ("fd00::10", 6, 80)),
        ("-A X -d 10.0.0.0/8 -p tcp -m tcp --dport 80", (None, 6, 80)),
        ("-A X ! -d 10.0.0.1/32 ! -p tcp", (None, None, None)),
        ("-A X -p tcp -m tcp --dport 80:90", (None, 6, None)),
        ("-A X -p tcp -m tcp ! --dport 80", (None, 6, None)),
        ("-A X -m comment --comment not in order -d 10.0.0.1", (None, None, None)),
        ("-A X -d fd00:0:0::10 -p tcp", ("fd00::10", 6, None)),
        ("-A X -d 10.0.0.010 -p tcp", (None, 6, None)),
        ("-A X -s 10.0.0.1/32 ! -i lo -p 47", ("-s 10.0.0.1", None, None)),
        ("-A X ! -s 10.0.0.1/32 -p udp", (None, 17, None)),
        ("-A X -s 10.0.0.1/32 -d 10.0.0.2/32", ("10.0.0.2", None, None)),
        ("-A X", (None, None, None)),
    ],
)
def test_what_a_rule_names(text: str, expected: tuple[str | None, int | None, int | None]) -> None:
    assert index.named(text) == expected


def test_most_recorded_rules_of_services_name_something() -> None:
    shapes = [
        text
        for text in rule_shapes().values()
        if text.startswith("-A KUBE-SERVICES") and "--dport" in text
    ]
    assert shapes
    assert all(None not in index.named(text) for text in shapes)


def _services(count: int) -> Table:
    rules = [
        Rule(
            f"-A X -d 10.96.{n >> 8}.{n & 255}/32 -p tcp -m comment --comment c -m tcp --dport 80"
            " -j ACCEPT"
        )
        for n in range(count)
    ]
    return Table("nat", {"X": Chain("X", tuple(rules), "DROP")})


def test_skipped_rules_are_a_number() -> None:
    packet = Packet(
        src=Address.parse("10.0.0.1"),
        dst=Address.parse("10.96.1.44"),
        protocol=Protocol.TCP,
        dport=80,
    )
    result = traverse(_services(1000), "X", packet, PacketContext(hook=Hook.PREROUTING))
    assert result.cause is not None
    assert (result.cause.index, result.cause.skipped) == (301, 300)


class _Counted(Sequence[Rule]):
    """Rules that are built when looked at, and count that."""

    def __init__(self, table: Table) -> None:
        self.texts = [rule.text for rule in table.chains["X"].rules]
        self.looks = 0

    def __getitem__(self, place: int) -> Rule:  # type: ignore[override] # nobody slices
        text = self.texts[place]
        self.looks += 1
        return Rule(text)

    def __len__(self) -> int:
        return len(self.texts)


def test_the_second_packet_looks_at_its_own_rule_only() -> None:
    rules = _Counted(_services(1000))
    table = Table("nat", {"X": Chain("X", rules, "DROP")})
    packet = Packet(
        src=Address.parse("10.0.0.1"),
        dst=Address.parse("10.96.3.231"),
        protocol=Protocol.TCP,
        dport=80,
    )
    first = traverse(table, "X", packet, PacketContext(hook=Hook.PREROUTING))
    rules.looks = 0
    assert traverse(table, "X", packet, PacketContext(hook=Hook.PREROUTING)) == first
    assert rules.looks == 1


@pytest.mark.usefixtures("without_others")
def test_an_index_goes_with_its_chain() -> None:
    gc.collect()
    before = len(index._indexes)
    table = _services(100)
    packet = Packet(
        src=Address.parse("10.0.0.1"), dst=Address.parse("10.0.0.1"), protocol=Protocol.TCP
    )
    result = traverse(table, "X", packet, PacketContext(hook=Hook.PREROUTING))
    assert len(index._indexes) == before + 1
    del table, result
    gc.collect()
    assert len(index._indexes) == before
