"""In what the rules of one node may differ at two moments.

What both are known to have is not looked at: a Service that comes to thousands costs its own rules
on each node, no more.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from k8stui.kernel.nft_ruleset import Element, NftChain, NftRuleset, NftSet, NftTable
from k8stui.kernel.rules import BUILTIN_CHAINS, Chain, Rule, Ruleset

Pair = tuple[Iterable[Rule], Iterable[Rule]]
"""Rules before and after, in their order."""
Elements = tuple[Iterable[Element], Iterable[Element]]


class ComparedChains(Mapping[str, Chain]):
    """Chains that know which of them may not be as they were, without building them."""

    @abstractmethod
    def apart(self, earlier: Mapping[str, Chain]) -> Collection[str]:
        """Names of those that came, went, or may be others than `earlier`'s."""


class ComparedRules(Sequence[Rule]):
    """Rules of one chain that know which of them may not be as they were."""

    @abstractmethod
    def apart(self, earlier: Sequence[Rule]) -> Pair:
        """What of `earlier` and of these is not known to stand in both."""


class ComparedNftChains(Mapping[str, NftChain]):
    """The same of a table of nftables."""

    @abstractmethod
    def apart(self, earlier: Mapping[str, NftChain]) -> tuple[Iterable[str], Iterable[str]]:
        """Names of `earlier` and of these that may not stand for the same, in printed order."""


class ComparedNftSets(Mapping[str, NftSet]):
    """Its sets and maps that know which of them may not be as they were."""

    @abstractmethod
    def apart(self, earlier: Mapping[str, NftSet]) -> Iterable[str]:
        """Names of those of `earlier` and of these that may not hold the same."""


class ComparedElements(Sequence[Element]):
    """Elements of one set that know which of them may not be as they were."""

    @abstractmethod
    def apart(self, earlier: Sequence[Element]) -> Elements:
        """What of `earlier` and of these is not known to stand in both."""


def chains_apart(before: Mapping[str, Chain], after: Mapping[str, Chain]) -> Collection[str]:
    """Names of the chains of one table that may not be the same."""
    if before is after:
        return ()
    if isinstance(after, ComparedChains):
        return after.apart(before)
    return [name for name in {**before, **after} if before.get(name) is not after.get(name)]


def rules_apart(before: Ruleset, after: Ruleset) -> tuple[list[Rule], list[Rule]]:
    """What each ruleset has that the other may not have, in printed order."""
    old: list[Rule] = []
    new: list[Rule] = []
    for table in dict.fromkeys((*before.tables, *after.tables)):
        then, now = (each.tables.get(table) for each in (before, after))
        chains, chains_now = (each.chains if each is not None else {} for each in (then, now))
        for name in _printed(table, chains_apart(chains, chains_now)):
            gone, come = _apart(chains.get(name), chains_now.get(name))
            old += gone
            new += come
    return old, new


def _apart(before: Chain | None, after: Chain | None) -> Pair:
    if before is after:
        return (), ()
    if before is None or after is None:
        return before.rules if before else (), after.rules if after else ()
    if isinstance(after.rules, ComparedRules):
        return after.rules.apart(before.rules)
    return before.rules, after.rules


def _printed(table: str, names: Collection[str]) -> list[str]:
    """As iptables-save orders them: built-in chains, then the others by their names."""
    builtin = BUILTIN_CHAINS.get(table, ())
    return [*(n for n in builtin if n in names), *sorted(set(names).difference(builtin))]


def nft_apart(before: NftRuleset | None, after: NftRuleset | None) -> tuple[list[str], list[str]]:
    """What each ruleset has that the other may not have: elements and rules, each with its place.

    An element stands behind its table and set, a rule behind its table and chain.
    """
    old: list[str] = []
    new: list[str] = []
    if before is after:
        return old, new
    tables, tables_now = (
        {one.called: one for one in each.tables} if each is not None else {}
        for each in (before, after)
    )
    nothing = NftTable(family="", name="")
    for called in {**tables, **tables_now}:
        then, now = (each.get(called, nothing) for each in (tables, tables_now))
        if then is now:
            continue
        for name in _sets_apart(then.sets, now.sets):
            sets = (each.sets.get(name) for each in (then, now))
            gone, come = _elements_apart(*(one.elements if one else () for one in sets))
            old += (f"{called} @{name}: {element.text}" for element in gone)
            new += (f"{called} @{name}: {element.text}" for element in come)
        names, names_now = _nft_chains_apart(then.chains, now.chains)
        old += _rule_lines(called, then.chains, names)
        new += _rule_lines(called, now.chains, names_now)
    return old, new


def _sets_apart(before: Mapping[str, NftSet], after: Mapping[str, NftSet]) -> Iterable[str]:
    return after.apart(before) if isinstance(after, ComparedNftSets) else {**before, **after}


def _elements_apart(before: Sequence[Element], after: Sequence[Element]) -> Elements:
    if before is after:
        return (), ()
    return after.apart(before) if isinstance(after, ComparedElements) else (before, after)


def _nft_chains_apart(
    before: Mapping[str, NftChain], after: Mapping[str, NftChain]
) -> tuple[Iterable[str], Iterable[str]]:
    return after.apart(before) if isinstance(after, ComparedNftChains) else (before, after)


def _rule_lines(table: str, chains: Mapping[str, NftChain], names: Iterable[str]) -> Iterator[str]:
    for name in names:
        yield from (f"{table} {name}: {rule.text}" for rule in chains[name].chain.rules)
