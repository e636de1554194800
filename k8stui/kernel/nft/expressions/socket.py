"""The socket of this node that a packet is for: ``socket transparent`` (nft_socket.c)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from k8stui.kernel.nft import datatypes as types
from k8stui.kernel.nft.datatypes import Datatype, Raw
from k8stui.kernel.nft.errors import NftError, UnknownError
from k8stui.kernel.nft.expression import Types
from k8stui.kernel.nft.passage import Passage
from k8stui.kernel.nft.spoken import Spoken
from k8stui.kernel.nft.words import Words

_KEYS: Mapping[str, Datatype] = {
    "transparent": types.INTEGER, "wildcard": types.INTEGER, "mark": types.MARK,
    "cgroupv2": types.CGROUP,
}  # fmt: skip


class OfSocket(NamedTuple):
    """A property of it; how processes opened their sockets, nothing of the input tells."""

    key: str
    level: int | None = None
    """Of a control group, how deep it is looked at."""

    @property
    def types(self) -> Types:
        return (_KEYS[self.key],)

    def value(self, _: Passage, /) -> Raw:
        raise UnknownError(f"{self}: how processes of the node opened their sockets")

    def __str__(self) -> str:
        return f"socket {self.key}" + ("" if self.level is None else f" level {self.level}")


def _read(words: Words) -> OfSocket:
    words.expect("socket")
    key = words.take()
    if key not in _KEYS:
        raise NftError(f"not understood: socket {key}")
    return OfSocket(key, words.number(32) if words.has("level") else None)


GRAMMAR = {"socket": _read}
JSON: Mapping[str, Spoken] = {
    "socket": lambda said, _: str(OfSocket(said["key"], said.get("level")))
}
