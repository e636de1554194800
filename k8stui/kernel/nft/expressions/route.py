"""What the packet's route says: ``rt mtu`` (nft_rt.c get_tcpmss)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from k8stui.kernel.header import MSS_HEADERS_BYTES
from k8stui.kernel.nft import datatypes as types
from k8stui.kernel.nft.datatypes import Datatype, Raw
from k8stui.kernel.nft.errors import NftError, UnknownError
from k8stui.kernel.nft.expression import Types
from k8stui.kernel.nft.passage import Passage
from k8stui.kernel.nft.spoken import Spoken
from k8stui.kernel.nft.words import Words

_KEYS: Mapping[str, Datatype] = {
    "mtu": types.INTEGER,
    "classid": types.REALM,
    "ipsec": types.BOOLEAN,
    "ip nexthop": types.IPV4_ADDR,
    "ip6 nexthop": types.IPV6_ADDR,
}


class Routed(NamedTuple):
    """Of all it says a walk keeps the largest segment that fits the way there and back."""

    key: str

    @property
    def types(self) -> Types:
        return (_KEYS[self.key],)

    def value(self, passage: Passage, /) -> Raw:
        path_mtu = passage.context.path_mtu if self == PATH_SEGMENT else None
        if path_mtu is None:
            raise UnknownError(str(self))
        return max(0, path_mtu(passage.packet) - MSS_HEADERS_BYTES[passage.version])

    def __str__(self) -> str:
        return f"rt {self.key}"


PATH_SEGMENT = Routed("mtu")


def _read(words: Words) -> Routed:
    words.expect("rt")
    key = words.take()
    if key in ("ip", "ip6"):
        key = f"{key} {words.take()}"
    if key not in _KEYS:
        raise NftError(f"not understood: rt {key}")
    return Routed(key)


GRAMMAR = {"rt": _read}
JSON: Mapping[str, Spoken] = {
    "rt": lambda said, _: " ".join(filter(None, ("rt", said.get("family"), said["key"])))
}
