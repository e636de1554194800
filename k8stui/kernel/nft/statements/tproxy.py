"""``tproxy to :50080``: to a process of this node, addresses as they are (nft_tproxy.c)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from k8stui.kernel.header import WITH_PORTS
from k8stui.kernel.nft.errors import BreakError, NftError, UnknownError
from k8stui.kernel.nft.passage import Passage
from k8stui.kernel.nft.spoken import Json, Say, Spoken
from k8stui.kernel.nft.words import Words


class Tproxy(NamedTuple):
    """Where to, as it is written: whether a process listens there so, the rules do not say."""

    to: str
    family: str = ""

    def do(self, passage: Passage, /) -> None:
        if passage.packet.protocol not in WITH_PORTS:
            raise BreakError
        raise UnknownError(f"{self}: a process of the node takes it over")

    def __str__(self) -> str:
        return f"tproxy {self.family} to {self.to}" if self.family else f"tproxy to {self.to}"


def _read(words: Words) -> Tproxy:
    words.expect("tproxy")
    family = words.take() if words.ahead in ("ip", "ip6") else ""
    words.expect("to")
    to = words.take()
    if words.ahead.startswith(":"):  # behind an IPv6 address in brackets
        to += words.take()
    if not to[:1].isdecimal() and to[:1] not in (":", "["):
        raise NftError(f"not understood: tproxy to {to}")
    return Tproxy(to, family)


def _said(said: Json, say: Say) -> str:
    address = say(said["addr"]) if "addr" in said else ""
    if ":" in address:
        address = f"[{address}]"
    port = f":{say(said['port'])}" if "port" in said else ""
    family = f"{said['family']} " if "family" in said else ""
    return f"tproxy {family}to {address}{port}"


GRAMMAR = {"tproxy": _read}
JSON: Mapping[str, Spoken] = {"tproxy": _said}
