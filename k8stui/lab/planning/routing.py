"""Routes and routing rules of a namespace as words of ``ip``: ip-route(8), ip-rule(8)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.address_routes import kernel_routes
from k8stui.kernel.namespace import (
    DEFAULT_POLICY_RULES,
    NetNamespace,
    PolicyRule,
    Route,
    RuleAction,
)
from k8stui.lab.errors import NotComparedError
from k8stui.lab.planning.naming import Naming
from k8stui.whole import whole

Words = list[str]

_TABLES = {"main": "254", "default": "253", "local": "255"}
_FIRST_TABLE = 1000
"""Of the numbers that tables with a name of their own get."""
_LAST_TABLE = 0xFFFFFFFF


class Routing:
    """The commands for one namespace's tables and rules."""

    def __init__(self, namespace: NetNamespace, naming: Naming, hops: Collection[Route]) -> None:
        """`hops`: what the walk took where chance decides; without them the kernel chooses."""
        self._namespace = namespace
        self._naming = naming
        self._hops = hops
        self._tables: dict[str, str] = {}

    def routes(self) -> Iterator[Words]:
        """Those with a gateway need the others; of table local only what the kernel has not got.

        A route of the kernel's own in main is written again, which changes nothing.
        """
        own = {_entry(route) for route in kernel_routes(self._namespace.interfaces)}
        mine = [
            route
            for route in self._namespace.routes
            if not (route.table == "local" and _entry(route) in own) and not _is_multicast(route)
        ]
        for route in sorted(mine, key=lambda r: r.gateway is not None):
            if route.device is not None and self._namespace.interface(route.device) is None:
                continue
            yield self._route(route)

    def _route(self, route: Route) -> Words:
        words = ["route", "replace", route.type.value, _prefix(route.destination)]
        several = route.hops and self._taken(route) is None
        if not several:
            words += self._hop(self._taken(route) or route)
        if route.source is not None:
            words += ["src", str(route.source)]
        words += ["table", self._table(route.table)]
        if route.destination.address.version == 4 and route.scope in ("link", "host"):
            words += ["scope", route.scope]
        if route.protocol == "kernel":
            words += ["proto", "kernel"]
        if route.metric:
            words += ["metric", str(route.metric)]
        if route.mtu_bytes:
            words += ["mtu", *(["lock"] if route.mtu_locked else ()), str(route.mtu_bytes)]
        if several:
            for hop in route.hops:
                words += ["nexthop", *self._hop(hop), "weight", str(hop.weight)]
        return words

    def _hop(self, hop: Route) -> Words:
        words = [] if hop.gateway is None else ["via", str(hop.gateway)]
        if hop.device is not None:
            words += ["dev", self._naming(hop.device)]
        return [*words, "onlink"] if hop.onlink else words

    def _taken(self, route: Route) -> Route | None:
        """The next hop that the kernel is to take; None: it chooses itself.

        Raises:
            NotComparedError: several flows of one exchange take several.

        """
        taken = {hop for hop in self._hops if hop in route.hops}
        if len(taken) > 1:
            raise NotComparedError("packets of one exchange take several next hops of one route")
        return next(iter(taken), None)

    def rules(self, version: int) -> Iterator[Words]:
        for rule in self._namespace.policy_rules:
            own = rule.version or _family(rule)
            if _plain(rule) not in DEFAULT_POLICY_RULES and own in (None, version):
                yield self._rule(rule)

    def _rule(self, rule: PolicyRule) -> Words:
        if rule.unheard:
            raise NotComparedError(f"a routing rule asks for {rule.unheard}")
        words = ["rule", "add", *(["not"] if rule.inverted else ()), "pref", str(rule.priority)]
        if rule.source is not None:
            words += ["from", _prefix(rule.source)]
        if rule.destination is not None:
            words += ["to", _prefix(rule.destination)]
        if rule.mark is not None:
            words += ["fwmark", f"{rule.mark:#x}/{rule.mark_mask:#x}"]
        if rule.protocol is not None:
            words += ["ipproto", str(rule.protocol)]
        for name, ports in (("sport", rule.source_ports), ("dport", rule.destination_ports)):
            words += [name, f"{ports[0]}-{ports[1]}"] if ports is not None else []
        if rule.users is not None:
            words += ["uidrange", f"{rule.users[0]}-{rule.users[1]}"]
        if rule.iif is not None:
            words += ["iif", self._naming(rule.iif)]
        if rule.oif is not None:
            words += ["oif", self._naming(rule.oif)]
        if rule.action is RuleAction.GOTO:
            return [*words, "goto", str(rule.goto)]
        if rule.action is not RuleAction.TABLE:
            return [*words, "type", rule.action.value]
        words += ["lookup", self._table(rule.table)]
        if rule.suppress_prefix_length is not None:
            words += ["suppress_prefixlength", str(rule.suppress_prefix_length)]
        return words

    def _table(self, name: str) -> str:
        number = whole(name)
        if number is not None and number <= _LAST_TABLE:
            return str(number)
        known = _TABLES.get(name)
        return known or self._tables.setdefault(name, str(_FIRST_TABLE + len(self._tables)))


def _entry(route: Route) -> tuple[object, ...]:
    """What tells routes of one table apart."""
    return (route.type, route.destination, route.device, route.metric)


def _is_multicast(route: Route) -> bool:
    address = route.destination.address
    return address.version == 6 and address.value >> 120 == 0xFF


def _prefix(prefix: Prefix) -> str:
    return f"{prefix.address}/{prefix.length}"


def _plain(rule: PolicyRule) -> PolicyRule:
    """The rule as it is for both families."""
    return replace(rule, version=None)


def _family(rule: PolicyRule) -> int | None:
    ends: list[Address] = [p.address for p in (rule.source, rule.destination) if p is not None]
    return ends[0].version if ends else None
