"""One collected namespace: each part is read from its section when somebody asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from types import MappingProxyType
from typing import TypeVar

from k8stui.because import Because
from k8stui.errors import K8sTuiError
from k8stui.kernel import iproute_json, ipset, save
from k8stui.kernel.address import Address
from k8stui.kernel.conntrack import TrackedConnection
from k8stui.kernel.ipset import IpSet
from k8stui.kernel.namespace import (
    DEFAULT_POLICY_RULES,
    FdbEntry,
    Interface,
    Neighbour,
    PolicyRule,
    Route,
    Socket,
    Sysctls,
)
from k8stui.kernel.nft.compatible import own
from k8stui.kernel.nft_ruleset import NftRuleset
from k8stui.kernel.rules import Ruleset
from k8stui.nodes.observed import Unread
from k8stui.nodes.state import printed
from k8stui.nodes.state.listening import parse_sockets
from k8stui.nodes.state.nftables import parse_nft, parse_nft_json
from k8stui.nodes.state.parsing import (
    as_one,
    parse_failed,
    parse_fdb,
    parse_interfaces,
    parse_neighbours,
    parse_policy_rules,
    parse_routes,
    parse_ruleset,
    parse_tracked,
)
from k8stui.nodes.state.programs import Programs, parse_programs, with_programs
from k8stui.nodes.state.settings import parse_sysctls
from k8stui.nodes.state.stream import Section
from k8stui.record import record

_T = TypeVar("_T")
_NONE: Mapping[str, Section] = MappingProxyType({})

_SAVES = {
    4: ("iptables-nft-save", "iptables-legacy-save", "iptables-save"),
    6: ("ip6tables-nft-save", "ip6tables-legacy-save", "ip6tables-save"),
}
_ADDRESSES = ("ip -j -d addr show", "ip -j addr show", "ip -d addr show", "ip addr show")
_ROUTES = {
    4: ("ip -j -4 route show table all", "ip -4 route show table all"),
    6: ("ip -j -6 route show table all", "ip -6 route show table all"),
    None: ("ip -j route show table all", "ip route show table all"),
}
_RULES = {
    4: ("ip -j -4 rule show", "ip -4 rule show"),
    6: ("ip -j -6 rule show", "ip -6 rule show"),
}
_NEIGHBOURS = ("ip -j neigh show", "ip neigh show")
_FDB = ("bridge -j fdb show", "bridge fdb show")
_PORTS = ("bridge -j -d link show", "bridge -j -d link")
_TRACKED = ("conntrack -L -o extended", "conntrack -L")
_SOCKETS = ("ss -Hltnu", "ss -tunlp4", "ss -tunlp6")
_NFT = ("nft -j list ruleset",)
_NFT_TEXT = ("nft list ruleset",)
_BPF = ("bpftool -j net show",)
_BUSYBOX = "BusyBox's ip"
_PARTIAL = (("BusyBox", _BUSYBOX), ("KubeSkoop", "KubeSkoop's collector"))
_PARTS = (
    "interfaces", "names", "routes", "policy_rules", "neighbours", "fdb", "sysctls", "sockets",
    "tracked", "rulesets", "sets", "nft",
)  # fmt: skip
"""What is read of sections."""


@record()
class Link:
    """How a device says what is at the other end of it."""

    name: str
    index: int
    """ifindex: unique in its namespace."""
    far: int | None
    """The other end's, there; None: no other end is told."""
    far_name: str | None
    """Its name where both are in one namespace."""
    far_namespace: int | None
    """By which number this namespace knows the other one."""


class CollectedSpace:
    """What the sections say of one namespace; None and empty: nothing."""

    def __init__(self, name: str, sections: Mapping[str, Section] = _NONE) -> None:
        self.name = name
        self._sections = sections
        self._unread: dict[str, Unread] = {}
        """By command."""

    @property
    def sections(self) -> Mapping[str, Section]:
        """By command."""
        return self._sections

    def _section(self, command: str) -> Section | None:
        """That of one command, without more of the file than it needs."""
        return self.sections.get(command)

    @cached_property
    def devices(self) -> tuple[Interface, ...] | None:
        return self._read(self._one(_ADDRESSES), parse_interfaces)

    @cached_property
    def interfaces(self) -> tuple[Interface, ...] | None:
        found = self.devices
        return found if found is None else tuple(with_programs(found, self._programs))

    @cached_property
    def _programs(self) -> Programs | None:
        return self._read(self._one(_BPF), lambda text, _: parse_programs(text))

    @cached_property
    def _leaves_out(self) -> str:
        """Who does not show all of a rule; empty: nobody. Each says so where JSON is asked for."""
        asked = (self._section(one) for one in (_ADDRESSES[0], _RULES[4][0], _RULES[6][0]))
        failures = [one.failure for one in asked if one is not None]
        return next((who for sign, who in _PARTIAL if any(sign in one for one in failures)), "")

    @cached_property
    def links(self) -> tuple[Link, ...]:
        """The devices, as far as cables are concerned.

        BusyBox's ``ip`` looks other ends up among this namespace's own devices, wherever they are
        (networking/libiproute/ipaddress.c print_linkinfo).
        """
        if self._leaves_out == _BUSYBOX:
            return ()
        section = self._one(_ADDRESSES)
        records = self._read(section, lambda text, _: printed.records(text, "ip addr")) or ()
        return tuple(_link(one) for one in records)

    @cached_property
    def names(self) -> Mapping[int, str]:
        """Other namespaces' names by the numbers by which this one knows them."""
        section = self._one(("ip -j netns list-id",))
        records = self._read(section, lambda text, _: iproute_json.load(text, "ip netns list-id"))
        return {
            nsid: name
            for one in records or ()
            if isinstance(nsid := one.get("nsid"), int) and isinstance(name := one.get("name"), str)
        }

    @cached_property
    def routes(self) -> tuple[Route, ...] | None:
        found = None
        for version, commands in _ROUTES.items():
            if version is None and found is not None:
                break  # what one family's commands show is not asked for again
            section = self._one(commands)
            read = self._read(section, partial(parse_routes, version=version))
            if read is not None:
                found = (*(found or ()), *read)
        # One family's alone are not all of them.
        return None if self._is_unread(*_ROUTES.values()) else found

    @cached_property
    def policy_rules(self) -> tuple[PolicyRule, ...] | None:
        """As ``ip rule`` shows them, both families'."""
        found: dict[int, tuple[PolicyRule, ...]] = {}
        for version, commands in _RULES.items():
            read = self._read(self._one(commands), partial(parse_policy_rules, version=version))
            if read is not None:
                found[version] = read
        return as_one(found) if found else None

    @cached_property
    def neighbours(self) -> tuple[Neighbour, ...] | None:
        return self._read(self._one(_NEIGHBOURS), parse_neighbours)

    @cached_property
    def failed(self) -> Mapping[Address, Because]:
        """Neighbours that did not answer."""
        return self._read(self._one(_NEIGHBOURS), parse_failed) or {}

    @cached_property
    def fdb(self) -> tuple[FdbEntry, ...] | None:
        return self._read(self._one(_FDB), parse_fdb)

    @cached_property
    def sysctls(self) -> Sysctls | None:
        return self._read(self._one(("sysctl",)), parse_sysctls)

    @cached_property
    def sockets(self) -> tuple[Socket, ...] | None:
        """Listening ones."""
        found = None
        for section in self._all(_SOCKETS):
            found = (*(found or ()), *(self._read(section, parse_sockets) or ()))
        return None if self._is_unread(_SOCKETS) else found

    @cached_property
    def tracked(self) -> tuple[TrackedConnection, ...]:
        """What conntrack knows."""
        return self._read(self._one(_TRACKED), parse_tracked) or ()

    @cached_property
    def rulesets(self) -> Mapping[int, Ruleset]:
        """Rules of iptables by IP version: those of the first back end that has any.

        Where only nft could be asked, iptables has none of its own.
        """
        found = {version: read[0] for version, read in self._saves.items() if read}
        if (
            not found
            and not self._is_unread(*_SAVES.values())
            and (self._one(_NFT) or self._one(_NFT_TEXT)) is not None
        ):
            return dict.fromkeys(_SAVES, Ruleset())
        return found

    def has_chain(self, name: str) -> bool:
        """Whether iptables has a chain of that name: its line is looked for, nothing is parsed."""
        if "rulesets" in self.__dict__:
            return any(name in table.chains for rules in self.rulesets.values() for table in rules)
        texts = (one.text for commands in _SAVES.values() for one in self._all(commands))
        return any(f"\n:{name} " in text or f"\n-N {name}\n" in text for text in texts)

    @property
    def other_rulesets(self) -> Mapping[int, Ruleset]:
        """Those of the other back end, where both have some."""
        return {
            version: read[1]
            for version, read in self._saves.items()
            if len(read) > 1 and read[1].tables
        }

    @cached_property
    def _saves(self) -> Mapping[int, Sequence[Ruleset]]:
        """What each back end printed, those with rules first."""
        found = {}
        for version, commands in _SAVES.items():
            read = [
                ruleset
                for section in self._all(commands)
                if (ruleset := self._read(section, parse_ruleset)) is not None
            ]
            found[version] = sorted(read, key=lambda ruleset: not ruleset.tables)
            # Rules that cannot be read are not none at all, though the other back end has none.
            if self._is_unread(commands):
                found[version] = [ruleset for ruleset in found[version] if ruleset.tables]
        return found

    @cached_property
    def sets(self) -> Mapping[str, IpSet]:
        section = self._one(("ipset save",))
        return self._read(section, lambda text, _: ipset.parse(text)) or {}

    @cached_property
    def nft(self) -> NftRuleset | None:
        """Tables of nftables' own; all of them where iptables could not be asked for its."""
        # The text has what JSON leaves out.
        said = self._one(_NFT_TEXT)
        found = self._read(said, parse_nft)
        if said is None and (listed := self._one(_NFT)) is not None:
            found = self._read(listed, parse_nft_json)
        return found if found is None or not any(self._saves.values()) else own(found)

    @property
    def unseen(self) -> tuple[str, ...]:
        """What was asked for and not shown, each with what the command said."""
        parts = (
            ("its rules", _SAVES[4], self.rulesets or None),
            ("its devices", _ADDRESSES, self.interfaces),
            ("its routes", _ROUTES[4], self.routes),
            ("its settings", ("sysctl",), self.sysctls),
        )
        missing = tuple(
            f"{name} ({self._why(commands)})"
            for name, commands, said in parts
            if said is None and not self._is_unread(commands)
        )
        return (*missing, *map(str, self._all_unread()))

    @cached_property
    def half_seen(self) -> tuple[str, ...]:
        """What BusyBox's ``ip`` and KubeSkoop's collector leave out of rules.

        networking/libiproute/iprule.c print_rule; pkg/skoop/netstack/route.go Rule. The rules that
        the kernel makes have nothing to leave out.
        """
        rules = self.policy_rules or ()
        own = {rule.priority for rule in DEFAULT_POLICY_RULES}
        more = dict.fromkeys(str(one.priority) for one in rules if one.priority not in own)
        if not self._leaves_out or not more:
            return ()
        said = (
            f"{self._leaves_out} does not show all of its ip rule {', '.join(more)} (not, ipproto, "
            "ports, uidrange and what is no table it leaves out, BusyBox also oif): taken as "
            "shown. Run ip -j rule of iproute2 there"
        )
        return (said,)

    @property
    def unread(self) -> tuple[Unread, ...]:
        return tuple(self._unread.values())

    def _all_unread(self) -> tuple[Unread, ...]:
        """Every section of this namespace that cannot be read: for that each is."""
        for name in _PARTS:
            getattr(self, name)
        return tuple(self._unread.values())

    def _why(self, commands: Sequence[str]) -> str:
        asked = [self.sections[one] for one in commands if one in self.sections]
        if not asked:
            return f"{commands[0]} was not asked"
        return f"{asked[-1].command}: {asked[-1].failure or 'nothing'}"

    @cached_property
    def remarks(self) -> tuple[str, ...]:
        """What iptables-save itself says that it does not show."""
        _ = self.rulesets
        sections = [s for commands in _SAVES.values() for s in self._all(commands)]
        return tuple(
            said
            for one in sections
            if one.command not in self._unread
            for _, said in save.remarks(one.text)
        )

    def _is_unread(self, *groups: Sequence[str]) -> bool:
        """Whether a section of one of these commands is known not to be readable."""
        return any(one in self._unread for commands in groups for one in commands)

    def _one(self, commands: Sequence[str]) -> Section | None:
        return next(iter(self._all(commands)), None)

    def _all(self, commands: Sequence[str]) -> Iterator[Section]:
        """The sections of these commands that did not fail."""
        for command in commands:
            section = self._section(command)
            if section is not None and not section.failure:
                yield section

    def _read(self, section: Section | None, parse: Callable[[str, str], _T]) -> _T | None:
        """What `parse` makes of a section; None where that cannot be read, which `_unread` says."""
        if section is None or section.command in self._unread:
            return None
        try:
            # What is no text was read as surrogates (PEP 383).
            if not section.text.isascii():
                section.text.encode()
            return parse(section.placed, section.file)
        except UnicodeEncodeError as error:
            line = section.line + error.object.count("\n", 0, error.start)
            message = "it is not text (UTF-8)"
        except K8sTuiError as error:
            told = getattr(error, "line_number", None) or getattr(error, "line", None)
            line = told if isinstance(told, int) else section.line
            message = getattr(error, "message", None) or str(error)
        self._unread[section.command] = Unread(
            file=section.file, line=line, message=message, command=section.command
        )
        return None


def _link(record: iproute_json.Json) -> Link:
    """What a record of ``ip -j -d addr`` says of the other end (ip/ipaddress.c print_linkinfo)."""
    far = record.get("link_index")
    nsid = record.get("link_netnsid")
    name = record.get("link")
    return Link(
        name=iproute_json.text_of(record, "ifname"),
        index=iproute_json.number_of(record, "ifindex", 0, 2**31),
        far=far if isinstance(far, int) else None,
        far_name=name if isinstance(name, str) else None,
        far_namespace=nsid if isinstance(nsid, int) else None,
    )
