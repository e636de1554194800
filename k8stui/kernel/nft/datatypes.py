"""The types of nftables' values: how each is read, kept and printed (src/datatype.c; nft(8)).

A value is kept as the kernel compares it: a number, an address, or the name of a device.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from k8stui.kernel.address import Address
from k8stui.kernel.nft import times

Raw = Address | int | str
Value = Raw | tuple[Raw, ...]
"""Of a concatenation all fields."""


class Datatype(NamedTuple):
    """How the values of one type are written."""

    name: str
    read: Callable[[str], Raw]
    """Raises ValueError for what is no such value."""
    write: Callable[[Raw], str]
    bits: int = 0
    """Of a number its width; 0: it is no number."""
    is_bitmask: bool = False
    write_end: Callable[[Raw], str] | None = None
    """How an end of a range is written, if otherwise: without a name (range_expr_print)."""


def fields_of(value: Value) -> tuple[Raw, ...]:
    """The fields of a concatenation; of a single value itself."""
    return value if type(value) is tuple else (value,)  # type: ignore[return-value]


_NUMBER = re.compile(r"0[xX][0-9a-fA-F]{1,32}|[0-9]{1,39}")
"""No field is longer than an IPv6 address."""


def number(text: str) -> int:
    """Decimal or hexadecimal.

    Raises:
        ValueError: neither.

    """
    if _NUMBER.fullmatch(text) is None:
        raise ValueError(f"not a number: {text}")
    return int(text, 0) if text[:2] in ("0x", "0X") else int(text)


def _within(text: str, bits: int) -> int:
    value = number(text)
    if value >> bits:
        raise ValueError(f"more than {bits} bits: {text}")
    return value


def _integer(name: str, bits: int) -> Datatype:
    return Datatype(name, lambda text: _within(text, bits), str, bits)


def _symbols(
    name: str, bits: int, table: Mapping[str, int], other: Callable[[int], str] = str
) -> Datatype:
    """Numbers with names; of several for one number the first is printed."""
    names: dict[Raw, str] = {}
    for word, value in table.items():
        names.setdefault(value, word)

    def read(text: str) -> Raw:
        found = table.get(text)
        return _within(text, bits) if found is None else found

    def write(raw: Raw) -> str:
        return names.get(raw) or other(raw)  # type: ignore[arg-type]

    return Datatype(name, read, write, bits, write_end=other)  # type: ignore[arg-type]


def _bitmask(name: str, bits: int, table: Mapping[str, int]) -> Datatype:
    def read(text: str) -> Raw:
        found = table.get(text)
        return _within(text, bits) if found is None else found

    def write(raw: Raw) -> str:
        assert isinstance(raw, int)
        names = [word for word, bit in sorted(table.items(), key=lambda e: e[1]) if raw & bit]
        rest = raw & ~sum(table.values())
        return ",".join([*names, *([f"{rest:#x}"] if rest or not raw else [])])

    return Datatype(name, read, write, bits, is_bitmask=True)


def _named(name: str, bits: int, words: Sequence[str]) -> Datatype:
    """Numbers from 0 on whose names are printed in quotation marks."""
    plain = _symbols(name, bits, {word: number for number, word in enumerate(words)})
    shown: dict[Raw, str] = {number: _quoted(word) for number, word in enumerate(words)}
    return plain._replace(write=lambda raw: shown.get(raw) or str(raw))


def _matching(name: str, pattern: str) -> Datatype:
    """Texts of a form."""

    def read(text: str) -> Raw:
        if re.fullmatch(pattern, text, re.ASCII) is None:
            raise ValueError(f"no {name}: {text}")
        return text

    return Datatype(name, read, _quoted)


def _address(version: int) -> Callable[[str], Raw]:
    def read(text: str) -> Raw:
        address = Address.parse(text)
        if address.version != version:
            raise ValueError(f"not an IPv{version} address: {text}")
        return address

    return read


_HARDWARE = re.compile(r"[0-9a-fA-F]{1,2}(:[0-9a-fA-F]{1,2}){5}")


def _hardware(text: str) -> Raw:
    if _HARDWARE.fullmatch(text) is None:
        raise ValueError(f"not a hardware address: {text}")
    return ":".join(octet.zfill(2).lower() for octet in text.split(":"))


def _device(text: str) -> Raw:
    if not text:
        raise ValueError("no name of a device")
    return text


def _quoted(raw: Raw) -> str:
    return f'"{raw}"'


def _boolean(text: str) -> Raw:
    words = {"exists": 1, "missing": 0, "1": 1, "0": 0}
    if text not in words:
        raise ValueError(f"neither exists nor missing: {text}")
    return words[text]


def _index(text: str) -> Raw:
    # A device by its number is one by its name, but none at all is 0.
    return 0 if text == "0" else _device(text)


def _class(text: str) -> Raw:
    """``1:2``, in hexadecimal (tc(8))."""
    if text not in ("none", "root") and re.fullmatch(r"[0-9a-f]{1,4}:[0-9a-f]{0,4}", text) is None:
        raise ValueError(f"no class: {text}")
    return text


def _unread(text: str) -> Raw:
    return text


_PROTOCOLS = {
    "ip": 0, "icmp": 1, "igmp": 2, "ggp": 3, "ipencap": 4, "st": 5, "tcp": 6, "egp": 8, "igp": 9,
    "pup": 12, "udp": 17, "hmp": 20, "xns-idp": 22, "rdp": 27, "iso-tp4": 29, "dccp": 33,
    "xtp": 36, "ddp": 37, "idpr-cmtp": 38, "ipv6": 41, "ipv6-route": 43, "ipv6-frag": 44,
    "idrp": 45, "rsvp": 46, "gre": 47, "esp": 50, "ah": 51, "skip": 57, "ipv6-icmp": 58,
    "icmpv6": 58, "ipv6-nonxt": 59, "ipv6-opts": 60, "rspf": 73, "vmtp": 81, "eigrp": 88,
    "ospf": 89, "ax.25": 93, "ipip": 94, "etherip": 97, "encap": 98, "pim": 103, "ipcomp": 108,
    "comp": 108, "vrrp": 112, "l2tp": 115, "isis": 124, "sctp": 132, "fc": 133,
    "mobility-header": 135, "udplite": 136, "mpls-in-ip": 137, "manet": 138, "hip": 139,
    "shim6": 140, "wesp": 141, "rohc": 142,
}  # fmt: skip
"""As /etc/protocols names them (getprotobynumber(3))."""

IPV4_ADDR = Datatype("ipv4_addr", _address(4), str, 32)
IPV6_ADDR = Datatype("ipv6_addr", _address(6), str, 128)
ETHER_ADDR = Datatype("ether_addr", _hardware, str)
INET_PROTO = _symbols("inet_proto", 8, _PROTOCOLS)
INET_SERVICE = _integer("inet_service", 16)
MARK = Datatype("mark", lambda text: _within(text, 32), lambda raw: f"0x{raw:08x}", 32)
IFNAME = Datatype("ifname", _device, _quoted)
IFACE_INDEX = Datatype("iface_index", _index, lambda raw: "0" if raw == 0 else _quoted(raw))
FIB_OIF = Datatype("iface_index", _index, lambda raw: "0" if raw == 0 else _quoted(raw))
BOOLEAN = Datatype("boolean", _boolean, lambda raw: "exists" if raw else "missing", 8)
CT_STATE = _bitmask(
    "ct_state", 32, {"invalid": 1, "established": 2, "related": 4, "new": 8, "untracked": 64}
)
CT_STATUS = _bitmask(
    "ct_status",
    32,
    {"expected": 1, "seen-reply": 2, "assured": 4, "confirmed": 8, "snat": 16, "dnat": 32,
     "dying": 512},
)  # fmt: skip
CT_EVENT = _bitmask(
    "ct_event",
    32,
    {"new": 1, "related": 2, "destroy": 4, "reply": 8, "assured": 16, "protoinfo": 32,
     "helper": 64, "mark": 128, "seqadj": 256, "secmark": 512, "label": 1024},
)  # fmt: skip
CT_DIR = _symbols("ct_dir", 8, {"original": 0, "reply": 1})
TCP_FLAG = _bitmask(
    "tcp_flag",
    8,
    {"fin": 1, "syn": 2, "rst": 4, "psh": 8, "ack": 16, "urg": 32, "ecn": 64, "cwr": 128},
)
ICMP_TYPE = _symbols(
    "icmp_type",
    8,
    {"echo-reply": 0, "destination-unreachable": 3, "source-quench": 4, "redirect": 5,
     "echo-request": 8, "router-advertisement": 9, "router-solicitation": 10,
     "time-exceeded": 11, "parameter-problem": 12, "timestamp-request": 13,
     "timestamp-reply": 14, "info-request": 15, "info-reply": 16, "address-mask-request": 17,
     "address-mask-reply": 18},
)  # fmt: skip
ICMP_CODE = _symbols(
    "icmp_code",
    8,
    {"net-unreachable": 0, "host-unreachable": 1, "prot-unreachable": 2, "port-unreachable": 3,
     "frag-needed": 4, "net-prohibited": 9, "host-prohibited": 10, "admin-prohibited": 13},
)  # fmt: skip
ICMPV6_TYPE = _symbols(
    "icmpv6_type",
    8,
    {"destination-unreachable": 1, "packet-too-big": 2, "time-exceeded": 3,
     "parameter-problem": 4, "echo-request": 128, "echo-reply": 129, "mld-listener-query": 130,
     "mld-listener-report": 131, "mld-listener-done": 132, "mld-listener-reduction": 132,
     "nd-router-solicit": 133, "nd-router-advert": 134, "nd-neighbor-solicit": 135,
     "nd-neighbor-advert": 136, "nd-redirect": 137, "router-renumbering": 138,
     "ind-neighbor-solicit": 141, "ind-neighbor-advert": 142, "mld2-listener-report": 143},
)  # fmt: skip
ICMPV6_CODE = _symbols(
    "icmpv6_code",
    8,
    {"no-route": 0, "admin-prohibited": 1, "addr-unreachable": 3, "port-unreachable": 4,
     "policy-fail": 5, "reject-route": 6},
)  # fmt: skip
ICMPX_CODE = _symbols(
    "icmpx_code",
    8,
    {"no-route": 0, "port-unreachable": 1, "host-unreachable": 2, "admin-prohibited": 3},
)
FIB_ADDRTYPE = _symbols(
    "fib_addrtype",
    32,
    {"unspec": 0, "unicast": 1, "local": 2, "broadcast": 3, "anycast": 4, "multicast": 5,
     "blackhole": 6, "unreachable": 7, "prohibit": 8},
)  # fmt: skip
ARP_OP = _symbols(
    "arp_op",
    16,
    {"request": 1, "reply": 2, "rrequest": 3, "rreply": 4, "inrequest": 8, "inreply": 9, "nak": 10},
)
IGMP_TYPE = _symbols(
    "igmp_type",
    8,
    {"membership-query": 17, "membership-report-v1": 18, "membership-report-v2": 22,
     "leave-group": 23, "membership-report-v3": 34},
)  # fmt: skip
NF_PROTO = _symbols("nf_proto", 8, {"ipv4": 2, "ipv6": 10})
ETHER_TYPE = _symbols(
    "ether_type",
    16,
    {"ip": 0x800, "arp": 0x806, "ip6": 0x86DD, "8021q": 0x8100, "8021ad": 0x88A8, "vlan": 0x8100},
    lambda raw: f"0x{raw:04x}",
)
PKT_TYPE = _symbols(
    "pkt_type", 8, {"host": 0, "unicast": 0, "broadcast": 1, "multicast": 2, "other": 3}
)
DSCP = _symbols(
    "dscp",
    6,
    {"cs0": 0, "cs1": 8, "cs2": 16, "cs3": 24, "cs4": 32, "cs5": 40, "cs6": 48, "cs7": 56,
     "df": 0, "be": 0, "lephb": 1, "af11": 10, "af12": 12, "af13": 14, "af21": 18, "af22": 20,
     "af23": 22, "af31": 26, "af32": 28, "af33": 30, "af41": 34, "af42": 36, "af43": 38,
     "va": 44, "ef": 46},
    lambda raw: f"0x{raw:02x}",
)  # fmt: skip

ECN = _symbols("ecn", 2, {"not-ect": 0, "ect1": 1, "ect0": 2, "ce": 3})
DCCP_PKTTYPE = _symbols(
    "dccp_pkttype",
    4,
    {"request": 0, "response": 1, "data": 2, "ack": 3, "dataack": 4, "closereq": 5, "close": 6,
     "reset": 7, "sync": 8, "syncack": 9},
)  # fmt: skip
MH_TYPE = _symbols(
    "mh_type",
    8,
    {"binding-refresh-request": 0, "home-test-init": 1, "careof-test-init": 2, "home-test": 3,
     "careof-test": 4, "binding-update": 5, "binding-acknowledgement": 6, "binding-error": 7,
     "fast-binding-update": 8, "fast-binding-acknowledgement": 9,
     "fast-binding-advertisement": 10, "experimental-mobility-header": 11,
     "home-agent-switch-message": 12},
)  # fmt: skip
IFACE_TYPE = _symbols(
    "iface_type",
    16,
    {"ether": 1, "ppp": 512, "ipip": 768, "ipip6": 769, "loopback": 772, "sit": 776,
     "ipgre": 778},
)  # fmt: skip
CGROUP = Datatype("cgroupsv2", str, lambda raw: str(raw) if str(raw).isdecimal() else _quoted(raw))
"""A path, or the number of one that is no more."""
DEVGROUP = _named("devgroup", 32, ("default",))
"""As /etc/iproute2/group names them."""
REALM = _named("realm", 32, ("cosmos",))
"""As /etc/iproute2/rt_realms names them."""
DAY = _named(
    "day", 8,
    ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"),
)  # fmt: skip
HOUR = _matching("hour", r"\d\d:\d\d(:\d\d)?")
MOMENT = _matching("time", r"\d{4}-\d\d-\d\d( \d\d:\d\d(:\d\d)?)?")
DURATION = Datatype(
    "time",
    times.seconds,
    lambda raw: times.written(int(str(raw))),
    32,
    write_end=lambda raw: f"{raw}s",
)


def hexadecimal(bits: int) -> Datatype:
    """Bits that have no other meaning."""
    return Datatype("integer", lambda text: _within(text, bits), lambda raw: f"{raw:#x}", bits)


CLASSID = Datatype("classid", _class, str)
INTEGER = Datatype("integer", number, str, 32)
UID = _integer("uid", 32)
GID = _integer("gid", 32)
OBJECT = Datatype("object", _unread, _quoted)
"""The name of a counter, quota, limit or helper, which a map can lead to."""

BY_NAME: Mapping[str, Datatype] = {
    one.name: one
    for one in (
        IPV4_ADDR, IPV6_ADDR, ETHER_ADDR, INET_PROTO, INET_SERVICE, MARK, IFNAME, IFACE_INDEX,
        BOOLEAN, CT_STATE, CT_STATUS, CT_DIR, TCP_FLAG, ICMP_TYPE, ICMP_CODE, ICMPV6_TYPE,
        ICMPV6_CODE, ICMPX_CODE, FIB_ADDRTYPE, NF_PROTO, ETHER_TYPE, PKT_TYPE, DSCP, INTEGER,
        UID, GID, CLASSID, REALM, DEVGROUP, IFACE_TYPE, ARP_OP, IGMP_TYPE, DCCP_PKTTYPE, MH_TYPE,
        ECN, DAY, HOUR, DURATION, CGROUP,
    )
} | dict.fromkeys(("counter", "quota", "limit", "ct helper", "synproxy"), OBJECT)  # fmt: skip
