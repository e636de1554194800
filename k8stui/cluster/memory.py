"""What was made last, for a cluster that is made again and again as it grows.

A deployment replayed makes its cluster once for every object. What is made of the same things as
the last time is not made again: it is the very same object, so that whoever comes later sees at
once that nothing has changed there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from operator import is_
from typing import Any, TypeVar

Made = TypeVar("Made")
Thing = TypeVar("Thing")


def others(before: Mapping[str, object], after: Mapping[str, object]) -> set[str]:
    """Names that came, went, or stand for another object."""
    if before is after:
        return set()
    then = map(before.get, after)
    found = {
        name for name, one, old in zip(after, after.values(), then, strict=True) if one is not old
    }
    return found | (before.keys() - after.keys())


def is_begin(then: Collection[object], now: Collection[object]) -> bool:
    """Whether what there is now is the very same things as then, and perhaps more behind them."""
    return len(then) <= len(now) and all(map(is_, then, now))


class Memory:
    """One thing by name: the last one that was made, and of what."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, tuple[tuple[object, ...], Any]] = {}
        self._each: dict[Hashable, tuple[Sequence[Any], Sequence[Any]]] = {}

    def recall(self, name: Hashable, of: tuple[object, ...]) -> Any:
        """What was made under this name, if it was made of things that equal `of`; else None."""
        known = self._kept.get(name)
        return known[1] if known is not None and known[0] == of else None

    def keep(self, name: Hashable, of: tuple[object, ...], made: object) -> None:
        """Remember what was made, instead of what there was under this name."""
        self._kept[name] = of, made

    def kept(self, name: Hashable, of: tuple[object, ...], make: Callable[[], Made]) -> Made:
        """What `recall` finds, else what is made now; `make` looks at nothing beside `of`."""
        made: Made | None = self.recall(name, of)
        if made is None:
            made = make()
            self.keep(name, of, made)
        return made

    def each(
        self, name: Hashable, things: Collection[Thing], make: Callable[[Thing], Made]
    ) -> Sequence[Made]:
        """What `make` makes of each; what it made of one that was there the last time stays."""
        now = tuple(things)
        then, made = self._each.get(name, ((), ()))
        if is_begin(then, now):
            found = [*made, *map(make, now[len(then) :])]
        else:
            known = dict(zip(map(id, then), made, strict=True))
            found = [known[id(one)] if id(one) in known else make(one) for one in now]
        self._each[name] = now, found
        return found

    def same(self, name: Hashable, value: Made) -> Made:
        """The object that was there under this name, if it equals `value`."""
        return self.kept(name, (value,), lambda: value)


class _NoMemory(Memory):
    def keep(self, name: Hashable, of: tuple[object, ...], made: object) -> None:
        """Remember nothing."""

    def each(
        self, name: Hashable, things: Collection[Thing], make: Callable[[Thing], Made]
    ) -> Sequence[Made]:
        """Make them all."""
        del name
        return [make(one) for one in things]


NO_MEMORY = _NoMemory()
"""For a cluster that is made once."""
