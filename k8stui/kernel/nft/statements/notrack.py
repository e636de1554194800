"""``notrack`` (nft_ct.c nft_notrack_eval)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from k8stui.kernel.nft.passage import Passage
from k8stui.kernel.nft.spoken import Spoken
from k8stui.kernel.nft.words import Words
from k8stui.kernel.step import StepKind


class NoTrack(NamedTuple):
    """Connection tracking leaves the packet alone."""

    def do(self, passage: Passage, /) -> None:
        passage.untrack()
        passage.visit(StepKind.RULE)

    def __str__(self) -> str:
        return "notrack"


def _read(words: Words) -> NoTrack:
    words.expect("notrack")
    return NoTrack()


GRAMMAR = {"notrack": _read}
JSON: Mapping[str, Spoken] = {"notrack": lambda _, say: say.word}
