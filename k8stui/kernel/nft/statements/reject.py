"""``reject with icmp port-unreachable`` (nft_reject.c; codes as nft(8), REJECT STATEMENT)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from k8stui.kernel.nft import datatypes as types
from k8stui.kernel.nft.errors import NftError, UnknownError
from k8stui.kernel.nft.literal import Literal
from k8stui.kernel.nft.passage import Passage
from k8stui.kernel.nft.spoken import Json, Say, Spoken
from k8stui.kernel.nft.words import Words
from k8stui.kernel.verdict import Reject as Rejected

_CODES = {"icmp": types.ICMP_CODE, "icmpv6": types.ICMPV6_CODE, "icmpx": types.ICMPX_CODE}
_ANSWERS = {
    (4, "net-unreachable"): "icmp-net-unreachable",
    (4, "host-unreachable"): "icmp-host-unreachable",
    (4, "prot-unreachable"): "icmp-proto-unreachable",
    (4, "port-unreachable"): "icmp-port-unreachable",
    (4, "net-prohibited"): "icmp-net-prohibited",
    (4, "host-prohibited"): "icmp-host-prohibited",
    (4, "admin-prohibited"): "icmp-admin-prohibited",
    (6, "no-route"): "icmp6-no-route",
    (6, "admin-prohibited"): "icmp6-adm-prohibited",
    (6, "addr-unreachable"): "icmp6-addr-unreachable",
    (6, "port-unreachable"): "icmp6-port-unreachable",
}
"""As ``--reject-with`` calls them."""
_EITHER = {
    "no-route": ("net-unreachable", "no-route"),
    "port-unreachable": ("port-unreachable", "port-unreachable"),
    "host-unreachable": ("host-unreachable", "addr-unreachable"),
    "admin-prohibited": ("admin-prohibited", "admin-prohibited"),
}
"""``icmpx``: for IPv4 and for IPv6 (net/netfilter/nft_reject.c icmp_code_v4, icmp_code_v6)."""
_USUAL = "port-unreachable"


class Reject(NamedTuple):
    """The packet goes, an error goes back."""

    kind: str = ""
    """``icmp``, ``icmpv6``, ``icmpx``, ``tcp reset``; empty: what is usual in the family."""
    code: str = ""

    def do(self, passage: Passage, /) -> None:
        passage.end(Rejected(self._answer(passage.version)))

    def _answer(self, version: int) -> str:
        if self.kind == "tcp reset":
            return "tcp-reset"
        code = self.code or _USUAL
        if self.kind == "icmpx":
            code = _EITHER[code][version == 6]
        answer = _ANSWERS.get((version, code))
        fits = self.kind in ("", "icmpx") or (self.kind == "icmpv6") is (version == 6)
        if answer is None or not fits:
            raise UnknownError(str(self))
        return answer

    def __str__(self) -> str:
        return " ".join(filter(None, ("reject", self.kind and f"with {self.kind}", self.code)))


def _read(words: Words) -> Reject:
    words.expect("reject")
    if not words.has("with"):
        return Reject()
    kind = words.take()
    if kind == "tcp":
        words.expect("reset")
        return Reject("tcp reset")
    if kind not in _CODES:
        raise NftError(f"not understood: reject with {kind}")
    words.has("type")
    code = words.literal(_CODES[kind])
    if not isinstance(code, Literal):
        raise NftError(f"not understood: reject with {kind} {code}")
    return Reject(kind, str(code))


def _said(said: Json, say: Say) -> str:
    # JSON writes out what is usual, and the text leaves it away.
    usual = {"ip": "icmp", "ip6": "icmpv6"}.get(say.family, "icmpx")
    if not said or (said["type"], said.get("expr")) == (usual, _USUAL):
        return "reject"
    return " ".join(filter(None, ("reject with", said["type"], str(said.get("expr", "")))))


GRAMMAR = {"reject": _read}
JSON: Mapping[str, Spoken] = {"reject": _said}
