"""``reset tcp option sack-perm``: an option is made into nothing (nft_exthdr.c)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from k8stui.kernel.header import changed
from k8stui.kernel.nft.errors import BreakError
from k8stui.kernel.nft.expressions.option import SEGMENT_SIZE, option, said
from k8stui.kernel.nft.passage import Passage
from k8stui.kernel.nft.spoken import Spoken
from k8stui.kernel.nft.words import Words
from k8stui.kernel.packet import Protocol
from k8stui.kernel.step import StepKind


class Reset(NamedTuple):
    """Of all options a walk looks at the largest segment alone."""

    option: str

    def do(self, passage: Passage, /) -> None:
        if passage.packet.protocol is not Protocol.TCP:
            raise BreakError  # one that is not there ends nothing
        if self.option == SEGMENT_SIZE.name and passage.packet.mss_bytes:
            passage.become(changed(passage.packet, mss_bytes=0), StepKind.RULE)

    def __str__(self) -> str:
        return f"reset tcp option {self.option}"


def _read(words: Words) -> Reset:
    words.expect("reset")
    return Reset(option(words))


GRAMMAR = {"reset": _read}
JSON: Mapping[str, Spoken] = {"reset": lambda told, say: f"reset {said(told['tcp option'], say)}"}
