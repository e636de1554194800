"""What a rule does when it matches. `str()` of a target is what iptables-save prints after -j."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from k8stui.kernel.matches.base import Grammar, Option
from k8stui.kernel.verdict import Verdict
from k8stui.record import record


class Decide(NamedTuple):
    """A target after which the chain is done with the packet."""

    verdict: Verdict
    text: str
    """Name and options, as printed."""

    def __str__(self) -> str:
        return self.text


@record()
class Return:
    """RETURN: to the chain that jumped here, or to the policy."""

    def __str__(self) -> str:
        return "RETURN"


class Jump(NamedTuple):
    """A user-defined chain, or (when the table has none of the name) a target not known here."""

    chain: str

    def __str__(self) -> str:
        return self.chain


class SetMark(NamedTuple):
    """MARK: new mark = (old and not `mask`) xor `value` (xt_mark.c mark_tg)."""

    value: int
    mask: int

    def __str__(self) -> str:
        return f"MARK --set-xmark {self.value:#x}/{self.mask:#x}"


class SetConnectionMark(NamedTuple):
    """CONNMARK --set-xmark (xt_connmark.c connmark_tg_shift)."""

    value: int
    mask: int

    def __str__(self) -> str:
        return f"CONNMARK --set-xmark {self.value:#x}/{self.mask:#x}"


class CopyMark(NamedTuple):
    """CONNMARK --save-mark (packet to connection) or --restore-mark (connection to packet)."""

    save: bool
    packet_mask: int
    connection_mask: int

    def __str__(self) -> str:
        return (
            f"CONNMARK --{'save' if self.save else 'restore'}-mark"
            f" --nfmask {self.packet_mask:#x} --ctmask {self.connection_mask:#x}"
        )


class Untrack(NamedTuple):
    """CT --notrack, NOTRACK: the packet gets no conntrack entry, and goes on."""

    text: str

    def __str__(self) -> str:
        return self.text


class LowerMss(NamedTuple):
    """TCPMSS: a SYN asks for no longer segments than these."""

    mss_bytes: int | None
    """None: what the MTU of the way there and of the way back leaves."""

    def __str__(self) -> str:
        if self.mss_bytes is None:
            return "TCPMSS --clamp-mss-to-pmtu"
        return f"TCPMSS --set-mss {self.mss_bytes}"


class GoOn(NamedTuple):
    """LOG and the like: changes nothing that a walk can see."""

    text: str

    def __str__(self) -> str:
        return self.text


class UnknownTarget(NamedTuple):
    """A target that is not modelled, kept as text; empty where not even the rule can be cut up."""

    text: str

    def __str__(self) -> str:
        return self.text


Target = (
    Decide
    | Return
    | Jump
    | SetMark
    | SetConnectionMark
    | CopyMark
    | Untrack
    | LowerMss
    | GoOn
    | UnknownTarget
)


@record(kw_only=True)
class TargetGrammar(Grammar):
    """A target that is understood."""

    build: Callable[[Sequence[Option]], Target]
    """Raises ValueError for options that iptables itself would refuse, or that are not modelled."""
