"""Expressions made of others: concatenations (nft_set's key of several registers) and bits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from k8stui.kernel.address import Address
from k8stui.kernel.nft.datatypes import Value, fields_of, hexadecimal
from k8stui.kernel.nft.errors import UnknownError
from k8stui.kernel.nft.expression import Expression, Types
from k8stui.kernel.nft.literal import Literal
from k8stui.kernel.nft.passage import Passage

_OPERATIONS: Mapping[str, Callable[[int, int], int]] = {
    "&": lambda one, other: one & other,
    "|": lambda one, other: one | other,
    "^": lambda one, other: one ^ other,
    "<<": lambda one, other: (one << min(other, 128)) & 0xFFFFFFFF,
    ">>": lambda one, other: one >> min(other, 128),
}
SHIFTS = frozenset({"<<", ">>"})
_BINDS = {"|": 0, "^": 1, "&": 2, "<<": 3, ">>": 3}


class Concatenation(NamedTuple):
    """``ip daddr . meta l4proto . th dport``."""

    parts: tuple[Expression, ...]

    @property
    def types(self) -> Types:
        return tuple(type_ for part in self.parts for type_ in part.types)

    def value(self, passage: Passage, /) -> Value:
        return tuple(field for part in self.parts for field in fields_of(part.value(passage)))

    def __str__(self) -> str:
        return " . ".join(map(str, self.parts))


class Bits(NamedTuple):
    """``meta mark & 0x0000ffff`` (nft_bitwise.c)."""

    left: Expression
    operator: str
    right: Expression

    @property
    def types(self) -> Types:
        return (hexadecimal(32),) if self.operator in SHIFTS else self.left.types

    def value(self, passage: Passage, /) -> Value:
        left, right = self.left.value(passage), self.right.value(passage)
        if isinstance(left, Address) and isinstance(right, Address):
            made = _OPERATIONS[self.operator](left.value, right.value)
            return Address(left.version, made)
        if isinstance(left, int) and isinstance(right, int):
            return _OPERATIONS[self.operator](left, right)
        raise UnknownError(str(self))

    def __str__(self) -> str:
        return f"{self._side(self.left)} {self.operator} {self._side(self.right)}"

    def _side(self, side: Expression) -> str:
        shown = str(side)
        if isinstance(side, Bits) and _BINDS[side.operator] < _BINDS[self.operator]:
            return f"({shown})"
        if isinstance(side, Literal) and side.type.is_bitmask and "," in shown:
            return f"({shown.replace(',', ' | ')})"
        return shown
