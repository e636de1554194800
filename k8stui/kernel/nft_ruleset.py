"""What ``nft list ruleset`` shows of one namespace: tables, chains, sets, maps (nft(8)).

A rule is its text, and an element too, as in `kernel.rules`: what they say is compiled when a
packet first gets there (`kernel.nft.compile`), so that a ruleset of 100,000 rules costs no more
than its lines until somebody walks it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import field

from k8stui.because import Because
from k8stui.kernel.address import Address
from k8stui.kernel.rules import Chain, Rule
from k8stui.record import record

BRIDGE, ARP = 7, 3
"""Families whose hooks are not those of IP (include/uapi/linux/netfilter.h NFPROTO_BRIDGE …)."""
BOUND = "__chain"
"""So begin the names that the kernel gives to chains without one, which a rule jumps to and nft
prints there: ``jump { … }`` (net/netfilter/nf_tables_api.c nf_tables_addchain)."""
FAMILY_OF = {4: "ip", 6: "ip6"}
"""By IP version, as nft writes it."""
_VERSIONS = {"ip": (4,), "ip6": (6,), "inet": (4, 6), "netdev": (4, 6)}
_FAMILIES = {**_VERSIONS, "bridge": (BRIDGE,), "arp": (ARP,)}


@record(kw_only=True)
class Base:
    """Where a base chain stands."""

    type: str
    """``filter``, ``nat`` or ``route``."""
    hook: str
    """``prerouting`` …"""
    priority: int
    named: str = field(default="", compare=False)
    """The name that a listing says it by: newer versions of nft name it at more hooks."""
    policy: str = "accept"
    devices: tuple[str, ...] = ()
    """Of an ``ingress`` or ``egress`` hook."""
    is_quoted: bool = field(default=True, compare=False)
    """Whether they stand in quotation marks: of several, older versions of nft leave these away."""


@record(kw_only=True, eq=False)
class NftChain:
    """A chain: its rules are those of `chain`, each with the text that nft prints."""

    chain: Chain
    base: Base | None = None
    comment: str = ""

    @property
    def name(self) -> str:
        return self.chain.name

    @property
    def does_something(self) -> bool:
        return self.base is not None and (self.base.policy == "drop" or bool(len(self.chain.rules)))


@record()
class Element:
    """An element of a set or a map, as printed: ``10.96.0.1 . tcp . 443 : goto service-…``."""

    text: str
    reason: Because | None = field(default=None, compare=False)


class Asked(ABC):
    """Elements that know which of them stands at a key, without making all."""

    __slots__ = ()

    @abstractmethod
    def at(self, fields: Sequence[Address | int | str], /) -> Element | None:
        """The element of that key, field by field as a packet has it."""

    @property
    @abstractmethod
    def named(self) -> Container[Address]:
        """Addresses that may stand in keys; no other one does."""

    @abstractmethod
    def about(self, address: Address, /) -> Sequence[Element]:
        """The elements that name an address, in whatever field of their keys."""


@record(kw_only=True, eq=False, weakref_slot=True)
class NftSet:
    """A set, or with `data` a map; its lines in the order in which nft prints them."""

    name: str
    key: str
    """``ipv4_addr . inet_service``, or with `is_typeof` ``ip saddr . tcp dport``."""
    data: str = ""
    """Of a map what its elements lead to: ``verdict``, ``ipv4_addr . inet_service`` …"""
    is_typeof: bool = False
    policy: str = ""
    size: int | None = None
    flags: tuple[str, ...] = ()
    statements: str = ""
    """What each element carries: ``counter``."""
    auto_merge: bool = False
    timeout: str = ""
    """As nft writes times: ``3h``, ``1m30s``."""
    gc_interval: str = ""
    comment: str = ""
    elements: Sequence[Element] = ()
    """May be a lazy sequence, and one that is `Asked`."""
    reason: Because | None = field(default=None, compare=False)

    @property
    def kind(self) -> str:
        return "map" if self.data else "set"

    @property
    def chain(self) -> Chain:
        """The set as a chain ``@NAME``: its elements are the rules."""
        rules = tuple(Rule(element.text, element.reason) for element in self.elements)
        return Chain(f"@{self.name}", rules, reason=self.reason)


@record()
class NftObject:
    """A named counter, quota, limit, helper, flow table …: its lines, as printed."""

    kind: str
    """``counter``, ``ct helper``, ``flowtable`` …"""
    name: str
    lines: tuple[str, ...] = ()


@record(kw_only=True, eq=False)
class NftTable:
    """A table. `chains` and `sets` may be lazy mappings, in printed order."""

    family: str
    """``ip``, ``ip6``, ``inet``, ``arp``, ``bridge`` or ``netdev``."""
    name: str
    chains: Mapping[str, NftChain] = field(default_factory=dict)
    sets: Mapping[str, NftSet] = field(default_factory=dict)
    """Sets and maps: they share their names (nft_set_lookup)."""
    objects: tuple[NftObject, ...] = ()
    flags: tuple[str, ...] = ()
    comment: str = ""
    warning: str = ""
    """The line before a table that iptables-nft made, as newer versions of nft print it."""
    program: str = ""
    """Which one owns it, as printed."""
    bases: tuple[str, ...] | None = None
    """Names of the base chains, so that a lazy mapping need not make all; None: not known."""

    @property
    def called(self) -> str:
        """As steps name it: ``ip kube-proxy``."""
        return f"{self.family} {self.name}"

    @property
    def versions(self) -> tuple[int, ...]:
        """IP versions whose packets it sees."""
        return () if "dormant" in self.flags else _VERSIONS.get(self.family, ())

    @property
    def families(self) -> tuple[int, ...]:
        """At whose hooks its base chains stand: IP versions, `BRIDGE`, `ARP`."""
        return () if "dormant" in self.flags else _FAMILIES.get(self.family, ())

    @property
    def base_chains(self) -> Iterator[NftChain]:
        """Those that stand at a hook."""
        if self.bases is not None:
            return (self.chains[name] for name in self.bases)
        return (chain for chain in self.chains.values() if chain.base is not None)


@record(eq=False)
class NftRuleset:
    """The tables of one namespace."""

    tables: tuple[NftTable, ...] = ()

    def base_chains(self, family: int) -> Iterator[tuple[NftTable, NftChain]]:
        """Those at whose hooks something is done."""
        for table in self.tables:
            if family in table.families:
                yield from ((table, one) for one in table.base_chains if one.does_something)
