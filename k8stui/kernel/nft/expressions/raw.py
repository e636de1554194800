"""Bits by their place: ``@nh,96,32``, so many of the network header (nft_payload.c)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from k8stui.kernel.nft.datatypes import Raw, hexadecimal
from k8stui.kernel.nft.errors import NftError, UnknownError
from k8stui.kernel.nft.expression import Types
from k8stui.kernel.nft.passage import Passage
from k8stui.kernel.nft.spoken import Spoken
from k8stui.kernel.nft.words import Words

_WRITTEN = re.compile(r"@(ll|nh|th|ih),([0-9]{1,4}),([0-9]{1,3})", re.ASCII)


class Bitfield(NamedTuple):
    """Of a header, from a place on: what stands there, a walk does not keep bit by bit."""

    header: str
    first: int
    bits: int

    @property
    def types(self) -> Types:
        return (hexadecimal(self.bits),)

    def value(self, _: Passage, /) -> Raw:
        raise UnknownError(str(self))

    def __str__(self) -> str:
        return f"@{self.header},{self.first},{self.bits}"


def _read(words: Words) -> Bitfield:
    written = words.take()
    match = _WRITTEN.fullmatch(written)
    if match is None or not 0 < int(match[3]) <= 128:
        raise NftError(f"not understood: {written}")
    return Bitfield(match[1], int(match[2]), int(match[3]))


GRAMMAR = dict.fromkeys(("@ll", "@nh", "@th", "@ih"), _read)
"""What comes behind the comma, `_read` sees."""
JSON: Mapping[str, Spoken] = {}
"""It is called a payload there too."""
