"""``xt match "…"``, ``xt target "…"`` (nft_compat.c): what iptables-nft has put into a rule.

nft prints the name alone, so only what has no options that matter can be evaluated.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from k8stui.kernel.nft.errors import NftError, UnknownError
from k8stui.kernel.nft.passage import Passage
from k8stui.kernel.nft.spoken import Spoken
from k8stui.kernel.nft.words import Words


class Xt(NamedTuple):
    """A match or a target of iptables."""

    kind: str
    """``match``, ``target`` or ``watcher``."""
    name: str
    """In quotation marks or not, as the version of nft prints it."""

    def do(self, _: Passage, /) -> None:
        if self.kind != "match" or self.name.strip('"') != "comment":
            raise UnknownError(f"{self}, whose options nft does not show: iptables-save does")

    def __str__(self) -> str:
        return f"xt {self.kind} {self.name}"


def _read(words: Words) -> Xt:
    words.expect("xt")
    kind = words.take()
    if kind not in ("match", "target", "watcher"):
        raise NftError(f"not understood: xt {kind}")
    return Xt(kind, words.take())


GRAMMAR = {"xt": _read}
JSON: Mapping[str, Spoken] = {
    "xt": lambda said, _: f"xt {said['type']} {said['name']}" if said else "xt"
}
