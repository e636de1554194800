"""Which addresses a request could have gone to with the same end.

A Service can have thousands of endpoints, of which all on one node mostly fare alike. One of them
is walked. Another one ends the same, apart from its address, when

- its namespace and the cable to it look the same (devices, routes, sockets, settings), and
- nothing that the walked packets came by tells the two addresses apart: no prefix of a route or of
  a rule in a chain that they were in holds one and not the other, and no rule names either; or
- the other one is behind another node, which is like the walked one's (`k8stui.kernel.transit`),
  and the packets came to that only for the address's sake.

What cannot be told that way (a set, a range, a rule that names the address) is taken for a
difference: then each is walked for itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Hashable, Iterable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

from k8stui.kernel.address import Address
from k8stui.kernel.border import Border, Says
from k8stui.kernel.compile import compile_rule
from k8stui.kernel.exchange import Exchange
from k8stui.kernel.namespace import Interface, Judge, NetNamespace, Network
from k8stui.kernel.nft_ruleset import NftTable
from k8stui.kernel.questions import questions_of
from k8stui.kernel.rules import BUILTIN_CHAINS, Chain, Table
from k8stui.kernel.standing import (
    AddressStanding,
    Cable,
    Near,
    PlacedNames,
    Surroundings,
    device_look,
    route_look,
)
from k8stui.kernel.step import Fork, RuleCause, SocketCause, Way
from k8stui.kernel.targets.base import Jump
from k8stui.kernel.transit import ChainKey, NftKey, Transit, seen_from

_TO = re.compile(r"-j DNAT --to-destination (\S+)$")
_BEFORE = re.compile(r"[\w.:]")
_BEHIND = re.compile(r"[\w.]|:[\da-f]*:")
"""What shows that an address goes on, at either end."""
_STATISTIC = re.compile(r" -m statistic --mode (?:random|nth)(?: (?:! )?--\w+ [\d.]+)+")


class Home(NamedTuple):
    """Where an address lives."""

    namespace: str
    sort: Hashable = None
    """What else tells those who live there from others, beyond what the kernel knows."""
    addresses: tuple[Address, ...] = ()
    """Its own; needed with `twin` alone."""
    twin: Hashable = None
    """Namespaces of one node that have the same here were made in one way from the same, but for
    their addresses and MACs: one of them is looked at, of the others their node's end alone. None:
    nothing is known of how it was made."""


class Alike:
    """Finds what fares as a walked exchange does. Keeps what it works out about addresses."""

    def __init__(self, network: Network, home: Callable[[Address], Home | None]) -> None:
        self._network = network
        self._home = home
        self._sides: dict[str, Surroundings] = {}
        self._standings: dict[Address, AddressStanding | None] = {}
        self._translations: dict[tuple[int, int], _Translation | None] = {}
        self._kinds: dict[tuple[int, int | None], _Kinds] = {}
        self._chains: dict[int, Chain] = {}
        """Keeps alive what `_translations` and `_kinds` know by its identity."""
        self._numbers: dict[Hashable, int] = {}
        self._transits: dict[tuple[str, _Met], Transit] = {}
        self._seen: dict[tuple[str, str], Hashable] = {}
        self._twins: dict[Hashable, _First] = {}

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
        mine = self.standing(address)
        if mine is None:
            return nothing
        stand = [self.standing(other) for other in others]
        asking = {step.namespace for step in exchange.steps} - {mine.home}
        like = [
            other != address
            and his is not None
            and his.look == mine.look
            and his.home not in asking
            for other, his in zip(others, stand, strict=True)
        ]
        leaf = self._leaf(fork)
        found = list(nothing)
        for told in (self._near(exchange, mine, leaf), self._far(exchange, mine, leaf)):
            signature = told(address, mine)
            if signature is None:
                continue
            for place, his in enumerate(stand):
                if like[place] and not found[place] and his is not None:
                    found[place] = told(others[place], his) == signature
        return tuple(found)

    # The ways of a fork

    def _kinds_of(self, fork: Fork) -> _Kinds:
        key = (id(fork.chain), fork.ways[0].place)
        known = self._kinds.get(key)
        if known is None or (known.asked is not fork.ways and known.asked != fork.ways):
            self._chains[id(fork.chain)] = fork.chain
            known = self._kinds[key] = self._sorted(fork)
        return known

    def _sorted(self, fork: Fork) -> _Kinds:
        """The ways by what they do, and by how those stand to whom they lead."""
        kinds = _Kinds(fork.ways)
        for way, made in enumerate(self._led(fork)):
            if made is None:
                continue
            kinds.leads_to[way], kinds.chains[way] = made.address, made.chain
            stands = self.standing(made.address)
            if stands is not None:
                kinds.add(way, (made.shape, stands.look))
        return kinds

    def _led(self, fork: Fork) -> Iterator[_Translation | None]:
        if (table := self._nft_table(fork)) is not None:
            from k8stui.kernel.nft.leads import leads  # noqa: PLC0415 - as in `netfilter`

            for found in leads(table, fork, _unnamed):
                shape = self._numbered(found.shape) if found is not None else 0
                yield found and _Translation(shape, found.address, found.chain)
            return
        for each in fork.ways:
            yield None if each.place is None else self._translation(fork, each.place)

    def _translation(self, fork: Fork, place: int) -> _Translation | None:
        """What a rule does but for the address that it leads to, and that address."""
        key = (id(fork.chain), place)
        if key not in self._translations:
            self._chains[id(fork.chain)] = fork.chain
            self._translations[key] = self._translated(fork, place)
        return self._translations[key]

    def _translated(self, fork: Fork, place: int) -> _Translation | None:
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
        return _Translation(self._numbered(shape), address, own.name if own is not None else "")

    def _numbered(self, what: Hashable) -> int:
        """One number for all that are equal: quicker to compare, and kept once."""
        return self._numbers.setdefault(what, len(self._numbers))

    def _table(self, fork: Fork) -> Table | None:
        for ruleset in self._network[fork.namespace].every_ruleset():
            table = ruleset.tables.get(fork.table)
            if table is not None and table.chains.get(fork.chain.name) is fork.chain:
                return table
        return None

    def _nft_table(self, fork: Fork) -> NftTable | None:
        ruleset = self._network[fork.namespace].nft
        tables = ruleset.tables if ruleset is not None else ()
        return next((one for one in tables if one.called == fork.table), None)

    # Where an address stands

    def standing(self, address: Address) -> AddressStanding | None:
        """None: it lives nowhere that could be compared."""
        if address not in self._standings:
            home = self._home(address)
            self._standings[address] = home and self._stands(address, home)
        return self._standings[address]

    def _stands(self, address: Address, home: Home) -> AddressStanding | None:
        first = self._twins.get(home.twin) if home.twin is not None else None
        found = first and self._as_twin(first, home)
        return found or self._looked_at(address, home)

    def _looked_at(self, address: Address, home: Home) -> AddressStanding | None:
        space = self._network.get(home.namespace)
        if space is None or space.rulesets or space.sets or space.nft is not None:
            return None
        if any(socket.onward or socket.goes_on for socket in space.sockets):
            return None
        own = [one.address for device in space.interfaces for one in device.addresses]
        cables = [device for device in space.interfaces if device.peer is not None]
        if address not in own or len(cables) != 1 or cables[0].peer is None:
            return None
        side = self.side(cables[0].peer[0])
        port = side.devices.get(cables[0].peer[1])
        if port is None:
            return None
        names = PlacedNames(own, (cables[0].mac, port.mac), port.name, side.names)
        plugged = self._numbered(
            (
                tuple(device_look(one, names) for one in space.interfaces),
                tuple(route_look(one, names) for one in space.routes),
                repr((space.policy_rules, space.fdb, space.sysctls)),
                device_look(port, names),
                side.about(own, cables[0].mac, names),
            )
        )
        listeners = tuple(
            (one.protocol, one.port, names.of(one.address), one.answers_as_asked, one.owner)
            + ((one.reason.origin.kind,) if one.reason is not None else ())
            for one in space.sockets
        )
        look = self._numbered((home.sort, plugged, listeners))
        place = self._numbered((side.name, plugged))
        near, cable = Near(space, names), Cable(side.name, port.name)
        found = AddressStanding(home.namespace, cable, names, near, look=look, place=place)
        if home.twin is not None:
            end = _far_end(side, port, own, cables[0].mac, names)
            self._twins[home.twin] = _First(found, home.addresses, tuple(own), near, end)
        return found

    def _as_twin(self, first: _First, home: Home) -> AddressStanding | None:
        """How it stands by how its twin does, if its node says the same of both; else None."""
        side = self.side(first.stands.side)
        ports = side.ports.get(home.namespace, ())
        macs = {one.mac for a in home.addresses for one in side.entries.get(a, ())}
        if len(ports) != 1 or len(macs) != 1 or len(home.addresses) != len(first.addresses):
            return None
        places = dict(zip(first.addresses, home.addresses, strict=True))
        own = [places.get(one, one) for one in first.own]
        port, mac = ports[0], macs.pop()
        names = PlacedNames(own, (mac, port.mac), port.name, side.names)
        if _far_end(side, port, own, mac, names) != first.end:
            return None
        stands, cable = first.stands, Cable(side.name, port.name)
        return AddressStanding(
            home.namespace, cable, names, first.near, look=stands.look, place=stands.place
        )

    def side(self, name: str) -> Surroundings:
        """A namespace that packets to others come through."""
        if name not in self._sides:
            self._sides[name] = Surroundings(name, self._network[name])
        return self._sides[name]

    # What the packets came by

    def _near(
        self, exchange: Exchange, mine: AddressStanding, leaf: tuple[str, str] | None
    ) -> _Signs:
        """Tells addresses behind one node apart; two are alike if it says the same of both."""
        spaces = {step.namespace for step in exchange.steps} - {mine.home}
        border = self._border(exchange, spaces, leaf, own=mine.names.own)
        if border is None:
            return _unlike
        return lambda address, stands: (
            border.signature(address, stands) if stands.side == mine.side else None
        )

    def _far(
        self, exchange: Exchange, mine: AddressStanding, leaf: tuple[str, str] | None
    ) -> _Signs:
        """The same for those behind nodes that packets came through for their sake alone."""
        near = self.side(mine.side)
        spaces = {step.namespace for step in exchange.steps} - {mine.home}
        others = spaces - {near.name}
        own = mine.names.own | frozenset(near.own)
        if leaf is not None and leaf[0] == near.name:
            return _unlike
        if not _only_behind(exchange, near, own) or any(
            self._network[name].machine == near.name for name in others
        ):
            return _unlike
        met = tuple(_visited(exchange, near.space)), _visited_by_nft(exchange, near.space)
        border = None
        if self._transit(near.name, met).is_told:
            border = self._border(exchange, others, leaf, own=own, by_route=True)
        if border is None:
            return _unlike
        machines = {self._network[name].machine or name for name in others}
        ends, sides = sorted(border.ends), sorted(others)
        nodes: dict[str, tuple[int, Transit] | None] = {}

        def of_node(name: str) -> tuple[int, Transit] | None:
            transit = self._transit(name, met)
            side = transit.side
            if name in machines or not transit.is_told:
                return None
            seen = tuple(border.seen(one, side.names, "") for one in side.own)
            if None in seen:
                return None
            says = tuple(transit.about(one, side.names) for one in (*ends, *side.own))
            if None in says:
                return None
            about = tuple(self._seen_from(one, side) for one in sides)
            return self._numbered((transit.look, says, seen, about)), transit

        def told(address: Address, stands: AddressStanding) -> Hashable:
            if stands.side not in nodes:
                nodes[stands.side] = of_node(stands.side)
            node = nodes[stands.side]
            seen = border.signature(address, stands) if node is not None else None
            if node is None or seen is None:
                return None
            number, transit = node
            says = transit.about(address, stands.names)
            return says and (number, says, seen)

        return told

    def _transit(self, name: str, met: _Met) -> Transit:
        key = (name, met)
        if key not in self._transits:
            self._transits[key] = Transit(self.side(name), *met)
        return self._transits[key]

    def _seen_from(self, name: str, node: Surroundings) -> Hashable:
        key = (name, node.name)
        if key not in self._seen:
            self._seen[key] = self._numbered(seen_from(self.side(name), node))
        return self._seen[key]

    def _leaf(self, fork: Fork | None) -> tuple[str, str] | None:
        """Where the fork is, and the chain of its own that the way leads to."""
        own = self._kinds_of(fork).chains.get(fork.chosen) if fork is not None else None
        return (fork.namespace, own) if fork is not None and own else None

    def _border(
        self,
        exchange: Exchange,
        spaces: Iterable[str],
        leaf: tuple[str, str] | None,
        *,
        own: frozenset[Address],
        by_route: bool = False,
    ) -> Border | None:
        """Everything that may tell addresses apart; None: something may, in a way not seen."""
        border = Border()
        for step in exchange.steps:
            border.ends |= {step.before.src, step.before.dst, step.after.src, step.after.dst}
        border.ends -= own
        for name in sorted(spaces):
            side = self.side(name)
            border.enter(side, by_route=by_route)
            border.says += [Says(partial(_judged, one)) for one in side.space.judges]
            rulesets = tuple(side.space.every_ruleset())
            for number, table_name, chain_name in _visited(exchange, side.space):
                if (name, chain_name) == leaf:
                    continue
                table = rulesets[number].tables[table_name]
                asked = questions_of.of(table.chains[chain_name])
                # nat sees only the first packet, from the client
                recent = table_name != "nat" and asked.is_recent
                if recent or not border.ask(asked, table, side.space):
                    return None
            if side.space.nft is not None and not _asked_by_nft(border, exchange, side.space, leaf):
                return None
        return border


_Signs = Callable[[Address, AddressStanding], Hashable]
"""What is seen of an address on the way; None: it is like no other, as far as can be told."""


_Met = tuple[tuple[ChainKey, ...], tuple[NftKey, ...]]
"""Chains that packets were in: of iptables, of nftables."""


def _unlike(_address: Address, _stands: AddressStanding) -> Hashable:
    return None


def _only_behind(exchange: Exchange, node: Surroundings, own: Container[Address]) -> bool:
    """Whether packets came to the node for an address behind it alone, and no trace is left of it.

    `own`: of that address's and of the node's.
    """
    there = [step for step in exchange.steps if step.namespace == node.name]
    return (
        bool(there)
        and exchange.steps[0].namespace != node.name
        and exchange.felt.source_seen not in node.own
        and there[0].before.dst in own
        and not any(isinstance(step.cause, SocketCause) for step in there)
        and all(step.before.src in own or step.before.dst in own for step in there)
    )


class _First(NamedTuple):
    """The one of several twins that was looked at."""

    stands: AddressStanding
    addresses: tuple[Address, ...]
    own: tuple[Address, ...]
    """Those, and what else it has (loopback's)."""
    near: Near
    end: Hashable
    """What its node says of it."""


def _far_end(
    side: Surroundings, port: Interface, own: Sequence[Address], mac: str, names: PlacedNames
) -> Hashable:
    """What stands at the far end of a cable about who is at this one."""
    routed = tuple(side.routed(one, names) for one in own)
    return device_look(port, names), side.about(own, mac, names), routed


class _Translation(NamedTuple):
    """What one way of a fork does."""

    shape: int
    """The same number for all that do the same, but for the address."""
    address: Address
    """Whom it leads to."""
    chain: str
    """Where that is written, if the way has a chain of its own; else empty."""


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
        self.chains: dict[int, str] = {}
        """By which chain of its own; empty: none."""

    def add(self, way: int, kind: Hashable) -> None:
        self.of[way] = kind
        self.ways.setdefault(kind, []).append(way)


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


def _visited(exchange: Exchange, space: NetNamespace) -> Iterator[ChainKey]:
    """The chains that packets were in, or may have been: those of the hooks, and by jumps."""
    causes = [
        step.cause
        for step in exchange.steps
        if step.namespace == space.name and isinstance(step.cause, RuleCause)
    ]
    for number, ruleset in enumerate(space.every_ruleset()):
        for table in ruleset:
            names = list(BUILTIN_CHAINS.get(table.name, ()))
            for cause in causes:
                if cause.table == table.name:
                    names.append(cause.chain.name)
                    if cause.rule is not None:
                        led = _own_chain(table, cause.rule.text)
                        names += [led.name] if led is not None else []
            for name in dict.fromkeys(names):
                if name in table.chains:
                    yield number, table.name, name


def _judged(judge: Judge, address: Address, _device: str) -> Hashable:
    return judge.about(address)


def _visited_by_nft(exchange: Exchange, space: NetNamespace) -> tuple[NftKey, ...]:
    """The same of nftables."""
    if space.nft is None:
        return ()
    from k8stui.kernel.nft.visited import visited  # noqa: PLC0415 - as in `netfilter`

    found = visited(space, exchange.steps)
    return tuple((table.called, chain.name, is_nat) for table, chain, is_nat in found)


def _asked_by_nft(
    border: Border, exchange: Exchange, space: NetNamespace, leaf: tuple[str, str] | None
) -> bool:
    """Take in the chains of nftables that packets were in; False: they may tell in other ways."""
    from k8stui.kernel.nft.questions import ask  # noqa: PLC0415 - as in `netfilter`
    from k8stui.kernel.nft.visited import visited  # noqa: PLC0415 - as above

    for table, chain, is_nat in visited(space, exchange.steps):
        if (space.name, chain.name) == leaf:
            continue
        asked = ask(border, table, chain.chain)
        if asked is None or (asked.is_recent and not is_nat):
            return False
    return True
