"""Rules, or elements of a set, that are made when somebody looks at them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar, overload

Row = TypeVar("Row", covariant=True)  # noqa: PLC0105 - "Row_co" says no more


class LazyRows(Sequence[Row]):
    """What stands in one chain or set; the first look makes it all, and it stays."""

    __slots__ = ("__weakref__", "_make", "_rows")

    def __init__(self, make: Callable[[], Iterable[Row]]) -> None:
        self._make = make
        self._rows: tuple[Row, ...] | None = None

    def _made(self) -> tuple[Row, ...]:
        rows = self._rows
        if rows is None:
            rows = self._rows = tuple(self._make())
        return rows

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | Sequence[Row]:
        return self._made()[index]

    def __iter__(self) -> Iterator[Row]:
        return iter(self._made())

    def __len__(self) -> int:
        return len(self._made())
