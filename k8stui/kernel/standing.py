"""Where an address stands, told so that those who stand alike are told alike.

What is an address's own (its devices, its MACs) is called by its place; the rest by its name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.matches.header import Network
from k8stui.kernel.namespace import Interface, Neighbour, NetNamespace, PolicyRule, Route


class PlacedNames:
    """What is a namespace's own is called by its place, so that two can be compared."""

    def __init__(self, own: list[Address], macs: Sequence[str], device: str) -> None:
        self._own = {address: place for place, address in enumerate(own)}
        self.own = frozenset(own)
        self._macs = {mac: f"@{place}" for place, mac in enumerate(macs)}
        self._device = device

    def of(self, address: Address | None) -> object:
        return None if address is None else self._own.get(address, address)

    def mac(self, mac: str) -> str:
        return self._macs.get(mac, mac)

    def device(self, name: str | None) -> str | None:
        return "@" if name == self._device else name


class AddressStanding:
    """Where one address lives, and how."""

    __slots__ = ("_neighbours", "_span", "always", "home", "look", "names", "place", "port")

    def __init__(
        self,
        home: str,
        port: str,
        names: PlacedNames,
        look: int,
        space: NetNamespace,
        *,
        place: int,
    ) -> None:
        self.home = home
        self.port = port
        """The device at the other end of its cable."""
        self.names = names
        self.look = look
        """The same number for all that look the same."""
        self.place = place
        """The same number for all that are plugged in alike, whoever listens there."""
        self._neighbours = space.neighbours
        known = [one.address for one in space.neighbours]
        self._span = (min(known), max(known)) if known else None
        gateways = {route.gateway for route in space.routes}
        self.always = self._looks(one for one in space.neighbours if one.address in gateways)
        """Neighbours that every packet may need."""

    def near(self, ends: Iterable[Address]) -> tuple[tuple[object, ...], ...]:
        """Its neighbours as far as they matter to packets between those `ends`.

        All on its node are its neighbours, and few of them have part in a walk.
        """
        if self._span is None:
            return (self.always,)
        first, last = self._span
        asked = [one for one in ends if first <= one <= last]
        if not asked:
            return (self.always,)
        return self.always, self._looks(one for one in self._neighbours if one.address in asked)

    def _looks(self, neighbours: Iterable[Neighbour]) -> tuple[object, ...]:
        """By what they do to a packet: the far end of a cable has another MAC on each."""
        names = self.names
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
            if whole.length == whole.address.bits:
                self.routes.setdefault(whole.address, []).append(route)
            else:
                prefixes.add(whole)
                self.by_device.setdefault(route.device or "", []).append(route)
        self.rules: dict[Address, list[object]] = {}
        """Of ``ip rule``, what those say of an address that name just that one."""
        run, before = 0, None
        for rule in space.policy_rules:
            ends = [one for one in (rule.source, rule.destination) if one is not None]
            hosts = [one for one in ends if one.length == one.address.bits]
            look = _rule_look(rule, hosts[0]) if len(hosts) == 1 else None
            if look is None or look != before:
                run, before = run + 1, look  # side by side they may stand in any order
            if look is None:
                prefixes |= set(ends)
            else:
                prefixes |= set(ends) - set(hosts)
                self.rules.setdefault(hosts[0].address, []).append((run, look))
        self.networks = tuple(map(network_of, prefixes))
        """That routes and rules ask for."""
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

    def about(self, own: list[Address], mac: str, names: PlacedNames) -> tuple[object, ...]:
        """What stands here about one cable, in the words of `names`."""
        device = next((key for key in self.devices if names.device(key) == "@"), "")
        entries = [
            (names.of(one.address), names.mac(one.mac), names.device(one.device), one.more)
            for key in (*own, mac, device)
            for one in self.entries.get(key, ())
        ]
        routes = [route_look(one, names) for one in self.by_device.get(device, ())]
        return (tuple(entries), tuple(routes))

    def to(self, address: Address, names: PlacedNames) -> tuple[object, ...]:
        """The routes to this one address, and the rules about it."""
        routes = [route_look(one, names) for one in self.routes.get(address, ())]
        return (*routes, *self.rules.get(address, ()))


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
        one.vxlan,
        one.ipip,
        one.peer is None,
        tuple(
            (names.of(at.address), at.prefix_length, at.scope, at.broadcast, at.secondary)
            for at in one.addresses
        ),
    )


def route_look(one: Route, names: PlacedNames) -> tuple[object, ...]:
    """The same of a route."""
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


def _rule_look(one: PolicyRule, host: Prefix) -> object:
    """A rule in which one address stands, but for that address."""
    source, destination = (None if end == host else end for end in (one.source, one.destination))
    return one.source == host, replace(one, source=source, destination=destination)
