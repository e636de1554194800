"""What on a walked way may tell two addresses apart: prefixes, names, patterns of devices."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence

from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.compile import CompiledRule, compile_rule
from k8stui.kernel.derived import Derived
from k8stui.kernel.ipset import IpSet
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
from k8stui.kernel.matches.lists import RecentTest, SetTest
from k8stui.kernel.matches.place import (
    AddressTypeTest,
    LimitInterface,
    OwnerTest,
    ReversePathTest,
)
from k8stui.kernel.matches.ports import IcmpTest, PortTest, TcpFlagsTest
from k8stui.kernel.rules import Chain, Table
from k8stui.kernel.standing import AddressStanding, Surroundings
from k8stui.kernel.targets.base import Decide, Jump
from k8stui.kernel.verdict import Drop, Reject

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

_Look = tuple[Hashable, str]
"""Where in a chain a rule stands and what it says but for an address; the chain it leads to."""
_Looks = Mapping[Address, Sequence[_Look]]


class Border:
    """What may tell two addresses apart on one way."""

    def __init__(self) -> None:
        self.sides: list[Surroundings] = []
        self.named: list[frozenset[Address]] = []
        """Addresses that rules name, each in a way of its own."""
        self.looks: list[tuple[_Looks, Table]] = []
        """What rules say of each address that they name alone, and in which table."""
        self.sets: list[IpSet] = []
        self.patterns: set[str] = set()
        self.ends: set[Address] = set()
        """Whom the walked packets came from or went to."""
        self._masks: dict[int, dict[int, set[int]]] = {}
        """Networks by family and mask."""

    def add(self, network: Masked) -> None:
        masks = self._masks.setdefault(network.version, {})
        masks.setdefault(network.mask, set()).add(network.value)

    def ask(self, asked: Questions, table: Table, sets: Mapping[str, IpSet]) -> bool:
        """Take in a chain; False: it may tell addresses apart in a way not seen here."""
        self.named.append(asked.hosts)
        if asked.looks:
            self.looks.append((asked.looks, table))
        self.patterns |= asked.patterns
        for network in asked.networks:
            self.add(network)
        found = [sets[name] for name in asked.sets if name in sets]
        self.sets += found
        return not asked.opaque and all(one.of_addresses for one in found)

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
        said = [
            (number, look, _led(table, name))
            for number, (looks, table) in enumerate(self.looks)
            for look, name in looks.get(address, ())
        ]
        members = tuple(one.has(address) for one in self.sets)
        return held, routes, devices, tuple(said), members, stands.near(self.ends)


class Questions:
    """What the rules of one chain ask of addresses and devices."""

    def __init__(self, chain: Chain) -> None:
        self.networks: set[Masked] = set()
        self.patterns: set[str] = set()
        self.sets: set[str] = set()
        self.opaque = self.recent = False
        hosts: set[Address] = set()
        looks: dict[Address, list[_Look]] = {}
        run, before = 0, None
        """Rules side by side that say the same, each of another address: their order is nothing."""
        for rule in chain.rules:
            one = _ONE_HOST.fullmatch(rule.text)
            if one is not None:
                run, before = run + 1, None
                try:
                    hosts.add(Address.parse(one[1]))
                except ValueError:
                    self.opaque = True
                continue
            compiled = compile_rule(rule.text)
            named: set[Address] = set()
            for test in compiled.tests:
                self._take(test, named)
            look = _look(compiled) if len(named) == 1 and not _refuses(compiled) else None
            if look is None or look != before:
                run, before = run + 1, look
            if look is None:
                hosts |= named
            for address in named if look is not None else ():
                looks.setdefault(address, []).append(((run, look), _led_to(compiled)))
        self.hosts = frozenset(hosts)
        """Those that a rule names together with others."""
        self.looks: _Looks = looks
        """Of those that rules name alone and do not refuse."""

    def _take(self, test: Test, hosts: set[Address]) -> None:
        if isinstance(test, AddressTest):
            for network in test.networks:
                host = _host(network)
                if host is not None:
                    hosts.add(host)
                else:
                    self.networks.add(network)
        elif isinstance(test, DeviceTest):
            self.patterns.add(test.pattern)
        elif isinstance(test, SetTest):
            self.sets.add(test.name)
        elif isinstance(test, RecentTest) and test.side is Side.SOURCE:
            self.recent = True  # of the one who asks, in nat; of both in other tables
        elif not isinstance(test, _BLIND + _BY_ROUTES):
            self.opaque = True


def _host(network: Masked) -> Address | None:
    host = Address(network.version, network.value)
    return host if network.mask == (1 << host.bits) - 1 else None


def _refuses(rule: CompiledRule) -> bool:
    """Where a request ends people are told of that very rule."""
    return isinstance(rule.target, Decide) and isinstance(rule.target.verdict, Drop | Reject)


def _look(rule: CompiledRule) -> Hashable:
    """What a rule says, but for the one address that it names and the chain that it leads to."""
    is_other = any(isinstance(one, AddressTest) and one.negated for one in rule.tests)
    leads_on = isinstance(rule.target, Jump) and not is_other
    return _asked(rule), "" if leads_on else str(rule.target), rule.goto


def _asked(rule: CompiledRule) -> Hashable:
    tests = tuple(
        (test.side, test.negated)
        if isinstance(test, AddressTest) and len(test.networks) == 1 and _host(test.networks[0])
        else str(test)
        for test in rule.tests
        if not isinstance(test, Comment)
    )
    return tests, rule.chances


def _led_to(rule: CompiledRule) -> str:
    return rule.target.chain if isinstance(rule.target, Jump) else ""


def _led(table: Table, name: str) -> Hashable:
    """What a chain says that stands for one address: its name does not count."""
    chain = table.chains.get(name)
    if chain is None:
        return name
    rules = [compile_rule(rule.text) for rule in chain.rules]
    tests = [one for rule in rules for one in rule.tests if isinstance(one, AddressTest)]
    named = any(_host(network) for one in tests for network in one.networks)
    if named or any(map(_refuses, rules)):
        return name
    return tuple((_asked(rule), str(rule.target), rule.goto) for rule in rules)


questions_of = Derived(Questions)


def mask_of(prefix: Prefix) -> int:
    """The netmask of a prefix, as a number."""
    bits = prefix.address.bits
    return (1 << bits) - (1 << (bits - prefix.length))
