"""Network address translation: what a NAT verdict does to a connection and to each packet of it.

After net/netfilter/nf_nat_core.c (get_unique_tuple, nf_nat_packet), nf_nat_masquerade.c and
nf_nat_proto.c (nf_nat_icmp_reply_translation).
"""

from __future__ import annotations

from enum import Enum
from zlib import crc32

from k8stui.kernel.address_hash import chosen
from k8stui.kernel.conntrack import Conntrack, Entry, Tuple, inverted
from k8stui.kernel.header import ECHO, WITH_PORTS, changed
from k8stui.kernel.packet import Packet
from k8stui.kernel.traverse import AddressRange, PortRange


class Manip(Enum):
    """Which end of the packet a hook may change (HOOK2MANIP)."""

    DESTINATION = "destination"
    """PREROUTING and OUTPUT."""
    SOURCE = "source"
    """POSTROUTING and INPUT."""


def port_class(port: int) -> PortRange:
    """Ports among which another is drawn for this one (nf_nat_l4proto_unique_tuple)."""
    if port < 512:
        return (1, 511)
    return (600, 1023) if port < 1024 else (1024, 65535)


def _stand_in(seed: Tuple, ports: PortRange) -> int:
    # Where the kernel draws lots, a walk takes a number that is the same in every run. Five
    # digits where the class allows, as most random ports have.
    first, last = ports
    first = max(first, 10000) if last > 10000 else first
    return first + crc32(repr(seed).encode()) % (last - first + 1)


def set_up(
    table: Conntrack,
    entry: Entry,
    manip: Manip,
    address: AddressRange | None = None,
    ports: PortRange | None = None,
    *,
    random: bool = False,
    persistent: bool = False,
    base_port: int | None = None,
) -> bool:
    """Bind a new connection to its translated tuple (nf_nat_setup_info).

    Without an address and ports: the null binding, which changes a source port only when it is
    taken. False: no port is free, the packet is dropped.
    """
    now = inverted(entry.reply)
    has_ports = now.protocol in WITH_PORTS
    has_number = has_ports or now.protocol in ECHO
    if manip is Manip.DESTINATION:
        entry.destination_done = True
        dst = chosen(address, now.src, now.dst, persistent=persistent) if address else now.dst
        dport = now.dport
        if ports and has_ports:
            if base_port is not None:
                # NF_NAT_RANGE_PROTO_OFFSET; the difference is one of unsigned 16-bit numbers
                dport = ports[0] + (dport - base_port) % 65536 % (ports[1] - ports[0] + 1)
            elif not ports[0] <= dport <= ports[1]:
                dport = ports[0]
        new = now._replace(dst=dst, dport=dport)
        entry.dnat = entry.dnat or new != now
    else:
        entry.source_done = True
        src = chosen(address, now.src, now.dst, persistent=persistent) if address else now.src
        new = now._replace(src=src)
        if has_number:
            # The identifier of an echo is drawn from all 65,536.
            range_ = ports or (port_class(now.sport) if has_ports else (0, 65535))
            keep = not random and (ports is None or ports[0] <= now.sport <= ports[1])
            sport = now.sport if keep else _stand_in(now, range_)
            tries = 0
            while table.is_taken(inverted(new._replace(sport=sport))):
                tries += 1
                if tries > range_[1] - range_[0]:
                    return False
                if keep and tries == 1:  # find_free_id: from somewhere (get_random_u16) onwards
                    sport = _stand_in(now, range_)
                else:
                    sport = sport + 1 if sport < range_[1] else range_[0]
            new = new._replace(sport=sport)
        entry.snat = entry.snat or new != now
    entry.reply = inverted(new)
    return True


def apply(packet: Packet, entry: Entry, manip: Manip, *, reply: bool) -> Packet:
    """Rewrite one packet of a connection at one hook (nf_nat_packet); unchanged if not due.

    Replies are changed the other way round: what SNAT did is undone where destinations change,
    what DNAT did where sources change.
    """
    source_changes = manip is Manip.SOURCE
    if not (entry.snat if source_changes != reply else entry.dnat):
        return packet
    target = inverted(entry.original if reply else entry.reply)
    if packet.protocol not in WITH_PORTS:
        # icmp_manip_pkt: the identifier is one and the same at both ends.
        number = target.sport if packet.protocol in ECHO else packet.sport
        end = {"src": target.src} if source_changes else {"dst": target.dst}
        new = changed(packet, **end, sport=number)
        return packet if new == packet else new
    if source_changes:
        if packet.src == target.src and packet.sport == target.sport:
            return packet
        return changed(packet, src=target.src, sport=target.sport)
    if packet.dst == target.dst and packet.dport == target.dport:
        return packet
    return changed(packet, dst=target.dst, dport=target.dport)


def apply_to_error(packet: Packet, entry: Entry, manip: Manip, *, reply: bool) -> Packet:
    """Rewrite an ICMP error: the header it quotes, and its own address at the same end.

    nf_nat_icmp_reply_translation; docs/facts/outcomes.md, section 3.
    """
    source_changes = manip is Manip.SOURCE
    inner = packet.inner
    if inner is None or not (entry.snat if source_changes != reply else entry.dnat):
        return packet
    # The quoted packet went the other way: its ends are the connection's first direction as its
    # sender knows it.
    sent = entry.original if reply else entry.reply
    ports = inner.protocol in WITH_PORTS
    echo = {"sport": sent.sport} if inner.protocol in ECHO else {}
    if source_changes:
        quoted = changed(inner, dst=sent.dst, **({"dport": sent.dport} if ports else echo))
        if quoted == inner and packet.src == sent.dst:
            return packet
        return changed(packet, inner=quoted, src=sent.dst)
    quoted = changed(inner, src=sent.src, **({"sport": sent.sport} if ports else echo))
    if quoted == inner and packet.dst == sent.src:
        return packet
    return changed(packet, inner=quoted, dst=sent.src)
