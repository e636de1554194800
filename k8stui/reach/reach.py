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

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from k8stui.reach.ends import Asked, Asker
from k8stui.reach.felt import AstrayError, PairFelt, most, together, walked
from k8stui.reach.places import Places
from k8stui.reach.processes import Processes
from k8stui.reach.relations import bits
from k8stui.reach.sorting import Cells, Part, Sorted, Sorting
from k8stui.record import record
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


class _Job(NamedTuple):
    """A part to be walked."""

    part: Part
    asker: int
    asked: int


class _Classes:
    def __init__(
        self, world: World, askers: Sequence[Asker], asked: Sequence[Asked], processes: int
    ) -> None:
        self._world, self._askers, self._asked = world, askers, asked
        self._places = Places(world)
        self._sorting = Sorting(world, askers, self._places)
        self._processes = Processes(self._walked, processes)
        self._parts: dict[int, WalkedWay] = {}
        self._astray: set[int] = set()
        """Those that the walk showed not to be gone."""
        self._numbers: dict[tuple[int, ...], int] = {}
        self._classes: dict[int, Class] = {}
        self._decided: dict[tuple[int, ...], tuple[int, int]] = {}
        """By the keys of a pair's ways, in their order: its class, and the way that counts."""
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
        kinds = [(place, each) for place in some for each in self._sorting.of(self._asked[place])]
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

    def _is_astray(self, cells: Cells) -> bool:
        """Whether these are not the ways that are gone."""
        return any(way.key in self._astray for _, ways in cells for way in ways)

    def _class_of(
        self, ways: tuple[Part, ...], mask: int, asked: Asked
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

    def _server(self, way: Part, asked: Asked) -> str | None:
        if asked.pod is not None:
            return asked.pod.key
        pod = self._places.pod_at(way.lands) if way.lands is not None else None
        return pod.key if pod is not None else None

    def _walk(self, cells: Iterable[tuple[Sorted, int]]) -> None:
        """Walk of each part that is new the first pair."""
        jobs: dict[int, _Job] = {}
        for (mask, ways), place in cells:
            for way in ways:
                known = way.key in self._parts or way.key in self._astray or way.key in jobs
                if not known:
                    jobs[way.key] = _Job(way, next(bits(mask)), place)
        for job, felt in self._processes.do(list(jobs.values())):
            if felt is None:
                self._astray.add(job.part.key)
                continue
            asker, asked = self._askers[job.asker], self._asked[job.asked]
            server = self._server(job.part, asked)
            self._parts[job.part.key] = WalkedWay(asker, asked, felt, server)

    def _walked(self, job: _Job) -> PairFelt | None:
        """None: the walk shows that it is not gone."""
        asker, asked, part = self._askers[job.asker], self._asked[job.asked], job.part
        try:
            return walked(self._world, asker, asked, part.given, of=part.of, lands=part.lands)
        except AstrayError:
            return None
