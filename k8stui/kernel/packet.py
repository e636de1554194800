"""The packet: the header fields a walk can change or decide on."""

from __future__ import annotations

from enum import IntEnum, IntFlag

from k8stui.kernel.address import Address
from k8stui.record import record

BROADCAST_MAC = "ff:ff:ff:ff:ff:ff"


def group_mac(address: Address) -> str:
    """The MAC address of a multicast group (RFC 1112 section 6.4, RFC 2464 section 7)."""
    octets = address.packed
    if address.version == 6:
        return f"33:33:{octets[-4:].hex(':')}"
    return f"01:00:5e:{octets[1] & 0x7F:02x}:{octets[2]:02x}:{octets[3]:02x}"


def is_group_mac(mac: str) -> bool:
    """Whether a frame to that address is for several stations: multicast or broadcast."""
    return bool(mac) and int(mac[:2], 16) & 1 == 1


class Protocol(IntEnum):
    """IP protocol numbers (IANA). The name is how Kubernetes writes it."""

    ICMP = 1
    IPIP = 4
    TCP = 6
    UDP = 17
    ICMPV6 = 58
    SCTP = 132


class TcpFlags(IntFlag):
    """RFC 9293 control bits. No kernel here asks for ECN, but one in a lab may (tcp_ecn)."""

    FIN = 1
    SYN = 2
    RST = 4
    PSH = 8
    ACK = 16
    ECE = 64
    CWR = 128


NO_FLAGS = TcpFlags(0)


@record(kw_only=True)
class Packet:
    """One packet (or ARP frame) as it stands at one place.

    Frozen: a step keeps the packet before and after. `kernel.header.changed` changes fields.
    """

    src: Address
    dst: Address
    protocol: Protocol
    sport: int = 0
    """Source port; for ICMP echo the identifier."""
    dport: int = 0
    ttl: int = 64
    mark: int = 0
    """skb->mark: travels with the packet inside one namespace only."""
    smac: str = ""
    """Lower-case MAC address, empty before the packet has a link-layer header."""
    dmac: str = ""
    flags: TcpFlags = NO_FLAGS
    icmp_type: int = 0
    icmp_code: int = 0
    mss_bytes: int = 0
    """Largest segment that a SYN or SYN-ACK asks for (RFC 9293 3.7.1); 0: no such option."""
    mtu_bytes: int = 0
    """Next-hop MTU carried by ICMP 3/4."""
    inner: Packet | None = None
    """What an ICMP error quotes, or what a tunnel's packet carries."""
    vni: int | None = None
    """VXLAN network identifier; None when this is not a VXLAN packet."""
    length_bytes: int = 60
    """Of what passes here: of a datagram that is cut, its first fragment."""
    whole_bytes: int = 0
    """Length of the datagram of which this is the first fragment; 0: it is not cut."""
    dont_fragment: bool = True
    """May not be cut on the way: IPv4's DF, and all of IPv6 (RFC 8200 section 5)."""

    @property
    def carried(self) -> Packet | None:
        """What a tunnel's packet holds; None: it is none (an ICMP error quotes)."""
        is_tunnel = self.vni is not None or self.protocol is Protocol.IPIP
        return self.inner if is_tunnel else None
