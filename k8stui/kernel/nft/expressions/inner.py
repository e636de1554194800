"""What stands within a tunnel's packet: ``vxlan ip saddr``, ``geneve vni`` (nft_inner.c)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from k8stui.kernel.nft.datatypes import INTEGER, Raw
from k8stui.kernel.nft.errors import UnknownError
from k8stui.kernel.nft.expression import Expression, Types
from k8stui.kernel.nft.passage import Passage
from k8stui.kernel.nft.spoken import Spoken
from k8stui.kernel.nft.words import Words

_TUNNELS = ("vxlan", "geneve", "gre", "gretap")
_OWN = ("vni", "flags", "type", "version", "protocol")


class Inner(NamedTuple):
    """A field of the tunnel's header or of one within: rules of a walk see the outer packet."""

    tunnel: str
    field: Expression | str

    @property
    def types(self) -> Types:
        return (INTEGER,) if isinstance(self.field, str) else self.field.types

    def value(self, _: Passage, /) -> Raw:
        raise UnknownError(str(self))

    def __str__(self) -> str:
        return f"{self.tunnel} {self.field}"


def _read(words: Words) -> Inner:
    tunnel = words.take()
    return Inner(tunnel, words.take() if words.ahead in _OWN else words.field())


GRAMMAR = dict.fromkeys(_TUNNELS, _read)
JSON: Mapping[str, Spoken] = {}
"""A payload with its tunnel."""
