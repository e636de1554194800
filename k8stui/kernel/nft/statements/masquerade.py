"""``masquerade``, ``redirect to :15001`` (nft_masq.c, nft_redir.c)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from k8stui.kernel.nft.errors import UnknownError
from k8stui.kernel.nft.passage import Passage
from k8stui.kernel.nft.spoken import Json, Say, Spoken
from k8stui.kernel.nft.statements.nat import FLAGS, Ports, flags, ports
from k8stui.kernel.nft.words import Words
from k8stui.kernel.verdict import Masquerade as Masqueraded
from k8stui.kernel.verdict import Redirect


class Masquerade(NamedTuple):
    """To the address of the device that the packet leaves by; or of that which it came in by."""

    kind: str
    ports: Ports | None = None
    flags: tuple[str, ...] = ()

    def do(self, passage: Passage, /) -> None:
        between = self.ports.between(passage) if self.ports is not None else None
        drawn = "random" in self.flags or "fully-random" in self.flags
        if self.kind == "masquerade":
            passage.end(
                Masqueraded(
                    between,
                    random="random" in self.flags,
                    random_fully="fully-random" in self.flags,
                )
            )
        if drawn and between is not None and between[0] != between[1]:
            raise UnknownError(f"{self}: it draws the port")
        passage.end(Redirect(between, random=drawn))

    def __str__(self) -> str:
        to = f"to {self.ports}" if self.ports is not None else ""
        return " ".join(filter(None, (self.kind, to, ",".join(self.flags))))


def _read(words: Words) -> Masquerade:
    kind = words.take()
    found = ports(words) if words.has("to") else None
    return Masquerade(kind, found, flags(words))


def _said(said: Json, say: Say) -> str:
    said = said or {}
    to = f"to :{say(said['port'])}" if "port" in said else ""
    shown = ",".join(flag for flag in say.several(said.get("flags", ())) if flag in FLAGS)
    return " ".join(filter(None, (say.word, to, shown)))


GRAMMAR = {"masquerade": _read, "redirect": _read}
JSON: Mapping[str, Spoken] = {"masquerade": _said, "redirect": _said}
