"""What a map has for a key (nft_lookup.c with a destination register)."""

from __future__ import annotations

from typing import NamedTuple

from k8stui.kernel.nft.datatypes import Value
from k8stui.kernel.nft.errors import BreakError, UnknownError
from k8stui.kernel.nft.expression import Expression, Types
from k8stui.kernel.nft.literal import Field
from k8stui.kernel.nft.lookup import Among, looked_up
from k8stui.kernel.nft.passage import Passage
from k8stui.kernel.nft.verdict import Said


class Mapped(NamedTuple):
    """``ip saddr map { 10.0.0.1 : 0x1 }``, ``numgen random mod 3 map { 0 : … }``."""

    key: Expression
    among: Among
    types: Types

    def fields(self, passage: Passage) -> tuple[Field, ...]:
        """What the key leads to, as it is written.

        Raises:
            BreakError: nothing.

        """
        found = looked_up(self.key, self.among, passage)
        if found is None:
            raise BreakError
        if found.data is None or isinstance(found.data, Said):
            raise UnknownError(str(self))
        return found.data

    def value(self, passage: Passage, /) -> Value:
        values = tuple(field.value(passage) for field in self.fields(passage))
        return values if len(values) > 1 else values[0]

    def __str__(self) -> str:
        return f"{self.key} map {self.among}"
