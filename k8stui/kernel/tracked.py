"""Connections that a namespace knew before anybody asked: what ``conntrack -L`` prints.

conntrack(8) (libnetfilter_conntrack src/conntrack/snprintf_default.c), also with ``-o extended``,
and /proc/net/nf_conntrack (net/netfilter/nf_conntrack_standalone.c ct_seq_show).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from k8stui.because import Because
from k8stui.errors import K8sTuiError
from k8stui.kernel.address import Address
from k8stui.kernel.conntrack import TrackedConnection, Tuple
from k8stui.kernel.header import ECHO
from k8stui.kernel.packet import Protocol

_PROTOCOLS = {
    protocol.value: protocol
    for protocol in (Protocol.TCP, Protocol.UDP, Protocol.SCTP, Protocol.ICMP, Protocol.ICMPV6)
}
_REMARK = re.compile(r"conntrack v\S+ \(conntrack-tools\): .*|\S*[$#] .*")
"""Its last line, and prompts."""
_SIDE = frozenset({"src", "dst", "sport", "dport", "type", "code", "id"})
_SHOWN = 80


class TrackedError(K8sTuiError, ValueError):
    """A line that conntrack does not print."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        """1-based."""


def parse(text: str, why: Callable[[int], Because] | None = None) -> tuple[TrackedConnection, ...]:
    """The entries; those of other protocols and of other zones than 0 are left out.

    `why`: the reason of what stands in a line, 1-based.

    Raises:
        TrackedError: a line that conntrack does not print.

    """
    return tuple(_connections(text, why))


def _connections(text: str, why: Callable[[int], Because] | None) -> Iterator[TrackedConnection]:
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or _REMARK.fullmatch(stripped):
            continue
        try:
            entry = _entry(stripped.split(), None if why is None else why(number))
        except (KeyError, IndexError, ValueError):
            raise TrackedError(
                number, f"not what conntrack -L prints: {stripped[:_SHOWN]}"
            ) from None
        if entry is not None:
            yield entry


def _entry(words: list[str], reason: Because | None) -> TrackedConnection | None:
    if words[0] in ("ipv4", "ipv6"):
        words = words[2:]
    number, rest = int(words[1]), words[2:]
    protocol = _PROTOCOLS.get(number)
    if protocol is None:
        return None
    # What is offloaded has no time (ct_seq_show).
    seconds = int(rest.pop(0)) if rest[0].isdecimal() else 0
    state = "" if "=" in rest[0] or rest[0].startswith("[") else rest.pop(0)
    sides: list[dict[str, str]] = []
    more: dict[str, str] = {}
    for word in rest:
        name, equals, value = word.partition("=")
        if name == "src":
            sides.append({})
        (sides[-1] if equals and name in _SIDE else more)[name] = value
    if more.keys() & {"zone", "zone-orig", "zone-reply"}:
        return None
    original, reply = (_tuple(protocol, one) for one in sides)
    return TrackedConnection(
        original=original,
        reply=reply,
        state=state,
        seconds_left=seconds,
        replied="[UNREPLIED]" not in more,
        assured="[ASSURED]" in more,
        mark=int(more.get("mark", "0"), 0),
        reason=reason,
    )


def _tuple(protocol: Protocol, side: dict[str, str]) -> Tuple:
    src, dst = Address.parse(side["src"]), Address.parse(side["dst"])
    if protocol in ECHO:
        kind = int(side["type"]) * 256 + int(side["code"])
        return Tuple(protocol, src, int(side["id"]), dst, kind)
    return Tuple(protocol, src, int(side["sport"]), dst, int(side["dport"]))
