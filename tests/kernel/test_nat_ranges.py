"""DNAT to ranges of addresses and ports, held against what Linux 6.18 did in network namespaces.

A server with eight addresses, 10.9.2.10 to .17, asked as 10.9.1.1 by eight clients.
"""

from __future__ import annotations

import pytest

from k8stui.kernel.address import Address
from k8stui.kernel.address_hash import chosen
from k8stui.kernel.conntrack import Conntrack, Entry, tuple_of
from k8stui.kernel.context import PacketContext
from k8stui.kernel.nat import Manip, set_up
from k8stui.kernel.packet import Packet, Protocol
from k8stui.kernel.rules import Chain, Rule, Table
from k8stui.kernel.step import Hook
from k8stui.kernel.traverse import CannotEvaluate, Dnat, traverse

ip = Address.parse
RANGE = (ip("10.9.2.10"), ip("10.9.2.17"))
MEASURED = {1: (13, 10), 2: (11, 12), 3: (15, 10), 4: (14, 11), 5: (16, 10), 6: (13, 17)}
MEASURED |= {7: (13, 15), 8: (14, 16)}
"""Last byte of the client → of the server, without and with ``--persistent``."""


@pytest.mark.parametrize("client", MEASURED)
def test_address_is_the_kernels(client: int) -> None:
    source, asked = ip(f"10.9.0.{client}"), ip("10.9.1.1")
    found = tuple(chosen(RANGE, source, asked, persistent=one) for one in (False, True))
    assert found == tuple(ip(f"10.9.2.{last}") for last in MEASURED[client])


@pytest.mark.parametrize(
    ("base", "asked", "port"),
    [
        (30100, 30100, 80),
        (30100, 30105, 85),
        (30100, 30110, 90),
        (20050, 20000, 83),
        (20050, 20045, 84),
        (20050, 20050, 80),
        (20050, 20100, 86),
    ],
)
def test_shifted_port_is_the_kernels(base: int, asked: int, port: int) -> None:
    packet = Packet(
        src=ip("10.9.0.1"), dst=ip("10.9.1.1"), protocol=Protocol.TCP, sport=40000, dport=asked
    )
    entry = Entry(tuple_of(packet), packet, 0.0)
    to = (ip("10.9.2.10"), ip("10.9.2.10"))
    assert set_up(Conntrack(), entry, Manip.DESTINATION, to, (80, 90), base_port=base)
    assert entry.reply.sport == port


def test_range_ends_at_its_ends() -> None:
    first, last = ip("fd00::10"), ip("fd00::17")
    found = {
        chosen((first, last), ip(f"fd00:1::{n:x}"), ip("fd00:2::1"), persistent=False)
        for n in range(1, 200)
    }
    assert found == {Address(6, first.value + n) for n in range(8)}


@pytest.mark.parametrize(
    ("target", "known"),
    [
        ("DNAT --to-destination 10.9.2.10:80-90 --random", False),
        ("DNAT --to-destination 10.9.2.10:80 --random", True),
        ("REDIRECT --to-ports 80-90 --random", False),
        ("DNAT --to-destination 10.9.2.10:80-90/30100", True),
    ],
)
def test_a_port_drawn_by_lot_cannot_be_told(target: str, known: bool) -> None:
    chain = Chain("PREROUTING", (Rule(f"-A PREROUTING -p tcp -j {target}"),), "ACCEPT")
    packet = Packet(src=ip("10.9.0.1"), dst=ip("10.9.1.1"), protocol=Protocol.TCP, dport=30105)
    table = Table("nat", {"PREROUTING": chain})
    verdict = traverse(table, "PREROUTING", packet, PacketContext(hook=Hook.PREROUTING)).verdict
    assert isinstance(verdict, Dnat if known else CannotEvaluate)
