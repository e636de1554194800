"""Routing decisions: policy rules, longest prefix, source addresses, martians, rp_filter.

After net/ipv4/fib_trie.c, fib_frontend.c (fib_validate_source) and route.c
(ip_route_input_slow, ip_route_output_key_hash_rcu); ip-rule(8), ip-route(8).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import NamedTuple

from k8stui.kernel.address import Address
from k8stui.kernel.namespace import (
    DEFAULT_POLICY_RULES,
    Interface,
    InterfaceAddress,
    LinkKind,
    NetNamespace,
    PolicyRule,
    Route,
    RouteType,
    Scope,
)
from k8stui.kernel.packet import Packet

_ERRNO = {
    RouteType.BLACKHOLE: "EINVAL",
    RouteType.UNREACHABLE: "EHOSTUNREACH",
    RouteType.PROHIBIT: "EACCES",
}
"""fib_props[].error (net/ipv4/fib_semantics.c)."""
NO_ROUTE = "ENETUNREACH"
_SCOPE = {"global": 0, "site": 200, "link": 253, "host": 254, "nowhere": 255}
LOOPBACK = "lo"


class Lookup(NamedTuple):
    """What the tables say of a destination."""

    route: Route | None
    error: str | None
    """errno when nothing leads there: ENETUNREACH, EHOSTUNREACH, EACCES, EINVAL."""


class Fate(Enum):
    """What becomes of a packet."""

    LOCAL = "local"
    FORWARD = "forward"
    BROADCAST = "broadcast"
    ERROR = "error"
    """The sender is told by ICMP (ip_error)."""
    MARTIAN_SOURCE = "martian source"
    MARTIAN_DESTINATION = "martian destination"
    RP_FILTER = "rp_filter"
    NO_FORWARDING = "ip_forward"


class Decision(NamedTuple):
    """Where a packet goes."""

    fate: Fate
    route: Route | None = None
    device: str = ""
    """Device to leave by; `lo` for local delivery."""
    next_hop: Address | None = None
    source: Address | None = None
    """Source address that a local socket takes."""
    error: str | None = None
    incoming: bool = False
    """Made for a packet that came in (an input route)."""


def is_loopback(address: Address) -> bool:
    """127.0.0.0/8 or ::1."""
    if address.version == 4:
        return address.value >> 24 == 127
    return address.value == 1


def is_multicast(address: Address) -> bool:
    """224.0.0.0/4 or ff00::/8."""
    if address.version == 4:
        return address.value >> 28 == 0xE
    return address.value >> 120 == 0xFF


def is_limited_broadcast(address: Address) -> bool:
    return address.version == 4 and address.value == 0xFFFFFFFF


def _is_link_local(address: Address) -> bool:
    return address.value >> 118 == 0x3FA  # fe80::/10


def is_zero(address: Address) -> bool:
    return address.value == 0


class _Table:
    """Routes of one table, by prefix length."""

    __slots__ = ("_by_length",)

    def __init__(self) -> None:
        self._by_length: dict[tuple[int, int], dict[int, list[Route]]] = {}

    def add(self, route: Route) -> None:
        address, length = route.destination
        level = self._by_length.setdefault((address.version, length), {})
        level.setdefault(address.value >> (address.bits - length), []).append(route)

    def routes(self, version: int) -> Iterator[Route]:
        """All of them for one IP version."""
        for (one, _), level in self._by_length.items():
            if one == version:
                for routes in level.values():
                    yield from routes

    def freeze(self) -> None:
        for level in self._by_length.values():
            for routes in level.values():
                routes.sort(key=lambda route: route.metric)
        self._by_length = dict(sorted(self._by_length.items(), reverse=True))

    def longest(self, address: Address, device: str | None) -> Route | None:
        bits = address.bits
        for (version, length), level in self._by_length.items():
            if version != address.version:
                continue
            for route in level.get(address.value >> (bits - length), ()):
                if device is None or route.device == device:
                    return route
        return None


class Routing:
    """The routing tables of one namespace, compiled for look-ups."""

    __slots__ = (
        "_custom_rules",
        "_interfaces",
        "_merged",
        "_namespace",
        "_own",
        "_rules",
        "_tables",
    )

    def __init__(self, namespace: NetNamespace, interfaces: Mapping[str, Interface]) -> None:
        self._namespace = namespace
        self._interfaces = interfaces
        self._rules = sorted(namespace.policy_rules, key=lambda rule: rule.priority)
        self._custom_rules = any(_is_selective(rule) for rule in self._rules)
        self._own = {one.address for device in namespace.interfaces for one in device.addresses}
        self._tables: dict[str, _Table] = {}
        for route in namespace.routes:
            # Taking a device down deletes its routes, but not what is `local`
            # (fib_sync_down_dev).
            device = interfaces.get(route.device) if route.device else None
            is_gone = route.device is not None and (device is None or not device.up)
            if is_gone and route.type is not RouteType.LOCAL:
                continue
            self._tables.setdefault(route.table, _Table()).add(route)
        self._merged = None if _has_own_rules(self._rules) else self._one_trie(4)
        for table in self._tables.values():
            table.freeze()

    def _one_trie(self, version: int) -> _Table:
        """Tables local and main, which are one for as long as nobody adds a rule.

        fib_trie.c fib_trie_table, fib_trie_unmerge: the longer prefix decides, and what local
        throws is not looked for in main. IPv6 has no such thing.
        """
        both = _Table()
        for name in ("local", "main"):
            table = self._tables.get(name)
            for route in table.routes(version) if table else ():
                both.add(route)
        both.freeze()
        return both

    def look_up(
        self,
        destination: Address,
        source: Address | None = None,
        mark: int = 0,
        incoming: str | None = None,
        device: str | None = None,
    ) -> Lookup:
        """Ask the rules in order, each table for its longest prefix (fib_lookup).

        `incoming` is the input device (None: `lo`, the node itself sends); `device` limits the
        answer to routes out of that device.
        """
        if self._merged is not None and destination.version == 4:
            return self._look_up_merged(self._merged, destination, device)
        for rule in self._rules:
            if self._custom_rules and not _rule_matches(rule, destination, source, mark, incoming):
                continue
            table = self._tables.get(rule.table)
            route = table.longest(destination, device) if table else None
            if route is None or route.type is RouteType.THROW:
                continue
            return Lookup(route, _ERRNO.get(route.type))
        return Lookup(None, NO_ROUTE)

    def _look_up_merged(self, both: _Table, destination: Address, device: str | None) -> Lookup:
        """What include/net/ip_fib.h fib_lookup does without rules: main, then default."""
        for table in (both, self._tables.get("default")):
            route = table.longest(destination, device) if table else None
            if route is not None and route.type is not RouteType.THROW:
                return Lookup(route, _ERRNO.get(route.type))
        return Lookup(None, NO_ROUTE)

    def address_type(self, address: Address, device: str | None = None) -> str:
        """``-m addrtype`` (net/ipv4/fib_frontend.c __inet_dev_addr_type)."""
        if is_limited_broadcast(address) or (address.version == 4 and address.value >> 24 == 0):
            return "BROADCAST"
        if is_multicast(address):
            return "MULTICAST"
        is_merged = self._merged is not None and address.version == 4
        table = self._merged if is_merged else self._tables.get("local")
        route = table.longest(address, device) if table else None
        if route is None or route.type in _ERRNO or route.type is RouteType.THROW:
            return "UNICAST"
        return route.type.value.upper()

    def is_local(self, address: Address) -> bool:
        return self.address_type(address) == "LOCAL"

    def localnet(self, device: str) -> bool:
        """Effective route_localnet: all or the device's (IN_DEV_NET_ROUTE_LOCALNET)."""
        setting = self._namespace.sysctls.route_localnet
        return bool(setting.get("all")) or bool(setting.get(device, setting.get("default")))

    def rp_filter(self, device: str) -> int:
        """Effective rp_filter: the larger of all and the device's (IN_DEV_RPFILTER)."""
        setting = self._namespace.sysctls.rp_filter
        return max(setting.get("all", 0), setting.get(device, setting.get("default", 0)))

    def _counts_mark(self, device: str) -> bool:
        """Effective src_valid_mark: all or the device's (IN_DEV_SRC_VMARK)."""
        setting = self._namespace.sysctls.src_valid_mark
        return bool(setting.get("all")) or bool(setting.get(device, setting.get("default")))

    def leads_back(
        self, packet: Packet, device: str | None, *, loose: bool, mark: bool, accept_local: bool
    ) -> bool:
        """``-m rpfilter``: whether the packet's source is routed back out of `device`.

        ipt_rpfilter.c and ip6t_rpfilter.c: what came over lo always is, the mark counts only with
        ``--validmark``, an address of this namespace only with ``--accept-local``.
        """
        source, destination = packet.src, packet.dst
        interface = self._interfaces.get(device or "")
        if interface is not None and interface.kind is LinkKind.LOOPBACK:
            return True
        if source.version == 4:
            if source.value >> 24 == 0 and (
                is_limited_broadcast(destination) or destination.value >> 8 == 0xE00000
            ):
                return True
        elif is_zero(source):
            return True
        asked: Address | None = destination
        if is_multicast(destination) or is_limited_broadcast(destination) or is_zero(destination):
            asked = None
        back, error = self.look_up(source, asked, packet.mark if mark else 0)
        if error or back is None:
            return False
        if back.type is RouteType.LOCAL:
            if not accept_local or source.version == 6:
                return accept_local
        elif back.type is not RouteType.UNICAST:
            return False
        return loose or back.device == device

    def incoming(
        self, destination: Address, source: Address, device: str, mark: int = 0
    ) -> Decision:
        """Decide about a packet that came in (ip_route_input_slow)."""
        if is_multicast(source) or is_limited_broadcast(source):
            return Decision(Fate.MARTIAN_SOURCE)
        if is_limited_broadcast(destination) or (is_zero(source) and is_zero(destination)):
            return Decision(Fate.BROADCAST, incoming=True)
        if is_zero(source):
            return Decision(Fate.MARTIAN_SOURCE)
        if is_zero(destination):
            return Decision(Fate.MARTIAN_DESTINATION)
        localnet = destination.version == 4 and self.localnet(device)
        if is_loopback(destination):
            if not localnet:
                return Decision(Fate.MARTIAN_DESTINATION)
        elif is_loopback(source) and not localnet:
            return Decision(Fate.MARTIAN_SOURCE)
        if is_multicast(destination):
            return Decision(Fate.BROADCAST, incoming=True)
        route, error = self.look_up(destination, source, mark, device)
        forwards = self._namespace.sysctls.ip_forward
        if error or route is None:
            if not forwards:
                return Decision(Fate.NO_FORWARDING, route)
            return Decision(Fate.ERROR, route, error=error, incoming=True)
        if route.type is RouteType.BROADCAST:
            return Decision(Fate.BROADCAST, route, incoming=True)
        if route.type is RouteType.LOCAL:
            bad = self._validate_source(source, destination, device, mark)
            return bad or Decision(Fate.LOCAL, route, LOOPBACK, incoming=True)
        if not forwards:
            return Decision(Fate.NO_FORWARDING, route)
        bad = self._validate_source(source, destination, device, mark)
        return bad or Decision(
            Fate.FORWARD,
            route,
            route.device or "",
            route.gateway or destination,
            incoming=True,
        )

    def _validate_source(
        self, source: Address, destination: Address, device: str, mark: int
    ) -> Decision | None:
        # fib_validate_source: without rp_filter only own addresses are refused. IPv6 has neither.
        if source.version == 6:
            return None
        strictness = self.rp_filter(device)
        if source in self._own:
            return Decision(Fate.MARTIAN_SOURCE)
        if not strictness:
            return None
        counted = mark if self._counts_mark(device) else 0
        back, error = self.look_up(source, destination, counted, device)
        if error or back is None:
            return Decision(Fate.RP_FILTER, back)
        if back.type is not RouteType.UNICAST:
            return Decision(Fate.MARTIAN_SOURCE, back)
        if strictness == 1 and back.device != device:
            return Decision(Fate.RP_FILTER, back)
        return None

    def outgoing(
        self, destination: Address, source: Address | None = None, mark: int = 0
    ) -> Decision:
        """Decide about a packet of the node's own, and its source address.

        ip_route_output_key_hash_rcu, __mkroute_output.
        """
        if is_zero(destination):
            destination = Address.parse("127.0.0.1" if destination.version == 4 else "::1")
        route, error = self.look_up(destination, source, mark)
        if error or route is None:
            return Decision(Fate.ERROR, route, error=error)
        if route.type is RouteType.LOCAL:
            own = source or route.source or destination
            return Decision(Fate.LOCAL, route, LOOPBACK, destination, own)
        device = route.device or ""
        if source and is_loopback(source) and not self.localnet(device):
            interface = self._interfaces.get(device)
            if interface is None or interface.kind is not LinkKind.LOOPBACK:
                return Decision(Fate.ERROR, route, error="EINVAL")
        chosen = source or route.source
        if chosen is None:
            towards = route.gateway
            if towards is None and destination.version == 6:
                # RFC 6724: among several addresses the one of the destination's network.
                towards = destination
            chosen = self._select(device, towards, _SCOPE[route.scope])
        is_broadcast = route.type is RouteType.BROADCAST or is_limited_broadcast(destination)
        fate = Fate.BROADCAST if is_broadcast else Fate.FORWARD
        return Decision(fate, route, device, route.gateway or destination, chosen)

    def masquerade_source(self, device: str, next_hop: Address | None) -> Address | None:
        """MASQUERADE's address (nf_nat_masquerade_ipv4; docs/facts/outcomes.md, section 7)."""
        version = next_hop.version if next_hop else 4
        return self._select(device, next_hop, _SCOPE["global"], version)

    def redirect_address(self, device: str, destination: Address) -> Address | None:
        """Where REDIRECT sends what came in by `device` (nf_nat_redirect_ipv4, _ipv6).

        The device's first address, for IPv6 the first of the destination's scope; None where it
        has none: no other device's stands in.
        """
        interface = self._interfaces.get(device)
        for one in interface.addresses if interface else ():
            address = one.address
            if address.version == destination.version and (
                address.version == 4 or _is_link_local(address) == _is_link_local(destination)
            ):
                return address
        return None

    def own_address(self, device: str, towards: Address) -> Address | None:
        """The sender address of an ARP request (arp_solicit: inet_select_addr, scope link)."""
        return self._select(device, towards, _SCOPE["link"])

    def _select(
        self, device: str, towards: Address | None, scope: int, version: int = 4
    ) -> Address | None:
        # inet_select_addr: the primary address that shares the subnet, else the device's first,
        # else the first of any device.
        version = towards.version if towards else version
        interface = self._interfaces.get(device)
        fallback: Address | None = None
        # With route_localnet an address of scope host counts as one of scope link.
        nearest = _SCOPE["link"] if self.localnet(device) else _SCOPE["host"]
        for one in _primaries(interface, version):
            if min(_SCOPE[one.scope.value], nearest) > scope:
                continue
            if towards is None or towards in one.network:
                return one.address
            fallback = fallback or one.address
        if fallback:
            return fallback
        for other in self._namespace.interfaces:
            for one in _primaries(other, version):
                if one.scope is not Scope.LINK and _SCOPE[one.scope.value] <= scope:
                    return one.address
        return None


def _primaries(interface: Interface | None, version: int) -> list[InterfaceAddress]:
    if interface is None:
        return []
    return [
        one for one in interface.addresses if not one.secondary and one.address.version == version
    ]


def _has_own_rules(rules: Iterable[PolicyRule]) -> bool:
    """Whether somebody has changed the rules that the kernel makes (fib4_rule_configure)."""
    return tuple(rules) != DEFAULT_POLICY_RULES


def _is_selective(rule: PolicyRule) -> bool:
    return (
        rule.source is not None
        or rule.destination is not None
        or rule.mark is not None
        or rule.iif is not None
    )


def _rule_matches(
    rule: PolicyRule,
    destination: Address,
    source: Address | None,
    mark: int,
    incoming: str | None,
) -> bool:
    # A socket without a source address yet matches only a rule `from all`.
    if rule.source and rule.source.length and (source is None or source not in rule.source):
        return False
    if rule.destination is not None and destination not in rule.destination:
        return False
    if rule.mark is not None and mark & rule.mark_mask != rule.mark & rule.mark_mask:
        return False
    return rule.iif is None or rule.iif == (incoming or LOOPBACK)


def route_line(route: Route) -> str:
    """The route as ``ip route show`` prints it, without protocol and metric."""
    prefix = route.destination
    words = [] if route.type is RouteType.UNICAST else [route.type.value]
    if prefix.length == 0:
        words.append("default")
    else:
        words.append(str(prefix.address if prefix.length == prefix.address.bits else prefix))
    if route.gateway:
        words += ["via", str(route.gateway)]
    if route.device:
        words += ["dev", route.device]
    if route.source:
        words += ["src", str(route.source)]
    return " ".join(words)
