"""netfilter rules as iptables keeps them: rulesets, tables, chains, rules.

A rule *is* its `iptables-save` text: generators write text, a real dump is text, and what a rule
does is compiled from the text when a packet first gets to it (`k8stui.kernel.compile`). So a
ruleset of 100,000 rules costs no more than its lines until somebody walks it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field

from k8stui.because import Because
from k8stui.record import record

BUILTIN_CHAINS: Mapping[str, tuple[str, ...]] = {
    "raw": ("PREROUTING", "OUTPUT"),
    "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
    "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
}
"""Built-in chains in the order in which iptables-save prints them."""


@record()
class Rule:
    """One rule, as printed: ``-A CHAIN …`` without counters."""

    text: str
    reason: Because | None = field(default=None, compare=False)
    """Whatever the one who made the rule wants to know it by. The kernel never looks inside."""


@record(weakref_slot=True)
class Chain:
    """A chain: its rules in order. `rules` may be a lazy sequence.

    Can be weakly referenced: what is derived from a chain (an index) lives as long as the chain.
    """

    name: str
    rules: Sequence[Rule] = ()
    policy: str | None = None
    """ACCEPT or DROP for a built-in chain, None for a user-defined one."""
    reason: Because | None = field(default=None, compare=False)
    """Where its policy was said, as `Rule.reason`; the kernel never looks inside."""


@record()
class Table:
    """A table: its chains in the order in which iptables-save prints them.

    `chains` may be a lazy mapping that builds a chain when it is looked up.
    """

    name: str
    chains: Mapping[str, Chain]


@record()
class Ruleset:
    """Everything that iptables-save (or ip6tables-save) prints in one namespace."""

    tables: Mapping[str, Table] = field(default_factory=dict)
    """Tables in printed order. A table never touched is absent."""

    def chain(self, table: str, name: str) -> Chain | None:
        """The chain, or None when there is no such table or chain."""
        found = self.tables.get(table)
        return found.chains.get(name) if found else None

    def __iter__(self) -> Iterator[Table]:
        return iter(self.tables.values())
