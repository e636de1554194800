"""Whatever has labels, by its labels: who asks for some looks at those alone that may fit."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

from k8stui.cluster.selectors import demanded, matches
from k8stui.suggest import Wordbook

Pair = tuple[str, str]
One = TypeVar("One")


class Labelled(Generic[One]):
    """Things with their labels, in the order in which they were given."""

    def __init__(self, things: Iterable[tuple[Mapping[str, str], One]]) -> None:
        self._all = tuple(things)
        self._by: dict[Pair, list[int]] = {}
        for place, (labels, _) in enumerate(self._all):
            for pair in labels.items():
                self._by.setdefault(pair, []).append(place)
        self._values: dict[str, list[str]] = {}
        self._keys_of: dict[str, list[str]] = {}
        for key, value in sorted(self._by):
            self._values.setdefault(key, []).append(value)
            self._keys_of.setdefault(value, []).append(key)
        self._books: dict[str, Wordbook] = {}
        self._key_books: dict[str, Wordbook] = {}

    def __len__(self) -> int:
        return len(self._all)

    def __contains__(self, pair: Pair) -> bool:
        """Whether any of them has a label."""
        return pair in self._by

    def values(self, key: str) -> Sequence[str]:
        """All values of a label, sorted."""
        return self._values.get(key, ())

    def carrying(self, wanted: Mapping[str, str]) -> Iterator[One]:
        """Those that have all of some labels."""
        for place in self._fewest(wanted.items()):
            labels, one = self._all[place]
            if wanted.items() <= labels.items():
                yield one

    def matching(self, selector: object) -> Iterator[One]:
        """Those that a LabelSelector matches."""
        for place in self._fewest([*demanded(selector)]):
            labels, one = self._all[place]
            if matches(selector, labels):
                yield one

    def _fewest(self, pairs: Collection[Pair]) -> Iterable[int]:
        """Among these are all that have all of some labels."""
        found = (self._by.get(pair, ()) for pair in pairs)
        return min(found, key=len, default=range(len(self._all)))

    def typos(self, key: str, value: str) -> list[str]:
        """The values of a label of which one is a typing error."""
        if key not in self._books:
            self._books[key] = Wordbook(self.values(key))
        return self._books[key].typos(value)

    def misspelt(self, selector: Mapping[str, str]) -> tuple[str, Pair] | None:
        """The key of a selector that alone keeps it from fitting, by a letter; what was meant.

        None where it fits some of them.
        """
        if next(self.carrying(selector), None) is not None:
            return None
        for key, value in selector.items():
            rest = {other: text for other, text in selector.items() if other != key}
            meant = {(key, text) for text in self.typos(key, value)}
            meant |= {(other, value) for other in self._keys(key, value) if other not in selector}
            first = min(
                (place for pair in meant for place in self._first(pair, rest)), default=None
            )
            if first is not None:
                return key, next(pair for pair in self._all[first][0].items() if pair in meant)
        return None

    def _keys(self, key: str, value: str) -> list[str]:
        """The keys of a value of which one is a typing error."""
        if value not in self._key_books:
            self._key_books[value] = Wordbook(self._keys_of.get(value, ()))
        return self._key_books[value].typos(key)

    def _first(self, pair: Pair, rest: Mapping[str, str]) -> Iterator[int]:
        """The first that has a label and all of the others."""
        for place in self._by.get(pair, ()):
            if rest.items() <= self._all[place][0].items():
                yield place
                return
