"""Entries of conntrack: those that only one side has."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

from k8stui.kernel.address import Address
from k8stui.kernel.exchange import Exchange
from k8stui.lab.comparing.sight import PairedPorts, is_cut, tunnels
from k8stui.lab.plan import Seen
from k8stui.record import record


@record(kw_only=True)
class TrackedApart:
    """A connection that one side tracks in a namespace, and the other does not."""

    namespace: str
    by: str
    """``walk`` or ``kernel``."""
    entry: str
    """As conntrack(8) prints it, without its time-out and counters; ports by lot are ``*``."""


_ENTRY = re.compile(
    r"(?:ipv[46] +\d+ +)?(?P<protocol>\S+) +\d+ +\d+ (?P<rest>.*?)(?P<more> (?:mark|zone|use).*)?"
)
_MORE = re.compile(r"mark=[1-9]\d*|zone[a-z-]*=[1-9]\d*")
_LOT = re.compile(r"^\S+ src=\S+ dst=\S+ sport=\*")
_UNANSWERED = re.compile(r"udp .*dport=(\d+) \[UNREPLIED\]")
_PORT = re.compile(r"\b([sd]port|id)=(\d+)")


def tracked_apart(
    exchange: Exchange, afterwards: Exchange | None, seen: Seen, ports: PairedPorts
) -> tuple[TrackedApart, ...]:
    found = tuple(_tracked(exchange, seen, ports))
    if found and afterwards is not None and not tuple(_tracked(afterwards, seen, ports)):
        return ()
    return found


def _tracked(exchange: Exchange, seen: Seen, ports: PairedPorts) -> Iterator[TrackedApart]:
    """Entries of one side only. What is left of a time-out is nobody's claim.

    Nor is the tunnel of a fragment behind the first, which may arrive where that does not.
    """
    ways = tunnels(exchange) if is_cut(exchange) else ()

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
                elif by == "walk" or not _is_of(ways, entry):
                    yield TrackedApart(namespace=namespace, by=by, entry=entry)


def _is_of(tunnels: Collection[int], entry: str) -> bool:
    """Whether it is a tunnel's, which nobody has answered."""
    found = _UNANSWERED.match(entry)
    return found is not None and int(found[1]) in tunnels


def _each_lot_once(entries: Iterable[str]) -> list[str]:
    """Sorted; what asks from a port by lot counts once, as its packets do.

    A SYN that is sent again goes through a tunnel from another port (net/ipv4/tcp_timer.c
    sk_rethink_txhash).
    """
    found = sorted(entries)
    return [
        one for n, one in enumerate(found) if not (n and one == found[n - 1] and _LOT.search(one))
    ]
