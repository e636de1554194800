"""What on a walked way may tell two addresses apart: prefixes, names, patterns of devices."""

from __future__ import annotations

from collections.abc import Callable, Container, Hashable
from functools import partial
from typing import NamedTuple

from k8stui.kernel.address import Address
from k8stui.kernel.ipset import IpSet
from k8stui.kernel.matches.header import Network as Masked
from k8stui.kernel.matches.header import device_matches
from k8stui.kernel.namespace import NetNamespace
from k8stui.kernel.questions import Looks, Questions, led
from k8stui.kernel.rules import Table
from k8stui.kernel.standing import AddressStanding, PlacedNames, Surroundings


class Says(NamedTuple):
    """A set, or a judge."""

    about: Callable[[Address, str], Hashable]
    """What it says of an address and of the device in front of it."""
    named: Container[Address] | None = None
    """Of whom it says anything; None: of all."""


class Border:
    """What may tell two addresses apart on one way."""

    def __init__(self) -> None:
        self.sides: list[Surroundings] = []
        self.routed: list[Surroundings] = []
        """Those whose routes count by where they lead, and not by what else they hold."""
        self.named: list[Container[Address]] = []
        """Addresses that rules name, each in a way of its own."""
        self.looks: list[tuple[Looks, Table]] = []
        """What rules say of each address that they name alone, and in which table."""
        self.says: list[Says] = []
        self.patterns: set[str] = set()
        self.ends: set[Address] = set()
        """Whom the walked packets came from or went to."""
        self._masks: dict[int, dict[int, set[int]]] = {}
        """Networks by family and mask."""

    def enter(self, side: Surroundings, *, by_route: bool = False) -> None:
        """Take in a namespace that packets come through, but for its rules; behind `ends`.

        `by_route`: which routes hold an address counts only by what these do.
        """
        (self.routed if by_route else self.sides).append(side)
        space = side.space
        self.named += [frozenset(one.addresses) for one in space.unmodelled]
        self.named += [space.absent] if space.absent else []
        self.named += [side.tracked[one] for one in self.ends if one in side.tracked]
        for network in side.asked if by_route else side.networks:
            self.add(network)

    def add(self, network: Masked) -> None:
        """It may count whether an address is in there."""
        masks = self._masks.setdefault(network.version, {})
        masks.setdefault(network.mask, set()).add(network.value)

    def ask(self, asked: Questions, table: Table, space: NetNamespace) -> bool:
        """Take in a chain of iptables; False: it may tell addresses apart in a way not seen."""
        self.take(asked)
        if asked.looks:
            self.looks.append((asked.looks, table))
        found = [space.sets[name] for name in asked.sets if name in space.sets]
        self.says += [Says(partial(_holds, one)) for one in found]
        return not asked.is_opaque and all(one.of_addresses for one in found)

    def take(self, asked: Questions) -> None:
        """Take in what rules ask, but for their sets."""
        self.named += [asked.hosts] if asked.hosts else []
        self.patterns |= asked.patterns
        for network in asked.networks:
            self.add(network)

    def signature(self, address: Address, stands: AddressStanding) -> tuple[object, ...] | None:
        """All that is seen of an address on the way; None: a rule names it."""
        seen = self.seen(address, stands.names, stands.port)
        return seen and (*seen, stands.near(self.ends))

    def seen(self, address: Address, names: PlacedNames, port: str) -> tuple[object, ...] | None:
        """The same without what is seen where it stands. `port`: the device in front of it."""
        for hosts in self.named:
            if address in hosts:
                return None
        value = address.value
        held = tuple(
            [
                base if (base := value & mask) in values else None
                for mask, values in self._masks.get(address.version, {}).items()
            ]
        )
        routes: list[Hashable] = [side.to(address, names) for side in self.sides]
        routes += [side.routed(address, names) for side in self.routed]
        devices = frozenset(one for one in self.patterns if device_matches(one, port))
        told = [
            (number, look, led(table, name))
            for number, (looks, table) in enumerate(self.looks)
            if address in looks  # of a hundred thousand most are in none
            for look, name in looks[address]
        ]
        said = [
            (number, about(address, port))
            for number, (about, named) in enumerate(self.says)
            if named is None or address in named
        ]
        return held, tuple(routes), devices, tuple(told), tuple(said)


def _holds(one: IpSet, address: Address, _device: str) -> bool:
    return one.has(address)
