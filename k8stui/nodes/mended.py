"""A real node's rules with what is wrong in them put right: all that others wrote stays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from k8stui.kernel.compile import compile_rule, render
from k8stui.kernel.rules import Chain, Rule, Ruleset, Table
from k8stui.nodes.contribution import PRINTED_ORDER
from k8stui.nodes.difference import Difference, DifferenceKind

_Key = tuple[str, str]


def mended(observed: Ruleset, expected: Ruleset, found: Iterable[Difference]) -> Ruleset:
    """`observed` without those differences to `expected` that were `found`.

    A rule that was missing or out of place gets behind the one that precedes it in `expected`.
    """
    by_chain: dict[_Key, list[Difference]] = {}
    for each in found:
        by_chain.setdefault((each.table, each.chain), []).append(each)
    names = [name for name in PRINTED_ORDER if name in expected.tables or name in observed.tables]
    return Ruleset({name: _table(name, observed, expected, by_chain) for name in names})


def _table(
    table: str, observed: Ruleset, expected: Ruleset, by_chain: Mapping[_Key, Sequence[Difference]]
) -> Table:
    sides = [
        one.tables[table].chains if table in one.tables else {} for one in (expected, observed)
    ]
    chains = {}
    for name in dict.fromkeys((*sides[0], *sides[1])):
        there = observed.chain(table, name)
        found = by_chain.get((table, name), ())
        if there is not None and not found:
            chains[name] = there
            continue
        wanted = expected.chain(table, name)
        whole = next((one for one in found if one.kind is DifferenceKind.CHAIN), None)
        if there is None or (whole is not None and wanted is not None):
            if wanted is not None:
                chains[name] = wanted
        elif whole is None:
            chains[name] = _chain(there, wanted, found)
    return Table(table, chains)


def _chain(there: Chain, wanted: Chain | None, found: Sequence[Difference]) -> Chain:
    policy = next((one.expected_policy for one in found if one.expected_policy), there.policy)
    away = {one.observed_index for one in found if one.observed_index}
    back = {one.expected_index for one in found if one.expected_index}
    kept = [rule for index, rule in enumerate(there.rules, start=1) if index not in away]
    rules = _with(kept, wanted.rules if wanted is not None else (), back)
    return Chain(there.name, tuple(rules), policy, there.reason)


def _with(kept: Sequence[Rule], wanted: Sequence[Rule], back: set[int]) -> list[Rule]:
    """`kept`, and of `wanted` those at the places `back` (from 1) behind what precedes them."""
    if not back:
        return list(kept)
    first: list[Rule] = []
    behind: dict[str, list[Rule]] = {}
    present = {_meaning(rule) for rule in kept}
    last = first
    for index, rule in enumerate(wanted, start=1):
        if index in back:
            last.append(rule)
        elif (meaning := _meaning(rule)) in present:
            last = behind.setdefault(meaning, [])
    made = first
    for rule in kept:
        made += (rule, *behind.pop(_meaning(rule), ()))
    return made


def _meaning(rule: Rule) -> str:
    return render("", compile_rule(rule.text))
