"""The nodes that pods of one workload may go to, the best first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from heapq import heapify, heappop, heappush, heapreplace
from typing import NamedTuple

from k8stui.cluster.scheduling.filters import NodeInfo

Rank = tuple[tuple[int, int], int, int]
_LOOKS = 3
"""So often all entries are looked at: most workloads have few pods, and an order costs more."""


class Entry(NamedTuple):
    """A node that no taint or selector closes."""

    against: tuple[int, int]
    """What speaks against it."""
    host: NodeInfo


def rank(entry: Entry, owned: Mapping[str, int]) -> Rank:
    """The least is the best: what speaks against it, pods of the same workload, pods."""
    against, host = entry
    return against, owned.get(host.node.name, 0), host.pods


class Ranking:
    """Entries by rank, of equals the one that comes first; kept while pods come and none goes.

    Pods only raise a node's rank, so one that is out of date is too low, and met in time.
    """

    def __init__(self, entries: Sequence[Entry], owned: Mapping[str, int]) -> None:
        self._entries, self._owned = entries, owned
        self._heap: list[tuple[Rank, int]] | None = None
        self._asked = 0

    def best(
        self, lacks: Callable[[NodeInfo], object], refuses: Callable[[NodeInfo], object]
    ) -> NodeInfo | None:
        """The best that takes a pod; None: no node does.

        `lacks`: what is used up there stays so. `refuses`: another pod elsewhere can change it.
        """
        self._asked += 1
        if self._asked <= _LOOKS:
            fitting = (e for e in self._entries if not (lacks(e.host) or refuses(e.host)))
            found = min(fitting, key=lambda entry: rank(entry, self._owned), default=None)
            return found and found.host
        if self._heap is None:
            self._heap = [(rank(one, self._owned), n) for n, one in enumerate(self._entries)]
            heapify(self._heap)
        passed, heap = [], self._heap
        best = None
        while heap and best is None:
            known, place = heap[0]
            entry = self._entries[place]
            now = rank(entry, self._owned)
            if now != known:
                heapreplace(heap, (now, place))
            elif lacks(entry.host):
                heappop(heap)
            elif refuses(entry.host):
                passed.append(heappop(heap))
            else:
                best = entry.host
        for each in passed:
            heappush(heap, each)
        return best
