"""What every statement of nftables has."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from k8stui.kernel.nft.errors import UnknownError
from k8stui.kernel.nft.passage import Passage


class Statement(Protocol):
    """One thing that a rule asks or does. `str()` of it is what ``nft list ruleset`` prints."""

    def do(self, passage: Passage, /) -> None:
        """Ask or do it.

        Raises:
            BreakError: the rule does not match, or does no more.
            UnknownError: what becomes of the packet is not known.
            Ended, Led: with a verdict.

        """


class Unknown(NamedTuple):
    """What is not understood of a rule, from here to its end."""

    text: str

    def do(self, _: Passage, /) -> None:
        raise UnknownError(self.text)

    def __str__(self) -> str:
        return self.text
