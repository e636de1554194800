"""What is worked out from a chain once and kept for as long as the chain lives."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Generic, TypeVar

from k8stui.kernel.rules import Chain

Kept = TypeVar("Kept")


class Derived(Generic[Kept]):
    """By identity of the chain: to compare two chains would read all their rules."""

    def __init__(self, make: Callable[[Chain], Kept]) -> None:
        self._make = make
        self._kept: dict[int, tuple[weakref.ref[Chain], Kept]] = {}

    def __len__(self) -> int:
        """How many chains it holds something for."""
        return len(self._kept)

    def of(self, chain: Chain) -> Kept:
        """What was made of this chain, now or before."""
        key = id(chain)
        known = self._kept.get(key)
        if known is not None and known[0]() is chain:
            return known[1]
        made = self._make(chain)
        self._kept[key] = (weakref.ref(chain, lambda _: self._kept.pop(key, None)), made)
        return made
