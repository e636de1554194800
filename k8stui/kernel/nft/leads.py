"""Whom a rule of nftables leads to that draws a number: kube-proxy's choice of an endpoint."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import NamedTuple

from k8stui.kernel.address import Address
from k8stui.kernel.nft import mentions
from k8stui.kernel.nft.chance import numbers_of
from k8stui.kernel.nft.compile import index_of, statements
from k8stui.kernel.nft.element import Held
from k8stui.kernel.nft.errors import UnknownError
from k8stui.kernel.nft.literal import Field, Literal
from k8stui.kernel.nft.lookup import Among, AnonymousSet
from k8stui.kernel.nft.mapped import Mapped
from k8stui.kernel.nft.statement import Statement
from k8stui.kernel.nft.statements.nat import Nat
from k8stui.kernel.nft.statements.vmap import VerdictMap
from k8stui.kernel.nft.verdict import Said
from k8stui.kernel.nft_ruleset import NftTable
from k8stui.kernel.rules import Chain
from k8stui.kernel.step import Fork


class Leads(NamedTuple):
    """What one number comes to."""

    address: Address
    """That DNAT puts in."""
    shape: Hashable
    """All else that is done."""
    chain: str = ""
    """Where, if not in the rule itself."""


def leads(
    table: NftTable, fork: Fork, without: Callable[[str, str], str]
) -> Iterator[Leads | None]:
    """Of each way of a fork; None: to no single address, or it cannot be told.

    `without`: a text without its mentions of an address.
    """
    drawing = [_drawn(one) for way in fork.ways[:1] for one in _rule(fork.chain, way.place)]
    asked = [one for one in drawing if one is not None]
    for way in fork.ways:
        found = None
        if len(asked) == 1 and way.number is not None:
            found = _element(table, asked[0], way.number)
        if found is None:
            yield None
        elif isinstance(found.data, Said):
            yield _through(table, found.data, without)
        else:
            yield _straight(found.data or ())


def _straight(data: tuple[Field, ...]) -> Leads | None:
    """Address, or address and port, as they stand in the map."""
    to = data[0].raw if data and isinstance(data[0], Literal) else None
    return Leads(to, tuple(map(str, data[1:]))) if isinstance(to, Address) else None


def _rule(chain: Chain, place: int | None) -> tuple[Statement, ...]:
    return () if place is None else statements(chain.rules[place].text)


def _drawn(one: Statement) -> Among | None:
    """Where a statement looks up the number that it draws."""
    asking = one.address if isinstance(one, Nat) else one
    if not isinstance(asking, Mapped | VerdictMap):
        return None
    return asking.among if numbers_of(asking.key) is not None else None


def _element(table: NftTable, among: Among, number: int) -> Held | None:
    if isinstance(among, AnonymousSet):
        return among.at(number)
    held = table.sets.get(among.name)
    try:
        found = index_of(held).find((number,)) if held is not None else None
    except UnknownError:
        return None
    return found.held if found is not None else None


def _through(table: NftTable, said: Said, without: Callable[[str, str], str]) -> Leads | None:
    """A chain that stands for one endpoint: what it is called, and the sets of it, do not count."""
    found = table.chains.get(said.chain)
    if found is None:
        return None
    texts = [rule.text for rule in found.chain.rules]
    to = [
        one.address.raw
        for text in texts
        for one in statements(text)
        if isinstance(one, Nat) and isinstance(one.address, Literal)
    ]
    if len(to) != 1 or not isinstance(to[0], Address):
        return None
    names = dict.fromkeys(name for text in texts for name in mentions.sets(text))
    for number, name in enumerate(names):
        texts = [text.replace(f"@{name} ", f"@{number} ") for text in texts]
    shape = said.kind, *(without(text, str(to[0])) for text in texts)
    return Leads(to[0], shape, said.chain)
