"""An expression compared: ``ip daddr 10.96.0.1``, ``tcp dport != { 80, 443 }`` (nft_cmp.c)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeGuard

from k8stui.kernel.address import Address
from k8stui.kernel.nft import index
from k8stui.kernel.nft.chance import outcome
from k8stui.kernel.nft.combined import Bits
from k8stui.kernel.nft.datatypes import BOOLEAN, Value, fields_of
from k8stui.kernel.nft.errors import BreakError, NftError, UnknownError
from k8stui.kernel.nft.expression import Expression
from k8stui.kernel.nft.index import Index
from k8stui.kernel.nft.literal import Field, Fields, Literal
from k8stui.kernel.nft.lookup import Among
from k8stui.kernel.nft.passage import Passage
from k8stui.kernel.nft.spoken import Spoken
from k8stui.kernel.nft.words import Words

_ORDERS: Mapping[str, Callable[[int, int], bool]] = {
    "<": lambda one, other: one < other,
    ">": lambda one, other: one > other,
    "<=": lambda one, other: one <= other,
    ">=": lambda one, other: one >= other,
}
_OPERATORS = {"eq": "==", "ne": "!=", "lt": "<", "gt": ">", "le": "<=", "ge": ">="}


class Match:
    """``LEFT [OPERATOR] RIGHT``; without an operator a value is, or flags have, what is right."""

    __slots__ = ("_index", "left", "operator", "right")

    def __init__(self, left: Expression, operator: str, right: Expression | Among | Fields) -> None:
        self.left, self.operator, self.right = left, operator, right
        self._index: Index[bool] | None = None

    def do(self, passage: Passage, /) -> None:
        if not outcome(self.left, passage, lambda value: self._holds(passage, value)):
            raise BreakError

    def _holds(self, passage: Passage, value: Value) -> bool:
        right = self.right
        if isinstance(right, Among):
            return (right.find(passage, value) is not None) is not (self.operator == "!=")
        if self.operator in _ORDERS:
            return self._is_in_order(value, passage)
        if isinstance(right, Field | Fields):
            return self.compared(right, value)
        return (value == right.value(passage)) is not (self.operator == "!=")

    def compared(self, right: Field | Fields, value: Value) -> bool:
        """Whether a value is, or has, what is written there; or is not, as the operator says."""
        if self._asks_for_flags:
            assert isinstance(right, Literal)
            assert isinstance(value, int)
            assert isinstance(right.raw, int)
            return (value & right.raw != 0) is not (self.operator == "!")
        if isinstance(right, Literal) and right.type is BOOLEAN:
            value = int(value not in (0, ""))  # exists, missing: nothing is index 0, or no name
        parts = right.parts if isinstance(right, Fields) else (right,)
        return self._found(parts, value) is not (self.operator == "!=")

    def _found(self, parts: tuple[Field, ...], value: Value) -> bool:
        if self._index is None:
            self._index = index.of([(tuple(part.spans for part in parts), True)])
        return self._index.find(fields_of(value)) is not None

    @property
    def _asks_for_flags(self) -> bool:
        right = self.right
        return isinstance(right, Literal) and right.type.is_bitmask and self.operator in ("", "!")

    def _is_in_order(self, value: Value, passage: Passage) -> bool:
        assert not isinstance(self.right, Among)
        other = self.right.value(passage)
        if isinstance(value, Address) and isinstance(other, Address):
            value, other = value.value, other.value
        if not isinstance(value, int) or not isinstance(other, int) or value < 0:
            raise UnknownError(str(self))
        return _ORDERS[self.operator](value, other)

    @property
    def _written_operator(self) -> str:
        # Of a value behind bits the operator is always written (expr_print's relational_expr).
        of_flags = isinstance(self.right, Literal) and self.right.type.is_bitmask
        is_plain = not (isinstance(self.left, Bits) or of_flags)
        return self.operator if self.operator != "==" or not is_plain else ""

    def __str__(self) -> str:
        right = str(self.right)
        if (
            self.operator in ("==", "!=")
            and isinstance(self.right, Literal)
            and self.right.type.is_bitmask
        ):
            right = right.replace(",", " | ")  # one value, not any of these
        return " ".join(filter(None, (str(self.left), self._written_operator, right)))


class Flags:
    """``tcp flags syn / fin,syn,rst,ack``: of those behind the stroke these and no others."""

    __slots__ = ("flags", "left", "mask", "negated")

    def __init__(self, left: Expression, flags: Literal, mask: Literal, *, negated: bool) -> None:
        self.left, self.flags, self.mask, self.negated = left, flags, mask, negated

    def do(self, passage: Passage, /) -> None:
        value, mask = self.left.value(passage), self.mask.raw
        assert isinstance(value, int)
        assert isinstance(mask, int)
        if (value & mask == self.flags.raw) is self.negated:
            raise BreakError

    def __str__(self) -> str:
        negated = "!= " if self.negated else ""
        return f"{self.left} {negated}{self.flags} / {self.mask}"


def read(words: Words, left: Expression) -> Match | Flags:
    """What it is compared with."""
    operator = ""
    word = _OPERATORS.get(words.ahead, words.ahead)
    if word in ("==", "!=", "!", *_ORDERS):
        words.take()
        operator = word
    if isinstance(left, Bits) and not operator:
        operator = "=="
    if words.ahead == "{" or words.ahead.startswith("@"):
        return Match(left, operator, words.collection(left.types))
    if words.ahead in ("exists", "missing"):
        return Match(left, "" if operator == "==" else operator, words.literal(BOOLEAN))
    if not left.types:
        raise NftError(f"not understood: {left}")
    right = _right(words, left)
    if isinstance(right, Literal) and right.type.name == "tcp_flag":
        if words.has("/"):
            mask = words.literal(right.type)
            assert isinstance(mask, Literal)
            return Flags(left, right, mask, negated=operator == "!=")
        if isinstance(left, Bits) and left.operator == "&" and _is_list(left.right):
            return Flags(left.left, right, left.right, negated=operator == "!=")
    return Match(left, operator, right)


def _is_list(mask: Expression) -> TypeGuard[Literal]:
    """Of several flags: of one alone nft prints ``tcp flags & syn == syn``."""
    return isinstance(mask, Literal) and isinstance(mask.raw, int) and mask.raw.bit_count() > 1


def _right(words: Words, left: Expression) -> Expression | Fields:
    if len(left.types) > 1:
        return Fields(words.fields(left.types))
    (type_,) = left.types
    if type_.is_bitmask and words.ahead != "(":
        return words.literal(type_)
    return words.expression(left.types)


BEHIND = {"": read}

JSON: Mapping[str, Spoken] = {
    "match": lambda said, say: " ".join(
        filter(None, (say(said["left"]), said["op"].replace("in", ""), say(said["right"])))
    )
}
