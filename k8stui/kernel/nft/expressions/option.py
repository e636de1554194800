"""Options of TCP: ``tcp option maxseg size`` (nft_exthdr.c)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from k8stui.kernel.nft.datatypes import INTEGER, Raw
from k8stui.kernel.nft.errors import BreakError, NftError
from k8stui.kernel.nft.expression import Types
from k8stui.kernel.nft.passage import Passage
from k8stui.kernel.nft.spoken import Spoken
from k8stui.kernel.nft.words import Words
from k8stui.kernel.packet import Protocol


class SegmentSize(NamedTuple):
    """The largest segment that a SYN asks for: of all options the one that a walk knows."""

    @property
    def types(self) -> Types:
        return (INTEGER,)

    def value(self, passage: Passage, /) -> Raw:
        packet = passage.packet
        if packet.protocol is not Protocol.TCP or not packet.mss_bytes:
            raise BreakError
        return packet.mss_bytes

    def __str__(self) -> str:
        return "tcp option maxseg size"


def _read(words: Words) -> SegmentSize:
    if not words.has("tcp", "option", "maxseg", "size"):
        raise NftError("not understood: an option of TCP")
    return SegmentSize()


GRAMMAR = {"tcp option": _read}
JSON: Mapping[str, Spoken] = {
    "tcp option": lambda said, _: f"tcp option {said['name']} {said.get('field', 'exists')}"
}
