"""Which system sends, by the look of its packets: ``osf name "Linux"`` (nft_osf.c)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from k8stui.kernel.nft.datatypes import IFNAME, Datatype, Raw
from k8stui.kernel.nft.errors import NftError, UnknownError
from k8stui.kernel.nft.expression import Types
from k8stui.kernel.nft.passage import Passage
from k8stui.kernel.nft.spoken import Json, Say, Spoken
from k8stui.kernel.nft.words import Words

_SYSTEM: Datatype = IFNAME._replace(name="string")


class Osf(NamedTuple):
    """Its name, or with its version, as the kernel's table of fingerprints has them."""

    what: str
    ttl: str = ""

    @property
    def types(self) -> Types:
        return (_SYSTEM,)

    def value(self, _: Passage, /) -> Raw:
        raise UnknownError(f"{self}: the kernel's fingerprints of systems are not known")

    def __str__(self) -> str:
        return f"osf {f'ttl {self.ttl} ' if self.ttl else ''}{self.what}"


def _read(words: Words) -> Osf:
    words.expect("osf")
    ttl = words.take() if words.has("ttl") else ""
    what = words.take()
    if what not in ("name", "version"):
        raise NftError(f"not understood: osf {what}")
    return Osf(what, ttl)


def _said(said: Json, _: Say) -> str:
    return str(Osf(said["key"], said.get("ttl", "")))


GRAMMAR = {"osf": _read}
JSON: Mapping[str, Spoken] = {"osf": _said}
