"""What is known of a packet besides its headers: ``meta mark``, ``iifname`` (nft_meta.c)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from k8stui.kernel.nft import datatypes as types
from k8stui.kernel.nft.datatypes import Datatype, Raw
from k8stui.kernel.nft.errors import BreakError, NftError, UnknownError
from k8stui.kernel.nft.expression import Types
from k8stui.kernel.nft.passage import Passage
from k8stui.kernel.nft.spoken import Spoken
from k8stui.kernel.nft.words import Words
from k8stui.kernel.packet import BROADCAST_MAC, Packet, is_group_mac
from k8stui.kernel.step import Hook

_I = types.INTEGER
_KEYS: Mapping[str, Datatype] = {
    "length": _I, "protocol": types.ETHER_TYPE, "nfproto": types.NF_PROTO,
    "l4proto": types.INET_PROTO, "mark": types.MARK, "iif": types.IFACE_INDEX,
    "iifname": types.IFNAME, "oif": types.IFACE_INDEX, "oifname": types.IFNAME,
    "skuid": types.UID, "skgid": types.GID, "nftrace": _I, "pkttype": types.PKT_TYPE,
    "cpu": _I, "iifgroup": types.DEVGROUP, "oifgroup": types.DEVGROUP, "cgroup": _I, "random": _I,
    "ibrname": types.IFNAME, "obrname": types.IFNAME, "iifkind": types.IFNAME,
    "oifkind": types.IFNAME, "priority": types.CLASSID, "ipsec": types.BOOLEAN,
    "rtclassid": types.REALM, "iiftype": types.IFACE_TYPE, "oiftype": types.IFACE_TYPE,
    "sdif": types.IFACE_INDEX, "sdifname": types.IFNAME, "ibrpvid": _I,
    "ibrvproto": types.ETHER_TYPE, "secmark": types.OBJECT, "time": types.MOMENT, "day": types.DAY,
    "hour": types.HOUR, "broute": _I,
}  # fmt: skip
_BARE = ("iif", "iifname", "oif", "oifname", "iifgroup", "oifgroup")
"""Printed without ``meta`` (src/meta.c meta_key_is_unqualified)."""
_READ_BARE = (
    *_BARE,
    "mark",
    "skuid",
    "skgid",
    "nftrace",
    "pkttype",
    "cpu",
    "cgroup",
    "ibrname",
    "obrname",
)
_CLOCK = ("time", "day", "hour")


class Meta(NamedTuple):
    """One of these."""

    key: str

    @property
    def types(self) -> Types:
        return (_KEYS[self.key],)

    def value(self, passage: Passage, /) -> Raw:
        read = _READ.get(self.key)
        if self.key in _CLOCK:
            raise UnknownError(f"{self}: a walk has no clock")
        if read is None:
            raise UnknownError(str(self))
        return read(passage)

    def __str__(self) -> str:
        return self.key if self.key in _BARE else f"meta {self.key}"


def _incoming(passage: Passage) -> Raw:
    # Where there is no device its name is empty (nft_meta_store_ifname), which is no other's.
    return passage.context.in_device or ""


def _outgoing(passage: Passage) -> Raw:
    return passage.context.out_device or ""


def _owner(which: str) -> Callable[[Passage], Raw]:
    def read(passage: Passage) -> Raw:
        context = passage.context
        if context.in_device is not None:
            raise BreakError  # forwarded: there is no socket
        owner = context.socket_uid if which == "skuid" else context.socket_gid
        if owner is None:
            raise UnknownError(f"meta {which}: the owner of the socket is not known")
        return owner

    return read


def _sort_of_frame(passage: Passage) -> Raw:
    packet: Packet = passage.packet
    if passage.context.hook is Hook.OUTPUT or not packet.dmac:
        return 0
    if packet.dmac == BROADCAST_MAC:
        return 1
    return 2 if is_group_mac(packet.dmac) else 0


_READ: Mapping[str, Callable[[Passage], Raw]] = {
    "length": lambda passage: passage.packet.length_bytes,
    "protocol": lambda passage: 0x800 if passage.version == 4 else 0x86DD,
    "nfproto": lambda passage: 2 if passage.version == 4 else 10,
    "l4proto": lambda passage: int(passage.packet.protocol),
    "mark": lambda passage: passage.packet.mark,
    "iif": _incoming,
    "iifname": _incoming,
    "oif": _outgoing,
    "oifname": _outgoing,
    "skuid": _owner("skuid"),
    "skgid": _owner("skgid"),
    "nftrace": lambda _: 0,
    "pkttype": _sort_of_frame,
}


def _read(words: Words) -> Meta:
    words.has("meta")
    key = words.take()
    if key not in _KEYS:
        raise NftError(f"not understood: meta {key}")
    return Meta(key)


GRAMMAR = dict.fromkeys(("meta", *_READ_BARE), _read)
JSON: Mapping[str, Spoken] = {"meta": lambda said, _: f"meta {said['key']}"}
