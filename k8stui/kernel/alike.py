"""Which addresses a request could have gone to with the same end.

A Service can have thousands of endpoints, of which all on one node mostly fare alike. One of them
is walked. Another one ends the same, apart from its address, when

- its namespace and the cable to it look the same (devices, routes, sockets, settings), and
- nothing that the walked packets came by tells the two addresses apart: no prefix of a route or of
  a rule in a chain that they were in holds one and not the other, and no rule names either.

What cannot be told that way (a set, a range, a rule that names the address) is taken for a
difference: then each is walked for itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import NamedTuple

from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.compile import compile_rule
from k8stui.kernel.derived import Derived
from k8stui.kernel.exchange import Exchange
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
from k8stui.kernel.namespace import Interface, Neighbour, NetNamespace, Network, Route
from k8stui.kernel.rules import BUILTIN_CHAINS, Chain, Table
from k8stui.kernel.step import Fork, RuleCause, Way
from k8stui.kernel.targets.base import Jump

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

_TO = re.compile(r"-j DNAT --to-destination (\S+)$")
_BEFORE = re.compile(r"[\w.:]")
_BEHIND = re.compile(r"[\w.]|:[\da-f]*:")
"""What shows that an address goes on, at either end."""
_STATISTIC = re.compile(r" -m statistic --mode (?:random|nth)(?: (?:! )?--\w+ [\d.]+)+")
_ONE_HOST = re.compile(
    r"-A \S+ -d ([\d.]+)/32 -p \w+ "
    r'(?:-m comment --comment (?:"(?:[^"\\]|\\.)*"|\S+) )?-m \w+ --dport \d+ -j \S+'
)
"""Most rules of a long chain: nothing but one address, a protocol and a port."""


class Home(NamedTuple):
    """Where an address lives."""

    namespace: str
    sort: Hashable = None
    """What else tells those who live there from others, beyond what the kernel knows."""


class Alike:
    """Finds what fares as a walked exchange does. Keeps what it works out about addresses."""

    def __init__(self, network: Network, home: Callable[[Address], Home | None]) -> None:
        self._network = network
        self._home = home
        self._sides: dict[str, _Side] = {}
        self._standings: dict[Address, _Standing | None] = {}
        self._translations: dict[tuple[int, int], tuple[int, Address] | None] = {}
        self._kinds: dict[tuple[int, int | None], _Kinds] = {}
        self._chains: dict[int, Chain] = {}
        """Keeps alive what `_translations` and `_kinds` know by its identity."""
        self._numbers: dict[Hashable, int] = {}

    def ways(self, exchange: Exchange, others: Sequence[int]) -> tuple[int, ...]:
        """Of `others`, indices of ways of the exchange's last fork, those that end as it does."""
        fork = exchange.forks[-1]
        kinds = self._kinds_of(fork)
        mine = kinds.of[fork.chosen]
        if mine is None:
            return ()
        asked = frozenset(others)
        found = [way for way in kinds.ways[mine] if way in asked]
        leads_to = [kinds.leads_to[way] for way in found]
        same = self.addresses(exchange, kinds.leads_to[fork.chosen], leads_to, fork)
        return tuple(way for way, is_same in zip(found, same, strict=True) if is_same)

    def leads_to(self, fork: Fork, way: int) -> Address | None:
        """The address that a way translates to; None where it does not, or it cannot be told."""
        kinds = self._kinds_of(fork)
        return kinds.leads_to.get(way)

    def addresses(
        self,
        exchange: Exchange,
        address: Address,
        others: Sequence[Address],
        fork: Fork | None = None,
    ) -> tuple[bool, ...]:
        """Of each of `others`: whether a request to it ends as this one to `address` did.

        `fork`: where the address was chosen; the chain of its own that it leads to does not count.
        """
        nothing = (False,) * len(others)
        mine = self._standing(address)
        if mine is None:
            return nothing
        border = self._border(exchange, mine, fork)
        if border is None:
            return nothing
        signature = border.signature(address, mine)
        if signature is None:
            return nothing
        asking = {step.namespace for step in exchange.steps} - {mine.home}
        return tuple(
            other != address
            and (his := self._standing(other)) is not None
            and his.look == mine.look
            and his.home not in asking
            and border.signature(other, his) == signature
            for other in others
        )

    # The ways of a fork

    def _kinds_of(self, fork: Fork) -> _Kinds:
        key = (id(fork.chain), fork.ways[0].place)
        known = self._kinds.get(key)
        if known is None or known.asked is not fork.ways:
            known = self._kinds[key] = self._sorted(fork)
        return known

    def _sorted(self, fork: Fork) -> _Kinds:
        """The ways by what they do, and by how those stand to whom they lead."""
        kinds = _Kinds(fork.ways)
        for way, each in enumerate(fork.ways):
            made = None if each.place is None else self._translation(fork, each.place)
            if made is None:
                continue
            shape, kinds.leads_to[way] = made
            stands = self._standing(made[1])
            if stands is not None:
                kinds.add(way, (shape, stands.look))
        return kinds

    def _translation(self, fork: Fork, place: int) -> tuple[int, Address] | None:
        """What a rule does but for the address that it leads to, and that address."""
        key = (id(fork.chain), place)
        if key not in self._translations:
            self._chains[id(fork.chain)] = fork.chain
            self._translations[key] = self._translated(fork, place)
        return self._translations[key]

    def _translated(self, fork: Fork, place: int) -> tuple[int, Address] | None:
        texts = [fork.chain.rules[place].text]
        own = _own_chain(self._table(fork), texts[0])
        if own is not None:
            texts += [rule.text for rule in own.rules]
        found = _TO.search(texts[-1])
        if found is None:
            return None
        written = found[1]
        if written.startswith("["):
            host = written[1:].partition("]")[0]
        else:
            host = written.partition(":")[0] if written.count(":") == 1 else written
        try:
            address = Address.parse(host)
        except ValueError:
            return None
        shape = tuple(
            _unnamed(_STATISTIC.sub("", text).replace(own.name if own else "\n", "@chain"), host)
            for text in texts
        )
        return self._numbered(shape), address

    def _numbered(self, what: Hashable) -> int:
        """One number for all that are equal: quicker to compare, and kept once."""
        return self._numbers.setdefault(what, len(self._numbers))

    def _table(self, fork: Fork) -> Table | None:
        for ruleset in self._network[fork.namespace].rulesets.values():
            table = ruleset.tables.get(fork.table)
            if table is not None and table.chains.get(fork.chain.name) is fork.chain:
                return table
        return None

    # Where an address stands

    def _standing(self, address: Address) -> _Standing | None:
        if address not in self._standings:
            home = self._home(address)
            self._standings[address] = home and self._stands(address, home)
        return self._standings[address]

    def _stands(self, address: Address, home: Home) -> _Standing | None:
        space = self._network.get(home.namespace)
        if space is None or space.rulesets or space.sets:
            return None
        if any(socket.onward for socket in space.sockets):
            return None
        own = [one.address for device in space.interfaces for one in device.addresses]
        cables = [device for device in space.interfaces if device.peer is not None]
        if address not in own or len(cables) != 1 or cables[0].peer is None:
            return None
        side = self._side(cables[0].peer[0])
        port = side.devices.get(cables[0].peer[1])
        if port is None:
            return None
        names = _Names(own, {cables[0].mac, port.mac}, port.name)
        look = self._numbered(
            (
                home.sort,
                side.name,
                tuple(_device(one, names) for one in space.interfaces),
                tuple(_route(one, names) for one in space.routes),
                repr((space.policy_rules, space.fdb, space.sysctls)),
                tuple(
                    (one.protocol, one.port, names.of(one.address), one.answers_as_asked, one.owner)
                    + ((one.reason.origin.kind,) if one.reason is not None else ())
                    for one in space.sockets
                ),
                _device(port, names),
                side.about(own, cables[0].mac, names),
            )
        )
        return _Standing(home.namespace, port.name, names, look, space)

    def _side(self, name: str) -> _Side:
        if name not in self._sides:
            self._sides[name] = _Side(name, self._network[name])
        return self._sides[name]

    # What the packets came by

    def _border(self, exchange: Exchange, mine: _Standing, fork: Fork | None) -> _Border | None:
        """Everything that may tell addresses apart; None: something may, in a way not seen."""
        own = ""
        if fork is not None:
            rule = fork.rule(fork.chosen)
            chain = _own_chain(self._table(fork), rule.text) if rule is not None else None
            own = chain.name if chain is not None else ""
        border = _Border()
        for step in exchange.steps:
            border.ends |= {step.before.src, step.before.dst, step.after.src, step.after.dst}
        border.ends -= mine.names.own
        spaces = {step.namespace for step in exchange.steps} - {mine.home}
        for name in sorted(spaces):
            side = self._side(name)
            border.sides.append(side)
            for prefix in side.prefixes:
                border.add(Masked(prefix.address.version, prefix.address.value, _mask(prefix)))
            border.named += [frozenset(one.addresses) for one in side.space.unmodelled]
            for chain, in_nat in _visited(exchange, side.space):
                if name == getattr(fork, "namespace", None) and chain.name == own:
                    continue
                asked = _asks.of(chain)
                if asked.opaque or (asked.recent and not in_nat):
                    return None
                border.named.append(asked.hosts)
                border.patterns |= asked.patterns
                for network in asked.networks:
                    border.add(network)
        return border


class _Kinds:
    """The ways of one fork, by what they do."""

    def __init__(self, asked: tuple[Way, ...]) -> None:
        self.asked = asked
        self.of: list[Hashable] = [None] * len(asked)
        """Of each way its kind; None: like no other, as far as can be told."""
        self.ways: dict[Hashable, list[int]] = {}
        """Those of one kind, ascending."""
        self.leads_to: dict[int, Address] = {}
        """To whom a way leads, where that can be told."""

    def add(self, way: int, kind: Hashable) -> None:
        self.of[way] = kind
        self.ways.setdefault(kind, []).append(way)


class _Names:
    """What is a namespace's own is called by its place, so that two can be compared."""

    def __init__(self, own: list[Address], macs: set[str], device: str) -> None:
        self._own = {address: place for place, address in enumerate(own)}
        self.own = frozenset(own)
        self._macs, self._device = macs, device

    def of(self, address: Address | None) -> object:
        return None if address is None else self._own.get(address, address)

    def mac(self, mac: str) -> str:
        return "@" if mac in self._macs else mac

    def device(self, name: str | None) -> str | None:
        return "@" if name == self._device else name


class _Standing:
    """Where one address lives, and how."""

    __slots__ = ("_neighbours", "_span", "always", "home", "look", "names", "port")

    def __init__(self, home: str, port: str, names: _Names, look: int, space: NetNamespace) -> None:
        self.home = home
        self.port = port
        """The device at the other end of its cable."""
        self.names = names
        self.look = look
        """The same number for all that look the same."""
        self._neighbours = space.neighbours
        known = [one.address for one in space.neighbours]
        self._span = (min(known), max(known)) if known else None
        gateways = {route.gateway for route in space.routes}
        self.always = tuple(one for one in space.neighbours if one.address in gateways)
        """Neighbours that every packet may need."""

    def near(self, ends: Iterable[Address]) -> tuple[tuple[Neighbour, ...], ...]:
        """Its neighbours as far as they matter to packets between those `ends`.

        All on its node are its neighbours, and few of them have part in a walk.
        """
        if self._span is None:
            return (self.always,)
        first, last = self._span
        asked = [one for one in ends if first <= one <= last]
        if not asked:
            return (self.always,)
        return self.always, tuple(one for one in self._neighbours if one.address in asked)


class _Entry(NamedTuple):
    """A line of a neighbour table or of a bridge's."""

    address: Address | None
    mac: str
    device: str
    more: tuple[object, ...]


class _Side:
    """One namespace with what it says about single addresses and devices, by these."""

    def __init__(self, name: str, space: NetNamespace) -> None:
        self.name, self.space = name, space
        self.devices = {device.name: device for device in space.interfaces}
        self.routes: dict[Address, list[Route]] = {}
        """To one address only."""
        self.by_device: dict[str, list[Route]] = {}
        prefixes: set[Prefix] = set()
        for route in space.routes:
            whole = route.destination
            if whole.length == whole.address.bits:
                self.routes.setdefault(whole.address, []).append(route)
            else:
                prefixes.add(whole)
                self.by_device.setdefault(route.device or "", []).append(route)
        for rule in space.policy_rules:
            prefixes |= {one for one in (rule.source, rule.destination) if one is not None}
        self.prefixes = frozenset(prefixes)
        self.entries: dict[object, list[_Entry]] = {}
        """Of the neighbour tables, by address, MAC and device."""
        for near in space.neighbours:
            self._enter(near.address, near.mac, near.device)
        for entry in space.fdb:
            self._enter(None, entry.mac, entry.device, entry.permanent, entry.destination)

    def _enter(self, address: Address | None, mac: str, device: str, *more: object) -> None:
        for key in (address, mac, device):
            self.entries.setdefault(key, []).append(_Entry(address, mac, device, more))

    def about(self, own: list[Address], mac: str, names: _Names) -> tuple[object, ...]:
        """What stands here about one cable, in the words of `names`."""
        device = next((key for key in self.devices if names.device(key) == "@"), "")
        entries = [
            (names.of(one.address), names.mac(one.mac), names.device(one.device), one.more)
            for key in (*own, mac, device)
            for one in self.entries.get(key, ())
        ]
        routes = [_route(one, names) for one in self.by_device.get(device, ())]
        return (tuple(entries), tuple(routes))

    def to(self, address: Address, names: _Names) -> tuple[object, ...]:
        """The routes to this one address."""
        return tuple(_route(one, names) for one in self.routes.get(address, ()))


class _Border:
    """What may tell two addresses apart on one way."""

    def __init__(self) -> None:
        self.sides: list[_Side] = []
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

    def signature(self, address: Address, stands: _Standing) -> tuple[object, ...] | None:
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


class _Asks:
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


_asks = Derived(_Asks)


def _unnamed(text: str, host: str) -> str:
    """The text with ``@`` for each mention of the address, not of a longer one that holds it."""
    before, *rest = text.split(host)
    told = before
    for behind in rest:
        whole = not _BEFORE.search(told[-1:]) and not _BEHIND.match(behind)
        told += ("@" if whole else host) + behind
    return told


def _own_chain(table: Table | None, text: str) -> Chain | None:
    """The chain that a rule leads to, if it does."""
    target = compile_rule(text).target
    return table.chains.get(target.chain) if table and isinstance(target, Jump) else None


def _visited(exchange: Exchange, space: NetNamespace) -> Iterator[tuple[Chain, bool]]:
    """The chains that packets were in, or may have been: those of the hooks, and by jumps.

    With each, whether it is one of nat, which sees only the first packet, from the client.
    """
    for ruleset in space.rulesets.values():
        for table in ruleset:
            names = list(BUILTIN_CHAINS.get(table.name, ()))
            for step in exchange.steps:
                cause = step.cause
                if (
                    isinstance(cause, RuleCause)
                    and step.namespace == space.name
                    and cause.table == table.name
                ):
                    names.append(cause.chain.name)
                    if cause.rule is not None:
                        led = _own_chain(table, cause.rule.text)
                        names += [led.name] if led is not None else []
            for name in dict.fromkeys(names):
                if name in table.chains:
                    yield table.chains[name], table.name == "nat"


def _mask(prefix: Prefix) -> int:
    bits = prefix.address.bits
    return (1 << bits) - (1 << (bits - prefix.length))


def _device(one: Interface, names: _Names) -> tuple[object, ...]:
    return (
        names.device(one.name),
        one.kind,
        names.mac(one.mac),
        one.mtu_bytes,
        one.up,
        one.carrier,
        one.master,
        one.port,
        one.vxlan,
        one.peer is None,
        tuple(
            (names.of(at.address), at.prefix_length, at.scope, at.broadcast, at.secondary)
            for at in one.addresses
        ),
    )


def _route(one: Route, names: _Names) -> tuple[object, ...]:
    return (
        names.of(one.destination.address),
        one.destination.length,
        names.device(one.device),
        one.gateway,
        names.of(one.source),
        one.type,
        one.scope,
        one.table,
        one.protocol,
        one.metric,
        one.onlink,
    )
