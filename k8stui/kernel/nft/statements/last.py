"""``last used 5m``: when the rule was met last (nft_last.c)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from k8stui.kernel.nft.passage import Passage
from k8stui.kernel.nft.spoken import Json, Say, Spoken
from k8stui.kernel.nft.times import written
from k8stui.kernel.nft.words import Words


class Last(NamedTuple):
    """It looks at the clock."""

    used: str = ""
    """``never``, or how long ago."""

    def do(self, _: Passage, /) -> None:
        pass

    def stateless(self) -> str:
        return "last"

    def __str__(self) -> str:
        return f"last used {self.used}" if self.used else "last"


def _read(words: Words) -> Last:
    words.expect("last")
    return Last(words.take() if words.has("used") else "")


def _said(said: Json, _: Say) -> str:
    return str(Last(written(said["used"] // 1000) if said else "never"))


GRAMMAR = {"last": _read}
JSON: Mapping[str, Spoken] = {"last": _said}
