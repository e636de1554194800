"""``counter packets 0 bytes 0``, ``counter name "c"`` (nft_counter.c)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from k8stui.kernel.nft.expression import Expression
from k8stui.kernel.nft.named import found, is_named
from k8stui.kernel.nft.passage import Passage
from k8stui.kernel.nft.spoken import Spoken
from k8stui.kernel.nft.words import Words


class Counter(NamedTuple):
    """It counts what comes by."""

    packets: int = 0
    bytes: int = 0
    name: Expression | None = None
    """Of one that the table has."""

    def do(self, passage: Passage, /) -> None:
        found(self.name, passage)

    def stateless(self) -> str:
        return str(self) if self.name is not None else "counter"

    def __str__(self) -> str:
        if self.name is not None:
            return f"counter name {self.name}"
        return f"counter packets {self.packets} bytes {self.bytes}"


def _read(words: Words) -> Counter:
    words.expect("counter")
    if words.has("name"):
        return Counter(name=words.object())
    packets = words.number() if words.has("packets") else 0
    return Counter(packets, words.number() if words.has("bytes") else 0)


GRAMMAR = {"counter": _read}
JSON: Mapping[str, Spoken] = {
    "counter": lambda said, say: (
        f"counter name {say(said)}"
        if is_named(said)
        else f"counter packets {said['packets']} bytes {said['bytes']}"
        if said
        else "counter"
    )
}
