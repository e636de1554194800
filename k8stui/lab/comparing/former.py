"""Late packets of the client's connections before, which are still open: they count for nothing."""

from __future__ import annotations

import re

from k8stui.lab.plan import Seen, Sight

_PORTS = re.compile(r"sport=(\d+) .*dport=(\d+)")
"""Of an entry: who asks, and whom the answers go to."""


def translated(seen: Seen, ports: frozenset[int]) -> frozenset[int]:
    """Ports of former connections, with those that NAT has made of them, as conntrack tells."""
    if not ports:
        return ports
    lines = (line for lines in seen["conntrack"].values() for line in lines)
    pairs = [(int(found[1]), int(found[2])) for found in map(_PORTS.search, lines) if found]
    for _ in seen["conntrack"]:  # one namespace after the other may translate
        ports |= {after for before, after in pairs if before in ports}
    return ports


def without(seen: Seen, ports: frozenset[int]) -> Seen:
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
        return _ends(header) in gone or (header.is_error and _kind(header) in gone)

    passed = {
        name: [one for one in told if stays(one["header"]) and not is_gone(one["header"])]
        for name, told in seen["passed"].items()
    }
    return {**seen, "frames": kept, "passed": passed}


def _around(sight: Sight) -> tuple[object, ...] | None:
    """By what is known, wherever it is, what has another packet in it; None: nothing has."""
    if sight.vni is not None:
        return _ends(sight)
    return _kind(sight) if sight.is_error else None


def _kind(sight: Sight) -> tuple[object, ...]:
    return (sight.protocol, sight.icmp_type, sight.icmp_code)


def _ends(sight: Sight) -> tuple[object, ...]:
    return (sight.src, sight.sport, sight.dst, sight.dport)
