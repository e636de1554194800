"""One chain of one table sees one packet: which rules match, and what becomes of it.

Pure: what netfilter knows besides the header comes in as `PacketContext`, random choices are asked
for, and everything that happened is in the `Traversal`. Nothing here knows routing or conntrack;
what a NAT verdict does to the packet is the caller's business.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Protocol as Interface

from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.packet import Packet
from k8stui.kernel.rules import Table
from k8stui.kernel.step import Fork, Hook, RuleCause, StepKind


class SetLookup(Interface):
    """An ipset, as far as ``-m set --match-set NAME src,dst`` asks it."""

    def contains(self, packet: Packet, directions: tuple[str, ...]) -> bool:
        """Whether the packet's fields, each taken from ``src`` or ``dst``, are in the set."""


class RecentLookup(Interface):
    """The lists of ``-m recent`` (/proc/net/xt_recent)."""

    def seen(
        self, name: str, address: Address, seconds: int | None, hitcount: int | None
    ) -> bool:
        """Whether the list has the address, young and often enough."""


class NothingRecent:
    """Lists as they are when a node starts: empty."""

    def seen(
        self,
        name: str,  # noqa: ARG002
        address: Address,  # noqa: ARG002
        seconds: int | None,  # noqa: ARG002
        hitcount: int | None,  # noqa: ARG002
    ) -> bool:
        return False


def _always(cause: RuleCause, probability: Fraction) -> bool:  # noqa: ARG001
    return True


def _unicast(address: Address, device: str | None) -> str:  # noqa: ARG001
    return "UNICAST"


@dataclass(slots=True, kw_only=True)
class PacketContext:
    """What netfilter knows of a packet besides its header, at one hook."""

    hook: Hook
    namespace: str = ""
    """Only passed on into `Fork.namespace`."""
    in_device: str | None = None
    """None in OUTPUT, and in POSTROUTING of what the node itself sent."""
    out_device: str | None = None
    """None in PREROUTING and INPUT."""
    physical_in: str | None = None
    """Bridge port that a bridged frame came in by (br_netfilter); None elsewhere."""
    physical_out: str | None = None
    """Bridge port that a bridged frame leaves by, where it is known already."""
    ct_state: str = "NEW"
    """NEW, ESTABLISHED, RELATED, INVALID or UNTRACKED."""
    ct_dnat: bool = False
    """The connection's destination was translated (``--ctstate DNAT``, ``ct status dnat``)."""
    ct_snat: bool = False
    ct_mark: int = 0
    ct_reply: bool = False
    """The packet travels in the connection's reply direction (``--ctdir REPLY``)."""
    original: Packet | None = None
    """First packet as it was before any NAT; None: this packet is it, untouched."""
    address_type: Callable[[Address, str | None], str] = _unicast
    """``LOCAL``, ``UNICAST``, ``BROADCAST`` … by the routing tables; the device limits the look-up
    (inet_dev_addr_type) and is None without ``--limit-iface-…``."""
    reverse_path: Callable[[Packet, bool], bool] | None = None
    """``-m rpfilter``: whether a packet of this source would be routed back out of the device it
    came in by (second argument: ``--loose``, any device). None: not known."""
    choose: Callable[[RuleCause, Fraction], bool] = _always
    """Asked once for each random rule whose other matches hold."""
    sets: Mapping[str, SetLookup] = field(default_factory=dict)
    """ipsets by name; a name that is missing cannot be evaluated."""
    recent: RecentLookup = field(default_factory=NothingRecent)
    socket_uid: int | None = None
    """Owner of the sending socket (``-m owner``); None: no local socket, or not known."""
    socket_gid: int | None = None


AddressRange = tuple[Address, Address]
"""First and last address."""
PortRange = tuple[int, int]
"""First and last port."""


@dataclass(frozen=True, slots=True)
class Accept:
    """ACCEPT by a rule, or by policy (then `Traversal.cause.rule` is None)."""


@dataclass(frozen=True, slots=True)
class Drop:
    """DROP by a rule or by policy."""


@dataclass(frozen=True, slots=True)
class Reject:
    """REJECT: the packet goes, an error goes back (shared/outcomes.md, REJECT)."""

    with_: str
    """As in ``--reject-with``: ``icmp-port-unreachable``, ``tcp-reset``, ``icmp6-…``."""


@dataclass(frozen=True, slots=True)
class Dnat:
    """DNAT --to-destination."""

    addresses: AddressRange | None
    """None: only the port changes."""
    ports: PortRange | None = None
    """None: the port stays."""
    random: bool = False
    persistent: bool = False
    base_port: int | None = None
    """``:first-last/base``: the n-th port after base becomes the n-th of `ports`."""


@dataclass(frozen=True, slots=True)
class Snat:
    """SNAT --to-source."""

    addresses: AddressRange | None
    ports: PortRange | None = None
    random: bool = False
    persistent: bool = False
    random_fully: bool = False


@dataclass(frozen=True, slots=True)
class Masquerade:
    """MASQUERADE: the primary address of the device that the packet leaves by."""

    ports: PortRange | None = None
    random: bool = False
    random_fully: bool = False


@dataclass(frozen=True, slots=True)
class Redirect:
    """REDIRECT: to the incoming device's address, in OUTPUT to loopback (nf_nat_redirect.c)."""

    ports: PortRange | None = None
    random: bool = False


@dataclass(frozen=True, slots=True)
class Netmap:
    """NETMAP: network part replaced, of the source in POSTROUTING and INPUT, else destination."""

    prefix: Prefix


@dataclass(frozen=True, slots=True)
class CannotEvaluate:
    """A rule that may or may not match, or does something that is not modelled. Ends the walk."""

    cause: RuleCause
    what: str
    """The part that is not understood, in words: ``match -m u32 --u32 0=1``."""


Verdict = Accept | Drop | Reject | Dnat | Snat | Masquerade | Redirect | Netmap | CannotEvaluate


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
