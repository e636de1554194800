"""``ct count over 10``: how many connections there are (nft_connlimit.c)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from k8stui.kernel.nft.errors import BreakError
from k8stui.kernel.nft.passage import Passage
from k8stui.kernel.nft.spoken import Spoken
from k8stui.kernel.nft.words import Words


class Count(NamedTuple):
    """Taken as not exceeded: one request is walked."""

    most: int
    over: bool = False

    def do(self, passage: Passage, /) -> None:
        passage.note("ct count: taken as not exceeded")
        if self.over:
            raise BreakError

    def __str__(self) -> str:
        return f"ct count {'over ' if self.over else ''}{self.most}"


def _read(words: Words) -> Count:
    words.has("ct", "count")
    over = words.has("over")
    return Count(words.number(), over)


GRAMMAR = {"ct count": _read}
JSON: Mapping[str, Spoken] = {
    "ct count": lambda said, _: f"ct count {'over ' if said.get('inv') else ''}{said['val']}"
}
