"""What is worked out from something once and kept for as long as that lives."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Generic, TypeVar

From = TypeVar("From")
Kept = TypeVar("Kept")


class Derived(Generic[From, Kept]):
    """By identity: to compare two chains, say, would read all their rules."""

    def __init__(self, make: Callable[[From], Kept]) -> None:
        self._make = make
        self._kept: dict[int, tuple[weakref.ref[From], Kept]] = {}

    def __len__(self) -> int:
        """For how many it holds something."""
        return len(self._kept)

    def of(self, whole: From) -> Kept:
        """What was made of this very one, now or before."""
        key = id(whole)
        known = self._kept.get(key)
        if known is not None and known[0]() is whole:
            return known[1]
        made = self._make(whole)
        self._kept[key] = (weakref.ref(whole, lambda _: self._kept.pop(key, None)), made)
        return made
