"""What the routing tables say: ``fib daddr type``, ``fib saddr . iif oif`` (nft_fib_ipv4.c)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from k8stui.kernel.nft import datatypes as types
from k8stui.kernel.nft.datatypes import FIB_ADDRTYPE, Raw
from k8stui.kernel.nft.errors import NftError, UnknownError
from k8stui.kernel.nft.expression import Types
from k8stui.kernel.nft.passage import Passage
from k8stui.kernel.nft.spoken import Spoken
from k8stui.kernel.nft.words import Words

_RESULTS = {
    "type": FIB_ADDRTYPE, "oif": types.FIB_OIF, "oifname": types.IFNAME, "check": types.BOOLEAN,
}  # fmt: skip
"""``check``: whether there is an ``oif``; so newer versions of nft print it."""
_FLAGS = frozenset({"saddr", "daddr", "mark", "iif", "oif"})


class Fib(NamedTuple):
    """A look-up of an address, and what is asked of it."""

    flags: tuple[str, ...]
    result: str

    @property
    def types(self) -> Types:
        return (_RESULTS[self.result],)

    def value(self, passage: Passage, /) -> Raw:
        context = passage.context
        if self.result == "type":
            packet = passage.packet
            address = packet.src if "saddr" in self.flags else packet.dst
            device = context.in_device if "iif" in self.flags else None
            if "oif" in self.flags:
                device = context.out_device
            return FIB_ADDRTYPE.read(context.address_type(address, device).lower())
        if "saddr" not in self.flags or "iif" not in self.flags or context.reverse_path is None:
            raise UnknownError(str(self))
        # The device that the packet came in by, or none (nft_fib4_eval: fl4.flowi4_oif).
        leads_back = context.reverse_path(
            passage.packet, loose=False, mark="mark" in self.flags, accept_local=False
        )
        if self.result == "check":
            return int(leads_back)
        nothing = 0 if self.result == "oif" else ""
        return context.in_device or nothing if leads_back else nothing

    def __str__(self) -> str:
        return f"fib {' . '.join(self.flags)} {self.result}"


def _read(words: Words) -> Fib:
    words.expect("fib")
    flags = [words.take()]
    while words.has("."):
        flags.append(words.take())
    result = words.take()
    if result not in _RESULTS or not _FLAGS.issuperset(flags):
        raise NftError(f"not understood: fib {result}")
    return Fib(tuple(flags), result)


GRAMMAR = {"fib": _read}
JSON: Mapping[str, Spoken] = {
    "fib": lambda said, say: f"fib {' . '.join(say.several(said['flags']))} {said['result']}"
}
