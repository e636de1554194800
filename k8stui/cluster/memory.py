"""What was made last, for a cluster that is made again and again as it grows.

A deployment replayed makes its cluster once for every object. What is made of the same things as
the last time is not made again: it is the very same object, so that whoever comes later sees at
once that nothing has changed there.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, TypeVar

Made = TypeVar("Made")
Thing = TypeVar("Thing")


def others(before: Mapping[str, object], after: Mapping[str, object]) -> set[str]:
    """Names that came, went, or stand for another object."""
    if before is after:
        return set()
    found = {name for name, one in after.items() if before.get(name) is not one}
    return found | (before.keys() - after.keys())


class Memory:
    """One thing by name: the last one that was made, and of what."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, tuple[tuple[object, ...], Any]] = {}
        self._each: dict[Hashable, dict[int, tuple[Any, Any]]] = {}

    def recall(self, name: Hashable, of: tuple[object, ...]) -> Any:
        """What was made under this name, if it was made of things that equal `of`; else None."""
        known = self._kept.get(name)
        return known[1] if known is not None and known[0] == of else None

    def begun(self, name: Hashable, of: tuple[object, ...]) -> Any:
        """What was made under this name, if `of` is what it was made of first of all; else None."""
        known = self._kept.get(name)
        return known[1] if known is not None and known[0][: len(of)] == of else None

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
        self, name: Hashable, things: Iterable[Thing], make: Callable[[Thing], Made]
    ) -> list[Made]:
        """What `make` makes of each; what it made of one that was there the last time stays."""
        known: dict[int, tuple[Thing, Made]] = self._each.get(name, {})
        now = {id(one): known.get(id(one)) or (one, make(one)) for one in things}
        self._each[name] = now
        return [made for _, made in now.values()]

    def same(self, name: Hashable, value: Made) -> Made:
        """The object that was there under this name, if it equals `value`."""
        return self.kept(name, (value,), lambda: value)


class _NoMemory(Memory):
    def keep(self, name: Hashable, of: tuple[object, ...], made: object) -> None:
        """Remember nothing."""

    def each(
        self, name: Hashable, things: Iterable[Thing], make: Callable[[Thing], Made]
    ) -> list[Made]:
        """Make them all."""
        del name
        return [make(one) for one in things]


NO_MEMORY = _NoMemory()
"""For a cluster that is made once."""
