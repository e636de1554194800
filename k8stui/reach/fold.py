"""Rows and columns of a matrix that say the same, as one: of a workload, or whoever they are.

All rows are looked at at once: a set of them is a number with a bit for each, and each column
splits the sets by what it says.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from enum import Enum
from functools import cached_property

from k8stui.cluster.model import Cluster
from k8stui.kernel.exchange import Result
from k8stui.order import Key, by_place, natural
from k8stui.reach.ends import Asked, Asker, named, workloads
from k8stui.reach.felt import PairFelt
from k8stui.reach.reach import Reach
from k8stui.reach.relations import bits
from k8stui.record import record
from k8stui.walk.brief import brief


class Fold(Enum):
    """What is put together where it says the same."""

    WORKLOADS = "by workload"
    """Pods of one workload; nodes; one node port on all nodes."""
    ALIKE = "whatever is alike"
    """Whoever they are."""
    SINGLE = "each for itself"
    """Nothing."""


@record()
class Group:
    """Askers that every column says the same of; or asked of whom every row does."""

    places: tuple[int, ...]
    """In `Reach.askers` or `Reach.asked`, in the order in which a person looks for them."""
    name: str
    """``deploy/web ×3``, ``pod/web-1``, ``pod/web-1 +4``; of namespaces all but default."""


class Unheard(Enum):
    """Policies say no, and nothing enforces them."""

    CONNECTED = "not enforced"


Mark = Result | Unheard | None


def mark_of(felt: PairFelt) -> Mark:
    """What a cell shows: a result; None: now this, now that."""
    if len(felt.shares) > 1:
        return None
    return Unheard.CONNECTED if felt.unenforced else felt.result


class Folding:
    """Of one `Reach`."""

    def __init__(self, cluster: Cluster, found: Reach) -> None:
        self._found = found
        self._nodes = len(cluster.nodes)
        self._owners = workloads(cluster)

    def rows(self, fold: Fold) -> list[Group]:
        """Askers, folded: the one outside, pods, nodes."""
        found = self._found.askers
        kin: dict[Hashable, int] = {}
        for place, one in enumerate(found):
            key = self._kin(one, place, fold)
            kin[key] = kin.get(key, 0) | 1 << place
        sets = kin.values() if fold is Fold.SINGLE else self._split(kin.values())
        return self._groups((list(bits(mask)) for mask in sets), self._row_order, found)

    def columns(self, fold: Fold) -> list[Group]:
        """Those who are asked, folded: Services, node ports, pods."""
        found = self._found.asked
        groups: dict[Hashable, list[int]] = {}
        for place, one in enumerate(found):
            said = None if fold is Fold.SINGLE else self._said[place]
            groups.setdefault((said, self._kin(one, place, fold)), []).append(place)
        return self._groups(groups.values(), self._column_order, found)

    def row_name(self, places: Sequence[int]) -> str:
        """Of these askers together."""
        return self._name([self._found.askers[place] for place in places])

    def column_name(self, places: Sequence[int]) -> str:
        """Of these together, who are asked."""
        return self._name([self._found.asked[place] for place in places])

    def failing(self, place: int) -> int:
        """Who does not always get a connection to one who is asked: a set of bits."""
        connected = (Result.CONNECTED, Unheard.CONNECTED)
        return sum(mask for mark, mask in self._said[place] if mark not in connected)

    def _kin(self, one: Asker | Asked, place: int, fold: Fold) -> Hashable:
        """Only those who have the same may be put together."""
        if fold is Fold.SINGLE:
            return place
        if fold is Fold.ALIKE:
            return None
        port = (one.port, one.protocol) if isinstance(one, Asked) else None
        if one.pod is not None:
            return port, self._owners.get(one.pod.key, (one.pod.key, 1))
        service = one.service if isinstance(one, Asked) else None
        return port, bool(one.node), service and service.key

    @cached_property
    def _said(self) -> list[frozenset[tuple[Mark, int]]]:
        """Of each who is asked: what is said of whom."""
        marks = {number: mark_of(one.felt) for number, one in self._found.classes.items()}
        said = []
        for column in self._found.columns:
            by_mark: dict[Mark, int] = {}
            for cell in column:
                mark = marks[cell.number]
                by_mark[mark] = by_mark.get(mark, 0) | cell.askers
            said.append(frozenset(by_mark.items()))
        return said

    def _split(self, sets: Iterable[int]) -> list[int]:
        """Sets of askers, as far as no column tells them apart."""
        left = list(sets)
        done: list[int] = []
        for said in dict.fromkeys(one for one in self._said if len(one) > 1):
            done += [mask for mask in left if mask.bit_count() == 1]
            several = [mask for mask in left if mask.bit_count() > 1]
            left = [both for mask in several for _, other in said if (both := mask & other)]
        return done + left

    @cached_property
    def _row_order(self) -> Sequence[int]:
        """Of each asker his number in the order in which a person looks for them."""
        keys = [_asker_key(one) for one in self._found.askers]
        return _ranks(keys)

    @cached_property
    def _column_order(self) -> Sequence[int]:
        return _ranks([_asked_key(one) for one in self._found.asked])

    def _groups(
        self,
        sets: Iterable[list[int]],
        order: Sequence[int],
        found: Sequence[Asker] | Sequence[Asked],
    ) -> list[Group]:
        for places in (ordered := list(sets)):
            places.sort(key=order.__getitem__)
        ordered.sort(key=lambda places: order[places[0]])
        return [Group(tuple(one), self._name([found[n] for n in one])) for one in ordered]

    def _name(self, members: Sequence[Asker | Asked]) -> str:
        first, count = members[0], len(members)
        if count == 1:
            return brief(first.name)
        ports = {(one.port, one.protocol) if isinstance(one, Asked) else None for one in members}
        if len(ports) == 1:
            whole = self._whole(members)
            if whole and isinstance(first, Asked):
                whole = named(whole, first.port, first.protocol)
            if whole:
                return f"{brief(whole)} ×{count}"
        return f"{brief(first.name)} +{count - 1}"

    def _whole(self, members: Sequence[Asker | Asked]) -> str:
        """What the members are all of; empty: of nothing."""
        if all(one.pod is not None for one in members):
            owners = {self._owners.get(one.pod.key) for one in members if one.pod is not None}
            owner = owners.pop() if len(owners) == 1 else None
            return owner[0] if owner is not None and owner[1] == len(members) else ""
        if len(members) == self._nodes and all(one.pod is None and one.node for one in members):
            return "nodes" if isinstance(members[0], Asker) else "node/*"
        return ""


_Key = tuple[int, tuple[bool, str, Key], int, int]


def _ranks(keys: Sequence[_Key]) -> Sequence[int]:
    ranks = [0] * len(keys)
    for rank, place in enumerate(sorted(range(len(keys)), key=keys.__getitem__)):
        ranks[place] = rank
    return ranks


def _asker_key(one: Asker) -> _Key:
    if one.pod is not None:
        return 1, by_place(one.pod.namespace, one.pod.name), 0, 0
    return (2 if one.node else 0), (False, "", natural(one.node)), 0, 0


def _asked_key(one: Asked) -> _Key:
    port = one.port, int(one.protocol)
    if one.pod is not None:
        return 2, by_place(one.pod.namespace, one.pod.name), *port
    if one.service is None:
        return 3, (False, "", natural(one.name)), *port
    if one.node:
        return 1, (False, "", ()), one.port, 0
    return 0, by_place(one.service.namespace, one.service.name), *port
