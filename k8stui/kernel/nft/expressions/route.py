"""What the packet's route says: ``rt mtu`` (nft_rt.c get_tcpmss)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from k8stui.kernel.header import MSS_HEADERS_BYTES
from k8stui.kernel.nft.datatypes import INTEGER, Raw
from k8stui.kernel.nft.errors import NftError, UnknownError
from k8stui.kernel.nft.expression import Types
from k8stui.kernel.nft.passage import Passage
from k8stui.kernel.nft.spoken import Spoken
from k8stui.kernel.nft.words import Words


class PathSegment(NamedTuple):
    """The largest segment that fits the way there and the way back."""

    @property
    def types(self) -> Types:
        return (INTEGER,)

    def value(self, passage: Passage, /) -> Raw:
        path_mtu = passage.context.path_mtu
        if path_mtu is None:
            raise UnknownError(str(self))
        return max(0, path_mtu(passage.packet) - MSS_HEADERS_BYTES[passage.version])

    def __str__(self) -> str:
        return "rt mtu"


def _read(words: Words) -> PathSegment:
    if not words.has("rt", "mtu"):
        raise NftError("not understood: rt")
    return PathSegment()


GRAMMAR = {"rt": _read}
JSON: Mapping[str, Spoken] = {"rt": lambda said, _: f"rt {said['key']}"}
