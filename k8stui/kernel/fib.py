"""The routing tables: policy rules, the longest prefix, what kind of address one is.

After net/ipv4/fib_trie.c, fib_rules.c and fib_frontend.c; ip-rule(8), ip-route(8).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from k8stui.kernel.address import Address, is_limited_broadcast, is_multicast
from k8stui.kernel.address_routes import link_local_routes
from k8stui.kernel.header import WITH_PORTS
from k8stui.kernel.namespace import (
    DEFAULT_POLICY_RULES,
    Interface,
    NetNamespace,
    PolicyRule,
    Route,
    RouteType,
    RuleAction,
)
from k8stui.kernel.packet import Packet, Protocol

_ERRNO = {
    RouteType.BLACKHOLE: "EINVAL",
    RouteType.UNREACHABLE: "EHOSTUNREACH",
    RouteType.PROHIBIT: "EACCES",
}
"""fib_props[].error (net/ipv4/fib_semantics.c)."""
_RULE_ERRNO = {
    RuleAction.BLACKHOLE: "EINVAL",
    RuleAction.UNREACHABLE: "ENETUNREACH",
    RuleAction.PROHIBIT: "EACCES",
}
"""fib4_rule_action (net/ipv4/fib_rules.c)."""
NO_ROUTE = "ENETUNREACH"
LOOPBACK = "lo"
_ROOT = 0
_OWN_PRIORITIES = frozenset(rule.priority for rule in DEFAULT_POLICY_RULES)


class Lookup(NamedTuple):
    """What the tables say of a destination."""

    route: Route | None
    error: str | None
    """errno when nothing leads there: ENETUNREACH, EHOSTUNREACH, EACCES, EINVAL."""
    rule: PolicyRule | None = None
    """That decided, where it is none of the kernel's own."""


class Ports(NamedTuple):
    """Which connection a packet is of, beside its addresses, as rules and hashes see it."""

    protocol: Protocol | None = None
    source: int = 0
    destination: int = 0
    """0 for what has no ports."""

    @classmethod
    def of(cls, packet: Packet) -> Ports:
        """Those of a packet (fib4_rules_early_flow_dissect)."""
        if packet.protocol in WITH_PORTS:
            return cls(packet.protocol, packet.sport, packet.dport)
        return cls(packet.protocol)


NO_PORTS = Ports()


class _Asked(NamedTuple):
    """A packet, as rules see it (struct flowi)."""

    destination: Address
    source: Address | None
    mark: int
    incoming: str
    """The device that it came in by, `lo` for what the node itself sends."""
    outgoing: str | None
    """The device that the asker wants."""
    ports: Ports


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
                for hop in route.hops:
                    if hop.device == device:
                        return hop
        return None


class Tables:
    """The routing tables of one namespace and the rules that choose among them."""

    __slots__ = (
        "_custom_rules",
        "_interfaces",
        "_merged",
        "_namespace",
        "_rules",
        "_tables",
    )

    def __init__(self, namespace: NetNamespace, interfaces: Mapping[str, Interface]) -> None:
        self._namespace = namespace
        self._interfaces = interfaces
        ordered = sorted(namespace.policy_rules, key=lambda rule: rule.priority)
        self._rules = {
            version: _resolved([one for one in ordered if one.version in (None, version)])
            for version in (4, 6)
        }
        self._custom_rules = any(_is_selective(rule) for rule in ordered)
        self._tables: dict[str, _Table] = {}
        for route in namespace.routes:
            standing = self._standing(route)
            if standing is not None:
                self._tables.setdefault(route.table, _Table()).add(standing)
        for route in link_local_routes(namespace.interfaces):
            self._tables.setdefault(route.table, _Table()).add(route)
        self._merged = None if _has_own_rules(self._rules[4]) else self._one_trie(4)
        for table in self._tables.values():
            table.freeze()

    def _standing(self, route: Route) -> Route | None:
        """A route without the next hops whose devices are down; None: it is gone.

        Taking a device down deletes its routes, but not what is `local`, and of a route with
        several next hops only these (fib_sync_down_dev: RTNH_F_DEAD).
        """
        if route.hops:
            left = tuple(hop for hop in route.hops if self._standing(hop) is not None)
            if not left:
                return None
            return replace(left[0], hops=left, weight=0) if len(left) > 1 else left[0]
        device = self._interfaces.get(route.device) if route.device else None
        is_gone = route.device is not None and (device is None or not device.up)
        return None if is_gone and route.type is not RouteType.LOCAL else route

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
        *,
        ports: Ports = NO_PORTS,
    ) -> Lookup:
        """Ask the rules in order, each table for its longest prefix (fib_lookup).

        `incoming` is the input device (None: `lo`, the node itself sends); `device` limits the
        answer to routes out of that device.
        """
        if self._merged is not None and destination.version == 4:
            return self._look_up_merged(self._merged, destination, device)
        asked = None
        if self._custom_rules:
            asked = _Asked(destination, source, mark, incoming or LOOPBACK, device, ports)
        target = 0
        for rule in self._rules[destination.version]:
            if rule.priority < target:
                continue  # fib_rules_lookup: a goto goes on at its target
            if rule.unheard or (asked is not None and _selects(rule, asked) is rule.inverted):
                continue  # what is not evaluated is passed over, which `rules_cut` says
            if rule.action is RuleAction.GOTO:
                target = rule.goto or 0
                continue
            if rule.action is RuleAction.NOP:
                continue
            if rule.action is not RuleAction.TABLE:
                return Lookup(None, _RULE_ERRNO[rule.action], rule)
            table = self._tables.get(rule.table)
            route = table.longest(destination, device) if table else None
            if route is None or route.type is RouteType.THROW:
                continue
            if _is_suppressed(rule, route):
                continue
            own = None if rule.priority in _OWN_PRIORITIES else rule
            return Lookup(route, _ERRNO.get(route.type), own)
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


def _resolved(rules: Sequence[PolicyRule]) -> tuple[PolicyRule, ...]:
    """Rules of one IP version; a goto to what is not there does nothing (``[unresolved]``)."""
    there = {rule.priority for rule in rules}
    return tuple(
        replace(rule, action=RuleAction.NOP)
        if rule.action is RuleAction.GOTO and rule.goto not in there
        else rule
        for rule in rules
    )


def _has_own_rules(rules: Iterable[PolicyRule]) -> bool:
    """Whether somebody has changed the rules that the kernel makes (fib4_rule_configure)."""
    return tuple(rules) != DEFAULT_POLICY_RULES


def _is_selective(rule: PolicyRule) -> bool:
    return (
        rule.inverted
        or rule.source is not None
        or rule.destination is not None
        or rule.mark is not None
        or rule.iif is not None
        or rule.oif is not None
        or rule.protocol is not None
        or rule.source_ports is not None
        or rule.destination_ports is not None
        or rule.users is not None
    )


def _within(port: int, ports: tuple[int, int] | None) -> bool:
    """fib_rule_port_inrange: without a port nothing is within (include/net/fib_rules.h)."""
    return ports is None or (port != 0 and ports[0] <= port <= ports[1])


def _is_suppressed(rule: PolicyRule, route: Route) -> bool:
    """``suppress_prefixlength``: fib4_rule_suppress, fib6_rule_suppress.

    IPv4 asks it of routes only that lead somewhere: an error ends the look-up before.
    """
    if rule.suppress_prefix_length is None:
        return False
    if route.destination.address.version == 4 and route.type in _ERRNO:
        return False
    return route.destination.length <= rule.suppress_prefix_length


def _selects(rule: PolicyRule, asked: _Asked) -> bool:
    """Whether the rule's selectors are for such a packet (fib_rule_match, without its `not`)."""
    source = asked.source
    # A socket without a source address yet matches only a rule `from all`.
    if rule.source and rule.source.length and (source is None or source not in rule.source):
        return False
    if rule.destination is not None and asked.destination not in rule.destination:
        return False
    if rule.mark is not None and asked.mark & rule.mark_mask != rule.mark & rule.mark_mask:
        return False
    if rule.oif is not None and rule.oif != asked.outgoing:
        return False
    protocol, sport, dport = asked.ports
    if rule.protocol is not None and rule.protocol != protocol:
        return False
    if not (_within(sport, rule.source_ports) and _within(dport, rule.destination_ports)):
        return False
    # Nobody knows whose a socket is: taken for root's, as what has none is (sock_net_uid).
    if rule.users is not None and rule.users[0] != _ROOT:
        return False
    return rule.iif is None or rule.iif == asked.incoming
