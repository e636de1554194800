"""A verdict looked up: ``ip daddr . meta l4proto . th dport vmap @service-ips`` (nft_lookup.c)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from k8stui.kernel.nft.errors import BreakError, UnknownError
from k8stui.kernel.nft.expression import Expression
from k8stui.kernel.nft.lookup import Among, looked_up
from k8stui.kernel.nft.passage import Passage
from k8stui.kernel.nft.spoken import Spoken
from k8stui.kernel.nft.statements.verdicts import carry_out
from k8stui.kernel.nft.verdict import Said
from k8stui.kernel.nft.words import Words


class VerdictMap(NamedTuple):
    """A key that is not there ends the rule."""

    key: Expression
    among: Among

    def do(self, passage: Passage, /) -> None:
        found = looked_up(self.key, self.among, passage)
        if found is None:
            raise BreakError
        if not isinstance(found.data, Said):
            raise UnknownError(str(self))
        carry_out(found.data, passage)

    def __str__(self) -> str:
        return f"{self.key} vmap {self.among}"


def _read(words: Words, key: Expression) -> VerdictMap:
    words.expect("vmap")
    return VerdictMap(key, words.collection(key.types, ()))


BEHIND = {"vmap": _read}
JSON: Mapping[str, Spoken] = {
    "vmap": lambda said, say: f"{say(said['key'])} vmap {say(said['data'])}"
}
