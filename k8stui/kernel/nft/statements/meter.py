"""``meter ssh { ip saddr limit rate 3/minute }``: a set with a limit for each (nft_dynset.c)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from k8stui.kernel.nft.passage import Passage
from k8stui.kernel.nft.spoken import Json, Say, Spoken
from k8stui.kernel.nft.statements.dynamic import Entry, entry
from k8stui.kernel.nft.words import Words


class Meter(NamedTuple):
    """Nothing but its own rule asks for it: what counts is what is done for each element."""

    name: str
    entry: Entry
    size: int | None = None

    def do(self, passage: Passage, /) -> None:
        self.entry.key.value(passage)
        for statement in self.entry.statements:
            statement.do(passage)

    def __str__(self) -> str:
        size = f" size {self.size}" if self.size is not None else ""
        return f"meter {self.name}{size} {self.entry}"


def _read(words: Words) -> Meter:
    words.expect("meter")
    name = words.name()
    size = words.number(32) if words.has("size") else None
    return Meter(name, entry(words), size)


def _said(said: Json, say: Say) -> str:
    size = f" size {said['size']}" if "size" in said else ""
    return f"meter {said['name']}{size} {{ {say(said['key'])} {say.statement(said['stmt'])} }}"


GRAMMAR = {"meter": _read}
JSON: Mapping[str, Spoken] = {"meter": _said}
