"""What the rules of one chain ask of addresses and devices; here those of iptables.

What is not known to look at no address is taken to look at all.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence

from k8stui.kernel.address import Address
from k8stui.kernel.compile import CompiledRule, compile_rule
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
    Network,
    ProtocolTest,
    Side,
)
from k8stui.kernel.matches.lists import RecentTest, SetTest
from k8stui.kernel.matches.place import (
    AddressTypeTest,
    LimitInterface,
    OwnerTest,
    ReversePathTest,
)
from k8stui.kernel.matches.ports import IcmpTest, PortTest, TcpFlagsTest
from k8stui.kernel.rules import Chain, Table
from k8stui.kernel.targets.base import Decide, Jump
from k8stui.kernel.verdict import Dnat, Drop, Netmap, Reject, Snat
from k8stui.record import record

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

Look = tuple[Hashable, str]
"""Where in a chain a rule stands and what it says but for an address; the chain it leads to."""
Looks = Mapping[Address, Sequence[Look]]


@record(frozen=False)
class Questions:
    """What one chain asks."""

    networks: set[Network]
    hosts: set[Address]
    """Those that a rule names together with others, or refuses."""
    looks: Looks
    """Of those that rules name alone and do not refuse."""
    patterns: set[str]
    """Of devices' names, as iptables writes them."""
    sets: set[str]
    is_opaque: bool = False
    """A rule may tell addresses apart in a way not seen here."""
    is_recent: bool = False
    """A rule remembers the sources of packets, or asks whom another one has remembered."""

    def name(self, network: Network) -> None:
        """A rule asks for a network, or together with other things for a single address."""
        host = one_host(network)
        if host is not None:
            self.hosts.add(host)
        else:
            self.networks.add(network)


def nothing_asked() -> Questions:
    """To be filled."""
    return Questions(set(), set(), {}, set(), set())


def one_host(network: Network) -> Address | None:
    """The only address of a network; None: it has several."""
    host = Address(network.version, network.value)
    return host if network.mask == (1 << host.bits) - 1 else None


def _read(chain: Chain) -> Questions:
    found = nothing_asked()
    looks: dict[Address, list[Look]] = {}
    run, before = 0, None
    """Rules side by side that say the same, each of another address: their order is nothing."""
    for rule in chain.rules:
        one = _ONE_HOST.fullmatch(rule.text)
        if one is not None:
            run, before = run + 1, None
            try:
                found.hosts.add(Address.parse(one[1]))
            except ValueError:
                found.is_opaque = True
            continue
        compiled = compile_rule(rule.text)
        asked = nothing_asked()
        for test in compiled.tests:
            _take(asked, test)
        named = asked.hosts
        look = _look(compiled) if len(named) == 1 and not _refuses(compiled) else None
        if look is None or look != before:
            run, before = run + 1, look
        if look is None:
            found.hosts |= named
        for address in named if look is not None else ():
            looks.setdefault(address, []).append(((run, look), _led_to(compiled)))
        found.networks |= asked.networks
        found.patterns |= asked.patterns
        found.sets |= asked.sets
        found.is_opaque |= asked.is_opaque or _chooses(compiled)
        found.is_recent |= asked.is_recent
    found.looks = looks
    return found


questions_of = Derived(_read)


def _take(asked: Questions, test: Test) -> None:
    if isinstance(test, AddressTest):
        for network in test.networks:
            asked.name(network)
    elif isinstance(test, DeviceTest):
        asked.patterns.add(test.pattern)
    elif isinstance(test, SetTest):
        asked.sets.add(test.name)
    elif isinstance(test, RecentTest) and test.side is Side.SOURCE:
        asked.is_recent = True  # of the one who asks, in nat; of both in other tables
    elif not isinstance(test, _BLIND + _BY_ROUTES):
        asked.is_opaque = True


def _chooses(rule: CompiledRule) -> bool:
    """Whether NAT takes another address for each (nf_nat_core.c find_best_ips_proto; NETMAP)."""
    verdict = rule.target.verdict if isinstance(rule.target, Decide) else None
    if isinstance(verdict, Dnat | Snat):
        return verdict.addresses is not None and verdict.addresses[0] != verdict.addresses[1]
    return isinstance(verdict, Netmap)


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
        if isinstance(test, AddressTest) and len(test.networks) == 1 and one_host(test.networks[0])
        else str(test)
        for test in rule.tests
        if not isinstance(test, Comment)
    )
    return tests, rule.chances


def _led_to(rule: CompiledRule) -> str:
    return rule.target.chain if isinstance(rule.target, Jump) else ""


def led(table: Table, name: str) -> Hashable:
    """What a chain says that stands for one address: its name does not count."""
    chain = table.chains.get(name)
    if chain is None:
        return name
    rules = [compile_rule(rule.text) for rule in chain.rules]
    tests = [one for rule in rules for one in rule.tests if isinstance(one, AddressTest)]
    named = any(one_host(network) for one in tests for network in one.networks)
    if named or any(map(_refuses, rules)):
        return name
    return tuple((_asked(rule), str(rule.target), rule.goto) for rule in rules)
