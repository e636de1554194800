"""The walk's packets beside the kernel's, device by device.

Compared as the golden walks are (golden-walks/README.md): each namespace's own order is exact; a
packet's way from device to device too. Random ports (``--random-fully``, VXLAN) only have to be the
same wherever they appear. Repeats (a SYN again, an ARP question again) count once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from k8stui.kernel.exchange import Exchange
from k8stui.kernel.packet import Protocol, is_group_mac
from k8stui.kernel.skb import REQUEST
from k8stui.lab.comparing.sight import PairedPorts, is_plain_ack, key, of_packet, place, speaks
from k8stui.lab.plan import Seen, Sight
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


def walked(exchange: Exchange) -> list[Sight]:
    """What the walk's devices see."""
    return [
        replace(
            of_packet(capture.packet),
            namespace=capture.namespace,
            device=capture.device,
            incoming=capture.incoming,
            arp=capture.arp,
        )
        for capture in exchange.captures
    ]


def side_by_side(
    exchange: Exchange, afterwards: Exchange | None, seen: Seen, ports: PairedPorts
) -> tuple[tuple[PacketRow, ...], str]:
    """The rows, and how a way from device to device differs though all rows are equal.

    `afterwards`: as for `k8stui.lab.comparing.compare.compare`.
    """
    ours = _once(list(map(_comparable, walked(exchange))), ports)
    claimed = frozenset(key(sight, ports) for sight in ours)
    later = walked(afterwards) if afterwards is not None else ()
    may_follow = {key(_comparable(one), ports) for one in later} - claimed
    # When data is acknowledged by itself is a matter of timers (tcp_ack_snd_check).
    may_acknowledge = speaks(exchange)

    def is_compared(sight: Sight) -> bool:
        found = key(sight, ports)
        return found in claimed or not (
            found in may_follow or (may_acknowledge and is_plain_ack(sight))
        )

    frames = list(filter(is_compared, map(_comparable, seen["frames"])))
    rows = tuple(_rows(ours, _once(frames, ports), ports))
    if not all(row.is_equal for row in rows):
        return rows, ""
    in_time = sorted(frames, key=lambda frame: frame.time_ns)
    return rows, _order(ours, _once(in_time, ports), ports)


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
