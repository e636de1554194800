"""Look-ups in sets and maps: by hash, whatever a set holds; it is never searched through.

A range is taken apart into prefixes, as net/netfilter/nft_set_pipapo.c pipapo_expand does. Each
element then is one or more keys of some shape (how many bits of each field do not count), and a
look-up asks once for each shape that occurs. Ranges of several fields multiply: an element of more
keys than anybody writes is kept as it is, and asked by itself.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import product
from math import prod
from typing import Generic, Protocol, TypeVar

from k8stui.kernel.address import Address
from k8stui.kernel.nft.datatypes import Raw

T = TypeVar("T")
Held_co = TypeVar("Held_co", covariant=True)

_MOST_KEYS = 1024
Span = tuple[int, Hashable]
"""How many bits at the end do not count (of a name, negative: how many characters do), and what is
left before them."""


class Finds(Protocol[Held_co]):
    """What can be looked up in."""

    def find(self, key: Sequence[Raw], /) -> Held_co | None:
        """What stands there."""


class Index(Generic[T]):
    """What stands at a key."""

    __slots__ = ("_by_shape", "_rest", "_wide")

    def __init__(self) -> None:
        self._by_shape: dict[tuple[int, ...], dict[tuple[Hashable, ...], T]] = {}
        self._wide: list[tuple[Sequence[Sequence[Span]], T]] = []
        self._rest: T | None = None
        """What stands at all other keys."""

    def add(self, fields: Sequence[Sequence[Span]], held: T) -> None:
        """`fields`: of each field of the key what it spans; none: all other keys (``*``)."""
        if not fields:
            self._rest = held if self._rest is None else self._rest
        elif prod(map(len, fields)) > _MOST_KEYS:
            self._wide.append((fields, held))
        else:
            for spans in product(*fields):
                shape = tuple(span[0] for span in spans)
                key = tuple(span[1] for span in spans)
                self._by_shape.setdefault(shape, {}).setdefault(key, held)

    def find(self, key: Sequence[Raw]) -> T | None:
        """What stands there; of several one that was put in first."""
        numbers = [one.value if isinstance(one, Address) else one for one in key]
        for shape, held in self._by_shape.items():
            if len(shape) != len(numbers):
                continue
            found = held.get(tuple(map(cut, numbers, shape)))
            if found is not None:
                return found
        for fields, wide in self._wide:
            if len(fields) == len(numbers) and all(map(_spans, fields, numbers)):
                return wide
        return self._rest


def _spans(field: Sequence[Span], value: int | str) -> bool:
    return any(cut(value, bits) == left for bits, left in field)


def cut(value: int | str, bits: int) -> Hashable:
    """What of a value counts, as `Span` has it."""
    if not bits:
        return value
    if isinstance(value, str):
        return value[:-bits]
    return value >> bits


def exactly(raw: Raw) -> Sequence[Span]:
    """One value."""
    return ((0, raw.value if isinstance(raw, Address) else raw),)


def between(first: int, last: int) -> Sequence[Span]:
    """All numbers of a range, as prefixes."""
    return tuple(_prefixes(first, last))


def _prefixes(first: int, last: int) -> Iterator[Span]:
    while first <= last:
        bits = (first & -first).bit_length() - 1 if first else (last + 1).bit_length()
        while (1 << bits) > last - first + 1:
            bits -= 1
        yield bits, first >> bits
        first += 1 << bits


def beginning(text: str) -> Sequence[Span]:
    """Every name that begins so."""
    return ((-len(text), text),)


def of(entries: Iterable[tuple[Sequence[Sequence[Span]], T]]) -> Index[T]:
    """An index of all these."""
    index: Index[T] = Index()
    for fields, held in entries:
        index.add(fields, held)
    return index
