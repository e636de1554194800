"""Verdicts: what a rule, or an element of a verdict map, can say at the end (nft(8), VERDICT)."""

from __future__ import annotations

from typing import NamedTuple

PLAIN = frozenset({"accept", "drop", "continue", "return"})
TO_A_CHAIN = frozenset({"jump", "goto"})


class Said(NamedTuple):
    """``accept``, ``goto service-…``."""

    kind: str
    chain: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.chain}" if self.chain else self.kind
