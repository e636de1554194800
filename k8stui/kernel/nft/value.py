"""Expressions of nftables: what they come to for one packet, and whether a value is among others.

A value is an address, a number (ports, marks, protocols), a word, or a tuple of these (concat).
After net/netfilter/nft_payload.c, nft_meta.c, nft_ct.c, nft_fib.c, nft_bitwise.c, nft_lookup.c.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.context import PacketContext
from k8stui.kernel.header import WITH_PORTS
from k8stui.kernel.packet import Packet, Protocol

Value = Address | int | str | tuple["Value", ...]

_PROTOCOLS = {
    "icmp": 1, "tcp": 6, "udp": 17, "ipv6-icmp": 58, "icmpv6": 58, "sctp": 132,
}  # fmt: skip
_FAMILY = {"ip": 4, "ip6": 6}


class BreakError(Exception):
    """The packet has no such field: the rule does not match (NFT_BREAK)."""


class UnknownError(Exception):
    """What it comes to is not known: the expression is not modelled."""


def value_of(said: object, packet: Packet, context: PacketContext) -> Value:
    """What an expression comes to.

    Raises:
        BreakError, UnknownError: see there.

    """
    if isinstance(said, dict):
        ((kind, inner),) = said.items()
        if kind == "payload":
            return _payload(inner, packet)
        if kind == "meta":
            return _meta(str(inner["key"]), packet, context)
        if kind == "ct":
            return _connection(str(inner["key"]), packet, context)
        if kind == "fib":
            return _fib(inner, packet, context)
        if kind == "concat":
            return tuple(value_of(one, packet, context) for one in inner)
        if kind in _BITWISE:
            first, second = (value_of(one, packet, context) for one in inner)
            if isinstance(first, int) and isinstance(second, int):
                return _BITWISE[kind](first, second)
        raise UnknownError(kind)
    return plain(said)


_BITWISE: Mapping[str, Callable[[int, int], int]] = {
    "&": lambda one, other: one & other,
    "|": lambda one, other: one | other,
    "^": lambda one, other: one ^ other,
}


def plain(said: object) -> Value:
    """A value as it is written."""
    if isinstance(said, bool) or said is None:
        raise UnknownError(str(said))
    if isinstance(said, int):
        return said
    if isinstance(said, dict):
        if "concat" in said:
            return tuple(plain(one) for one in said["concat"])
        if "elem" in said:
            return plain(said["elem"]["val"])
        raise UnknownError(next(iter(said)))
    text = str(said)
    if "." in text or ":" in text:
        try:
            return Address.parse(text)
        except ValueError:
            return text
    return text


def _payload(said: Mapping[str, object], packet: Packet) -> Value:
    protocol, name = str(said.get("protocol")), str(said.get("field"))
    if protocol in _FAMILY:
        if packet.dst.version != _FAMILY[protocol]:
            raise BreakError
        if name in ("saddr", "daddr"):
            return packet.src if name == "saddr" else packet.dst
        if name in ("protocol", "nexthdr"):
            return int(packet.protocol)
        if name in ("ttl", "hoplimit"):
            return packet.ttl
        raise UnknownError(f"{protocol} {name}")
    if protocol != "th" and _PROTOCOLS.get(protocol) != packet.protocol:
        if protocol in _PROTOCOLS:
            raise BreakError
        raise UnknownError(f"{protocol} {name}")
    if name in ("sport", "dport"):
        if packet.protocol not in WITH_PORTS:
            raise BreakError
        return packet.sport if name == "sport" else packet.dport
    if name == "type" and packet.protocol in (Protocol.ICMP, Protocol.ICMPV6):
        raise UnknownError(f"{protocol} type")  # written by names
    raise UnknownError(f"{protocol} {name}")


def _meta(key: str, packet: Packet, context: PacketContext) -> Value:
    match key:
        case "l4proto":
            return int(packet.protocol)
        case "mark":
            return packet.mark
        case "iifname" | "iif":
            if context.in_device is None:
                raise BreakError
            return context.in_device
        case "oifname" | "oif":
            if context.out_device is None:
                raise BreakError
            return context.out_device
        case "nfproto":
            return f"ipv{packet.dst.version}"
        case "protocol":
            return "ip" if packet.dst.version == 4 else "ip6"
    raise UnknownError(f"meta {key}")


def _connection(key: str, packet: Packet, context: PacketContext) -> Value:
    match key:
        case "state":
            return context.ct_state.lower()
        case "mark":
            return context.ct_mark
        case "direction":
            return "reply" if context.ct_reply else "original"
        case "status":
            flags = {"dnat": context.ct_dnat, "snat": context.ct_snat}
            return tuple(name for name, is_set in flags.items() if is_set)
    del packet
    raise UnknownError(f"ct {key}")


def _fib(said: Mapping[str, object], packet: Packet, context: PacketContext) -> Value:
    flags = said.get("flags")
    flags = flags if isinstance(flags, list) else [flags]
    if said.get("result") != "type" or not {"saddr", "daddr"}.intersection(map(str, flags)):
        raise UnknownError(f"fib {said.get('result')}")
    address = packet.src if "saddr" in flags else packet.dst
    device = context.in_device if "iif" in flags else None
    if "oif" in flags:
        device = context.out_device
    return context.address_type(address, device).lower()


def is_among(value: Value, said: object, sets: Mapping[str, Sequence[object]]) -> bool:
    """Whether a value is one of those that are written.

    Raises:
        UnknownError: what is written is not understood.

    """
    if isinstance(said, str) and said.startswith("@"):
        if said[1:] not in sets:
            raise UnknownError(said)
        return any(is_among(value, _key(one), sets) for one in sets[said[1:]])
    if isinstance(said, list):
        return any(is_among(value, one, sets) for one in said)
    if isinstance(said, dict):
        ((kind, inner),) = list(said.items())[:1]
        if kind == "set":
            return any(is_among(value, _key(one), sets) for one in inner)
        if kind == "prefix":
            prefix = Prefix.parse(f"{inner['addr']}/{inner['len']}")
            return isinstance(value, Address) and value in prefix
        if kind == "range":
            first, last = map(plain, inner)
            return _between(first, value, last)
        if kind == "elem":
            return is_among(value, inner["val"], sets)
        if kind == "concat":
            return (
                isinstance(value, tuple)
                and not isinstance(value, Address)
                and len(value) == len(inner)
                and all(is_among(*pair, sets) for pair in zip(value, inner, strict=True))
            )
        raise UnknownError(kind)
    return _is_same(value, plain(said))


def _key(element: object) -> object:
    """Of a map's element the key."""
    return element[0] if isinstance(element, list) and len(element) == 2 else element


def _is_same(value: Value, written: Value) -> bool:
    if isinstance(value, tuple) and not isinstance(value, Address):
        return written in value  # flags: one of them
    if isinstance(value, int) and isinstance(written, str):
        number = _PROTOCOLS.get(written)
        if number is None:
            raise UnknownError(written)
        return value == number
    if isinstance(written, str) and isinstance(value, str) and written.endswith("*"):
        return value.startswith(written[:-1])
    return value == written


def _between(first: Value, value: Value, last: Value) -> bool:
    if isinstance(value, Address) and isinstance(first, Address) and isinstance(last, Address):
        return value.version == first.version and first.value <= value.value <= last.value
    if isinstance(value, int) and isinstance(first, int) and isinstance(last, int):
        return first <= value <= last
    return False
