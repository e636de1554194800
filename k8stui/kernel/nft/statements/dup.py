"""``dup to 10.0.0.9 device "eth1"``: a copy goes elsewhere, the packet on (nft_dup_ipv4.c)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from k8stui.kernel.nft.passage import Passage
from k8stui.kernel.nft.spoken import Json, Say, Spoken
from k8stui.kernel.nft.words import Words


class Dup(NamedTuple):
    """Where to, as it is written: the copy is not followed."""

    to: str
    device: str = ""

    def do(self, passage: Passage, /) -> None:
        passage.note(f"{self}: the copy is not followed")

    def __str__(self) -> str:
        return f"dup to {self.to}{self.device and f' device {self.device}'}"


def _read(words: Words) -> Dup:
    words.expect("dup")
    words.expect("to")
    return Dup(words.take(), words.take() if words.has("device") else "")


def _said(said: Json, say: Say) -> str:
    device = f' device "{said["dev"]}"' if "dev" in said else ""
    to = f'"{said["addr"]}"' if say.family == "netdev" else say(said["addr"])
    return f"dup to {to}{device}"


GRAMMAR = {"dup": _read}
JSON: Mapping[str, Spoken] = {"dup": _said}
