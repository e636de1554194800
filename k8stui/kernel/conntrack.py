"""Connection tracking: which packets belong together, and the NAT of both directions.

After net/netfilter/nf_conntrack_core.c, nf_conntrack_proto_{tcp,udp,icmp}.c and nf_nat_core.c.
Entries exist from PREROUTING or OUTPUT on, but stand in the table only when the last hook has
confirmed them (docs/facts/outcomes.md, section 4).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from k8stui.because import Because
from k8stui.kernel.address import Address
from k8stui.kernel.header import ECHO, WITH_PORTS
from k8stui.kernel.packet import Packet, Protocol, TcpFlags
from k8stui.record import record


class CtState(StrEnum):
    """What ``--ctstate`` calls a packet."""

    NEW = "NEW"
    ESTABLISHED = "ESTABLISHED"
    RELATED = "RELATED"
    INVALID = "INVALID"
    UNTRACKED = "UNTRACKED"


class Tuple(NamedTuple):
    """One direction of a connection. For ICMP echo: the identifier, and type × 256 + code."""

    protocol: Protocol
    src: Address
    sport: int
    dst: Address
    dport: int


_ICMP_INVERSE = {8: 0, 0: 8, 13: 14, 14: 13, 128: 129, 129: 128}
"""nf_conntrack_proto_icmp.c invmap, nf_conntrack_proto_icmpv6.c invmap."""
_ICMP_NEW = frozenset({8, 13, 128})
ERROR_TYPES = {
    Protocol.ICMP: frozenset({3, 4, 5, 11, 12}),
    Protocol.ICMPV6: frozenset({1, 2, 3, 4}),
}
"""ICMP types that quote the packet which caused them (RFC 792, RFC 4443)."""
_TIMEOUT_SECONDS = {
    "SYN_SENT": 120,
    "SYN_RECV": 60,
    "ESTABLISHED": 432000,
    "CLOSE": 10,
    "CLOSED": 10,
}
"""net.netfilter.nf_conntrack_{tcp,sctp}_timeout_*."""
_PLAIN_TIMEOUT_SECONDS = {Protocol.UDP: 30, Protocol.ICMP: 30, Protocol.ICMPV6: 30}
_STREAM_AFTER_SECONDS = 2.0
_STREAM_TIMEOUT_SECONDS = 120.0
"""net.netfilter.nf_conntrack_udp_timeout_stream."""


def is_icmp_error(packet: Packet) -> bool:
    """Whether this is an ICMP error, which quotes another packet."""
    types = ERROR_TYPES.get(packet.protocol)
    return types is not None and packet.icmp_type in types


def tuple_of(packet: Packet) -> Tuple:
    """The tuple by which the packet is looked up."""
    if packet.protocol in WITH_PORTS:
        return Tuple(packet.protocol, packet.src, packet.sport, packet.dst, packet.dport)
    kind = packet.icmp_type * 256 + packet.icmp_code
    return Tuple(packet.protocol, packet.src, packet.sport, packet.dst, kind)


def inverted(one: Tuple) -> Tuple:
    """What the answer to `one` looks like (nf_ct_invert_tuple)."""
    if one.protocol in ECHO:
        kind, code = divmod(one.dport, 256)
        back = _ICMP_INVERSE.get(kind, kind) * 256 + code
        return Tuple(one.protocol, one.dst, one.sport, one.src, back)
    return Tuple(one.protocol, one.dst, one.dport, one.src, one.sport)


@record(kw_only=True)
class TrackedConnection:
    """One entry of the table at rest."""

    original: Tuple
    reply: Tuple
    """What the answer looks like."""
    state: str = ""
    """Of TCP and SCTP: ``ESTABLISHED`` …"""
    seconds_left: int = 0
    replied: bool = True
    """An answer was seen."""
    assured: bool = False
    mark: int = 0
    reason: Because | None = field(default=None, compare=False)


class Entry:
    """One connection. Mutable: it lives as long as a walk."""

    __slots__ = (
        "assured",
        "begun_seconds",
        "confirmed",
        "destination_done",
        "dnat",
        "first",
        "mark",
        "original",
        "reason",
        "reply",
        "reset",
        "seen_reply",
        "simultaneous",
        "snat",
        "source_done",
        "state",
        "timeout_seconds",
        "updated_seconds",
        "waiting",
    )

    def __init__(self, original: Tuple, first: Packet, now_seconds: float) -> None:
        self.original = original
        self.reply = inverted(original)
        self.first = first
        """The first packet, before any NAT."""
        self.state = ""
        self.timeout_seconds: float = _PLAIN_TIMEOUT_SECONDS.get(original.protocol, 600)
        self.begun_seconds = self.updated_seconds = now_seconds
        self.mark = 0
        self.waiting = 0
        """Packets of the connection that wait for ARP."""
        self.confirmed = self.seen_reply = self.assured = self.simultaneous = False
        self.reset = False
        """Whether the last packet was a RST of the one who asked."""
        self.reason: Because | None = None
        """Of one that stood there before: where it was seen."""
        self.dnat = self.snat = False
        self.destination_done = self.source_done = False
        """Whether the nat table was asked (nf_nat_initialized)."""

    @classmethod
    def seen(cls, one: TrackedConnection, aged_seconds: float) -> Entry:
        """One that stood in the table before anybody asked, so long ago."""
        original = one.original
        is_echo = original.protocol in ECHO
        first = Packet(
            src=original.src,
            dst=original.dst,
            protocol=original.protocol,
            sport=original.sport,
            dport=0 if is_echo else original.dport,
            icmp_type=original.dport // 256 if is_echo else 0,
        )
        found = cls(original, first, 0.0)
        found.reply = one.reply
        found.state = one.state
        plain = found.timeout_seconds if original.protocol in _PLAIN_TIMEOUT_SECONDS else 0.0
        if one.assured and original.protocol is Protocol.UDP:
            plain = _STREAM_TIMEOUT_SECONDS
        left = one.seconds_left - aged_seconds
        found.timeout_seconds = max(plain, left)
        found.updated_seconds = left - found.timeout_seconds
        # Of its age only this is known, that somebody had the time to look at it.
        found.begun_seconds = -_STREAM_AFTER_SECONDS - 1
        found.mark = one.mark
        found.seen_reply, found.assured = one.replied, one.assured
        expected = inverted(original)
        found.dnat = (expected.src, expected.sport) != (one.reply.src, one.reply.sport)
        found.snat = (expected.dst, expected.dport) != (one.reply.dst, one.reply.dport)
        if is_echo:
            found.dnat = expected.src != one.reply.src
            found.snat = (expected.dst, expected.sport) != (one.reply.dst, one.reply.sport)
        found.confirmed = found.destination_done = found.source_done = True
        found.reason = one.reason
        return found

    def enter(self, state: str, now_seconds: float) -> None:
        """Go to a state of the protocol, with its time-out."""
        self.state = state
        self.timeout_seconds = _TIMEOUT_SECONDS[state]
        self.updated_seconds = now_seconds

    def line(self, now_seconds: float) -> str:
        """The entry as ``conntrack -L`` prints it (docs/facts/outcomes.md, section 6)."""
        protocol = self.original.protocol
        # Some microseconds always pass between a packet and the listing.
        left = math.floor(self.timeout_seconds - (now_seconds - self.updated_seconds) - 1e-5)
        state = f"{self.state} " if self.state else ""
        return (
            f"{protocol.name.lower():<8} {protocol.value} {left} {state}{_sides(self.original)} "
            f"{'' if self.seen_reply else '[UNREPLIED] '}{_sides(self.reply)} "
            f"{'[ASSURED] ' if self.assured else ''}mark={self.mark} use={1 + self.waiting}"
        )


def _sides(one: Tuple) -> str:
    if one.protocol in ECHO:
        kind, code = divmod(one.dport, 256)
        return f"src={one.src} dst={one.dst} type={kind} code={code} id={one.sport}"
    return f"src={one.src} dst={one.dst} sport={one.sport} dport={one.dport}"


class Tracking(NamedTuple):
    """What conntrack says of a packet."""

    entry: Entry | None
    state: CtState
    reply: bool
    """The packet goes in the reply direction of the entry."""


class Conntrack:
    """The table of one namespace."""

    __slots__ = ("_aged", "_by_tuple", "_seen", "_touched")

    def __init__(self, seen: Mapping[Tuple, TrackedConnection] = MappingProxyType({})) -> None:
        """`seen`: what stood there before, by both directions' tuples."""
        self._by_tuple: dict[Tuple, tuple[Entry, bool]] = {}
        self._seen = seen
        self._touched: set[Tuple] = set()
        """Of `seen`: what is in `_by_tuple` now, or no longer anywhere."""
        self._aged = 0.0

    def _find(self, one: Tuple) -> tuple[Entry, bool] | None:
        """The entry of a tuple, and whether it is its reply's."""
        before = self._untouched(one)
        if before is not None:
            self._touched |= {before.original, before.reply}
            entry = Entry.seen(before, self._aged)
            self._by_tuple[entry.original] = (entry, False)
            self._by_tuple[entry.reply] = (entry, True)
        return self._by_tuple.get(one)

    def _untouched(self, one: Tuple) -> TrackedConnection | None:
        found = self._seen.get(one)
        if found is None or one in self._touched or found.seconds_left <= self._aged:
            return None
        return found

    def age(self, seconds: float) -> None:
        """Time passed between two requests, each of which begins at 0; entries run out."""
        self._aged += seconds
        for tuple_, (entry, _) in tuple(self._by_tuple.items()):
            if tuple_ == entry.original:  # of who asks itself both directions are one
                entry.updated_seconds -= seconds
                entry.begun_seconds -= seconds
                entry.waiting = 0
                if -entry.updated_seconds >= entry.timeout_seconds:
                    self.delete(entry)

    def look_up(self, packet: Packet, now_seconds: float) -> Tracking:
        """Find or start the connection of a packet (nf_conntrack_in)."""
        if is_icmp_error(packet):
            return self._related(packet)
        tuple_ = tuple_of(packet)
        found = self._find(tuple_)
        if found is not None and _may_reopen(found[0], packet, reply=found[1]):
            self.delete(found[0])
            found = None
        if found is None:
            if not _may_begin(packet):
                return Tracking(None, CtState.INVALID, reply=False)
            entry = Entry(tuple_, packet, now_seconds)
            if packet.protocol is Protocol.TCP:
                # An ACK without a SYN is picked up midstream (tcp_loose 1).
                state = "SYN_SENT" if packet.flags & TcpFlags.SYN else "ESTABLISHED"
                entry.enter(state, now_seconds)
            elif packet.protocol is Protocol.SCTP:
                entry.enter("CLOSED", now_seconds)
            return Tracking(entry, CtState.NEW, reply=False)
        entry, reply = found
        is_bare_ack = packet.protocol is Protocol.TCP and _is_ack(packet.flags)
        if is_bare_ack and not reply and entry.state == "SYN_SENT":
            # tcp_conntracks[ORIGINAL][ACK][SYN_SENT] is sIV: the SYN-ACK went another way.
            return Tracking(None, CtState.INVALID, reply=False)
        self._follow(entry, packet, now_seconds, reply=reply)
        if reply:
            entry.seen_reply = True
            return Tracking(entry, CtState.ESTABLISHED, reply=True)
        state_seen = CtState.ESTABLISHED if entry.seen_reply else CtState.NEW
        return Tracking(entry, state_seen, reply=False)

    def _related(self, packet: Packet) -> Tracking:
        # nf_conntrack_inet_error: the quoted packet's answer is what the table is asked for, and
        # the error has to go to the one who sent the quoted packet.
        inner = packet.inner
        found = self._find(inverted(tuple_of(inner))) if inner is not None else None
        if found is None:
            return Tracking(None, CtState.INVALID, reply=False)
        entry, reply = found
        towards = entry.reply.dst if reply else entry.original.dst
        if towards != packet.dst:
            return Tracking(None, CtState.INVALID, reply=False)
        return Tracking(entry, CtState.RELATED, reply)

    def _follow(self, entry: Entry, packet: Packet, now_seconds: float, *, reply: bool) -> None:
        goes_both_ways = packet.protocol is Protocol.UDP and entry.seen_reply
        if goes_both_ways and now_seconds - entry.begun_seconds > _STREAM_AFTER_SECONDS:
            # nf_conntrack_udp_packet: still active after two seconds is a stream.
            entry.timeout_seconds = _STREAM_TIMEOUT_SECONDS
            entry.assured = True
        if packet.protocol is not Protocol.TCP:
            entry.updated_seconds = now_seconds
            return
        entry.reset = bool(packet.flags & TcpFlags.RST) and not reply
        if packet.flags & TcpFlags.RST:
            # nf_conntrack_tcp_packet: a RST as the only answer deletes the entry at once.
            if entry.seen_reply:
                entry.enter("CLOSE", now_seconds)
            else:
                self.delete(entry)
        elif reply and packet.flags & TcpFlags.SYN:
            if not packet.flags & TcpFlags.ACK:
                # Both ends ask: a simultaneous open (SYN_SENT2).
                entry.simultaneous = entry.simultaneous or entry.state == "SYN_SENT"
            elif entry.state == "SYN_SENT":
                entry.enter("SYN_RECV", now_seconds)
        elif not _is_ack(packet.flags):
            pass
        elif reply and entry.state == "SYN_RECV":
            # An ACK of the server may be an answer to a SYN that was sent again.
            if entry.simultaneous:
                entry.enter("ESTABLISHED", now_seconds)
                entry.assured = True
        else:
            entry.enter("ESTABLISHED", now_seconds)
            entry.assured = entry.assured or (entry.seen_reply and not reply)
        # A repeated SYN does not renew the time-out.

    def confirm(self, entry: Entry) -> bool:
        """Put the entry into the table (nf_conntrack_confirm); False when its place is taken."""
        if entry.confirmed:
            return True
        if self.is_taken(entry.original) or self.is_taken(entry.reply):
            return False
        entry.confirmed = True
        self._by_tuple[entry.original] = (entry, False)
        self._by_tuple[entry.reply] = (entry, True)
        return True

    def delete(self, entry: Entry) -> None:
        self._by_tuple.pop(entry.original, None)
        self._by_tuple.pop(entry.reply, None)

    def is_taken(self, reply: Tuple) -> bool:
        """Whether another connection already expects such replies (nf_nat_used_tuple)."""
        return reply in self._by_tuple or self._untouched(reply) is not None

    def lines(self, now_seconds: float) -> tuple[str, ...]:
        """The entries of this walk, oldest first, as ``conntrack -L`` prints them."""
        return tuple(
            entry.line(now_seconds)
            for tuple_, (entry, _) in self._by_tuple.items()
            if tuple_ == entry.original
        )


def _is_ack(flags: TcpFlags) -> bool:
    """TCP_ACK_SET (get_conntrack_index)."""
    return bool(flags & TcpFlags.ACK) and not flags & (TcpFlags.SYN | TcpFlags.RST | TcpFlags.FIN)


def _may_reopen(entry: Entry, packet: Packet, *, reply: bool) -> bool:
    """Whether a SYN begins anew what was closed, or given up by a RST of the one who asks.

    nf_conntrack_tcp_packet, RFC 1122 4.2.2.13: deleted, and looked up once more.
    """
    is_syn = packet.protocol is Protocol.TCP and packet.flags == TcpFlags.SYN
    given_up = entry.state == "CLOSE" and entry.reset and not reply
    return is_syn and (entry.state == "TIME_WAIT" or given_up)


def _may_begin(packet: Packet) -> bool:
    # tcp_conntracks[ORIGINAL][…][NONE]: SYN-ACK, FIN and RST without an entry are invalid.
    if packet.protocol is Protocol.TCP:
        flags = packet.flags
        if flags & (TcpFlags.RST | TcpFlags.FIN):
            return False
        return not (flags & TcpFlags.SYN and flags & TcpFlags.ACK)
    if packet.protocol in ECHO:
        return packet.icmp_type in _ICMP_NEW
    return True
