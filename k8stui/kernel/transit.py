"""Nodes that packets only come through, on their way to an address behind them.

Two of them are alike if each is, told in its own words (its own addresses, MACs and networks called
by their places), the same in all that the packets met there: its devices, its settings, its routes
and neighbours as far as the packets asked for them, and the rules of the chains that they were in.
A rule's networks count by which of the packets' addresses they hold, and nothing else of them does.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from typing import NamedTuple

from k8stui.kernel.address import Address
from k8stui.kernel.border import Border
from k8stui.kernel.derived import Derived
from k8stui.kernel.matches.header import Network
from k8stui.kernel.namespace import NetNamespace
from k8stui.kernel.questions import questions_of
from k8stui.kernel.rules import Chain
from k8stui.kernel.standing import PlacedNames, Surroundings, device_look

ChainKey = tuple[int, str, str]
"""Which ruleset of a namespace, counted from 0; table and chain."""
NftKey = tuple[str, str, bool]
"""Table and chain of nftables; whether packets were there on behalf of nat alone."""
_NETWORK = re.compile(
    r"(?<![\w.:/])(?:\d+\.\d+\.\d+\.\d+|[\da-f]*:[\da-f]*:[\da-f:.]*)(?:/\d+)?(?![\w./])"
)
_LEFT = re.compile(r"\d\.\d+\.\d|:[\da-f]*:")
"""An address in a form that is not read here."""


class _Named(NamedTuple):
    """The rules of a chain, and the networks that they name."""

    texts: tuple[str, ...]
    """With ``@`` for each network."""
    networks: tuple[Network, ...]
    """In the order in which they are named."""
    is_told: bool
    """False: its rules may tell addresses apart by more than networks."""


def _named(chain: Chain) -> _Named:
    asked = questions_of.of(chain)
    networks: list[Network] = []

    def taken(found: re.Match[str]) -> str:
        try:
            networks.append(Network.parse(found[0]))
        except ValueError:
            return found[0]
        return "@"

    texts = tuple(_NETWORK.sub(taken, rule.text) for rule in chain.rules)
    is_told = not (asked.is_opaque or asked.is_recent or asked.sets)
    return _Named(texts, tuple(networks), is_told and not any(map(_LEFT.search, texts)))


_named_of = Derived(_named)


class Transit:
    """A node, and the chains of it that packets were in."""

    def __init__(
        self, side: Surroundings, chains: Sequence[ChainKey], nft: Sequence[NftKey] = ()
    ) -> None:
        self.side = side
        asked = _asked_by_nft(side.space, nft)
        found = [_chain(side.space, key) for key in chains]
        named = [_named_of.of(chain) for chain in found if chain is not None]
        self.is_told = _is_plain(side.space) and len(named) == len(found)
        """Whether all is known by which it could differ from another one."""
        self.is_told = self.is_told and asked is not None and all(one.is_told for one in named)
        self._border, by_nft = asked or (Border(), ())
        policies = tuple(chain.policy for chain in found if chain is not None)
        tables = tuple(tuple(ruleset.tables) for ruleset in side.space.every_ruleset())
        texts = tuple(one.texts for one in named)
        self.look: Hashable = (side.look, tables, policies, texts, by_nft)
        """What it is, whoever is behind it."""
        self._held: dict[tuple[int, int], dict[int, list[int]]] = {}
        """By family and mask, and by what is under the mask: the places of the networks."""
        for place, network in enumerate(one for each in named for one in each.networks):
            under = self._held.setdefault((network.version, network.mask), {})
            under.setdefault(network.value, []).append(place)
        self._about: dict[Address, Hashable] = {}

    def about(self, address: Address, names: PlacedNames) -> Hashable:
        """All that it says of an address, in the words of `names`: of those who have it.

        None: rules name the address.
        """
        if address not in self._about:
            self._about[address] = self._says(address, names)
        return self._about[address]

    def _says(self, address: Address, names: PlacedNames) -> Hashable:
        side = self.side
        version, value = address
        held = [
            place
            for (family, mask), under in self._held.items()
            if family == version
            for place in under.get(value & mask, ())
        ]
        lines = [
            side.lines(gateway, names) for gateway in side.gateways(address) if gateway != address
        ]
        seen = self._border.seen(address, names, names.cable)
        return seen and (
            seen,
            tuple(sorted(held)),
            side.routed(address, names),
            side.lines(address, names),
            tuple(lines),
        )


def seen_from(side: Surroundings, node: Surroundings) -> Hashable:
    """What a namespace says of a node: its neighbours, and the devices at the end of its cables."""
    lines = tuple(side.lines(address, node.names) for address in node.own)
    looks = []
    for one in side.ports.get(node.name, ()):
        near = node.devices.get(one.peer[1]) if one.peer is not None else None
        names = PlacedNames((), (one.mac,), one.name, node.names)
        looks.append((device_look(one, names), near and device_look(near, names)))
    return lines, tuple(looks)


def _chain(space: NetNamespace, key: ChainKey) -> Chain | None:
    number, table, name = key
    rulesets = tuple(space.every_ruleset())
    return rulesets[number].chain(table, name) if number < len(rulesets) else None


def _asked_by_nft(
    space: NetNamespace, keys: Sequence[NftKey]
) -> tuple[Border, tuple[object, ...]] | None:
    """What chains of nftables ask, and how they are written; None: they may tell in other ways."""
    border, texts = Border(), []
    if space.nft is None:
        return (border, ()) if not keys else None
    from k8stui.kernel.nft.questions import ask  # noqa: PLC0415 - as in `netfilter`

    tables = {one.called: one for one in space.nft.tables}
    for called, name, is_nat in keys:
        table = tables.get(called)
        chain = table.chains.get(name) if table is not None else None
        asked = ask(border, table, chain.chain) if table is not None and chain is not None else None
        if chain is None or asked is None or (asked.is_recent and not is_nat):
            return None
        texts.append((chain.base, tuple(rule.text for rule in chain.chain.rules)))
    return border, (*tables, *texts)


def _is_plain(space: NetNamespace) -> bool:
    """Whether nothing decides there but what is looked at here."""
    more = (space.tracked, space.unmodelled, space.judges, space.stranger, space.absent)
    return not any(more) and space.rules_cut is None
