"""Which rules of a long chain a packet can match at all, without looking at the others.

kube-proxy's KUBE-SERVICES has a rule per Service; nearly all of them name one destination, protocol
and port. So the rules are sorted once by what they name, and a packet looks at those that name it
plus those that do not say. A rule that is left out cannot match; the order stays.
"""

from __future__ import annotations

import re
import weakref
from collections.abc import Iterator, Sequence
from heapq import merge

from k8stui.kernel.address import Address
from k8stui.kernel.packet import Packet
from k8stui.kernel.rules import Chain, Rule

_WORTH_WHILE = 12
"""Shorter chains are walked rule by rule: looking at a rule costs about as much as a look-up."""

_PRINTED = re.compile(
    r"-A \S+"
    r"(?: (?:! )?-s \S+)?"
    r"(?: (?P<not_d>! )?-d (?P<d>[^\s/]+)(?P<length>/\S+)?)?"
    r"(?: (?:! )?-i \S+)?"
    r"(?: (?:! )?-o \S+)?"
    r"(?: (?P<not_p>! )?-p (?P<p>\S+))?"
    r'(?: -m comment --comment (?:"(?:[^"\\]|\\.)*"|[\w-]+))?'
    r"(?: -m addrtype --dst-type LOCAL)?"
    r"(?: -m (?:tcp|udp|sctp) --dport (?P<dport>\d+)(?![:\d]))?"
)
"""The beginning of a rule as iptables-save prints it. Whatever comes behind can only narrow the
rule further, and an order of options that is not the printed one just names less."""

_PROTOCOLS = {"tcp": 6, "udp": 17, "sctp": 132, "icmp": 1, "ipv6-icmp": 58}
_HOST_LENGTHS = {None, "/32", "/128"}

_Key = tuple[Address | None, int | None, int | None]
"""Destination, protocol, destination port; None: the rule does not say."""


def named(text: str) -> _Key:
    """What a rule surely asks of destination, protocol and port."""
    found = _PRINTED.match(text)
    if not found:
        return None, None, None
    destination_text, length, protocol_text, port_text = (
        found["d"],
        *found.group("length", "p", "dport"),
    )
    destination = None
    if destination_text and not found["not_d"] and length in _HOST_LENGTHS:
        try:
            destination = Address.parse(destination_text)
        except ValueError:
            destination = None
        if destination and length and length != f"/{destination.bits}":
            destination = None
    protocol = None if found["not_p"] or not protocol_text else _PROTOCOLS.get(protocol_text)
    return destination, protocol, int(port_text) if port_text else None


class _Index:
    """The rules of one chain by what they name: places in ascending order."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._places: dict[_Key, list[int]] = {}
        for place, rule in enumerate(rules):
            self._places.setdefault(named(rule.text), []).append(place)

    def candidates(self, packet: Packet) -> Iterator[int]:
        destination, protocol, port = packet.dst, int(packet.protocol), packet.dport
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
            )
            if (found := places.get(key))
        ]
        return iter(lists[0]) if len(lists) == 1 else merge(*lists)


_indexes: dict[int, tuple[weakref.ref[Chain], _Index]] = {}
"""By identity of the chain, for as long as it lives."""


def candidates(chain: Chain, packet: Packet) -> Iterator[int]:
    """Places (0-based, ascending) of the rules that `packet` might match.

    The first packet that gets to a long chain pays for sorting it, later ones for their own rules.
    """
    length = len(chain.rules)
    if length < _WORTH_WHILE:
        return iter(range(length))
    return _index(chain).candidates(packet)


def _index(chain: Chain) -> _Index:
    key = id(chain)
    known = _indexes.get(key)
    if known is not None and known[0]() is chain:
        return known[1]
    index = _Index(chain.rules)
    _indexes[key] = (weakref.ref(chain, lambda _: _indexes.pop(key, None)), index)
    return index
