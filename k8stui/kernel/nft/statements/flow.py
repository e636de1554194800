"""``flow add @f``: later packets of the connection take a short cut (nft_flow_offload.c)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from k8stui.kernel.nft.passage import Passage
from k8stui.kernel.nft.spoken import Spoken
from k8stui.kernel.nft.words import Words


class Flow(NamedTuple):
    """The packet goes on as it was; the short cut is not walked."""

    table: str

    def do(self, passage: Passage, /) -> None:
        passage.note(f"flow table {self.table}: not modelled, offloaded")

    def __str__(self) -> str:
        return f"flow add @{self.table}"


def _read(words: Words) -> Flow:
    words.expect("flow")
    words.expect("add")
    return Flow(words.take().removeprefix("@"))


GRAMMAR = {"flow": _read}
JSON: Mapping[str, Spoken] = {"flow": lambda said, _: f"flow {said['op']} {said['flowtable']}"}
