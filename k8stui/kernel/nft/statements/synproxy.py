"""``synproxy mss 1460 wscale 7``: the node shakes hands in the server's place (nft_synproxy.c)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from k8stui.kernel.nft.errors import BreakError, UnknownError
from k8stui.kernel.nft.expression import Expression
from k8stui.kernel.nft.named import found, is_named
from k8stui.kernel.nft.passage import Passage
from k8stui.kernel.nft.spoken import Json, Say, Spoken
from k8stui.kernel.nft.words import Words
from k8stui.kernel.packet import Protocol

_FLAGS = ("timestamp", "sack-perm")
_NUMBERS = ("mss", "wscale")


class Synproxy(NamedTuple):
    """With what it answers, as written; or the name of an object that says so."""

    said: str = ""
    name: Expression | None = None

    def do(self, passage: Passage, /) -> None:
        if passage.packet.protocol is not Protocol.TCP:
            raise BreakError
        found(self.name, passage)
        raise UnknownError(f"{self}: the node answers in the server's place")

    def __str__(self) -> str:
        said = f"name {self.name}" if self.name is not None else self.said
        return f"synproxy {said}".rstrip()


def _read(words: Words) -> Synproxy:
    words.expect("synproxy")
    if words.has("name"):
        return Synproxy(name=words.object())
    said = []
    while words.ahead in (*_FLAGS, *_NUMBERS):
        word = words.take()
        said.append(f"{word} {words.number(16)}" if word in _NUMBERS else word)
    return Synproxy(" ".join(said))


def _said(said: Json, say: Say) -> str:
    if is_named(said):
        return f"synproxy name {say(said)}"
    said = said or {}
    numbers = [f"{word} {said[word]}" for word in _NUMBERS if word in said]
    return " ".join(("synproxy", *numbers, *say.several(said.get("flags", ()))))


GRAMMAR = {"synproxy": _read}
JSON: Mapping[str, Spoken] = {"synproxy": _said}
