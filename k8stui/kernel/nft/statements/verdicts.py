"""``accept``, ``drop``, ``return``, ``continue``, ``jump``, ``goto`` (nft_immediate.c)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from k8stui.kernel.nft.passage import Led, Passage
from k8stui.kernel.nft.spoken import Spoken
from k8stui.kernel.nft.verdict import PLAIN, TO_A_CHAIN, Said
from k8stui.kernel.nft.words import Words
from k8stui.kernel.verdict import Accept, Drop


def carry_out(said: Said, passage: Passage) -> None:
    """Do what a verdict says."""
    if said.kind == "accept":
        passage.end(Accept())
    if said.kind == "drop":
        passage.end(Drop())
    if said.kind != "continue":
        raise Led(said)


class Verdict(NamedTuple):
    """A verdict of its own."""

    said: Said

    def do(self, passage: Passage, /) -> None:
        carry_out(self.said, passage)

    def __str__(self) -> str:
        return str(self.said)


def _read(words: Words) -> Verdict:
    return Verdict(words.verdict())


GRAMMAR = dict.fromkeys(PLAIN | TO_A_CHAIN, _read)
JSON: Mapping[str, Spoken] = {
    **dict.fromkeys(PLAIN, lambda _, say: say.word),
    **dict.fromkeys(TO_A_CHAIN, lambda said, say: f"{say.word} {said['target']}"),
}
