"""``quota over 25 mbytes``, ``quota name "q"`` (nft_quota.c)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from k8stui.kernel.nft.errors import BreakError, NftError
from k8stui.kernel.nft.expression import Expression
from k8stui.kernel.nft.named import found, is_named
from k8stui.kernel.nft.passage import Passage
from k8stui.kernel.nft.spoken import Json, Say, Spoken
from k8stui.kernel.nft.words import Words

_UNITS = frozenset({"bytes", "kbytes", "mbytes"})


class Quota(NamedTuple):
    """Taken as not used up."""

    amount: int = 0
    unit: str = "bytes"
    over: bool = False
    used: str = ""
    name: Expression | None = None
    """Of one that the table has."""

    def do(self, passage: Passage, /) -> None:
        found(self.name, passage)
        passage.note("quota: taken as not used up")
        if self.over:
            raise BreakError

    def stateless(self) -> str:
        return str(self._replace(used=""))

    def __str__(self) -> str:
        if self.name is not None:
            return f"quota name {self.name}"
        used = f" used {self.used}" if self.used else ""
        return f"quota {'over ' if self.over else ''}{self.amount} {self.unit}{used}"


def _read(words: Words) -> Quota:
    words.expect("quota")
    if words.has("name"):
        return Quota(name=words.object())
    over = words.has("over")
    words.has("until")
    amount, unit = words.number(), words.take()
    if unit not in _UNITS:
        raise NftError(f"not an amount: {amount} {unit}")
    used = f"{words.number()} {words.take()}" if words.has("used") else ""
    return Quota(amount, unit, over, used)


def _said(said: Json, say: Say) -> str:
    if is_named(said):
        return f"quota name {say(said)}"
    shown = f"quota {'over ' if said.get('inv') else ''}{said['val']} {said['val_unit']}"
    return f"{shown} used {said['used']} {said['used_unit']}" if said.get("used") else shown


GRAMMAR = {"quota": _read}
JSON: Mapping[str, Spoken] = {"quota": _said}
