"""All pairs: sorted into classes of which one each is walked.

A pair is an asker and somebody who is asked at one port. What is asked may be several: a Service
leads to one of its endpoints. So a pair has parts, one for each endpoint that kube-proxy on the
node may choose; pairs with the same parts are one class, and of each part one walk is made, with
the choice given.

Two pairs have the same part if nothing tells them apart: where both pods are plugged in and what
routes and rules say of their addresses, who listens (`places`), how the Service's port is made
(`ways`), what policies and a mesh can see of them (`relations`), and whether the one is the other.
Where that cannot be said beforehand, a pair is a class of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

from k8stui.cluster.ingress.mesh import standing
from k8stui.cluster.model import Service
from k8stui.cluster.selectors import selects
from k8stui.kernel.address import Address
from k8stui.reach.ends import Asked, Asker
from k8stui.reach.felt import AstrayError, PairFelt, most, together, walked
from k8stui.reach.places import Places
from k8stui.reach.processes import Processes
from k8stui.reach.relations import Actor, Relations, bits
from k8stui.reach.ways import Choices, RequestWay, Ways
from k8stui.record import record
from k8stui.walk.request import outside_addresses
from k8stui.walk.source import OUTSIDE
from k8stui.walk.world import World


@record()
class WalkedWay:
    """One way of a pair, as it was walked: it stands for all that nothing tells from it."""

    asker: Asker
    asked: Asked
    felt: PairFelt
    server: str | None
    """``namespace/name`` of the pod that it leads to; None: to none, or it is not known."""


@record(kw_only=True)
class Class:
    """Pairs that nothing tells apart."""

    number: int
    """In the order in which they were met."""
    asker: Asker
    asked: Asked
    """The pair that was walked: the first."""
    felt: PairFelt
    pairs: int = 0
    """How many."""


class Cell(NamedTuple):
    """Pairs with one who is asked that are of one class."""

    number: int
    """Of the class."""
    part: int
    """The way that counts: a key of `Reach.parts`."""
    server: str | None
    """As `WalkedWay.server`, of these pairs."""
    askers: int
    """A set of bits."""


@record(kw_only=True)
class Reach:
    """Who reaches whom: rows are askers, columns those who are asked."""

    askers: Sequence[Asker]
    asked: Sequence[Asked]
    classes: Mapping[int, Class]
    """By number."""
    columns: Sequence[Sequence[Cell]]
    """For each of `asked` the classes of its pairs."""
    parts: Mapping[int, WalkedWay]
    """What was walked."""

    def cell(self, asker: int, asked: int) -> Cell:
        """The cell that a pair is in, given by its places."""
        return next(cell for cell in self.columns[asked] if cell.askers >> asker & 1)

    def column(self, place: int) -> list[Cell]:
        """Of each asker the cell that its pair with one who is asked is in."""
        found: list[Cell | None] = [None] * len(self.askers)
        for cell in self.columns[place]:
            for one in bits(cell.askers):
                found[one] = cell
        return [cell for cell in found if cell is not None]


_AT_ONCE = 64
"""Of so many who are asked all that is to be walked is found before it is walked."""

Watch = Callable[[int, int], None]
"""Is told how many of those who are asked are done with, and how many walks that took; what it
raises ends the work."""


def reach(
    world: World,
    askers: Sequence[Asker],
    asked: Sequence[Asked],
    watch: Watch | None = None,
    *,
    processes: int = 1,
) -> Reach:
    """Sort all pairs into classes and walk one of each. `processes`: so many may be made for it."""
    classes = _Classes(world, askers, asked, processes)
    return classes.reach(watch or (lambda _done, _walks: None))


class _Way(NamedTuple):
    """What a class is made of: all that counts, and how to walk it."""

    key: int
    given: tuple[int, ...] = ()
    of: int = 1
    lands: Address | None = None


_Sorted = tuple[int, tuple[_Way, ...]]
"""Askers, and what the parts of their pairs are."""
_Cells = Sequence[_Sorted]


_Told = tuple[int, int, bool]
"""How one who asks stands to the policies that select him, and to those that select whom he asks
(0: there are none); whether he asks himself."""


class _Splits(NamedTuple):
    """Ways of one who is asked, and all askers by how they stand to those behind them."""

    ways: Sequence[RequestWay]
    keys: Sequence[int]
    """Of each way a number."""
    groups: Sequence[tuple[int, tuple[_Told, ...]]]


class _Job(NamedTuple):
    """A part to be walked."""

    way: _Way
    asker: int
    asked: int


class _Kind(NamedTuple):
    """Askers that are plugged in alike."""

    askers: int
    node: str
    families: tuple[int, ...]


class _Classes:
    def __init__(
        self, world: World, askers: Sequence[Asker], asked: Sequence[Asked], processes: int
    ) -> None:
        self._world, self._askers, self._asked = world, askers, asked
        self._places = Places(world)
        self._all = (1 << len(askers)) - 1
        actors = [_actor(one) for one in askers]
        places = {one.pod.key: n for n, one in enumerate(askers) if one.pod is not None}
        for pod in world.cluster.pods.values():
            if pod.addresses and pod.key not in places:
                places[pod.key] = len(actors)
                actors.append(_actor(Asker("", "", pod)))
        self._processes = Processes(self._walked, processes)
        self._relations = Relations(world.cluster, actors)
        named_ports = self._relations.named_ports
        self._ways = Ways(world, self._places, places, named_ports=named_ports)
        self._parts: dict[int, WalkedWay] = {}
        self._astray: set[int] = set()
        """Those that the walk showed not to be gone."""
        self._numbers: dict[tuple[int, ...], int] = {}
        self._classes: dict[int, Class] = {}
        self._seen: dict[tuple[int | None, bool], list[tuple[int, _Told]]] = {}
        self._known_as: dict[tuple[str, str], tuple[Address, ...]] = {}
        self._keys: dict[Hashable, int] = {}
        self._decided: dict[tuple[int, ...], tuple[int, int]] = {}
        """By the keys of a pair's ways, in their order: its class, and the way that counts."""
        self._inside: dict[str, int] = {}
        self._masks: dict[int, int] = {}
        """Each set of askers once: those of one node and namespace stand in many columns."""

    def reach(self, watch: Watch) -> Reach:
        columns: list[list[Cell]] = []
        places = range(len(self._asked))
        for begin in places[::_AT_ONCE]:
            watch(begin, len(self._parts))
            columns += self._columns(places[begin : begin + _AT_ONCE])
        counts: dict[int, int] = {}
        for column in columns:
            for cell in column:
                counts[cell.number] = counts.get(cell.number, 0) + cell.askers.bit_count()
        return Reach(
            askers=self._askers,
            asked=self._asked,
            classes={
                number: replace(one, pairs=counts[number]) for number, one in self._classes.items()
            },
            columns=columns,
            parts=self._parts,
        )

    def _columns(self, some: range) -> Iterator[list[Cell]]:
        kinds = [(place, each) for place in some for each in self._sorted(self._asked[place])]
        tried = [next(choices) for _, choices in kinds]
        new: Sequence[int] = range(len(kinds))
        while new:
            self._walk((cell, kinds[number][0]) for number in new for cell in tried[number])
            new = [number for number in new if self._is_astray(tried[number])]
            for number in new:
                tried[number] = next(kinds[number][1])
        found: dict[int, dict[tuple[int, int, str | None], int]] = {place: {} for place in some}
        for (place, _), cells in zip(kinds, tried, strict=True):
            column = found[place]
            for mask, ways in cells:
                which = self._class_of(ways, mask, self._asked[place])
                column[which] = column.get(which, 0) | mask
        masks = self._masks
        for column in found.values():
            yield [Cell(*which, masks.setdefault(mask, mask)) for which, mask in column.items()]

    def _is_astray(self, cells: _Cells) -> bool:
        """Whether these are not the ways that are gone."""
        return any(way.key in self._astray for _, ways in cells for way in ways)

    def _sorted(self, asked: Asked) -> Iterator[Iterator[_Cells]]:
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

    def _tried(self, asked: Asked, number: int, choices: Sequence[_Splits]) -> Iterator[_Cells]:
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
    ) -> Iterator[_Sorted]:
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
                    parts.append(_Way(part, way.given, way.of, way.lands))
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

    def _whole(self, number: int, kind: _Kind, asked: Asked) -> Iterator[_Sorted]:
        """The ways of one who is asked, all in one part.

        Of a name they are the same for askers of one kind, but for policies; if more is not known
        beforehand, everybody asks for himself.
        """
        behind = self._ways.behind_name(asked)
        if behind is None:
            for place in bits(kind.askers):
                key = self._key((number, self._askers[place].name, asked.name))
                yield 1 << place, (_Way(key),)
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
            yield inside, (_Way(self._key((number, asked.name, told))),)

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

    def _class_of(
        self, ways: tuple[_Way, ...], mask: int, asked: Asked
    ) -> tuple[int, int, str | None]:
        """The class's number, and the part that counts with where it leads."""
        keys = tuple([way.key for way in ways])
        decided = self._decided.get(keys)
        if decided is None:
            decided = self._decided[keys] = self._decide(keys, mask, asked)
        number, place = decided
        return number, keys[place], self._server(ways[place], asked)

    def _decide(self, keys: tuple[int, ...], mask: int, asked: Asked) -> tuple[int, int]:
        """The class's number, and the place of the way that counts."""
        whole = tuple(sorted(keys))
        number = self._numbers.get(whole)
        if number is None:
            asker = self._askers[next(bits(mask))]
            felt = together([self._parts[key].felt for key in keys])
            number = self._numbers[whole] = len(self._numbers) + 1
            self._classes[number] = Class(number=number, asker=asker, asked=asked, felt=felt)
        felts = [self._parts[key].felt for key in keys]
        return number, most(felts, self._classes[number].felt.result)

    def _server(self, way: _Way, asked: Asked) -> str | None:
        if asked.pod is not None:
            return asked.pod.key
        pod = self._places.pod_at(way.lands) if way.lands is not None else None
        return pod.key if pod is not None else None

    def _walk(self, cells: Iterable[tuple[_Sorted, int]]) -> None:
        """Walk of each part that is new the first pair."""
        jobs: dict[int, _Job] = {}
        for (mask, ways), place in cells:
            for way in ways:
                known = way.key in self._parts or way.key in self._astray or way.key in jobs
                if not known:
                    jobs[way.key] = _Job(way, next(bits(mask)), place)
        for job, felt in self._processes.do(list(jobs.values())):
            if felt is None:
                self._astray.add(job.way.key)
                continue
            asker, asked = self._askers[job.asker], self._asked[job.asked]
            server = self._server(job.way, asked)
            self._parts[job.way.key] = WalkedWay(asker, asked, felt, server)

    def _walked(self, job: _Job) -> PairFelt | None:
        """None: the walk shows that it is not gone."""
        asker, asked, way = self._askers[job.asker], self._asked[job.asked], job.way
        try:
            return walked(self._world, asker, asked, way.given, of=way.of, lands=way.lands)
        except AstrayError:
            return None


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
