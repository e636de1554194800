"""What connection tracking knows: ``ct state``, ``ct original ip daddr`` (nft_ct.c)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from k8stui.kernel.nft import datatypes as types
from k8stui.kernel.nft.datatypes import Datatype, Raw
from k8stui.kernel.nft.errors import BreakError, NftError, UnknownError
from k8stui.kernel.nft.expression import Types
from k8stui.kernel.nft.passage import Passage
from k8stui.kernel.nft.spoken import Spoken
from k8stui.kernel.nft.words import Words
from k8stui.kernel.packet import Packet

_I = types.INTEGER
_KEYS: Mapping[str, Datatype] = {
    "state": types.CT_STATE, "direction": types.CT_DIR, "status": types.CT_STATUS,
    "mark": types.MARK, "l3proto": types.NF_PROTO, "protocol": types.INET_PROTO,
    "zone": _I, "bytes": _I, "packets": _I, "avgpkt": _I, "id": _I,
    "ip saddr": types.IPV4_ADDR, "ip daddr": types.IPV4_ADDR,
    "ip6 saddr": types.IPV6_ADDR, "ip6 daddr": types.IPV6_ADDR,
    "proto-src": types.INET_SERVICE, "proto-dst": types.INET_SERVICE,
    "label": _I, "helper": types.OBJECT, "timeout": types.OBJECT, "expectation": types.OBJECT,
    "event": types.CT_EVENT, "expiration": types.DURATION, "secmark": types.OBJECT,
}  # fmt: skip
_STATES = {"INVALID": 1, "ESTABLISHED": 2, "RELATED": 4, "NEW": 8, "UNTRACKED": 64}
_SEEN_REPLY, _ASSURED, _CONFIRMED, _SNAT, _DNAT = 2, 4, 8, 16, 32


class Ct(NamedTuple):
    """One of these; `direction` where the connection has two."""

    key: str
    direction: str = ""

    @property
    def types(self) -> Types:
        return (_KEYS[self.key],)

    def value(self, passage: Passage, /) -> Raw:
        context = passage.context
        if self.key == "state":
            return _STATES[context.ct_state]
        if not passage.is_tracked:
            raise BreakError  # nft_ct_get_eval: ct == NULL
        if self.key == "direction":
            return int(context.ct_reply)
        if self.key == "status":
            return self._status(passage)
        if self.key == "mark":
            return context.ct_mark
        original = context.original or passage.packet
        if self.key == "l3proto":
            return 2 if original.dst.version == 4 else 10
        if self.key == "protocol":
            return int(original.protocol)
        if self.direction == "original":
            return self._tuple(original)
        raise UnknownError(str(self))

    def _tuple(self, original: Packet) -> Raw:
        family, _, side = self.key.rpartition(" ")
        if family and original.dst.version != (4 if family == "ip" else 6):
            raise BreakError
        known: Mapping[str, Raw] = {
            "saddr": original.src,
            "daddr": original.dst,
            "proto-src": original.sport,
            "proto-dst": original.dport,
        }
        if side not in known:
            raise UnknownError(str(self))
        return known[side]

    @staticmethod
    def _status(passage: Passage) -> int:
        """IPS_… of include/uapi/linux/netfilter/nf_conntrack_common.h, as far as a walk goes."""
        context = passage.context
        return (
            _DNAT * context.ct_dnat
            | _SNAT * context.ct_snat
            | _SEEN_REPLY * context.ct_seen_reply
            | _CONFIRMED * context.ct_confirmed
            | _ASSURED * context.ct_assured
        )

    def __str__(self) -> str:
        return f"ct {self.direction} {self.key}" if self.direction else f"ct {self.key}"


def _read(words: Words) -> Ct:
    words.expect("ct")
    direction = words.take() if words.ahead in ("original", "reply") else ""
    key = words.take()
    if key in ("ip", "ip6") or (direction and key in ("saddr", "daddr")):
        key = f"{key} {words.take()}" if key in ("ip", "ip6") else f"ip {key}"
    if key not in _KEYS:
        raise NftError(f"not understood: ct {key}")
    return Ct(key, direction)


GRAMMAR = {"ct": _read}
JSON: Mapping[str, Spoken] = {
    "ct": lambda said, _: " ".join(filter(None, ("ct", said.get("dir", ""), said["key"])))
}
