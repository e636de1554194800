"""What one program writes into a node's tables, and how several programs' writings add up.

kube-proxy, kubelet, the CNI plug-ins and docker all write into the same tables. Each gives a
`Contribution`; `compose` replays them in the order in which they happened and gives what
`iptables-save` prints afterwards. Nothing here knows what any of the rules is for.
"""

from __future__ import annotations

from collections.abc import Collection, ItemsView, Iterator, Mapping, Sequence, ValuesView
from dataclasses import field

from k8stui.kernel.nft_ruleset import NftTable
from k8stui.kernel.rules import BUILTIN_CHAINS, Chain, Rule, Ruleset, Table
from k8stui.nodes.apart import ComparedChains, chains_apart
from k8stui.record import record

PRINTED_ORDER = ("mangle", "raw", "filter", "nat")
"""Tables as iptables-save 1.8.9 prints them with the nft backend (iptables nft-shared.h,
``enum nft_table_type``; recordings/README.md)."""


@record()
class Jump:
    """One rule put into a chain that is not the program's own: ``-I`` or ``-A``, once.

    A rule whose text already stands there is left alone, as every one of these programs asks
    ``iptables -C`` first.
    """

    builtin: str
    """The chain: built-in as a rule, but a chain of another program will do (DOCKER-USER)."""
    rule: Rule
    insert: bool = False
    """True: on top of what is there (``-I``); False: behind it (``-A``)."""
    behind: str = ""
    """Directly behind the last rule that has this in its text, where one has."""


@record()
class TablePart:
    """One program's part of one table. All fields empty: the program touched the table."""

    chains: Mapping[str, Chain] = field(default_factory=dict)
    """Its user-defined chains; any order, may be a lazy mapping."""
    jumps: tuple[Jump, ...] = ()
    """In the order in which they were written."""
    policies: Mapping[str, str] = field(default_factory=dict)
    """Built-in chain → ACCEPT or DROP, where the program sets one."""


@record()
class Contribution:
    """Everything that one program writes into the tables of one node and one family."""

    owner: str
    """kube-proxy, kubelet, flannel, portmap, docker …"""
    tables: Mapping[str, TablePart] = field(default_factory=dict)
    nft: tuple[NftTable, ...] = ()
    """Its tables of nftables' own: nobody else writes into those."""


def compose(contributions: Sequence[Contribution]) -> Ruleset:
    """Apply the contributions one after the other.

    A chain that several programs write holds the rules of the first, then those of the others
    that are not there yet (KUBE-FIREWALL: kubelet's and kube-proxy's). User-defined chains come
    in byte order of their names, behind the built-in ones. Lazy mappings stay lazy: a chain is
    built when it is looked up, and `values()` and `items()` stream without keeping what they made.
    """
    tables = {}
    for name in PRINTED_ORDER:
        parts = [c.tables[name] for c in contributions if name in c.tables]
        if parts:
            tables[name] = Table(name, _ComposedChains(name, parts))
    return Ruleset(tables)


class _ComposedChains(ComparedChains):
    """The chains of one table, in printed order."""

    def __init__(self, table: str, parts: Sequence[TablePart]) -> None:
        self._builtin = BUILTIN_CHAINS[table]
        self.parts = parts
        # No truth test: the length of a lazy mapping is the work of building all of it.
        self.owners = [part.chains for part in parts]
        self._jumps: dict[str, list[Jump]] = {}
        for part in parts:
            for jump in part.jumps:
                self._jumps.setdefault(jump.builtin, []).append(jump)
        self.shared = frozenset((*self._builtin, *self._jumps))
        """Chains that are more than one program's own."""
        self._kept: dict[str, Chain] = {}
        self._order: tuple[str, ...] | None = None

    def __getitem__(self, name: str) -> Chain:
        found = self._kept.get(name)
        if found is None:
            found = self._kept[name] = self._build(name)
        return found

    def __contains__(self, name: object) -> bool:
        return name in self._builtin or any(name in chains for chains in self.owners)

    def __iter__(self) -> Iterator[str]:
        if self._order is None:
            owned = {name for chains in self.owners for name in chains}
            self._order = (*self._builtin, *sorted(owned.difference(self._builtin)))
        return iter(self._order)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def items(self) -> ItemsView[str, Chain]:
        return _Streamed(self)

    def values(self) -> ValuesView[Chain]:
        return _StreamedValues(self)

    def apart(self, earlier: Mapping[str, Chain]) -> Collection[str]:
        """What the programs say of their chains; all that some jump into, where one is another."""
        if not isinstance(earlier, _ComposedChains) or len(earlier.parts) != len(self.parts):
            return {*self, *earlier}
        pairs = tuple(zip(earlier.parts, self.parts, strict=True))
        own = {name for then, now in pairs for name in chains_apart(then.chains, now.chains)}
        if any(then.jumps != now.jumps or then.policies != now.policies for then, now in pairs):
            return {*self.shared, *earlier.shared, *own}
        return own

    def stream(self) -> Iterator[tuple[str, Chain]]:
        """Each chain, built for the caller alone unless somebody has looked it up before."""
        kept = self._kept
        if len(self.owners) != 1:
            for name in self:
                yield name, kept.get(name) or self._build(name)
            return
        only, shared = self.owners[0], self.shared
        for name in self:
            yield name, kept.get(name) or (self._build(name) if name in shared else only[name])

    def _build(self, name: str) -> Chain:
        if len(self.owners) == 1 and name not in self.shared:
            return self.owners[0][name]
        built_in = name in self._builtin
        found = [chains[name] for chains in self.owners if name in chains]
        if not built_in and not found:
            raise KeyError(name)
        jumps = self._jumps.get(name, ())
        if len(found) == 1 and not jumps:
            return found[0]
        policy = "ACCEPT" if built_in else None
        for part in self.parts:
            policy = part.policies.get(name, policy)
        rules: list[Rule] = list(found[0].rules) if found else []
        for chain in found[1:]:
            rules += [rule for rule in chain.rules if rule not in rules]
        for jump in jumps:
            if jump.rule not in rules:
                rules.insert(_place(jump, rules), jump.rule)
        return Chain(name, tuple(rules), policy)


def _place(jump: Jump, rules: Sequence[Rule]) -> int:
    if jump.insert:
        return 0
    if jump.behind:
        for place in range(len(rules), 0, -1):
            if jump.behind in rules[place - 1].text:
                return place
    return len(rules)


class _Streamed(ItemsView[str, Chain]):
    def __init__(self, chains: _ComposedChains) -> None:
        super().__init__(chains)
        self._stream = chains.stream

    def __iter__(self) -> Iterator[tuple[str, Chain]]:
        return self._stream()


class _StreamedValues(ValuesView[Chain]):
    def __init__(self, chains: _ComposedChains) -> None:
        super().__init__(chains)
        self._stream = chains.stream

    def __iter__(self) -> Iterator[Chain]:
        return (chain for _, chain in self._stream())
