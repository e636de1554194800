"""Something set: ``meta mark set meta mark | 0x4000``, ``tcp option maxseg size set rt mtu``.

nft_meta.c nft_meta_set_eval, nft_ct.c nft_ct_set_eval, nft_exthdr.c nft_exthdr_tcp_set_eval,
nft_payload.c nft_payload_set_eval.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from k8stui.kernel.header import changed
from k8stui.kernel.nft.errors import BreakError, UnknownError
from k8stui.kernel.nft.expression import Expression
from k8stui.kernel.nft.expressions.ct import Ct
from k8stui.kernel.nft.expressions.meta import Meta
from k8stui.kernel.nft.expressions.option import SEGMENT_SIZE
from k8stui.kernel.nft.expressions.payload import Payload
from k8stui.kernel.nft.named import found
from k8stui.kernel.nft.passage import Passage
from k8stui.kernel.nft.spoken import Spoken
from k8stui.kernel.nft.words import Words
from k8stui.kernel.packet import Protocol
from k8stui.kernel.step import StepKind

_ALL = 0xFFFFFFFF
_OBJECTS = ("ct helper", "ct timeout", "ct expectation")
_HOPS = (Payload("ip", "ttl"), Payload("ip6", "hoplimit"))
_WITHOUT_EFFECT = (
    *_OBJECTS, "meta nftrace", "meta priority", "meta secmark", "ct secmark", "ct label",
    "ct event", "ip dscp", "ip ecn", "ip6 dscp", "ip6 ecn", "ip6 flowlabel",
)  # fmt: skip
"""Nothing that is walked looks at these."""


class Setting(NamedTuple):
    """``KEY set VALUE``."""

    key: Expression
    what: Expression

    def do(self, passage: Passage, /) -> None:
        key = self.key
        if isinstance(key, Payload):
            key.depend(passage.packet)
        if str(key) in _WITHOUT_EFFECT:
            found(self.what, passage)
            return
        value = self.what.value(passage) if self._is_known else None
        if not isinstance(value, int):
            raise UnknownError(str(self))
        if key == Meta("mark"):
            passage.become(changed(passage.packet, mark=value & _ALL), StepKind.MARK)
        elif key == Ct("mark"):
            passage.mark_connection(value & _ALL)
            passage.visit(StepKind.MARK)
        elif key in _HOPS:
            passage.become(changed(passage.packet, ttl=value), StepKind.RULE)
        elif key == SEGMENT_SIZE:
            if passage.packet.protocol is not Protocol.TCP:
                raise BreakError
            # One that is not there ends nothing, and it is never made larger.
            if value < passage.packet.mss_bytes:
                passage.become(changed(passage.packet, mss_bytes=value), StepKind.RULE)

    @property
    def _is_known(self) -> bool:
        return self.key in (Meta("mark"), Ct("mark"), SEGMENT_SIZE, *_HOPS)

    def __str__(self) -> str:
        return f"{self.key} set {self.what}"


def _read(words: Words, key: Expression) -> Setting:
    words.expect("set")
    (type_,) = key.types
    what = words.literal(type_) if type_.is_bitmask else words.expression(key.types)
    return Setting(key, what)


BEHIND = {"set": _read}
JSON: Mapping[str, Spoken] = {
    **dict.fromkeys(_OBJECTS, lambda said, say: f"{say.word} set {say(said)}"),
    "secmark": lambda said, say: f"meta secmark set {say(said)}",
    "mangle": lambda said, say: f"{say(said['key'])} set {say(said['value'])}",
}
