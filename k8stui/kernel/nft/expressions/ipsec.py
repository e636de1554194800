"""How IPsec treats a packet: ``ipsec in reqid 1``, ``ipsec out ip daddr`` (nft_xfrm.c)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from k8stui.kernel.nft import datatypes as types
from k8stui.kernel.nft.datatypes import Datatype, Raw
from k8stui.kernel.nft.errors import NftError, UnknownError
from k8stui.kernel.nft.expression import Types
from k8stui.kernel.nft.passage import Passage
from k8stui.kernel.nft.spoken import Json, Say, Spoken
from k8stui.kernel.nft.words import Words

_KEYS: Mapping[str, Datatype] = {
    "reqid": types.INTEGER, "spi": types.INTEGER,
    "ip saddr": types.IPV4_ADDR, "ip daddr": types.IPV4_ADDR,
    "ip6 saddr": types.IPV6_ADDR, "ip6 daddr": types.IPV6_ADDR,
}  # fmt: skip


class Ipsec(NamedTuple):
    """Of the state that it came by, or goes by; which a node has, nothing of the input tells."""

    direction: str
    key: str
    number: int = 0
    """Which of several that are within each other."""

    @property
    def types(self) -> Types:
        return (_KEYS[self.key],)

    def value(self, _: Passage, /) -> Raw:
        raise UnknownError(str(self))

    def __str__(self) -> str:
        number = f" spnum {self.number}" if self.number else ""
        return f"ipsec {self.direction}{number} {self.key}"


def _read(words: Words) -> Ipsec:
    words.expect("ipsec")
    direction = words.take()
    number = words.number(8) if words.has("spnum") else 0
    key = words.take()
    if key in ("ip", "ip6"):
        key = f"{key} {words.take()}"
    if key not in _KEYS or direction not in ("in", "out"):
        raise NftError(f"not understood: ipsec {direction} {key}")
    return Ipsec(direction, key, number)


def _said(said: Json, _: Say) -> str:
    key = " ".join(filter(None, (said.get("family"), said["key"])))
    return str(Ipsec(said["dir"], key, said.get("spnum", 0)))


GRAMMAR = {"ipsec": _read}
JSON: Mapping[str, Spoken] = {"ipsec": _said}
