"""A number drawn or counted on: ``numgen random mod 3`` (nft_numgen.c)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from k8stui.kernel.nft.chance import outcome
from k8stui.kernel.nft.datatypes import INTEGER, Value
from k8stui.kernel.nft.errors import NftError
from k8stui.kernel.nft.expression import Types
from k8stui.kernel.nft.passage import Passage
from k8stui.kernel.nft.spoken import Spoken
from k8stui.kernel.nft.words import Words


class Numgen(NamedTuple):
    """Each number is as likely: of ``inc`` nobody knows whose turn it is."""

    mode: str
    most: int
    offset: int = 0

    @property
    def types(self) -> Types:
        return (INTEGER,)

    @property
    def numbers(self) -> range:
        """Those that are drawn from."""
        return range(self.offset, self.offset + self.most)

    def value(self, passage: Passage, /) -> Value:
        return outcome(self, passage, lambda number: number)

    def __str__(self) -> str:
        offset = f" offset {self.offset}" if self.offset else ""
        return f"numgen {self.mode} mod {self.most}{offset}"


def _read(words: Words) -> Numgen:
    words.expect("numgen")
    mode = words.take()
    if mode not in ("random", "inc"):
        raise NftError(f"not understood: numgen {mode}")
    words.expect("mod")
    most = words.number(32)
    return Numgen(mode, most, words.number(32) if words.has("offset") else 0)


GRAMMAR = {"numgen": _read}
JSON: Mapping[str, Spoken] = {
    "numgen": lambda said, _: (
        f"numgen {said['mode']} mod {said['mod']} offset {said.get('offset', 0)}"
    )
}
