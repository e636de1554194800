"""Headers behind IP's own, and its options: ``exthdr hbh exists``, ``rt type 0``, ``ip option rr``.

No packet of a walk carries any: the question whether one is there has the answer no, and a rule
about what stands in one does not match (nft_exthdr.c nft_exthdr_ipv6_eval, nft_exthdr_ipv4_eval).
The family is asked along (src/payload.c exthdr_gen_dependency).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from k8stui.kernel.nft import datatypes as types
from k8stui.kernel.nft.datatypes import Datatype, Raw
from k8stui.kernel.nft.errors import BreakError, NftError, UnknownError
from k8stui.kernel.nft.expression import Types
from k8stui.kernel.nft.passage import Passage
from k8stui.kernel.nft.spoken import Json, Say, Spoken
from k8stui.kernel.nft.words import Words

_I = types.INTEGER
_BOTH: Mapping[str, Datatype] = {"nexthdr": types.INET_PROTO, "hdrlength": _I}
_HEADERS: Mapping[str, Mapping[str, Datatype]] = {
    "hbh": _BOTH,
    "dst": _BOTH,
    "rt": {**_BOTH, "type": _I, "seg-left": _I},
    "rt0": {"addr": types.IPV6_ADDR},
    "rt2": {"addr": types.IPV6_ADDR},
    "srh": {"flags": _I, "tag": _I, "sid": types.IPV6_ADDR, "seg-left": _I, "last-entry": _I},
    "frag": {
        "nexthdr": types.INET_PROTO, "reserved": _I, "frag-off": _I, "reserved2": _I,
        "more-fragments": _I, "id": _I,
    },
    "mh": {**_BOTH, "type": types.MH_TYPE, "reserved": _I, "checksum": _I},
}  # fmt: skip
_OPTION = "ip option"
_OPTIONS = ("lsrr", "ra", "rr", "ssrr")
_OPTION_FIELDS: Mapping[str, Datatype] = {
    "type": _I, "length": _I, "ptr": _I, "value": _I, "addr": types.IPV4_ADDR,
}  # fmt: skip


class Extension(NamedTuple):
    """A header or an option, or a field of it."""

    header: str
    field: str = ""
    """Empty: asked is only whether there is one."""
    place: str = ""
    """``[1]``: which of several."""

    @property
    def types(self) -> Types:
        if not self.field:
            return (types.BOOLEAN,)
        fields = _OPTION_FIELDS if self.header.startswith(_OPTION) else _HEADERS[self.header]
        return (fields[self.field],)

    def value(self, passage: Passage, /) -> Raw:
        if passage.version != (4 if self.header.startswith(_OPTION) else 6):
            raise BreakError
        if self.header == "frag" and passage.packet.whole_bytes:
            # Cut on its way: whether conntrack put it together before, is not kept.
            raise UnknownError(str(self))
        if self.field:
            raise BreakError
        return 0

    def __str__(self) -> str:
        if self.field:
            return f"{self.header} {self.field}{self.place}"
        return self.header if self.header.startswith(_OPTION) else f"exthdr {self.header}"


def _read(words: Words) -> Extension:
    if words.has("exthdr"):
        header, field = words.take(), ""
        known = header in _HEADERS
    elif words.has(*_OPTION.split()):
        option = words.take()
        header = f"{_OPTION} {option}"
        field = "" if words.ahead in ("exists", "missing", "==", "!=") else words.take()
        known = option in _OPTIONS and (not field or field in _OPTION_FIELDS)
    else:
        header, field = words.take(), words.take()
        known = field.partition("[")[0] in _HEADERS[header]
    if not known:
        raise NftError(f"not understood: {header} {field}")
    field, bracket, place = field.partition("[")
    return Extension(header, field, bracket + place)


def _said(said: Json, _: Say) -> str:
    if "field" not in said:
        return f"exthdr {said['name']}"
    place = f"[{said['offset']}]" if said.get("offset") else ""
    return f"{said['name']} {said['field']}{place}"


_BEGIN = (*(_HEADERS.keys() - {"rt"}), *(f"rt {field}" for field in _HEADERS["rt"]))
"""``rt`` alone begins what the packet's route says too."""
GRAMMAR = dict.fromkeys(("exthdr", _OPTION, *_BEGIN), _read)
JSON: Mapping[str, Spoken] = {
    "exthdr": _said,
    _OPTION: lambda said, _: f"{_OPTION} {said['name']} {said.get('field', '')}".rstrip(),
}
