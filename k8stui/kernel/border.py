"""What on a walked way may tell two addresses apart: prefixes, names, patterns of devices."""

from __future__ import annotations

import re

from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.compile import compile_rule
from k8stui.kernel.derived import Derived
from k8stui.kernel.matches.base import Always, Comment, Opaque, Test
from k8stui.kernel.matches.chance import Chance, HashLimit
from k8stui.kernel.matches.connection import (
    ConnectionDirectionTest,
    ConnectionProtocolTest,
    MarkTest,
    OriginalPortTest,
    StateTest,
)
from k8stui.kernel.matches.header import (
    AddressTest,
    DeviceTest,
    FragmentTest,
    ProtocolTest,
    Side,
    device_matches,
)
from k8stui.kernel.matches.header import Network as Masked
from k8stui.kernel.matches.lists import RecentTest
from k8stui.kernel.matches.place import (
    AddressTypeTest,
    LimitInterface,
    OwnerTest,
    ReversePathTest,
)
from k8stui.kernel.matches.ports import IcmpTest, PortTest, TcpFlagsTest
from k8stui.kernel.rules import Chain
from k8stui.kernel.standing import AddressStanding, Surroundings

_BLIND = (
    Always,
    Chance,
    Comment,
    ConnectionDirectionTest,
    ConnectionProtocolTest,
    FragmentTest,
    HashLimit,
    IcmpTest,
    MarkTest,
    Opaque,
    OriginalPortTest,
    OwnerTest,
    PortTest,
    ProtocolTest,
    StateTest,
    TcpFlagsTest,
)
"""Tests that do not look at an address, a device or a list."""
_BY_ROUTES = (AddressTypeTest, LimitInterface, ReversePathTest)
"""Tests that ask the routing tables, whose prefixes count anyhow."""

_ONE_HOST = re.compile(
    r"-A \S+ -d ([\d.]+)/32 -p \w+ "
    r'(?:-m comment --comment (?:"(?:[^"\\]|\\.)*"|\S+) )?-m \w+ --dport \d+ -j \S+'
)
"""Most rules of a long chain: nothing but one address, a protocol and a port."""


class Border:
    """What may tell two addresses apart on one way."""

    def __init__(self) -> None:
        self.sides: list[Surroundings] = []
        self.named: list[frozenset[Address]] = []
        """Addresses that rules name."""
        self.patterns: set[str] = set()
        self.ends: set[Address] = set()
        """Whom the walked packets came from or went to."""
        self._masks: dict[int, dict[int, set[int]]] = {}
        """Networks by family and mask."""

    def add(self, network: Masked) -> None:
        masks = self._masks.setdefault(network.version, {})
        masks.setdefault(network.mask, set()).add(network.value)

    def signature(self, address: Address, stands: AddressStanding) -> tuple[object, ...] | None:
        """All that is seen of an address on the way; None: a rule names it."""
        if any(address in hosts for hosts in self.named):
            return None
        value = address.value
        held = tuple(
            base if (base := value & mask) in values else None
            for mask, values in self._masks.get(address.version, {}).items()
        )
        routes = tuple(side.to(address, stands.names) for side in self.sides)
        devices = frozenset(one for one in self.patterns if device_matches(one, stands.port))
        return held, routes, devices, stands.near(self.ends)


class Questions:
    """What the rules of one chain ask of addresses and devices."""

    def __init__(self, chain: Chain) -> None:
        self.networks: set[Masked] = set()
        self.patterns: set[str] = set()
        self.opaque = self.recent = False
        hosts: set[Address] = set()
        for rule in chain.rules:
            one = _ONE_HOST.fullmatch(rule.text)
            if one is not None:
                try:
                    hosts.add(Address.parse(one[1]))
                except ValueError:
                    self.opaque = True
                continue
            for test in compile_rule(rule.text).tests:
                self._take(test, hosts)
        self.hosts = frozenset(hosts)

    def _take(self, test: Test, hosts: set[Address]) -> None:
        if isinstance(test, AddressTest):
            for network in test.networks:
                host = Address(network.version, network.value)
                if network.mask == (1 << host.bits) - 1:
                    hosts.add(host)
                else:
                    self.networks.add(network)
        elif isinstance(test, DeviceTest):
            self.patterns.add(test.pattern)
        elif isinstance(test, RecentTest) and test.side is Side.SOURCE:
            self.recent = True  # of the one who asks, in nat; of both in other tables
        elif not isinstance(test, _BLIND + _BY_ROUTES):
            self.opaque = True


questions_of = Derived(Questions)


def mask_of(prefix: Prefix) -> int:
    """The netmask of a prefix, as a number."""
    bits = prefix.address.bits
    return (1 << bits) - (1 << (bits - prefix.length))
