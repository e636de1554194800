"""What was made last, for a cluster that is made again and again as it grows.

A deployment replayed makes its cluster once for every object. What is made of the same things as
the last time is not made again: it is the very same object, so that whoever comes later sees at
once that nothing has changed there.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

Made = TypeVar("Made")


class Memory:
    """One thing by name: the last one that was made, and of what."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, tuple[tuple[object, ...], Any]] = {}

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

    def same(self, name: Hashable, value: Made) -> Made:
        """The object that was there under this name, if it equals `value`."""
        return self.kept(name, (value,), lambda: value)


class _NoMemory(Memory):
    def keep(self, name: Hashable, of: tuple[object, ...], made: object) -> None:
        """Remember nothing."""


NO_MEMORY = _NoMemory()
"""For a cluster that is made once."""
