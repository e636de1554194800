"""What the walk says and what the kernel did, packet by packet, device by device.

Compared as the golden walks are (golden-walks/README.md): each namespace's own order is exact; a
packet's way from device to device too. Random ports (``--random-fully``, VXLAN) only have to be the
same wherever they appear. Repeats (a SYN again, an ARP question again) count once.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from k8stui.kernel.address import Address
from k8stui.kernel.client import result_of
from k8stui.kernel.exchange import Exchange, Result
from k8stui.kernel.header import ECHO
from k8stui.kernel.packet import Protocol, is_group_mac
from k8stui.kernel.skb import REQUEST
from k8stui.kernel.step import Capture
from k8stui.lab.frames import is_error
from k8stui.lab.passages import RuleMet, rules_met
from k8stui.lab.plan import Seen, Sight
from k8stui.lab.sight import (
    PairedPorts,
    is_plain_ack,
    key,
    of_packet,
    place,
    random_ports,
    speaks,
)
from k8stui.record import record


@record(kw_only=True)
class PacketRow:
    """One place in the order of packets; None: this side has nothing there."""

    walk: Sight | None
    kernel: Sight | None
    differs: tuple[str, ...] = ()
    """Names of the fields that are not the same."""

    @property
    def is_equal(self) -> bool:
        return self.walk is not None and self.kernel is not None and not self.differs


@record(kw_only=True)
class FeltAndSeen:
    """What the client felt, and what the server saw."""

    result: str
    errno: str | None
    server: str | None
    """Namespace; None when no server took the connection."""
    server_address: str | None
    server_port: int | None
    source_seen: str | None
    source_port_seen: int | None
    seconds: float
    """How long the client waited."""


@record(kw_only=True)
class TrackedApart:
    """A connection that one side tracks in a namespace, and the other does not."""

    namespace: str
    by: str
    """``walk`` or ``kernel``."""
    entry: str
    """As conntrack(8) prints it, without its time-out and counters; ports by lot are ``*``."""


@record(kw_only=True)
class BranchComparison:
    """Both sides of one branch."""

    rows: tuple[PacketRow, ...]
    walk: FeltAndSeen
    kernel: FeltAndSeen
    felt_differs: tuple[str, ...] = ()
    """Names of the fields of `FeltAndSeen` that are not the same."""
    order: str = ""
    """How a packet's way differs though every namespace saw the same; else empty."""
    tracked: tuple[TrackedApart, ...] = ()
    """Connections that only one side tracks."""
    rules: tuple[RuleMet, ...] = ()
    """Where a packet met another rule than the walk says; the first one of each chain of a hook."""
    rules_equal: int = 0
    """Rules that packets met on both sides."""

    @property
    def agrees(self) -> bool:
        told = self.felt_differs or self.order or self.tracked or self.rules
        return not told and all(row.is_equal for row in self.rows)


def compare(
    exchange: Exchange,
    seen: Seen,
    earlier: Sequence[Exchange] = (),
    afterwards: Exchange | None = None,
    former_ports: Collection[int] = (),
) -> BranchComparison:
    """Lay the kernel's packets beside the walk's. `earlier`: what was asked before, unseen.

    `former_ports`: of the client's earlier connections, which are still open: a busy machine may
    be late with one of their packets.

    `afterwards`: the same exchange with what timers do when the client knows already. A kernel
    on a busy machine may have got there before the lab has looked; it need not.
    """
    random = random_ports((*earlier, exchange))
    walked = [_walked(capture) for capture in exchange.captures]
    known = {p for sight in walked for p in (sight.sport, sight.dport)} - random.keys()
    own = {p for step in exchange.steps for p in (step.before.sport, step.before.dport)}
    seen = _without(seen, _translated(seen, frozenset(former_ports) - own) - known - own)
    ports = PairedPorts(known, random, _more_digits(exchange, seen))
    ours = _once([_comparable(sight) for sight in walked], ports)
    claimed = frozenset(key(sight, ports) for sight in ours)
    later = afterwards.captures if afterwards is not None else ()
    may_follow = {key(_comparable(_walked(one)), ports) for one in later} - claimed
    # When data is acknowledged by itself is a matter of timers (tcp_ack_snd_check).
    may_acknowledge = speaks(exchange)

    def is_compared(sight: Sight) -> bool:
        found = key(sight, ports)
        return found in claimed or not (
            found in may_follow or (may_acknowledge and is_plain_ack(sight))
        )

    frames = list(filter(is_compared, map(_comparable, seen["frames"])))
    in_time = list(filter(is_compared, map(_comparable, _in_time(seen))))
    theirs = _once(frames, ports)
    rows = tuple(_rows(ours, theirs, ports))
    equal = all(row.is_equal for row in rows)
    walk, kernel = _felt_by_walk(exchange), _felt_by_kernel(seen)
    rules, rules_equal = rules_met(exchange, seen, ports, afterwards)
    return BranchComparison(
        rows=rows,
        walk=walk,
        kernel=kernel,
        felt_differs=tuple(_felt_differs(walk, kernel, ports)),
        tracked=_tracked_apart(exchange, afterwards, seen, ports),
        order=_order(ours, _once(in_time, ports), ports) if equal else "",
        rules=rules,
        rules_equal=rules_equal,
    )


_PORTS = re.compile(r"sport=(\d+) .*dport=(\d+)")
"""Of an entry: who asks, and whom the answers go to."""


def _translated(seen: Seen, ports: frozenset[int]) -> frozenset[int]:
    """With those that NAT has made of them, as conntrack tells."""
    if not ports:
        return ports
    lines = (line for lines in seen["conntrack"].values() for line in lines)
    pairs = [(int(found[1]), int(found[2])) for found in map(_PORTS.search, lines) if found]
    for _ in seen["conntrack"]:  # one namespace after the other may translate
        ports |= {after for before, after in pairs if before in ports}
    return ports


def _without(seen: Seen, ports: frozenset[int]) -> Seen:
    """What was seen but for packets of connections with one of these ports."""

    def stays(sight: Sight) -> bool:
        is_other = sight.sport in ports or sight.dport in ports
        return not is_other and (sight.inner is None or stays(sight.inner))

    if not ports:
        return seen
    kept = list(filter(stays, seen["frames"]))
    # What is traced of a packet ends before it says what is in it.
    gone = {_around(one) for one in seen["frames"] if not stays(one)} - {*map(_around, kept), None}

    def is_gone(header: Sight) -> bool:
        return _ends(header) in gone or (is_error(header) and _kind(header) in gone)

    passed = {
        name: [one for one in told if stays(one["header"]) and not is_gone(one["header"])]
        for name, told in seen["passed"].items()
    }
    return {**seen, "frames": kept, "passed": passed}


def _around(sight: Sight) -> tuple[object, ...] | None:
    """By what is known, wherever it is, what has another packet in it; None: nothing has."""
    if sight.vni is not None:
        return _ends(sight)
    return _kind(sight) if is_error(sight) else None


def _kind(sight: Sight) -> tuple[object, ...]:
    return (sight.protocol, sight.icmp_type, sight.icmp_code)


def _ends(sight: Sight) -> tuple[object, ...]:
    return (sight.src, sight.sport, sight.dst, sight.dport)


def _more_digits(exchange: Exchange, seen: Seen) -> int:
    """Of the port that a datagram's server saw, in the walk: the answer says that port."""
    port = exchange.felt.source_port_seen
    is_said = bool(exchange.steps) and exchange.steps[0].before.protocol is Protocol.UDP
    if not is_said or port is None or not seen["served"]:
        return 0
    return len(str(port)) - len(str(seen["served"][0]["source_port"]))


def _comparable(sight: Sight) -> Sight:
    """Leave out what the walk does not claim: of IPv6 neighbour discovery whom it is from and to.

    The kernel asks from the device's link-local address, which is in no manifest, and a multicast
    group; the walk has it as it has ARP.
    """
    if not sight.arp:
        return sight
    sight = replace(sight, length=0, dont_fragment=True)
    if sight.protocol != Protocol.ICMPV6:
        return sight
    asked = sight.dst if sight.icmp_type == REQUEST else ""
    return replace(sight, src="", dst=asked, smac="", dmac="")


def _walked(capture: Capture) -> Sight:
    sight = of_packet(capture.packet)
    return replace(
        sight,
        namespace=capture.namespace,
        device=capture.device,
        incoming=capture.incoming,
        arp=capture.arp,
    )


def _in_time(seen: Seen) -> list[Sight]:
    return sorted(seen["frames"], key=lambda frame: frame.time_ns)


def _once(sights: Sequence[Sight], ports: PairedPorts) -> list[Sight]:
    seen: dict[tuple[object, ...], Sight] = {}
    for sight in sights:
        seen.setdefault(key(sight, ports), sight)
    return list(seen.values())


def _rows(
    ours: Sequence[Sight], theirs: Sequence[Sight], ports: PairedPorts
) -> Iterator[PacketRow]:
    """The walk's order; each namespace's own packets are laid side by side."""
    waiting: dict[str, list[Sight]] = {}
    for sight in theirs:
        waiting.setdefault(sight.namespace, []).append(sight)
    mine: dict[str, int] = {}
    for sight in ours:
        mine[sight.namespace] = mine.get(sight.namespace, 0) + 1
    for sight in ours:
        queue = waiting.get(sight.namespace, [])
        mine[sight.namespace] -= 1
        # What the walk has not got stands before what both have.
        same = next((n for n, k in enumerate(queue) if key(k, ports) == key(sight, ports)), None)
        if same is None:
            # Of a namespace in which as much is left on both sides, the next one is meant.
            if len(queue) > mine[sight.namespace]:
                yield _row(sight, queue.pop(0), ports)
            else:
                yield PacketRow(walk=sight, kernel=None)
            continue
        for extra in queue[:same]:
            yield PacketRow(walk=None, kernel=extra)
        yield _row(sight, queue[same], ports)
        del queue[: same + 1]
    for queue in waiting.values():
        yield from (PacketRow(walk=None, kernel=extra) for extra in queue)


def _row(walk: Sight, kernel: Sight, ports: PairedPorts) -> PacketRow:
    return PacketRow(walk=walk, kernel=kernel, differs=tuple(_differing(walk, kernel, ports)))


_PLAIN = (
    "device", "incoming", "arp", "src", "dst", "protocol", "ttl", "flags",
    "icmp_type", "icmp_code", "vni", "dont_fragment", "mss", "mtu",
)  # fmt: skip


def _differing(walk: Sight, kernel: Sight, ports: PairedPorts) -> Iterator[str]:
    yield from (name for name in _PLAIN if getattr(walk, name) != getattr(kernel, name))
    if not ports.are_as_long(walk.length, kernel.length):
        yield "length"
    for name in ("smac", "dmac"):
        claimed = getattr(walk, name)
        if claimed and claimed != getattr(kernel, name):
            yield name
    for name in ("sport", "dport"):
        if not ports.are_equal(getattr(walk, name), getattr(kernel, name)):
            yield name
    if walk.inner is not None and kernel.inner is not None:
        yield from (f"inner {name}" for name in _differing(walk.inner, kernel.inner, ports))
    elif (walk.inner is None) != (kernel.inner is None):
        yield "inner"


def _order(ours: Iterable[Sight], theirs: Iterable[Sight], ports: PairedPorts) -> str:
    """The first packet whose way from device to device is another one; empty when none is.

    A way: everything with the same protocol, TCP flags and direction. What is for several stations
    is at several places at once.
    """
    key: tuple[object, ...]
    ways: list[dict[tuple[object, ...], list[str]]] = [{}, {}]
    for way, sights in zip(ways, (ours, theirs), strict=True):
        for sight in sights:
            if not sight.arp and sight.vni is None and not is_group_mac(sight.dmac):
                ends = (ports.plain(sight.sport), ports.plain(sight.dport))
                key = (
                    sight.protocol, sight.flags, sight.icmp_type, sight.icmp_code,
                    None if sight.flags else ends,
                )  # fmt: skip
                way.setdefault(key, []).append(place(sight))
    for key, places in ways[0].items():
        others = ways[1].get(key, [])
        if places != others:
            n = next(i for i, (a, b) in enumerate(zip(places, others, strict=False)) if a != b)
            return f"the walk passes {places[n]} where the kernel passes {others[n]}"
    return ""


_FELT = ("result", "errno", "server", "server_address", "server_port", "source_seen")
_SOON_SECONDS = 0.1
"""A kernel is not quicker than its timers, but for their rounding."""
LATE_SECONDS = 1.5
"""How much longer than the timers say a busy machine may take."""


def _felt_differs(walk: FeltAndSeen, kernel: FeltAndSeen, ports: PairedPorts) -> Iterator[str]:
    yield from (name for name in _FELT if getattr(walk, name) != getattr(kernel, name))
    seen = (walk.source_port_seen, kernel.source_port_seen)
    if not (None in seen and seen[0] == seen[1]) and not ports.are_equal(
        walk.source_port_seen or 0, kernel.source_port_seen or 0
    ):
        yield "source_port_seen"
    # Who hears nothing waits as long as it likes; a kernel that gives up has an errno.
    waits = walk.result == kernel.result == Result.TIMEOUT and kernel.errno is None
    late = kernel.seconds - walk.seconds
    if not waits and not -_SOON_SECONDS <= late <= LATE_SECONDS:
        yield "seconds"


_ENTRY = re.compile(
    r"(?:ipv[46] +\d+ +)?(?P<protocol>\S+) +\d+ +\d+ (?P<rest>.*?)(?P<more> (?:mark|zone|use).*)?"
)
_MORE = re.compile(r"mark=[1-9]\d*|zone[a-z-]*=[1-9]\d*")
_LOT = re.compile(r"^\S+ src=\S+ dst=\S+ sport=\*")
_PORT = re.compile(r"\b([sd]port|id)=(\d+)")


def _tracked_apart(
    exchange: Exchange, afterwards: Exchange | None, seen: Seen, ports: PairedPorts
) -> tuple[TrackedApart, ...]:
    found = tuple(_tracked(exchange, seen, ports))
    if found and afterwards is not None and not tuple(_tracked(afterwards, seen, ports)):
        return ()
    return found


def _tracked(exchange: Exchange, seen: Seen, ports: PairedPorts) -> Iterator[TrackedApart]:
    """Entries of one side only. What is left of a time-out is nobody's claim."""

    def plain(line: str) -> str:
        found = _ENTRY.fullmatch(line.strip())
        more = " ".join(_MORE.findall(found["more"] or "")) if found else ""
        text = f"{found['protocol']} {found['rest']} {more}".rstrip() if found else line
        address = re.compile(r"(?<=src=|dst=)\S+")
        text = address.sub(lambda at: str(Address.parse(at[0])), text)
        return _PORT.sub(lambda at: at[0] if int(at[2]) in ports.known else f"{at[1]}=*", text)

    for namespace, lines in seen["conntrack"].items():
        walked = _each_lot_once(map(plain, exchange.conntrack.get(namespace, ())))
        tracked = _each_lot_once(map(plain, lines))
        for by, mine, others in (("walk", walked, tracked), ("kernel", tracked, walked)):
            left = list(others)
            for entry in mine:
                if entry in left:
                    left.remove(entry)
                else:
                    yield TrackedApart(namespace=namespace, by=by, entry=entry)


def _each_lot_once(entries: Iterable[str]) -> list[str]:
    """Sorted; what asks from a port by lot counts once, as its packets do.

    A SYN that is sent again goes through a tunnel from another port (net/ipv4/tcp_timer.c
    sk_rethink_txhash).
    """
    found = sorted(entries)
    return [
        one for n, one in enumerate(found) if not (n and one == found[n - 1] and _LOT.search(one))
    ]


def _felt_by_walk(exchange: Exchange) -> FeltAndSeen:
    felt = exchange.felt
    # Who answers a ping is a kernel: no socket sees who asked. The packets tell.
    is_ping = bool(exchange.steps) and exchange.steps[0].before.protocol in ECHO
    is_connected = felt.result is Result.CONNECTED and not is_ping
    address = felt.server_address if is_connected else None
    return FeltAndSeen(
        result=felt.result.value,
        errno=felt.errno,
        server=felt.server if is_connected else None,
        server_address=None if address is None else str(address),
        server_port=felt.server_port if is_connected else None,
        source_seen=str(felt.source_seen) if is_connected and felt.source_seen else None,
        source_port_seen=felt.source_port_seen if is_connected else None,
        seconds=felt.seconds,
    )


def _felt_by_kernel(seen: Seen) -> FeltAndSeen:
    """In the walk's words: nothing heard is a time-out; any other errno is unreachable."""
    result = result_of(seen["errno"]) if seen["errno"] else Result.TIMEOUT
    served = seen["served"][0] if seen["answered"] and seen["served"] else None
    return FeltAndSeen(
        result=(Result.CONNECTED if seen["answered"] else result).value,
        errno=seen["errno"] or None,
        server=served["space"] if served else None,
        server_address=served["address"] if served else None,
        server_port=served["port"] if served else None,
        source_seen=served["source"] if served else None,
        source_port_seen=served["source_port"] if served else None,
        seconds=seen["seconds"],
    )
