"""A network namespace and what stands in it, as `ip` and `bridge` show it."""

from __future__ import annotations

from collections.abc import Callable, Container, Hashable, Iterable, Iterator, Mapping
from dataclasses import field
from enum import Enum, StrEnum

from k8stui.because import Because
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.conntrack import TrackedConnection
from k8stui.kernel.ipset import IpSet
from k8stui.kernel.nft_ruleset import NftRuleset, NftTable
from k8stui.kernel.packet import Packet, Protocol
from k8stui.kernel.rules import Chain, Ruleset
from k8stui.record import record


class LinkKind(StrEnum):
    """What a device is."""

    LOOPBACK = "loopback"
    VETH = "veth"
    """One end of a pair; also stands for any cable between two namespaces."""
    BRIDGE = "bridge"
    VXLAN = "vxlan"
    IPIP = "ipip"
    DUMMY = "dummy"
    OTHER = "other"
    """What is not modelled, tunnels first of all: `Interface.driver` says what it is."""


class Scope(StrEnum):
    """Address scope (rtnetlink(7)): only `global` ones are picked by MASQUERADE first."""

    GLOBAL = "global"
    LINK = "link"
    HOST = "host"


@record(kw_only=True)
class InterfaceAddress:
    """One line of ``ip addr``: the address with its prefix length."""

    address: Address
    prefix_length: int
    scope: Scope = Scope.GLOBAL
    broadcast: Address | None = None
    secondary: bool = False
    reason: Because | None = field(default=None, compare=False)

    @property
    def network(self) -> Prefix:
        return Prefix.of(self.address, self.prefix_length)


@record(kw_only=True)
class BridgePort:
    """What ``bridge -d link`` says of a port."""

    hairpin: bool = False
    isolated: bool = False
    learning: bool = True
    flood: bool = True
    forwarding: bool = True
    """STP state forwarding; False while listening or blocking."""


@record(kw_only=True)
class Vxlan:
    """Parameters of a vxlan device."""

    vni: int
    local: Address
    port: int = 8472
    device: str = "eth0"
    learning: bool = False
    """It keeps from which node a MAC address came."""


@record(kw_only=True)
class Ipip:
    """Parameters of an ipip device; None for an address: any."""

    local: Address | None = None
    remote: Address | None = None
    ttl_hops: int = 0
    """Of the outer packet; 0: that of the inner one."""


@record(kw_only=True)
class Interface:
    """A network device in one namespace."""

    name: str
    kind: LinkKind
    mac: str = "00:00:00:00:00:00"
    mtu_bytes: int = 1500
    up: bool = True
    carrier: bool = True
    addresses: tuple[InterfaceAddress, ...] = ()
    master: str | None = None
    """Name of the bridge that this device is a port of."""
    peer: tuple[str, str] | None = None
    """(namespace, device) at the other end of a veth or cable."""
    port: BridgePort | None = None
    """Set when `master` is."""
    vxlan: Vxlan | None = None
    ipip: Ipip | None = None
    driver: str = ""
    """For another kind: what ``ip -d link`` calls it (``gre``); empty: nothing tells its kind."""
    program_in: str = ""
    """The eBPF program that has whatever comes in, before all else (XDP, tc ingress): what it does
    is not modelled. Empty: there is none."""
    program_out: str = ""
    """The same for what leaves by it (tc egress)."""
    reason: Because | None = field(default=None, compare=False)


class RouteType(StrEnum):
    """Route types of ip-route(8)."""

    UNICAST = "unicast"
    LOCAL = "local"
    BROADCAST = "broadcast"
    BLACKHOLE = "blackhole"
    UNREACHABLE = "unreachable"
    PROHIBIT = "prohibit"
    THROW = "throw"


@record(kw_only=True)
class Route:
    """One line of ``ip route show table all``."""

    destination: Prefix
    device: str | None = None
    gateway: Address | None = None
    source: Address | None = None
    """``src``: the address that a local socket takes. MASQUERADE ignores it."""
    type: RouteType = RouteType.UNICAST
    scope: str = "global"
    table: str = "main"
    protocol: str | None = None
    metric: int = 0
    onlink: bool = False
    mtu_bytes: int = 0
    """What it takes, whatever its device does; 0: what that takes."""
    mtu_locked: bool = False
    """``mtu lock``: nothing that is told of the path changes it."""
    encap: str = ""
    """What it puts around packets, as ``ip route`` prints it; it is not modelled."""
    hops: tuple[Route, ...] = ()
    """Several next hops, each as a route of its own: a hash chooses (fib_select_multipath)."""
    weight: int = 0
    """Of one of several next hops; 0: it is none."""
    reason: Because | None = field(default=None, compare=False)


class RuleAction(StrEnum):
    """What a policy rule does (include/uapi/linux/fib_rules.h)."""

    TABLE = "lookup"
    GOTO = "goto"
    NOP = "nop"
    BLACKHOLE = "blackhole"
    UNREACHABLE = "unreachable"
    PROHIBIT = "prohibit"


@record(kw_only=True)
class PolicyRule:
    """One line of ``ip rule``."""

    priority: int
    table: str
    source: Prefix | None = None
    destination: Prefix | None = None
    mark: int | None = None
    mark_mask: int = 0xFFFFFFFF
    iif: str | None = None
    oif: str | None = None
    """Matches only who asks for a way out of that device: a socket bound to it."""
    inverted: bool = False
    """``not``."""
    action: RuleAction = RuleAction.TABLE
    goto: int | None = None
    """The priority at which it goes on, of `RuleAction.GOTO`."""
    suppress_prefix_length: int | None = None
    """A route of at most so many bits does not count (fib4_rule_suppress)."""
    protocol: int | None = None
    """``ipproto``."""
    source_ports: tuple[int, int] | None = None
    """First and last."""
    destination_ports: tuple[int, int] | None = None
    users: tuple[int, int] | None = None
    """``uidrange``: of whom the socket is that sends; what is passed on counts as root's."""
    unheard: str = ""
    """Selectors that are not evaluated, as they are printed."""
    version: int | None = None
    """Of which family it is; None: each has one like it."""
    reason: Because | None = field(default=None, compare=False)


DEFAULT_POLICY_RULES = (
    PolicyRule(priority=0, table="local"),
    PolicyRule(priority=32766, table="main"),
    PolicyRule(priority=32767, table="default"),
)


@record(kw_only=True)
class Neighbour:
    """A resolved line of ``ip neigh``."""

    address: Address
    device: str
    mac: str
    reason: Because | None = field(default=None, compare=False)


@record(kw_only=True)
class FdbEntry:
    """A line of ``bridge fdb show``."""

    mac: str
    device: str
    """The port (or the bridge itself, or a vxlan device)."""
    permanent: bool = False
    destination: Address | None = None
    """Remote VTEP, for a vxlan device."""
    reason: Because | None = field(default=None, compare=False)


@record(kw_only=True)
class GoesOn:
    """How a proxy connects on to where a connection was meant to go before it was turned to it."""

    uid: int
    """As which user."""
    own_source: Address | None = None
    """Its own source where that is an address of this very namespace; None: the route decides."""


@record(kw_only=True)
class Socket:
    """A listening socket."""

    protocol: Protocol
    port: int | None
    """None: every port answers (used where nothing is known of a host)."""
    address: Address | None = None
    """None: bound to 0.0.0.0 and ::."""
    version: int | None = None
    """Bound to all addresses of this family only: 4, as 0.0.0.0 is (ip(7)), or 6 (IPV6_V6ONLY)."""
    but_not: frozenset[Address] = frozenset()
    """Bound to none: addresses at which it does not listen all the same."""
    not_on_loopback: frozenset[int] = frozenset()
    """Every port: those of them on which nobody listens for the loopback network."""
    but_not_ports: Container[int] = field(default=(), compare=False)
    """On every port: those on which it does not listen all the same."""
    answers_as_asked: bool = False
    """UDP: answers from the address that was asked (IP_PKTINFO), as name servers do; without it
    a socket bound to no address answers from the one that the way back prefers (udp(7))."""
    answers: bool = True
    """UDP: whether the program says anything to what it takes."""
    onward: tuple[Address, int] | None = None
    """For a process that passes on what it takes: whom it connects to, on its own."""
    goes_on: GoesOn | None = None
    """For a proxy that asks what a connection was meant for (SO_ORIGINAL_DST), and goes there."""
    owner: str = ""
    """Who listens, in words: a container's name, a process."""
    reason: Because | None = field(default=None, compare=False)


class TakesAt(Enum):
    """Where an engine takes packets."""

    BEFORE_ROUTING = "before routing"
    """With NAT of the destination, in PREROUTING and OUTPUT."""
    AS_IPVS = "as ipvs"
    """In INPUT between filter and SNAT, in OUTPUT behind DNAT (net/netfilter/ipvs/ip_vs_core.c
    ip_vs_ops4): what is to be taken has to be an address of this namespace."""


@record(kw_only=True)
class Unmodelled:
    """An engine that takes packets and is not modelled.

    A packet for what it takes goes an unknown way; any other is none of its business.
    """

    name: str
    """In words: ``kube-proxy in mode ipvs``."""
    addresses: Mapping[Address, Because] = field(default_factory=dict)
    """Packets to one of these are taken; with the reason."""
    only: Mapping[Address, frozenset[tuple[Protocol, int]]] = field(default_factory=dict)
    """Of some of them these ports alone: the rest is delivered as ever."""
    ports: Mapping[tuple[Protocol, int], Because] = field(default_factory=dict)
    """And those to a port at any address of the namespace's own."""
    takes_at: TakesAt = TakesAt.BEFORE_ROUTING


@record(kw_only=True)
class Judged:
    """What a judge says of a packet."""

    passes: bool | None
    """None: it cannot be known."""
    text: str
    """In one sentence."""
    reason: Because
    reject: str | None = None
    """``--reject-with``, when the sender is told; else it is dropped in silence."""


class JudgesAt(Enum):
    """Where a judge meets packets: NAT of the destination is over, that of the source is not."""

    DEVICES = "the devices"
    """When a packet has come in, and again before it leaves: a program on devices, or a switch of
    its own. A bridge that passes frames on has it too, whatever br_netfilter does."""
    POSTROUTING = "postrouting"
    """Once, before it leaves: a queue in POSTROUTING."""


@record(kw_only=True)
class Judge:
    """A program that decides about packets by rules that are not netfilter's.

    Of a connection it judges the first packet; all that belongs to it passes.
    """

    name: str
    says: Callable[[Packet, bool], Iterable[Judged]] = field(compare=False)
    """Asked with a packet that goes through, and whether it has just come in (DEVICES); what it has
    to say of it, until something does not pass. What the namespace itself sends or receives is
    not asked about."""
    at: JudgesAt
    about: Callable[[Address], Hashable] = field(compare=False)
    """All by which it can tell an address from others."""


@record(kw_only=True)
class Sysctls:
    """What decides about packets. Defaults are the kernel's (docs/facts/outcomes.md)."""

    ip_forward: bool = False
    bridge_nf_call_iptables: bool = True
    rp_filter: Mapping[str, int] = field(default_factory=dict)
    """By device, with "all" and "default": effective is the larger of all and the device's."""
    route_localnet: Mapping[str, bool] = field(default_factory=dict)
    src_valid_mark: Mapping[str, bool] = field(default_factory=dict)
    """By device as above: rp_filter looks up with the packet's mark, else with mark 0."""
    proxy_arp: Mapping[str, bool] = field(default_factory=dict)
    """By device, with "all": it answers for what it routes elsewhere (arp.c arp_fwd_proxy)."""
    proxy_arp_pvlan: Mapping[str, bool] = field(default_factory=dict)
    """The same for what it routes back out of that device (arp_fwd_pvlan)."""
    arp_filter: Mapping[str, bool] = field(default_factory=dict)
    """It answers only if it would send back to who asks by that device (arp.c arp_filter)."""
    accept_local: Mapping[str, bool] = field(default_factory=dict)
    """By device, with "all": a source that is an address of this namespace may come in."""
    forwarding: Mapping[str, bool] = field(default_factory=dict)
    """By device, where it is not `ip_forward` for all: whether what came in there goes on."""
    ipv6_forwarding: bool | None = None
    """net.ipv6.conf.all.forwarding, which alone counts (ip6_output.c ip6_forward); None: as
    `ip_forward`."""
    arp_ignore: Mapping[str, int] = field(default_factory=dict)
    """By device, with "all" (the larger counts): for which addresses of its own it answers."""
    multipath_hash: int = 0
    """fib_multipath_hash_policy: what chooses among several next hops. 0: the addresses, 1: the
    ports too, 2: as 0 (of what a tunnel carries), 3: `multipath_fields`."""
    multipath_hash_ipv6: int = 0
    multipath_fields: int = 0x7
    """fib_multipath_hash_fields (include/net/ip_fib.h FIB_MULTIPATH_HASH_FIELD_*)."""
    nf_conntrack_tcp_be_liberal: bool = False
    nf_conntrack_count: int = 0
    nf_conntrack_max: int = 0
    """0: nobody has seen it. Entries that stand, and that may; a walk does not run out of them."""
    ip_default_ttl: int = 64
    tcp_syn_retries: int = 6
    tcp_syn_linear_timeouts: int = 4
    reasons: Mapping[str, Because] = field(default_factory=dict)
    """By name (``net.ipv4.ip_forward``): where it is said, of those that are."""


@record(kw_only=True)
class Stranger:
    """Rules that were written for other devices than those that stand here."""

    patterns: frozenset[str]
    """Devices as ``-i`` and ``-o`` name them, of which there is none here."""
    invented: frozenset[str]
    """Devices here that may be them: nobody has seen these."""
    said: str
    """The contradiction in one sentence."""


@record(kw_only=True)
class RulesCut:
    """How far the rules that were seen of a namespace go."""

    words: str
    tables: tuple[str, ...] = ()
    """Those that were not shown."""
    legacy: bool = False
    """iptables-nft's were shown, and legacy tables are beside them."""


def _of_nftables(table: NftTable, name: str) -> Chain | None:
    if not name.startswith("@"):
        found = table.chains.get(name)
        return found.chain if found is not None else None
    held = table.sets.get(name.removeprefix("@"))
    return held.chain if held is not None else None


@record(kw_only=True, weakref_slot=True)
class NetNamespace:
    """One network namespace at rest: what a packet finds when it gets there."""

    name: str
    machine: str = ""
    """Of the namespace of the machine that it is part of; empty: it is one of its own."""
    interfaces: tuple[Interface, ...] = ()
    routes: tuple[Route, ...] = ()
    """All tables; what the kernel adds for each address (local, broadcast, connected) included."""
    policy_rules: tuple[PolicyRule, ...] = DEFAULT_POLICY_RULES
    neighbours: tuple[Neighbour, ...] = ()
    fdb: tuple[FdbEntry, ...] = ()
    rulesets: Mapping[int, Ruleset] = field(default_factory=dict)
    """By IP version: 4 → iptables, 6 → ip6tables."""
    other_rulesets: Mapping[int, Ruleset] = field(default_factory=dict)
    """Those of iptables' other back end, where both have rules: every packet meets both."""
    nft: NftRuleset | None = None
    """Tables of nftables' own."""
    sets: Mapping[str, IpSet] = field(default_factory=dict)
    """ipsets by name, as far as they are known."""
    sysctls: Sysctls = field(default_factory=Sysctls)
    sockets: tuple[Socket, ...] = ()
    tracked: tuple[TrackedConnection, ...] = ()
    """Connections that conntrack knows before anybody asks."""
    unmodelled: tuple[Unmodelled, ...] = ()
    judges: tuple[Judge, ...] = ()
    stranger: Stranger | None = None
    absent: Mapping[Address, str] = field(default_factory=dict)
    """Whom one would look for here and who was not found, in words."""
    rules_cut: RulesCut | None = None
    """Why `rulesets` may not be all that stands there; None: nothing says so."""
    standing: object = field(default=None, init=False, repr=False, compare=False)
    """What `k8stui.kernel.host` keeps of it between walks. Here, so that it goes with it."""

    def every_ruleset(self, family: int | None = None) -> Iterator[Ruleset]:
        """All rules that stand here, of both back ends; `family`: of this one alone."""
        for rulesets in (self.rulesets, self.other_rulesets):
            for version, ruleset in rulesets.items():
                if family in (None, version):
                    yield ruleset

    def chain(self, version: int, table: str, name: str) -> Chain | None:
        """A chain that packets of the IP version meet, by the table's name as steps have it.

        A table of nftables' own is called by its family too, and a set of it ``@NAME``: its
        elements are the rules.
        """
        if " " not in table:
            found = self.rulesets.get(version)
            return found.chain(table, name) if found is not None else None
        for one in self.nft.tables if self.nft is not None else ():
            if table == one.called and version in one.versions:
                return _of_nftables(one, name)
        return None

    def chains(self, version: int) -> Iterator[tuple[str, str]]:
        """Table and name of all that `chain` finds, nat first: most look for that."""
        ruleset = self.rulesets.get(version) or Ruleset()
        for table in sorted(ruleset, key=lambda one: one.name != "nat"):
            yield from ((table.name, name) for name in table.chains)
        for one in self.nft.tables if self.nft is not None else ():
            if version in one.versions:
                yield from ((one.called, name) for name in one.chains)
                yield from ((one.called, f"@{name}") for name in one.sets)

    def shares_kernel(self, other: NetNamespace) -> bool:
        """Whether both are namespaces of one machine."""
        return (self.machine or self.name) == (other.machine or other.name)

    def interface(self, name: str) -> Interface | None:
        for interface in self.interfaces:
            if interface.name == name:
                return interface
        return None

    def devices_with(self, addresses: Container[Address]) -> Iterator[Interface]:
        """Those that have one of the addresses."""
        for device in self.interfaces:
            if any(one.address in addresses for one in device.addresses):
                yield device


Network = Mapping[str, NetNamespace]
"""All namespaces by name. May be lazy: built when a packet gets there."""
