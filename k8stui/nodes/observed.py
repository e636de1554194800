"""What dumps say of real nodes: it stands in place of what would be generated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from typing import Protocol

from k8stui.because import Because
from k8stui.kernel.address import Address
from k8stui.kernel.conntrack import TrackedConnection
from k8stui.kernel.ipset import IpSet
from k8stui.kernel.namespace import (
    FdbEntry,
    Interface,
    Neighbour,
    PolicyRule,
    Route,
    Socket,
    Sysctls,
)
from k8stui.kernel.nft_ruleset import NftRuleset
from k8stui.kernel.rules import Ruleset
from k8stui.record import record


@record()
class DumpLine:
    """A line of a dump: a `k8stui.origin.Place`."""

    file: str
    line: int
    column: int = 1
    field: str = ""


@record(kw_only=True)
class Unread:
    """One command's output in a node's state that cannot be read; the rest of the state is used."""

    file: str
    line: int
    """1-based."""
    message: str
    command: str
    """What has to be run again."""

    def __str__(self) -> str:
        return f"{self.command}, not read: {self.file}:{self.line}: {self.message}"


class ObservedSpace(Protocol):
    """What is known of one network namespace; None and empty: nothing, so it is generated."""

    @property
    def interfaces(self) -> tuple[Interface, ...] | None: ...
    @property
    def devices(self) -> tuple[Interface, ...] | None:
        """The same without the programs on them; asked of every node, so quickly answered."""

    @property
    def routes(self) -> tuple[Route, ...] | None: ...
    @property
    def policy_rules(self) -> tuple[PolicyRule, ...] | None: ...
    @property
    def neighbours(self) -> tuple[Neighbour, ...] | None: ...
    @property
    def failed(self) -> Mapping[Address, Because]:
        """Neighbours that did not answer."""

    @property
    def fdb(self) -> tuple[FdbEntry, ...] | None: ...
    @property
    def sysctls(self) -> Sysctls | None: ...
    @property
    def sockets(self) -> tuple[Socket, ...] | None:
        """Listening ones."""

    @property
    def tracked(self) -> tuple[TrackedConnection, ...]:
        """What conntrack knows."""

    @property
    def rulesets(self) -> Mapping[int, Ruleset]:
        """By IP version."""

    def has_chain(self, name: str) -> bool:
        """Whether iptables has a chain of that name; asked of every node, so quickly answered."""

    @property
    def remarks(self) -> tuple[str, ...]:
        """What iptables-save itself says that it does not show."""

    @property
    def other_rulesets(self) -> Mapping[int, Ruleset]:
        """Those of iptables' other back end, where both have rules."""

    @property
    def sets(self) -> Mapping[str, IpSet]: ...
    @property
    def nft(self) -> NftRuleset | None:
        """Tables of nftables' own."""

    @property
    def unread(self) -> tuple[Unread, ...]:
        """What could not be read (of a node also in the others), as far as it was asked for."""

    @property
    def half_seen(self) -> tuple[str, ...]:
        """What was shown, but not all of it: sentences."""

    @property
    def unseen(self) -> tuple[str, ...]:
        """What was asked for and not shown, each with why: as it is generated, it counts."""


End = tuple[str, str]
"""One end of a cable: (namespace, device)."""
ROOT = "node"
"""How a node's root namespace is called among its others."""


class SeenNode(ObservedSpace, Protocol):
    """The root namespace of a node, and what else stands there."""

    @property
    def pods(self) -> Mapping[str, ObservedSpace]:
        """Other namespaces on the node by the names that they have there."""

    @property
    def shut(self) -> tuple[str, ...]:
        """Names of those that nobody could enter."""

    @property
    def cables(self) -> Mapping[End, End]:
        """Each end of a cable with the other, as far as both were seen."""

    @property
    def is_whole(self) -> bool:
        """Whether all that stands there was asked for: what is not shown is not there."""

    def with_rules(
        self, rules: Mapping[int, Ruleset], sets: Mapping[str, IpSet], nft: NftRuleset | None
    ) -> SeenNode:
        """The same node with other rules of iptables, by IP version, more sets, other tables."""


@record(kw_only=True)
class ObservedNode:
    """What dumps of single commands say of one node: a `SeenNode`."""

    interfaces: tuple[Interface, ...] | None = None
    routes: tuple[Route, ...] | None = None
    policy_rules: tuple[PolicyRule, ...] | None = None
    neighbours: tuple[Neighbour, ...] | None = None
    failed: Mapping[Address, Because] = field(default_factory=dict)
    fdb: tuple[FdbEntry, ...] | None = None
    sysctls: Sysctls | None = None
    sockets: tuple[Socket, ...] | None = None
    tracked: tuple[TrackedConnection, ...] = ()
    rulesets: Mapping[int, Ruleset] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    sets: Mapping[str, IpSet] = field(default_factory=dict)
    nft: NftRuleset | None = None
    other_rulesets: Mapping[int, Ruleset] = field(default_factory=dict)
    pods: Mapping[str, ObservedSpace] = field(default_factory=dict)
    shut: tuple[str, ...] = ()
    cables: Mapping[End, End] = field(default_factory=dict)
    is_whole: bool = False
    unseen: tuple[str, ...] = ()
    half_seen: tuple[str, ...] = ()
    unread: tuple[Unread, ...] = ()

    @property
    def devices(self) -> tuple[Interface, ...] | None:
        return self.interfaces

    def has_chain(self, name: str) -> bool:
        return any(name in table.chains for rules in self.rulesets.values() for table in rules)

    def with_rules(
        self, rules: Mapping[int, Ruleset], sets: Mapping[str, IpSet], nft: NftRuleset | None
    ) -> ObservedNode:
        return replace(
            self,
            rulesets={**self.rulesets, **rules},
            sets={**sets, **self.sets},
            nft=nft or self.nft,
        )


def has_devices(observed: SeenNode) -> bool:
    """Whether the devices are there that seen routes lead to: not where they could not be read."""
    return observed.interfaces is not None or not observed.unread
