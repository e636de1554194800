"""One chain of one table sees one packet: which rules match, and what becomes of it.

Pure: what netfilter knows besides the header comes in as `PacketContext`, random choices are asked
for, and everything that happened is in the `Traversal`. Nothing here knows routing or conntrack;
what a NAT verdict does to the packet is the caller's business.
"""

from __future__ import annotations

from dataclasses import dataclass

from k8stui.kernel.address import Address
from k8stui.kernel.context import (
    NothingRecent,
    PacketContext,
    RecentLookup,
    SetLookup,
)
from k8stui.kernel.packet import Packet
from k8stui.kernel.rules import Table
from k8stui.kernel.step import Fork, RuleCause, StepKind
from k8stui.kernel.verdict import (
    Accept,
    AddressRange,
    CannotEvaluate,
    Dnat,
    Drop,
    Masquerade,
    Netmap,
    PortRange,
    Redirect,
    Reject,
    Snat,
    Verdict,
)

__all__ = [
    "Accept",
    "AddressRange",
    "CannotEvaluate",
    "Dnat",
    "Drop",
    "Masquerade",
    "Netmap",
    "NothingRecent",
    "PacketContext",
    "PortRange",
    "RecentLookup",
    "Redirect",
    "Reject",
    "SetLookup",
    "Snat",
    "Traversal",
    "Verdict",
    "Visit",
    "traverse",
]


@dataclass(frozen=True, slots=True)
class Visit:
    """A rule that matched."""

    kind: StepKind
    """RULE (ACCEPT, RETURN, LOG, no target …), JUMP (also goto), MARK (also CONNMARK), DNAT (also
    REDIRECT), SNAT (also MASQUERADE), REJECT, DROP, UNKNOWN."""
    cause: RuleCause
    before: Packet
    after: Packet
    """Only the mark can differ: NAT verdicts are carried out by the caller."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traversal:
    """What one chain did."""

    verdict: Verdict
    cause: RuleCause | None
    """The rule that gave the verdict, or the policy (`rule` None, `index` 0; `skipped` then counts
    the rules that did not match since the last visit to the chain). None: no such chain."""
    packet: Packet
    """Mark as the chain left it."""
    ct_mark: int
    untracked: bool = False
    """``CT --notrack`` or NOTRACK was met. Not a verdict: the kernel goes on (xt_CT.c)."""
    visits: tuple[Visit, ...] = ()
    """In order, that of `cause` last (a policy has none)."""
    forks: tuple[Fork, ...] = ()
    recent_set: tuple[tuple[str, Address], ...] = ()
    """``-m recent --set``: (list, address) entries written or refreshed on the way."""
    notes: tuple[str, ...] = ()
    """What was assumed: ``-m limit`` taken as not exceeded."""


def traverse(table: Table, chain: str, packet: Packet, context: PacketContext) -> Traversal:
    """Run `packet` through `chain`, jumps and returns included (ip_tables.c ipt_do_table).

    A chain that the table lacks accepts, with no cause: a hook without the table does nothing.
    """
    raise NotImplementedError
