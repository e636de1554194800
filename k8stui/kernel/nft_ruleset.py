"""A ruleset of nftables, read from libnftables' JSON (libnftables-json(5)).

A rule keeps its statements as they were printed, and a text in nft's own words for people.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import field

from k8stui.errors import K8sTuiError
from k8stui.kernel.nft_words import written
from k8stui.kernel.rules import Chain, Rule
from k8stui.record import record

Statement = Mapping[str, object]

_HOOKS = frozenset({"prerouting", "input", "forward", "output", "postrouting"})
_VERSIONS = {"ip": (4,), "ip6": (6,), "inet": (4, 6)}
IPTABLES = frozenset({"raw", "mangle", "nat", "filter", "security"})
"""Tables that iptables-nft has made its own: its save shows them."""


class NftError(K8sTuiError, ValueError):
    """The text is not what the command prints."""

    line = None


@record(kw_only=True)
class NftChain:
    """A chain; a base chain knows its hook."""

    name: str
    rules: tuple[Sequence[Statement], ...] = ()
    chain: Chain
    """The same with each rule's text: what steps show."""
    hook: str | None = None
    """``PREROUTING`` …"""
    priority: int = 0
    is_nat: bool = False
    drops: bool = False
    """Its policy."""

    @property
    def does_something(self) -> bool:
        return self.hook is not None and (self.drops or bool(self.rules))


@record(kw_only=True)
class NftTable:
    """A table: chains, and sets and maps by name."""

    family: str
    name: str
    chains: Mapping[str, NftChain] = field(default_factory=dict)
    sets: Mapping[str, Sequence[object]] = field(default_factory=dict)
    """Elements; of a map pairs of key and value."""

    @property
    def versions(self) -> tuple[int, ...]:
        """IP versions whose packets it sees."""
        return _VERSIONS.get(self.family, ())


@record(eq=False)
class NftRuleset:
    """The tables of one namespace."""

    tables: tuple[NftTable, ...] = ()

    def base_chains(self, version: int) -> Iterator[tuple[NftTable, NftChain]]:
        """Those at whose hooks something is done."""
        for table in self.tables:
            if version in table.versions:
                for chain in table.chains.values():
                    if chain.does_something:
                        yield table, chain


def parse(text: str, skipped: Collection[str] = IPTABLES) -> NftRuleset:
    """The tables of ``nft -j list ruleset`` but those of families ip and ip6 that are `skipped`.

    Raises:
        NftError: not what the command prints.

    """
    try:
        return _parse(json.loads(text)["nftables"], skipped)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise NftError(f"not what nft -j list ruleset prints ({type(error).__name__})") from None


def _parse(listed: Sequence[Mapping[str, object]], skipped: Collection[str]) -> NftRuleset:
    tables: dict[tuple[str, str], tuple[dict[str, dict[str, object]], dict[str, object]]] = {}
    rules: dict[tuple[str, str, str], list[Sequence[Statement]]] = {}
    for one in listed:
        for kind, said in one.items():
            if kind == "metainfo" or not isinstance(said, dict):
                continue
            family = str(said["family"])
            name = str(said["name"] if kind == "table" else said["table"])
            if family in ("ip", "ip6") and name in skipped:
                continue
            chains, sets = tables.setdefault((family, name), ({}, {}))
            if kind == "chain":
                chains[str(said["name"])] = said
            elif kind == "rule":
                rules.setdefault((family, name, str(said["chain"])), []).append(said["expr"])
            elif kind in ("set", "map"):
                sets[str(said["name"])] = said.get("elem", [])
    return NftRuleset(
        tuple(
            NftTable(
                family=family,
                name=name,
                chains={
                    chain: _chain(said, rules.get((family, name, chain), ()))
                    for chain, said in chains.items()
                },
                sets={key: tuple(elements) for key, elements in sets.items()},  # type: ignore[arg-type]
            )
            for (family, name), (chains, sets) in tables.items()
        )
    )


def _chain(said: Mapping[str, object], rules: Sequence[Sequence[Statement]]) -> NftChain:
    name, priority = str(said["name"]), said.get("prio")
    drops = said.get("policy") == "drop"
    at = str(said.get("hook"))
    hook = at.upper() if at in _HOOKS else None
    policy = ("DROP" if drops else "ACCEPT") if hook is not None else None
    return NftChain(
        name=name,
        rules=tuple(rules),
        chain=Chain(name, tuple(Rule(written(rule)) for rule in rules), policy),
        hook=hook,
        priority=priority if isinstance(priority, int) else 0,
        is_nat=said.get("type") == "nat",
        drops=drops,
    )
