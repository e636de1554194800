"""What every expression of nftables has."""

from __future__ import annotations

from typing import Protocol

from k8stui.kernel.nft.datatypes import Datatype, Value
from k8stui.kernel.nft.passage import Passage

Types = tuple[Datatype, ...]
"""Of each field its type: several only of a concatenation."""


class Expression(Protocol):
    """Something with a value. `str()` of it is what ``nft list ruleset`` prints."""

    @property
    def types(self) -> Types: ...

    def value(self, passage: Passage, /) -> Value:
        """What it comes to for the packet.

        Raises:
            BreakError, UnknownError: see there.

        """
