"""Options of TCP: ``tcp option maxseg size``, ``tcp option timestamp exists`` (nft_exthdr.c)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from k8stui.kernel.nft.datatypes import BOOLEAN, INTEGER, Raw
from k8stui.kernel.nft.errors import BreakError, NftError, UnknownError
from k8stui.kernel.nft.expression import Types
from k8stui.kernel.nft.passage import Passage
from k8stui.kernel.nft.spoken import Json, Say, Spoken
from k8stui.kernel.nft.words import Words
from k8stui.kernel.packet import Protocol

_SIGNED = ("md5sig", "fastopen", "mptcp")
"""Only where the program asked for it, which none of a walk does."""
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "eol": (), "nop": (),
    "maxseg": ("length", "size"),
    "window": ("length", "count"),
    "sack-perm": ("length",),
    **dict.fromkeys(("sack", "sack0", "sack1", "sack2", "sack3"), ("length", "left", "right")),
    "timestamp": ("length", "tsval", "tsecr"),
    "fastopen": ("length",), "md5sig": ("length",), "mptcp": ("length", "subtype"),
}  # fmt: skip
"""Beside ``kind``."""


class TcpOption(NamedTuple):
    """An option, or a field of it; of all that are sent a walk knows the largest segment."""

    name: str
    field: str = ""
    """Empty: asked is only whether there is one."""

    @property
    def types(self) -> Types:
        return (INTEGER,) if self.field or self.name.startswith("@") else (BOOLEAN,)

    def value(self, passage: Passage, /) -> Raw:
        packet = passage.packet
        size = packet.mss_bytes if self.name == "maxseg" else 0
        if packet.protocol is Protocol.TCP and self.name not in ("maxseg", *_SIGNED):
            raise UnknownError(str(self))
        if not self.field:
            return int(size > 0)
        if not size:
            raise BreakError
        return {"size": size, "length": 4, "kind": 2}[self.field]

    def __str__(self) -> str:
        return f"tcp option {self.name} {self.field}".rstrip()


SEGMENT_SIZE = TcpOption("maxseg", "size")
"""The largest segment that a SYN asks for."""


def option(words: Words) -> str:
    """The words ``tcp option``, and its name or number; ``@255,8,8``: bits by their place.

    Raises:
        NftError: there is no such option.

    """
    words.expect("tcp")
    words.expect("option")
    name = words.take()
    if name not in _FIELDS and not name.isdecimal() and not name.startswith("@"):
        raise NftError(f"not understood: tcp option {name}")
    return name


def _read(words: Words) -> TcpOption:
    name = option(words)
    if name not in _FIELDS or words.ahead in ("exists", "missing", "==", "!="):
        return TcpOption(name)
    field = words.take()
    if field not in ("kind", *_FIELDS[name]):
        raise NftError(f"not understood: tcp option {name} {field}")
    return TcpOption(name, field)


GRAMMAR = {"tcp option": _read}


def said(told: Json, _: Say) -> str:
    """An option as JSON says it; one without a name by its number."""
    if "name" in told:
        return f"tcp option {told['name']} {told.get('field', '')}".rstrip()
    if not told["offset"]:
        return f"tcp option {told['base']}"
    return f"tcp option @{told['base']},{told['offset']},{told['len']}"


JSON: Mapping[str, Spoken] = {"tcp option": said}
