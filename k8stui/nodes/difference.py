"""What is missing, extra or out of order in one ruleset against another. Compares; reads nothing.

`expected` is what should stand on a node, `observed` what does. Counters are no part of a `Rule`;
rules are equal when they mean the same, however they are spelled. Order is judged among the rules
of one writer (`k8stui.nodes.writers`): which of two programs comes first in a built-in chain
depends on which of them was started again last.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import groupby

from k8stui.kernel.compile import compile_rule, render
from k8stui.kernel.rules import BUILTIN_CHAINS, Chain, Rule, Ruleset
from k8stui.nodes.policy.chains import interchangeable
from k8stui.nodes.writers import writer_of, writers
from k8stui.record import record

ORDER_FREE = frozenset(
    {
        ("nat", "KUBE-SERVICES"),
        ("nat", "KUBE-NODEPORTS"),
        ("filter", "KUBE-SERVICES"),
        ("filter", "KUBE-EXTERNAL-SERVICES"),
        ("filter", "KUBE-NODEPORTS"),
        ("filter", "KUBE-PROXY-FIREWALL"),
    }
)
"""Chains with one block of rules per service port, the blocks in Go's map order: new at every sync.

Source: kube-proxy pkg/proxy/iptables/proxier.go syncProxyRules; docs/facts/kube-proxy.md
section 5. Within a block, and for the rules behind all blocks, order still counts.
"""
_RELAYED = frozenset(
    {
        "KUBE-NODEPORT-CONTAINER",
        "KUBE-NODEPORT-HOST",
        "KUBE-NODEPORT-NON-LOCAL",
        "KUBE-PORTALS-CONTAINER",
        "KUBE-PORTALS-HOST",
    }
)
"""The chains of userspace mode: services in random order, and for each service port a random port
on which kube-proxy listens, so the number tells nothing (docs/facts/kube-proxy.md section 10)."""
_RELAY_PORT = re.compile(r"(--to-ports |--to-destination \S+:)\d+")
_COUNTS = re.compile(r" -m (statistic|limit|hashlimit|recent|connlimit|quota|nfacct) ")
_LAST = "NOTE: this must be the last rule in this chain"
"""In kube-proxy's comment of the jumps to KUBE-NODEPORTS; with nodePortAddresses several, in
random order (docs/facts/kube-proxy.md section 4)."""


class DifferenceKind(StrEnum):
    """What is wrong with the observed ruleset."""

    MISSING = "missing"
    EXTRA = "extra"
    MOVED = "moved"
    """The rule is there, but at another place among those that are there too."""
    POLICY = "policy"
    REPEATED = "repeated"
    """The rule stands once more directly behind itself: whoever it lets go on meets it again."""
    CHAIN = "chain"
    """A user-defined chain stands on one side only; its rules are told one by one."""


@record(kw_only=True)
class Difference:
    """One difference. Indexes are 1-based places in the chain, 0 where there is no rule."""

    kind: DifferenceKind
    table: str
    chain: str
    expected: Rule | None = None
    observed: Rule | None = None
    expected_index: int = 0
    observed_index: int = 0
    expected_policy: str | None = None
    observed_policy: str | None = None
    only_expected: bool = False
    """For a chain: it is missing; else it is extra."""
    service: str | None = None
    """``namespace/name`` of the Service concerned; None: all of them, or none."""

    @property
    def rule(self) -> Rule | None:
        """The observed rule where there is one: it has a line in the dump."""
        return self.observed or self.expected


@record()
class _Placed:
    """A rule with its place and what it means."""

    index: int
    rule: Rule
    meaning: str


def differences(expected: Ruleset, observed: Ruleset) -> tuple[Difference, ...]:
    """All differences, table by table and chain by chain in the order of `expected`.

    What stands in `observed` only comes behind. A table that was never touched is the same as one
    with empty built-in chains and policies ACCEPT, so the order and presence of tables are free.
    """
    names = dict.fromkeys((*expected.tables, *observed.tables))
    return tuple(
        difference
        for table in names
        for difference in _table(table, _chains(expected, table), _chains(observed, table))
    )


def owned(found: Iterable[Difference], own: Ruleset, everything: Ruleset) -> tuple[Difference, ...]:
    """Those of `differences(own, observed)` that are the business of the one who writes `own`.

    Not its business: policies, what others add to built-in chains, and chains and rules that are
    in `everything` (what all owners write) as another's. A chain or rule that nobody should make is
    its business when it bears a name of its own (``KUBE-…``).
    """
    mine = writers(own)

    def is_own(each: Difference) -> bool:
        if each.kind is DifferenceKind.POLICY:
            return False
        if each.expected is not None or each.only_expected:
            return True
        if writer_of(each.chain, each.observed) not in mine:
            return False
        known = everything.chain(each.table, each.chain)
        if known is None:
            return True
        return each.observed is not None and each.observed not in known.rules

    return tuple(each for each in found if is_own(each))


def told_apart(
    found: Iterable[Difference],
    everything: Ruleset,
    observed: Ruleset,
    assumed: Collection[str] = (),
) -> tuple[tuple[Difference, ...], Mapping[str, int]]:
    """What of `differences(everything, observed)` counts, and how many rules others have there.

    Others are programs that are known by their names and that nobody expects here (Docker beside
    another plug-in, Istio, firewalld): their rules are not compared. A rule that nobody is known by
    counts: it may be anybody's. Of writers that are only `assumed` to be there nothing is missing
    where they have no rule at all: they count among the others, with none.
    """
    here, there = {*writers(everything), ""}, writers(observed)
    absent = {one for one in assumed if one not in there}
    kept: list[Difference] = []
    others: dict[str, int] = {}
    for each in found:
        writer = writer_of(each.chain, each.rule)
        is_foreign = each.expected is None and not each.only_expected and writer not in here
        if each.kind is DifferenceKind.POLICY or not (is_foreign or writer in absent):
            kept.append(each)
        else:
            others[writer] = others.get(writer, 0) + (each.observed is not None)
    return tuple(kept), others


def _chains(ruleset: Ruleset, table: str) -> Mapping[str, Chain]:
    found = ruleset.tables.get(table)
    return found.chains if found else {}


def _table(
    table: str, expected: Mapping[str, Chain], observed: Mapping[str, Chain]
) -> Iterator[Difference]:
    owner = _owners(expected.values(), observed.values())
    for name in dict.fromkeys((*expected, *observed)):
        yield from _chain(table, name, expected.get(name), observed.get(name), owner)


def _owners(*sides: Iterable[Chain]) -> Callable[[Rule | None, str], str | None]:
    """Who a rule concerns: what its maker or its comment says, else what its chain is for.

    A chain is a Service's when all of its rules that name one name the same; shared chains are
    nobody's. `sides`: the expected chains first, they know more.
    """
    chain_services: dict[str, str] = {}
    for chains in sides:
        for chain in chains:
            named = {service for rule in chain.rules if (service := _service(rule))}
            if len(named) == 1 and chain.name not in _SHARED:
                chain_services.setdefault(chain.name, named.pop())

    def owner(rule: Rule | None, chain: str) -> str | None:
        return (_service(rule) if rule else None) or chain_services.get(chain)

    return owner


_SHARED = frozenset(
    {name for _, name in ORDER_FREE} | {name for names in BUILTIN_CHAINS.values() for name in names}
)


def _service(rule: Rule) -> str | None:
    return rule.reason.service if rule.reason is not None else None


def _service_port(rule: Rule) -> str:
    why = rule.reason
    return (why.service_port or why.service or "") if why else ""


def _chain(
    table: str,
    name: str,
    expected: Chain | None,
    observed: Chain | None,
    owner: Callable[[Rule | None, str], str | None],
) -> Iterator[Difference]:
    policies = tuple(_policy(table, name, chain) for chain in (expected, observed))
    if policies[0] != policies[1]:
        yield Difference(
            kind=DifferenceKind.POLICY,
            table=table,
            chain=name,
            expected_policy=policies[0],
            observed_policy=policies[1],
        )
    if (expected is None or observed is None) and name not in BUILTIN_CHAINS.get(table, ()):
        yield Difference(
            kind=DifferenceKind.CHAIN,
            table=table,
            chain=name,
            only_expected=observed is None,
            service=owner(None, name),
        )
    for kind, wanted, seen in _rules((table, name), expected, observed):
        yield Difference(
            kind=kind,
            table=table,
            chain=name,
            expected=wanted.rule if wanted else None,
            observed=seen.rule if seen else None,
            expected_index=wanted.index if wanted else 0,
            observed_index=seen.index if seen else 0,
            service=(wanted and _service(wanted.rule)) or owner(seen.rule if seen else None, name),
        )


def _policy(table: str, name: str, chain: Chain | None) -> str | None:
    if name not in BUILTIN_CHAINS.get(table, ()):
        return None
    return (chain.policy if chain else None) or "ACCEPT"


_Found = tuple[DifferenceKind, _Placed | None, _Placed | None]


def _rules(key: tuple[str, str], expected: Chain | None, observed: Chain | None) -> list[_Found]:
    is_nft = " " in key[0]
    wanted, seen = (_placed(side, is_nft=is_nft) for side in (expected, observed))
    pairs, missing, extra = _matched(wanted, seen)
    moved = _out_of_order(key, pairs, wanted, seen)
    found: list[_Found] = [(DifferenceKind.MISSING, each, None) for each in missing]
    found += [(DifferenceKind.MOVED, *pair) for pair in moved]
    found.sort(key=lambda each: each[1].index if each[1] else 0)
    again = _repeated(extra, seen, {each.index for _, each in pairs})
    for each in extra:
        kind = DifferenceKind.REPEATED if each in again else DifferenceKind.EXTRA
        found.append((kind, None, each))
    return found


def _repeated(
    extra: Sequence[_Placed], seen: Sequence[_Placed], wanted: set[int]
) -> Sequence[_Placed]:
    """Those directly behind a rule that is wanted and says the same.

    Not where chance or a count decides: a second time is another one.
    """
    found: list[_Placed] = []
    for each in extra:
        before = seen[each.index - 2] if each.index > 1 else None
        again = before is not None and before.meaning == each.meaning
        follows = before is not None and (before.index in wanted or before in found)
        if again and follows and not _COUNTS.search(each.meaning):
            found.append(each)
    return found


def _placed(chain: Chain | None, *, is_nft: bool) -> list[_Placed]:
    if chain is None:
        return []
    return [
        _Placed(index, rule, rule.text if is_nft else _meaning(chain.name, rule.text))
        for index, rule in enumerate(chain.rules, start=1)
    ]


def _meaning(chain: str, text: str) -> str:
    said = render(chain, compile_rule(text))
    if chain not in _RELAYED:
        return said
    if chain == "KUBE-NODEPORT-NON-LOCAL":
        return re.sub(r"--dport \d+", "--dport R", said)
    return _RELAY_PORT.sub(r"\1R", said)


_Pair = tuple[_Placed, _Placed]


def _matched(
    expected: Sequence[_Placed], observed: Sequence[_Placed]
) -> tuple[list[_Pair], list[_Placed], list[_Placed]]:
    """Pair equal rules, the first with the first; what is left over is missing or extra."""
    waiting: dict[str, list[_Placed]] = {}
    for each in reversed(observed):
        waiting.setdefault(each.meaning, []).append(each)
    pairs, missing = [], []
    for each in expected:
        same = waiting.get(each.meaning)
        if same:
            pairs.append((each, same.pop()))
        else:
            missing.append(each)
    extra = sorted((e for left in waiting.values() for e in left), key=lambda e: e.index)
    return pairs, missing, extra


def _out_of_order(
    key: tuple[str, str],
    pairs: Sequence[_Pair],
    expected: Sequence[_Placed],
    observed: Sequence[_Placed],
) -> Iterator[_Pair]:
    """The fewest rules that would have to move to give the expected order."""
    if key[1].startswith("@"):
        return  # a set has no order
    if key not in ORDER_FREE and key[1] not in _RELAYED:
        by_writer: dict[str, list[_Pair]] = {}
        for pair in pairs:
            by_writer.setdefault(writer_of(key[1], pair[0].rule), []).append(pair)
        for of_one in by_writer.values():
            yield from _misplaced(tuple(_runs(key[1], of_one)))
        return
    blocks: dict[str, list[_Pair]] = {}
    ends = tuple(
        max((e.index for e in side if _service_port(e.rule)), default=0)
        for side in (expected, observed)
    )
    for pair in pairs:
        if _LAST not in pair[0].meaning:
            blocks.setdefault(_service_port(pair[0].rule), []).append(pair)
        elif pair[0].index > ends[0] and pair[1].index < ends[1]:
            yield pair
    for block in blocks.values():
        yield from _misplaced(block)


def _runs(chain: str, pairs: Iterable[_Pair]) -> Iterator[_Pair]:
    """As expected, but what may stand in any order among its likes in the order that was seen."""
    for is_free, run in groupby(pairs, lambda each: bool(interchangeable(chain, each[0].rule))):
        if not is_free:
            yield from run
            continue
        groups: dict[str, list[_Pair]] = {}
        for each in run:
            groups.setdefault(interchangeable(chain, each[0].rule), []).append(each)
        for group in sorted(groups.values(), key=lambda one: min(each[1].index for each in one)):
            yield from group


def _misplaced(pairs: Sequence[_Pair]) -> Iterator[_Pair]:
    """All pairs but those of a longest subsequence whose observed places go up (patience sort)."""
    tops: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for number, (_, seen) in enumerate(pairs):
        pile = bisect_left(tops, seen.index)
        before.append(ends[pile - 1] if pile else -1)
        tops[pile : pile + 1] = [seen.index]
        ends[pile : pile + 1] = [number]
    kept = set()
    at = ends[-1] if ends else -1
    while at >= 0:
        kept.add(at)
        at = before[at]
    return (pair for number, pair in enumerate(pairs) if number not in kept)
