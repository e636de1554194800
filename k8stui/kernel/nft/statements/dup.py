"""``dup to 10.0.0.9 device "eth1"``: a copy goes elsewhere, the packet on (nft_dup_ipv4.c)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from k8stui.kernel.nft.datatypes import IFNAME, IPV4_ADDR, IPV6_ADDR
from k8stui.kernel.nft.expression import Expression
from k8stui.kernel.nft.named import found
from k8stui.kernel.nft.passage import Passage
from k8stui.kernel.nft.spoken import Json, Say, Spoken
from k8stui.kernel.nft.words import Words


class Dup(NamedTuple):
    """The copy is not followed."""

    to: Expression
    device: str = ""

    def do(self, passage: Passage, /) -> None:
        found(self.to, passage)
        passage.note(f"{self}: the copy is not followed")

    def __str__(self) -> str:
        return f"dup to {self.to}{self.device and f' device {self.device}'}"


def _read(words: Words) -> Dup:
    words.expect("dup")
    words.expect("to")
    return Dup(target(words), words.take() if words.has("device") else "")


def target(words: Words) -> Expression:
    """An address or a device, or a map that leads to one.

    Raises:
        NftError: it is not understood.

    """
    return words.expression_of_one((IPV4_ADDR,), (IPV6_ADDR,), (IFNAME,))


def _said(said: Json, say: Say) -> str:
    device = f' device "{said["dev"]}"' if "dev" in said else ""
    return f"dup to {say(said['addr'])}{device}"


GRAMMAR = {"dup": _read}
JSON: Mapping[str, Spoken] = {"dup": _said}
