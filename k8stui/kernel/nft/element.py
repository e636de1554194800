"""An element of a set or a map, read from its text."""

from __future__ import annotations

from typing import NamedTuple

from k8stui.kernel.nft.literal import Field
from k8stui.kernel.nft.verdict import Said
from k8stui.kernel.nft_ruleset import Element


class Found(NamedTuple):
    """An element of a named set, as it stands there and as it was read."""

    element: Element
    held: Held


class Held(NamedTuple):
    """``10.43.7.1 . tcp . 80 comment "default/none" : goto reject-chain``."""

    key: tuple[Field, ...]
    """Empty: ``*``, all that no other element holds."""
    data: Said | tuple[Field, ...] | None = None
    """Of a map what the key leads to."""
    further: str = ""
    """Time-out, counter, comment: as written."""

    @property
    def key_text(self) -> str:
        parts = (str(part).replace(",", " | ") for part in self.key)
        return " . ".join(parts) if self.key else "*"

    def __str__(self) -> str:
        data = self.data if isinstance(self.data, Said) else " . ".join(map(str, self.data or ()))
        further = f" {self.further}" if self.further else ""
        return f"{self.key_text}{further}{f' : {data}' if self.data is not None else ''}"
