"""``limit rate 10/second``, ``limit name "l"`` (nft_limit.c)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from k8stui.kernel.nft.errors import BreakError, NftError
from k8stui.kernel.nft.expression import Expression
from k8stui.kernel.nft.named import found, is_named
from k8stui.kernel.nft.passage import Passage
from k8stui.kernel.nft.spoken import Json, Say, Spoken
from k8stui.kernel.nft.words import Words

_PER = frozenset({"second", "minute", "hour", "day", "week"})
_UNITS = frozenset({"bytes", "kbytes", "mbytes"})
_USUAL_BURST = 5


class Limit(NamedTuple):
    """Taken as not exceeded: one request is walked."""

    rate: int = 0
    per: str = ""
    unit: str = ""
    over: bool = False
    burst: int | None = None
    burst_unit: str = "packets"
    name: Expression | None = None
    """Of one that the table has."""

    def do(self, passage: Passage, /) -> None:
        found(self.name, passage)
        passage.note("limit: taken as not exceeded")
        if self.over:
            raise BreakError

    def __str__(self) -> str:
        if self.name is not None:
            return f"limit name {self.name}"
        over = "over " if self.over else ""
        unit = f" {self.unit}" if self.unit else ""
        shown = f"limit rate {over}{self.rate}{unit}/{self.per}"
        if self.burst and (self.unit or self.burst != _USUAL_BURST):
            shown += f" burst {self.burst} {self.burst_unit}"
        return shown


def _read(words: Words) -> Limit:
    words.expect("limit")
    if words.has("name"):
        return Limit(name=words.object())
    words.expect("rate")
    over = words.has("over")
    words.has("until")
    rate, slash, per = words.take().partition("/")
    unit = ""
    if not slash:
        unit, _, per = words.take().partition("/")
    if not rate.isdecimal() or per not in _PER or (unit and unit not in _UNITS):
        raise NftError(f"not a rate: {rate} {unit}/{per}")
    burst, burst_unit = None, "packets"
    if words.has("burst"):
        burst, burst_unit = words.number(), words.take()
    return Limit(int(rate), per, unit, over, burst, burst_unit)


GRAMMAR = {"limit": _read}


def _said(said: Json, say: Say) -> str:
    if is_named(said):
        return f"limit name {say(said)}"
    over = "over " if said.get("inv") else ""
    unit = said.get("rate_unit", "packets")
    unit = "" if unit == "packets" else f" {unit}"
    shown = f"limit rate {over}{said['rate']}{unit}/{said['per']}"
    if said.get("burst"):
        shown += f" burst {said['burst']} {said.get('burst_unit', 'packets')}"
    return shown


JSON: Mapping[str, Spoken] = {"limit": _said}
