"""What netfilter knows of a packet besides its header, at one hook."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import field
from typing import Protocol as Interface

from k8stui.kernel.address import Address
from k8stui.kernel.namespace import Stranger
from k8stui.kernel.packet import Packet
from k8stui.kernel.step import Fork, Hook
from k8stui.record import record


class SetLookup(Interface):
    """An ipset, as far as ``-m set --match-set NAME src,dst`` asks it."""

    def contains(self, packet: Packet, directions: tuple[str, ...]) -> bool:
        """Whether the packet's fields, each taken from ``src`` or ``dst``, are in the set."""


class ReversePath(Interface):
    """The routing tables, as far as ``-m rpfilter`` asks them."""

    def __call__(self, packet: Packet, *, loose: bool, mark: bool, accept_local: bool) -> bool:
        """Whether the source would be routed back out of the device that the packet came in by.

        `loose`: out of any; `mark`: by the packet's mark too; `accept_local`: also where it is an
        address of this namespace.
        """


class RecentLookup(Interface):
    """The lists of ``-m recent`` (/proc/net/xt_recent), and nftables' dynamic sets."""

    def seen(self, name: str, key: Hashable, seconds: int | None, hitcount: int | None) -> bool:
        """Whether the list has the address, young and often enough."""

    def keep(self, name: str, key: Hashable) -> None:
        """A rule that matched puts the address into the list, or its time stamp anew."""

    def forget(self, name: str, key: Hashable) -> None:
        """A rule that matched takes the address out."""


class NothingRecent:
    """Lists as they are when a node starts: empty."""

    def seen(
        self,
        name: str,  # noqa: ARG002
        key: Hashable,  # noqa: ARG002
        seconds: int | None,  # noqa: ARG002
        hitcount: int | None,  # noqa: ARG002
    ) -> bool:
        return False

    def keep(self, name: str, key: Hashable) -> None:
        pass

    def forget(self, name: str, key: Hashable) -> None:
        pass


def first_way(fork: Fork) -> int:  # noqa: ARG001
    """Every random rule matches: the walk to the first endpoint."""
    return 0


def _unicast(address: Address, device: str | None) -> str:  # noqa: ARG001
    return "UNICAST"


@record(frozen=False, kw_only=True)
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
    ct_seen_reply: bool = False
    """Packets of the connection went both ways (IPS_SEEN_REPLY); an ICMP error is none of its."""
    ct_assured: bool = False
    """It is not the first to go when the table is full (IPS_ASSURED)."""
    ct_confirmed: bool = False
    """Its first packet has left the node, or reached a process."""
    ct_mark: int = 0
    ct_reply: bool = False
    """The packet travels in the connection's reply direction (``--ctdir REPLY``)."""
    original: Packet | None = None
    """First packet as it was before any NAT; None: this packet is it, untouched."""
    address_type: Callable[[Address, str | None], str] = _unicast
    """``LOCAL``, ``UNICAST``, ``BROADCAST`` … by the routing tables; the device limits the look-up
    (inet_dev_addr_type) and is None without ``--limit-iface-…``."""
    reverse_path: ReversePath | None = None
    """What ``-m rpfilter`` asks. None: not known."""
    path_mtu: Callable[[Packet], int] | None = None
    """The smaller MTU of the way to the packet's destination and of that back to its source, in
    bytes. None: not known."""
    choose: Callable[[Fork], int] = first_way
    """Asked once where chance decides: the index of the way to take."""
    stranger: Stranger | None = None
    """Devices that rules name and that are not here: whether such a rule matches is not known."""
    sets: Mapping[str, SetLookup] = field(default_factory=dict)
    """ipsets by name; a name that is missing cannot be evaluated."""
    recent: RecentLookup = field(default_factory=NothingRecent)
    socket_uid: int | None = None
    """Owner of the sending socket (``-m owner``); None: no local socket, or not known."""
    socket_gid: int | None = None
