"""Where an address stands, told so that those who stand alike are told alike.

What is an address's own (its devices, its MACs, and those of the node that it is behind) is called
by its place; the rest by its name.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.matches.header import Network
from k8stui.kernel.namespace import (
    Interface,
    InterfaceAddress,
    LinkKind,
    Neighbour,
    NetNamespace,
    PolicyRule,
    Route,
)


class PlacedNames:
    """What is a namespace's own is called by its place, so that two can be compared."""

    def __init__(
        self,
        own: Sequence[Address],
        macs: Sequence[str],
        device: str,
        behind: PlacedNames | None = None,
    ) -> None:
        """Of an address that is `behind` a node what is the node's own has its place there."""
        self.own = frozenset(own)
        self._own: dict[Address, object] = {one: place for place, one in enumerate(own)}
        self._macs = {mac: f"@{place}" for place, mac in enumerate(macs)}
        self.cable, self.behind = device, behind

    def of(self, address: Address | None) -> object:
        if address is None:
            return None
        found = self._own.get(address)
        if found is not None or self.behind is None:
            return address if found is None else found
        place = self.behind.of(address)
        return place if place is address else ("node", place)

    def mac(self, mac: str) -> str:
        found = self._macs.get(mac)
        if found is not None or self.behind is None:
            return found or mac
        place = self.behind.mac(mac)
        return place if place is mac else f"node {place}"

    def device(self, name: str | None) -> str | None:
        if name == self.cable:
            return "@"
        is_nodes = self.behind is not None and self.behind.device(name) == "@"
        return "node @" if is_nodes else name


class AddressStanding:
    """Where one address lives, and how."""

    __slots__ = ("_near", "home", "look", "names", "place", "port", "side")

    def __init__(
        self, home: str, cable: Cable, names: PlacedNames, near: Near, *, look: int, place: int
    ) -> None:
        self.home = home
        self.side, self.port = cable
        """The namespace and the device at the other end of its cable."""
        self.names = names
        self.look = look
        """The same number for all that look the same, on whatever node."""
        self.place = place
        """The same number for all that are plugged in alike, whoever listens there."""
        self._near = near

    def near(self, ends: Iterable[Address]) -> tuple[tuple[object, ...], ...]:
        """Its neighbours as far as they matter to packets between those `ends`."""
        return self._near.between(ends)


class Cable(NamedTuple):
    """The far end of a cable."""

    namespace: str
    device: str


class Near:
    """The neighbours of one namespace. All on its node are, and few of them have part in a walk."""

    def __init__(self, space: NetNamespace, names: PlacedNames) -> None:
        self._neighbours, self._names = space.neighbours, names
        known = [one.address for one in space.neighbours]
        self._span = (min(known), max(known)) if known else None
        gateways = {route.gateway for route in space.routes}
        self._always = self._looks(one for one in space.neighbours if one.address in gateways)
        """Neighbours that every packet may need."""

    def between(self, ends: Iterable[Address]) -> tuple[tuple[object, ...], ...]:
        """Those that matter to packets between the `ends`."""
        if self._span is None:
            return (self._always,)
        first, last = self._span
        asked = [one for one in ends if first <= one <= last]
        if not asked:
            return (self._always,)
        return self._always, self._looks(one for one in self._neighbours if one.address in asked)

    def _looks(self, neighbours: Iterable[Neighbour]) -> tuple[object, ...]:
        """By what they do to a packet: the far end of a cable has another MAC on each."""
        names = self._names
        return tuple(
            (names.of(one.address), names.mac(one.mac), names.device(one.device))
            for one in neighbours
        )


class TableLine(NamedTuple):
    """A line of a neighbour table or of a bridge's."""

    address: Address | None
    mac: str
    device: str
    more: tuple[object, ...]


class Surroundings:
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
            if _is_host(route):
                self.routes.setdefault(whole.address, []).append(route)
            else:
                prefixes.add(whole)
                self.by_device.setdefault(route.device or "", []).append(route)
        self.rules: dict[Address, list[object]] = {}
        """Of ``ip rule``, what those say of an address that name just that one."""
        asked: set[Prefix] = set()
        run, before = 0, None
        for rule in space.policy_rules:
            ends = [one for one in (rule.source, rule.destination) if one is not None]
            hosts = [one for one in ends if one.length == one.address.bits]
            look = _rule_look(rule, hosts[0]) if len(hosts) == 1 else None
            if look is None or look != before:
                run, before = run + 1, look  # side by side they may stand in any order
            if look is None:
                asked |= set(ends)
            else:
                asked |= set(ends) - set(hosts)
                self.rules.setdefault(hosts[0].address, []).append((run, look))
        self.ports: dict[str, list[Interface]] = {}
        """Ends of cables here, by the namespace at the other end."""
        for device in space.interfaces:
            if device.peer is not None:
                self.ports.setdefault(device.peer[0], []).append(device)
        self._routed: dict[Hashable, tuple[object, ...]] = {}
        self.asked = tuple(map(network_of, asked))
        """Networks that ``ip rule`` asks for."""
        self.networks = tuple(map(network_of, prefixes | asked))
        """Those, and the ones that routes lead to."""
        self.entries: dict[object, list[TableLine]] = {}
        """Of the neighbour tables, by address, MAC and device."""
        for near in space.neighbours:
            self._enter(near.address, near.mac, near.device)
        for entry in space.fdb:
            self._enter(None, entry.mac, entry.device, entry.permanent, entry.destination)

        self.tracked: dict[Address, set[Address]] = {}
        """By address whom it has connections with that conntrack knew before."""
        for known in space.tracked:
            sides = known.original, known.reply
            both = {address for one in sides for address in (one.src, one.dst)}
            for address in both:
                self.tracked.setdefault(address, set()).update(both)

    def _enter(self, address: Address | None, mac: str, device: str, *more: object) -> None:
        for key in (address, mac, device):
            self.entries.setdefault(key, []).append(TableLine(address, mac, device, more))

    def about(self, own: Sequence[Address], mac: str, names: PlacedNames) -> tuple[object, ...]:
        """What stands here about one cable, in the words of `names`."""
        device = names.cable if names.cable in self.devices else ""
        entries = [
            line_look(one, names)
            for key in (*own, mac, device)
            for one in self.entries.get(key, ())
        ]
        routes = [route_look(one, names) for one in self.by_device.get(device, ())]
        return (tuple(entries), tuple(routes))

    def to(self, address: Address, names: PlacedNames) -> tuple[object, ...]:
        """The routes to this one address, and the rules about it."""
        routes = [route_look(one, names) for one in self.routes.get(address, ())]
        return (*routes, *self.rules.get(address, ()))

    def routed(self, address: Address, names: PlacedNames) -> Hashable:
        """All routes that hold the address, the longest first, and the rules about it alone.

        To where they lead does not count beyond that: two that hold one address each may be alike.
        """
        value = address.value
        # Of what is one address's own only a route to it alone could speak.
        words = names.behind or names
        key = (
            words,
            *[value & mask for mask, bases in self._wide[address.version] if value & mask in bases],
        )
        found = self._routed.get(key)
        if found is None:
            found = self._routed[key] = tuple(
                route_look(one, words)[1:] for one in self._to(address) if not _is_host(one)
            )
        if address not in self.routes and address not in self.rules:
            return found
        return (*self.to(address, names), found)

    @cached_property
    def _wide(self) -> Mapping[int, list[tuple[int, dict[int, list[Route]]]]]:
        """By family the masks of routes to more than one address, and what is under them."""
        found: dict[int, list[tuple[int, dict[int, list[Route]]]]] = {4: [], 6: []}
        for (version, mask), routes in self._masked.items():
            if not any(map(_is_host, next(iter(routes.values())))):
                found[version].append((mask, routes))
        return found

    def _to(self, address: Address) -> Iterator[Route]:
        for (version, mask), held in self._masked.items():
            if version == address.version:
                yield from held.get(address.value & mask, ())

    def gateways(self, address: Address) -> Iterator[Address]:
        """To whom its routes lead first."""
        for one in self._to(address):
            yield from (hop.gateway for hop in (one, *one.hops) if hop.gateway is not None)

    def lines(self, address: Address, names: PlacedNames) -> tuple[object, ...]:
        """What the neighbour tables say of an address, and the bridges' of where it lives."""
        near = [one for one in self.entries.get(address, ()) if one.address == address]
        behind = [one for near_one in near for one in self.entries.get(near_one.mac, ())]
        return tuple(line_look(one, names) for one in (*near, *behind))

    @cached_property
    def _masked(self) -> dict[tuple[int, int], dict[int, list[Route]]]:
        return _by_mask(self.space.routes)

    @cached_property
    def own(self) -> tuple[Address, ...]:
        """Its own addresses, but for those of loopback."""
        return tuple(one.address for device in self._addressed for one in device.addresses)

    @cached_property
    def names(self) -> PlacedNames:
        """What is its own, at the far end of its cable too."""
        networks = [one.network for device in self._addressed for one in device.addresses]
        bases = [each.nth(place) for each in networks for place in (0, -1)]
        far = [one.peer for one in self._addressed if one.peer is not None]
        macs = [one.mac for one in self._addressed]
        return PlacedNames((*self.own, *bases), macs, far[0][1] if len(far) == 1 else "")

    @cached_property
    def look(self) -> object:
        """What it is itself, in its own words: devices with addresses, and settings."""
        space = self.space
        devices = tuple(device_look(one, self.names) for one in self._addressed)
        return devices, repr((space.policy_rules, replace(space.sysctls, reasons={})))

    @cached_property
    def _addressed(self) -> list[Interface]:
        devices = self.space.interfaces
        return [one for one in devices if one.addresses and one.kind is not LinkKind.LOOPBACK]


def _is_host(one: Route) -> bool:
    return one.destination.length == one.destination.address.bits


def _by_mask(routes: Iterable[Route]) -> dict[tuple[int, int], dict[int, list[Route]]]:
    """Routes by family and mask, the longest first, and by what is under the mask."""
    found: dict[tuple[int, int], dict[int, list[Route]]] = {}
    for one in sorted(routes, key=lambda one: -one.destination.length):
        version, value, mask = network_of(one.destination)
        found.setdefault((version, mask), {}).setdefault(value, []).append(one)
    return found


def line_look(one: TableLine, names: PlacedNames) -> tuple[object, ...]:
    """A line in the words of `names`."""
    more = tuple(names.of(each) if isinstance(each, Address) else each for each in one.more)
    return names.of(one.address), names.mac(one.mac), names.device(one.device), more


def network_of(prefix: Prefix) -> Network:
    """As rules ask for it."""
    address, length = prefix
    mask = (1 << address.bits) - (1 << (address.bits - length))
    return Network(address.version, address.value, mask)


def device_look(one: Interface, names: PlacedNames) -> tuple[object, ...]:
    """All of a device by which two could fare differently, in the words of `names`."""
    return (
        names.device(one.name),
        one.kind,
        names.mac(one.mac),
        one.mtu_bytes,
        one.up,
        one.carrier,
        one.master,
        one.port,
        one.vxlan and (names.of(one.vxlan.local), replace(one.vxlan, local=_NOBODY)),
        one.ipip and (names.of(one.ipip.local), replace(one.ipip, local=None)),
        one.driver,
        one.program_in,
        one.program_out,
        one.peer is None,
        tuple(
            (names.of(at.address), at.prefix_length, at.scope, at.secondary, _usual(at))
            for at in one.addresses
        ),
    )


_NOBODY = Address(4, 0)


def _usual(at: InterfaceAddress) -> object:
    """Its broadcast address; True: the last of its network."""
    return at.broadcast is not None and (at.broadcast == at.network.nth(-1) or at.broadcast)


def route_look(one: Route, names: PlacedNames) -> tuple[object, ...]:
    """The same of a route."""
    return (
        names.of(one.destination.address),
        one.destination.length,
        names.device(one.device),
        names.of(one.gateway),
        names.of(one.source),
        one.type,
        one.scope,
        one.table,
        one.protocol,
        one.metric,
        one.onlink,
        (one.mtu_bytes, one.mtu_locked, one.encap),
        tuple(route_look(hop, names) for hop in one.hops),
        one.weight,
    )


def _rule_look(one: PolicyRule, host: Prefix) -> object:
    """A rule in which one address stands, but for that address."""
    source, destination = (None if end == host else end for end in (one.source, one.destination))
    return one.source == host, replace(one, source=source, destination=destination)
