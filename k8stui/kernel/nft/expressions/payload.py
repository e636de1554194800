"""Fields of the packet's headers: ``ip daddr``, ``tcp dport`` (net/netfilter/nft_payload.c).

Which header is meant is asked along (src/payload.c payload_gen_dependency): a rule about ``tcp
dport`` does not match UDP.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from k8stui.kernel.header import ECHO, WITH_PORTS
from k8stui.kernel.nft import datatypes as types
from k8stui.kernel.nft.datatypes import Datatype, Raw
from k8stui.kernel.nft.errors import BreakError, NftError, UnknownError
from k8stui.kernel.nft.expression import Types
from k8stui.kernel.nft.passage import Passage
from k8stui.kernel.nft.spoken import Json, Say, Spoken
from k8stui.kernel.nft.words import Words
from k8stui.kernel.packet import Packet

_I = types.INTEGER
_PORTS = {"sport": types.INET_SERVICE, "dport": types.INET_SERVICE}
_ICMP = {"checksum": _I, "id": _I, "sequence": _I, "mtu": _I}

_FIELDS: Mapping[str, Mapping[str, Datatype]] = {
    "ip": {
        "version": _I, "hdrlength": _I, "dscp": types.DSCP, "ecn": types.ECN, "length": _I,
        "id": _I, "frag-off": _I, "ttl": _I, "protocol": types.INET_PROTO, "checksum": _I,
        "saddr": types.IPV4_ADDR, "daddr": types.IPV4_ADDR,
    },
    "ip6": {
        "version": _I, "dscp": types.DSCP, "ecn": types.ECN, "flowlabel": _I, "length": _I,
        "nexthdr": types.INET_PROTO, "hoplimit": _I,
        "saddr": types.IPV6_ADDR, "daddr": types.IPV6_ADDR,
    },
    "tcp": {
        **_PORTS, "sequence": _I, "ackseq": _I, "doff": _I, "reserved": _I,
        "flags": types.TCP_FLAG, "window": _I, "checksum": _I, "urgptr": _I,
    },
    "udp": {**_PORTS, "length": _I, "checksum": _I},
    "udplite": {**_PORTS, "checksum": _I},
    "sctp": {**_PORTS, "vtag": _I, "checksum": _I},
    "dccp": {**_PORTS, "type": types.DCCP_PKTTYPE},
    "th": dict(_PORTS),
    "icmp": {**_ICMP, "type": types.ICMP_TYPE, "code": types.ICMP_CODE, "gateway": _I},
    "icmpv6": {**_ICMP, "type": types.ICMPV6_TYPE, "code": types.ICMPV6_CODE, "max-delay": _I},
    "ether": {
        "saddr": types.ETHER_ADDR, "daddr": types.ETHER_ADDR, "type": types.ETHER_TYPE,
    },
    "igmp": {"type": types.IGMP_TYPE, "checksum": _I, "mrt": _I, "group": types.IPV4_ADDR},
    "ah": {
        "nexthdr": types.INET_PROTO, "hdrlength": _I, "reserved": _I, "spi": _I, "sequence": _I,
    },
    "esp": {"spi": _I, "sequence": _I},
    "comp": {"nexthdr": types.INET_PROTO, "flags": types.hexadecimal(8), "cpi": _I},
    "vlan": {"id": _I, "dei": _I, "pcp": _I, "type": types.ETHER_TYPE},
    "arp": {
        "htype": _I, "ptype": types.ETHER_TYPE, "hlen": _I, "plen": _I,
        "operation": types.ARP_OP, "saddr ip": types.IPV4_ADDR, "daddr ip": types.IPV4_ADDR,
        "saddr ether": types.ETHER_ADDR, "daddr ether": types.ETHER_ADDR,
    },
}  # fmt: skip
_NUMBERS = {
    "tcp": 6, "udp": 17, "udplite": 136, "sctp": 132, "dccp": 33, "icmp": 1, "icmpv6": 58,
    "igmp": 2, "ah": 51, "esp": 50, "comp": 108,
}  # fmt: skip
_FRAMES = ("vlan", "arp")
"""In frames of other kinds: those that are walked carry IP, and no tag where a rule sees them."""
_VERSIONS = {"ip": 4, "ip6": 6, "icmp": 4, "icmpv6": 6}
_READ: Mapping[str, Callable[[Packet], Raw]] = {
    "saddr": lambda packet: packet.src,
    "daddr": lambda packet: packet.dst,
    "protocol": lambda packet: int(packet.protocol),
    "nexthdr": lambda packet: int(packet.protocol),
    "ttl": lambda packet: packet.ttl,
    "hoplimit": lambda packet: packet.ttl,
    "version": lambda packet: packet.dst.version,
    "sport": lambda packet: packet.sport,
    "dport": lambda packet: packet.dport,
    "flags": lambda packet: int(packet.flags),
    "type": lambda packet: packet.icmp_type,
    "code": lambda packet: packet.icmp_code,
}

NO_NUMBER = -1
"""Some number that nobody knows; taken for none of those that rules name."""


class Payload(NamedTuple):
    """A field of a header."""

    header: str
    field: str

    @property
    def types(self) -> Types:
        return (_FIELDS[self.header][self.field],)

    def value(self, passage: Passage, /) -> Raw:
        packet = passage.packet
        self.depend(packet)
        if self.header in _FRAMES:
            raise BreakError
        if self.header == "ether":
            return self._frame(packet)
        if self.header == "th" and packet.protocol not in WITH_PORTS:
            return self._without_ports(packet)
        read = _READ.get(self.field)
        if read is not None:
            return read(packet)
        if (self.header, self.field) == ("ip", "length") and packet.length_bytes:
            return packet.length_bytes
        raise UnknownError(str(self))

    def depend(self, packet: Packet) -> None:
        """Ask whether the packet has the header.

        Raises:
            BreakError: it has not.

        """
        version = _VERSIONS.get(self.header)
        if version is not None and version != packet.dst.version:
            raise BreakError
        number = _NUMBERS.get(self.header)
        if number is not None and number != packet.protocol:
            raise BreakError

    def _without_ports(self, packet: Packet) -> int:
        """What stands there all the same: of a ping type and code, then a checksum."""
        if packet.protocol in ECHO and self.field == "sport":
            return packet.icmp_type << 8 | packet.icmp_code
        return NO_NUMBER

    def _frame(self, packet: Packet) -> Raw:
        if self.field == "type":
            return 0x800 if packet.dst.version == 4 else 0x86DD
        found = packet.smac if self.field == "saddr" else packet.dmac
        if not found:
            raise BreakError
        return found

    def __str__(self) -> str:
        return f"{self.header} {self.field}"


def _read(words: Words) -> Payload:
    header, field = words.take(), words.take()
    if header == "arp" and field in ("saddr", "daddr"):
        field = f"{field} {words.take()}"
    if field not in _FIELDS[header]:
        raise NftError(f"not understood: {header} {field}")
    return Payload(header, field)


GRAMMAR = dict.fromkeys(_FIELDS, _read)


def _said(said: Json, _: Say) -> str:
    if "base" in said:
        return f"@{said['base']},{said['offset']},{said['len']}"
    tunnel = f"{said['tunnel']} " if "tunnel" in said else ""
    return f"{tunnel}{said['protocol']} {said['field']}"


JSON: Mapping[str, Spoken] = {"payload": _said}
