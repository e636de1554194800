"""In what the rules of one node may differ at two moments.

What both are known to have is not looked at: a Service that comes to thousands costs its own rules
on each node, no more.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence

from k8stui.kernel.rules import BUILTIN_CHAINS, Chain, Rule, Ruleset

Pair = tuple[Iterable[Rule], Iterable[Rule]]
"""Rules before and after, in their order."""


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
