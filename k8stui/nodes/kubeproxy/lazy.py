"""Rules that are made when somebody looks at them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import overload

from k8stui.kernel.rules import Rule


class LazyRules(Sequence[Rule]):
    """The rules of one chain; the first look makes them all, and they stay."""

    __slots__ = ("__weakref__", "_make", "_rules")

    def __init__(self, make: Callable[[], Iterable[Rule]]) -> None:
        self._make = make
        self._rules: tuple[Rule, ...] | None = None

    def _made(self) -> tuple[Rule, ...]:
        rules = self._rules
        if rules is None:
            rules = self._rules = tuple(self._make())
        return rules

    @overload
    def __getitem__(self, index: int) -> Rule: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Rule]: ...
    def __getitem__(self, index: int | slice) -> Rule | Sequence[Rule]:
        return self._made()[index]

    def __iter__(self) -> Iterator[Rule]:
        return iter(self._made())

    def __len__(self) -> int:
        return len(self._made())
