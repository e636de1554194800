"""Which rules of a long chain a packet can match at all, without looking at the others.

kube-proxy's KUBE-SERVICES has a rule per Service; nearly all of them name one destination, protocol
and port. So the rules are sorted once by what they name, and a packet looks at those that name it
plus those that do not say. A rule that is left out cannot match; the order stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from heapq import merge

from k8stui.kernel.address import Address
from k8stui.kernel.derived import Derived
from k8stui.kernel.packet import Packet
from k8stui.kernel.rules import Chain

_WORTH_WHILE = 12
"""Shorter chains are walked rule by rule: looking at a rule costs about as much as a look-up."""

_PRINTED = re.compile(
    r"-A \S+"
    r"(?: (! )?-s ([^\s/]+)(/\S+)?)?"
    r"(?: (! )?-d ([^\s/]+)(/\S+)?)?"
    r"(?: (?:! )?-i \S+)?"
    r"(?: (?:! )?-o \S+)?"
    r"(?: (! )?-p (\S+))?"
    r'(?: -m comment --comment (?:"(?:[^"\\]|\\.)*"|[\w-]+))?'
    r"(?: -m addrtype --dst-type LOCAL)?"
    r"(?: -m (?:tcp|udp|sctp) --dport (\d+)(?![:\d]))?"
)
"""The beginning of a rule as iptables-save prints it. Whatever comes behind can only narrow the
rule further, and an order of options that is not the printed one just names less."""

_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_IPV4 = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}")
_PROTOCOLS = {"tcp": 6, "udp": 17, "sctp": 132, "icmp": 1, "ipv6-icmp": 58}

Named = tuple[str | None, int | None, int | None]
"""Destination, protocol, destination port; None: the rule does not say.

A rule that says no destination but one source has that in the first place, behind `_FROM`.
"""
_FROM = "-s "


def named(text: str) -> Named:
    """What a rule surely asks of destination (else of the source), protocol and port."""
    found = _PRINTED.match(text)
    if not found:
        return None, None, None
    not_source, source, long, *others = found.groups()
    not_destination, destination, length, not_protocol, protocol, port = others
    number = None if not_protocol else _PROTOCOLS.get(protocol)
    host = None if not_destination or not destination else _host(destination, length)
    if host is None and source and not not_source:
        sender = _host(source, long)
        host = None if sender is None else _FROM + sender
    return (
        host,
        number,
        # A port without its protocol is a key that no packet would look up.
        int(port) if port and number else None,
    )


def _host(text: str, length: str | None) -> str | None:
    """One address as `str(Address)` has it: for IPv4 that is how it is written (no parsing)."""
    if _IPV4.fullmatch(text):
        return text if length in {None, "/32"} else None
    try:
        return str(Address.parse(text)) if length in {None, "/128"} else None
    except ValueError:
        return None


class _Index:
    """The rules of one chain by what they name: places in ascending order."""

    def __init__(self, chain: Chain) -> None:
        self._places: dict[Named, list[int]] = {}
        for place, rule in enumerate(chain.rules):
            self._places.setdefault(named(rule.text), []).append(place)
        self._asks_sources = any(host and host.startswith(_FROM) for host, _, _ in self._places)

    def candidates(self, packet: Packet) -> Iterator[int]:
        destination, protocol, port = str(packet.dst), int(packet.protocol), packet.dport
        source = _FROM + str(packet.src) if self._asks_sources else None
        places = self._places
        lists = [
            found
            for key in (
                (destination, protocol, port),
                (destination, protocol, None),
                (destination, None, None),
                (None, protocol, port),
                (None, protocol, None),
                (None, None, None),
                *(
                    ((source, protocol, port), (source, protocol, None), (source, None, None))
                    if source is not None
                    else ()
                ),
            )
            if (found := places.get(key))
        ]
        return iter(lists[0]) if len(lists) == 1 else merge(*lists)


_indexes = Derived(_Index)


def candidates(chain: Chain, packet: Packet) -> Iterator[int]:
    """Places (0-based, ascending) of the rules that `packet` might match.

    The first packet that gets to a long chain pays for sorting it, later ones for their own rules.
    """
    length = len(chain.rules)
    if length < _WORTH_WHILE:
        return iter(range(length))
    return _indexes.of(chain).candidates(packet)
