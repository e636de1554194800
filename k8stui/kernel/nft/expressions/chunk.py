"""Chunks of an SCTP packet: ``sctp chunk init exists``, ``sctp chunk data stream 5``.

nft_exthdr.c nft_exthdr_sctp_eval.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from k8stui.kernel.nft.datatypes import BOOLEAN, INTEGER, Raw
from k8stui.kernel.nft.errors import BreakError, UnknownError
from k8stui.kernel.nft.expression import Types
from k8stui.kernel.nft.passage import Passage
from k8stui.kernel.nft.spoken import Spoken
from k8stui.kernel.nft.words import Words
from k8stui.kernel.packet import Protocol


class Chunk(NamedTuple):
    """One of them, or a field of it; which are sent a walk does not keep."""

    name: str
    field: str = ""
    """Empty: asked is only whether there is one."""

    @property
    def types(self) -> Types:
        return (INTEGER,) if self.field else (BOOLEAN,)

    def value(self, passage: Passage, /) -> Raw:
        if passage.packet.protocol is not Protocol.SCTP:
            raise BreakError
        raise UnknownError(str(self))

    def __str__(self) -> str:
        return f"sctp chunk {self.name} {self.field}".rstrip()


def _read(words: Words) -> Chunk:
    words.has("sctp", "chunk")
    name = words.take()
    if words.ahead in ("", "exists", "missing", "==", "!="):
        return Chunk(name)
    return Chunk(name, words.take())


GRAMMAR = {"sctp chunk": _read}
JSON: Mapping[str, Spoken] = {
    "sctp chunk": lambda said, _: str(Chunk(said["name"], said.get("field", "")))
}
