"""Askers by what their pairs with one who is asked are made of: see `reach`."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from k8stui.cluster.mesh.met import standing
from k8stui.cluster.model import Service
from k8stui.cluster.selectors import selects
from k8stui.kernel.address import Address
from k8stui.reach.ends import Asked, Asker
from k8stui.reach.places import Places
from k8stui.reach.relations import Actor, Relations, bits
from k8stui.reach.ways import Choices, RequestWay, Ways
from k8stui.walk.request import outside_addresses
from k8stui.walk.source import OUTSIDE
from k8stui.walk.world import World


class Part(NamedTuple):
    """What a class is made of: all that counts, and how to walk it."""

    key: int
    given: tuple[int, ...] = ()
    of: int = 1
    lands: Address | None = None


Sorted = tuple[int, tuple[Part, ...]]
"""Askers, and what the parts of their pairs are."""
Cells = Sequence[Sorted]


_Told = tuple[int, int, bool]
"""How one who asks stands to the policies that select him, and to those that select whom he asks
(0: there are none); whether he asks himself."""


class _Splits(NamedTuple):
    """Ways of one who is asked, and all askers by how they stand to those behind them."""

    ways: Sequence[RequestWay]
    keys: Sequence[int]
    """Of each way a number."""
    groups: Sequence[tuple[int, tuple[_Told, ...]]]


class _Kind(NamedTuple):
    """Askers that are plugged in alike."""

    askers: int
    node: str
    families: tuple[int, ...]


class Sorting:
    """All who ask, by what their parts may be."""

    def __init__(self, world: World, askers: Sequence[Asker], places: Places) -> None:
        self._world, self._askers, self._places = world, askers, places
        self._all = (1 << len(askers)) - 1
        actors = [_actor(one) for one in askers]
        at = {one.pod.key: n for n, one in enumerate(askers) if one.pod is not None}
        for pod in world.cluster.pods.values():
            if pod.addresses and pod.key not in at:
                at[pod.key] = len(actors)
                actors.append(_actor(Asker("", "", pod)))
        self._relations = Relations(world.cluster, actors)
        self._ways = Ways(world, places, at, named_ports=self._relations.named_ports)
        self._seen: dict[tuple[int | None, bool], list[tuple[int, _Told]]] = {}
        self._known_as: dict[tuple[str, str], tuple[Address, ...]] = {}
        self._keys: dict[Hashable, int] = {}
        self._inside: dict[str, int] = {}

    def of(self, asked: Asked) -> Iterator[Iterator[Cells]]:
        """All askers by what their parts may be: of each kind as kube-proxy may choose."""
        by_node: dict[tuple[str, tuple[int, ...]], Choices] = {}
        splits: dict[int, _Splits] = {}
        """By `id` of the ways, which `by_node` keeps: most nodes have the same."""
        for number, kind in self._kinds.items():
            entry = asked.node or kind.node, kind.families
            if entry not in by_node:
                by_node[entry] = self._ways.of(asked, *entry)
            for ways in by_node[entry]:
                if id(ways) not in splits:
                    splits[id(ways)] = self._split(ways)
            yield self._tried(asked, number, [splits[id(ways)] for ways in by_node[entry]])

    def _tried(self, asked: Asked, number: int, choices: Sequence[_Splits]) -> Iterator[Cells]:
        """Askers of one kind: another choice each time, for want of one all ways in one part."""
        kind = self._kinds[number]
        senders = self._senders(kind.node, asked.node or kind.node)
        for splits in choices:
            yield list(self._of_kind(number, kind, splits, senders))
        yield list(self._whole(number, kind, asked))

    @cached_property
    def _kinds(self) -> Mapping[int, _Kind]:
        """All askers by where they are plugged in, and the families that they have."""
        beyond = outside_addresses(self._world)
        found: dict[int, _Kind] = {}
        for place, one in enumerate(self._askers):
            kind: Hashable = one.namespace
            if one.pod is not None and not one.pod.host_network:
                kind = self._places.of(one.pod), one.node
            if one.pod is not None:
                names = one.pod.dns_policy, one.pod.dns_config, one.pod.host_aliases
                mesh = standing(self._world.cluster, one.pod)
                kind = kind, one.pod.host_network, names, mesh
            families = tuple(sorted({a.version for a in _addresses(one, self._world, beyond)}))
            key = self._key((kind, families))
            known = found.get(key)
            mask = known.askers if known is not None else 0
            found[key] = _Kind(mask | 1 << place, one.node, families)
        return found

    def _key(self, what: Hashable) -> int:
        """A number that is quicker to compare than what it stands for."""
        return self._keys.setdefault(what, len(self._keys))

    def _split(self, ways: Sequence[RequestWay]) -> _Splits:
        """All askers by how they stand to those behind each of the ways."""
        groups: list[tuple[int, tuple[_Told, ...]]] = [(self._all, ())]
        for way in ways:
            groups = [
                (both, (*before, told))
                for inside, before in groups
                for other, told in self._relations_to(way.actor, twice=way.twice)
                if (both := inside & other)
            ]
        return _Splits(ways, [self._key(way.key) for way in ways], groups)

    def _of_kind(
        self, number: int, kind: _Kind, splits: _Splits, senders: Sequence[Address]
    ) -> Iterator[Sorted]:
        """Askers of one kind by what their parts are.

        `senders`: addresses that may stand in a packet for the client's own.
        """
        nears = [
            0 if way.actor is None else self._relations.incoming_from(way.actor, senders)
            for way in splits.ways
        ]
        for mask, tolds in splits.groups:
            if inside := mask & kind.askers:
                parts = []
                for way, key, told, near in zip(
                    splits.ways, splits.keys, tolds, nears, strict=True
                ):
                    ports = way.ports if near or told[0] or told[1] else ()
                    part = self._key((number, key, told, near, ports))
                    parts.append(Part(part, way.given, way.of, way.lands))
                yield inside, tuple(parts)

    def _relations_to(self, actor: int | None, *, twice: bool) -> list[tuple[int, _Told]]:
        """All askers by what policies see of them and of the one who is asked; himself apart."""
        known = self._seen.get((actor, twice))
        if known is None:
            known = self._see(actor, twice=twice)
            self._seen[actor, twice] = known
        return known

    def _see(self, actor: int | None, *, twice: bool) -> list[tuple[int, _Told]]:
        profiles = self._relations.profiles()
        if actor is None:
            return [(mask, (sent, 0, False)) for mask, sent in profiles]
        sending = self._relations.outgoing(actor)
        if twice:
            sending = [
                (both, self._key((sent, profile)) if profile else sent)
                for one, sent in sending
                for other, profile in profiles
                if (both := one & other)
            ]
        itself = (1 << actor) & self._all
        return [
            (both, (sent, let_in, alone))
            for one, sent in sending
            for other, let_in in self._relations.incoming(actor)
            for who, alone in ((itself, True), (self._all & ~itself, False))
            if (both := one & other & who)
        ]

    def _senders(self, node: str, entry: str) -> tuple[Address, ...]:
        """Addresses by which a client on `node` may be known behind it, or behind `entry`."""
        found = self._known_as.get((node, entry))
        if found is None:
            names = dict.fromkeys(one for one in (node or OUTSIDE, entry) if one)
            found = self._known_as[node, entry] = tuple(
                at.address
                for name in names
                for device in self._world.network[name].interfaces
                for at in device.addresses
            )
        return found

    def _whole(self, number: int, kind: _Kind, asked: Asked) -> Iterator[Sorted]:
        """The ways of one who is asked, all in one part.

        Of a name they are the same for askers of one kind, but for policies; if more is not known
        beforehand, everybody asks for himself.
        """
        behind = self._ways.behind_name(asked)
        if behind is None:
            for place in bits(kind.askers):
                key = self._key((number, self._askers[place].name, asked.name))
                yield 1 << place, (Part(key),)
            return
        own = kind.askers & self._selected(asked.service)
        begin = ((own, (True,)), (kind.askers & ~own, (False,)))
        cells: list[tuple[int, tuple[object, ...]]] = [one for one in begin if one[0]]
        for actor in behind:
            cells = [
                (both, (*before, told))
                for inside, before in cells
                for other, told in self._relations_to(actor, twice=False)
                if (both := inside & other)
            ]
        for inside, told in cells:
            yield inside, (Part(self._key((number, asked.name, told))),)

    def _selected(self, service: Service | None) -> int:
        """Askers that the Service itself selects: pods that look for each other by its name."""
        if service is None:
            return 0
        found = self._inside.get(service.key)
        if found is None:
            found = self._inside[service.key] = sum(
                1 << place
                for place, one in enumerate(self._askers)
                if one.pod is not None
                and one.pod.namespace == service.namespace
                and selects(service.selector or {}, one.pod.labels)
            )
        return found


def _actor(one: Asker) -> Actor:
    """Of a node, and of who has no network but its, only single addresses count: `_senders`."""
    if one.pod is None or one.pod.host_network:
        return Actor()
    return Actor(one.pod.addresses, one.pod)


def _addresses(one: Asker, world: World, beyond: tuple[Address, ...]) -> tuple[Address, ...]:
    """Those of which the client's kernel may choose, as `walk.source` has them."""
    if one.pod is not None:
        return one.pod.addresses
    return world.cluster.nodes[one.node].addresses if one.node else beyond
