"""``fwd to "eth1"``: out by another device, past all that comes behind (nft_fwd_netdev.c)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from k8stui.kernel.nft.errors import UnknownError
from k8stui.kernel.nft.expression import Expression
from k8stui.kernel.nft.passage import Passage
from k8stui.kernel.nft.spoken import Json, Say, Spoken
from k8stui.kernel.nft.statements.dup import target
from k8stui.kernel.nft.words import Words


class Fwd(NamedTuple):
    """Nothing of it is followed."""

    to: Expression
    family: str = ""
    device: str = ""

    def do(self, _: Passage, /) -> None:
        raise UnknownError(str(self))

    def __str__(self) -> str:
        family = f"{self.family} " if self.family else ""
        return f"fwd {family}to {self.to}{self.device and f' device {self.device}'}"


def _read(words: Words) -> Fwd:
    words.expect("fwd")
    family = words.take() if words.ahead in ("ip", "ip6") else ""
    words.expect("to")
    return Fwd(target(words), family, words.take() if words.has("device") else "")


def _said(said: Json, say: Say) -> str:
    if "addr" not in said:
        return f"fwd to {say(said['dev'])}"
    return f'fwd {said["family"]} to {say(said["addr"])} device "{said["dev"]}"'


GRAMMAR = {"fwd": _read}
JSON: Mapping[str, Spoken] = {"fwd": _said}
