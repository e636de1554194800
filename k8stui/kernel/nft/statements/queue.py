"""``queue to 100``: a program of the node decides (nft_queue.c)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from k8stui.kernel.nft.datatypes import INTEGER
from k8stui.kernel.nft.errors import UnknownError
from k8stui.kernel.nft.expression import Expression
from k8stui.kernel.nft.passage import Passage
from k8stui.kernel.nft.spoken import Json, Say, Spoken
from k8stui.kernel.nft.words import Words

_FLAGS = ("bypass", "fanout")


class Queue(NamedTuple):
    """Which program it is, the rules do not say."""

    flags: tuple[str, ...] = ()
    to: Expression | None = None
    """A number or several, or what comes to one."""

    def do(self, _: Passage, /) -> None:
        raise UnknownError(f"{self}: a program decides")

    def __str__(self) -> str:
        flags = f"flags {','.join(self.flags)}" if self.flags else ""
        return " ".join(
            filter(None, ("queue", flags, f"to {self.to}" if self.to is not None else ""))
        )


def _read(words: Words) -> Queue:
    words.expect("queue")
    found = []
    to = None
    if words.has("flags"):
        found = _flags(words)
    if words.has("to") or words.has("num"):
        to = words.expression((INTEGER,))
    return Queue(tuple(found or _flags(words)), to)


def _flags(words: Words) -> list[str]:
    found = []
    while words.ahead in _FLAGS:
        found.append(words.take())
        words.has(",")
    return found


def _said(said: Json, say: Say) -> str:
    said = said or {}
    flags = ",".join(say.several(said.get("flags", ())))
    to = f"to {say(said['num'])}" if "num" in said else ""
    return " ".join(filter(None, ("queue", flags and f"flags {flags}", to)))


GRAMMAR = {"queue": _read}
JSON: Mapping[str, Spoken] = {"queue": _said}
