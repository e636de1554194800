"""Routing decisions: where a packet goes, source addresses, martians, rp_filter.

After net/ipv4/route.c (ip_route_input_slow, ip_route_output_key_hash_rcu), fib_frontend.c
(fib_validate_source) and devinet.c (inet_select_addr). The tables themselves are in `fib`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from k8stui.because import Because
from k8stui.kernel.address import (
    Address,
    Prefix,
    common_bits,
    is_limited_broadcast,
    is_link_local,
    is_loopback,
    is_multicast,
    is_unique_local,
    is_zero,
)
from k8stui.kernel.address_routes import own_link_local
from k8stui.kernel.fib import LOOPBACK, NO_PORTS, Ports, Tables
from k8stui.kernel.namespace import (
    Interface,
    InterfaceAddress,
    LinkKind,
    NetNamespace,
    PolicyRule,
    Route,
    RouteType,
    RuleAction,
    Scope,
)
from k8stui.kernel.packet import Packet

_SCOPE = {"global": 0, "site": 200, "link": 253, "host": 254, "nowhere": 255}


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
    rule: PolicyRule | None = None
    """The policy rule that led there, where it is none of the kernel's own."""


class Routing(Tables):
    """What becomes of a packet by the tables of one namespace."""

    __slots__ = ("_is_custom", "_own")

    def __init__(self, namespace: NetNamespace, interfaces: Mapping[str, Interface]) -> None:
        super().__init__(namespace, interfaces)
        self._own = {one.address for device in namespace.interfaces for one in device.addresses}
        # fib4_has_custom_rules, fib_has_custom_local_routes: then sources are always looked up.
        self._is_custom = self._merged is None or any(
            route.type is RouteType.LOCAL and route.protocol != "kernel"
            for route in namespace.routes
            if route.destination.address.version == 4
        )

    def localnet(self, device: str) -> bool:
        """Effective route_localnet (IN_DEV_NET_ROUTE_LOCALNET)."""
        return _either(self._namespace.sysctls.route_localnet, device)

    def rp_filter(self, device: str) -> int:
        """Effective rp_filter: the larger of all and the device's (IN_DEV_RPFILTER)."""
        setting = self._namespace.sysctls.rp_filter
        return max(setting.get("all", 0), setting.get(device, setting.get("default", 0)))

    def said(self, key: str, device: str = "") -> Because | None:
        """Where the setting (of a device) is said that counts; None: nobody has seen it."""
        reasons = self._namespace.sysctls.reasons
        if not device:
            return reasons.get(f"net.ipv4.{key}")
        names = [device, "all"]
        if key == "rp_filter":
            set_to = self._namespace.sysctls.rp_filter
            names.sort(key=lambda name: -set_to.get(name, 0))
        found = (reasons.get(f"net.ipv4.conf.{name}.{key}") for name in names)
        return next(filter(None, found), None)

    def forwards(self, device: str, version: int) -> bool:
        """Whether what came in by the device goes on (IN_DEV_FORWARD: the device's alone)."""
        sysctls = self._namespace.sysctls
        if version == 6:
            own = sysctls.ipv6_forwarding
            return sysctls.ip_forward if own is None else own
        return bool(sysctls.forwarding.get(device, sysctls.ip_forward))

    def answers_for_others(self, device: str) -> bool:
        """Effective proxy_arp (IN_DEV_PROXY_ARP)."""
        return _either(self._namespace.sysctls.proxy_arp, device)

    def answers_for_its_own_side(self, device: str) -> bool:
        """Effective proxy_arp_pvlan (IN_DEV_PROXY_ARP_PVLAN)."""
        return _either(self._namespace.sysctls.proxy_arp_pvlan, device)

    def answers_only_back(self, device: str) -> bool:
        """Effective arp_filter (IN_DEV_ARPFILTER)."""
        return _either(self._namespace.sysctls.arp_filter, device)

    def _accepts_local(self, device: str) -> bool:
        """Effective accept_local (IN_DEV_ACCEPT_LOCAL)."""
        return _either(self._namespace.sysctls.accept_local, device)

    def arp_ignore(self, device: str) -> int:
        """Effective arp_ignore: the larger of all and the device's (IN_DEV_ARP_IGNORE)."""
        setting = self._namespace.sysctls.arp_ignore
        return max(setting.get("all", 0), setting.get(device, setting.get("default", 0)))

    def _counts_mark(self, device: str) -> bool:
        """Effective src_valid_mark (IN_DEV_SRC_VMARK)."""
        return _either(self._namespace.sysctls.src_valid_mark, device)

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
        back, error, _ = self.look_up(source, asked, packet.mark if mark else 0)
        if error or back is None:
            return False
        if back.type is RouteType.LOCAL:
            if not accept_local or source.version == 6:
                return accept_local
        elif back.type is not RouteType.UNICAST:
            return False
        return loose or _uses(back, device)

    def incoming(
        self,
        destination: Address,
        source: Address,
        device: str,
        mark: int = 0,
        ports: Ports = NO_PORTS,
    ) -> Decision:
        """Decide about a packet that came in (ip_route_input_slow).

        Of several next hops it is the first: `k8stui.kernel.multipath` chooses.
        """
        if is_multicast(source) or is_limited_broadcast(source):
            return Decision(Fate.MARTIAN_SOURCE)
        if is_limited_broadcast(destination) or (is_zero(source) and is_zero(destination)):
            return self._to_all(None, source, device, mark, ports)
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
        route, error, rule = self.look_up(destination, source, mark, device, ports=ports)
        forwards = self.forwards(device, destination.version)
        if error or route is None:
            if not forwards:
                return Decision(Fate.NO_FORWARDING, route)
            return Decision(Fate.ERROR, route, error=error, incoming=True, rule=rule)
        if route.type is RouteType.BROADCAST:
            return self._to_all(route, source, device, mark, ports)
        if route.type is RouteType.LOCAL:
            bad = self._validate_source(source, destination, device, mark, ports=ports)
            return bad or Decision(Fate.LOCAL, route, LOOPBACK, incoming=True, rule=rule)
        if not forwards:
            return Decision(Fate.NO_FORWARDING, route)
        out = route.device or ""
        bad = self._validate_source(source, destination, device, mark, ports=ports, leaves_by=out)
        return bad or Decision(
            Fate.FORWARD,
            route,
            out,
            route.gateway or destination,
            incoming=True,
            rule=rule,
        )

    def _to_all(
        self, route: Route | None, source: Address, device: str, mark: int, ports: Ports
    ) -> Decision:
        bad = None
        if not is_zero(source):
            bad = self._validate_source(source, None, device, mark, ports=ports)
        return bad or Decision(Fate.BROADCAST, route, incoming=True)

    def _validate_source(
        self,
        source: Address,
        destination: Address | None,
        device: str,
        mark: int,
        *,
        ports: Ports,
        leaves_by: str | None = None,
    ) -> Decision | None:
        """Refuse a source that is not to come in there (fib_validate_source). Of IPv4 alone.

        `destination`: None for all hosts. `leaves_by`: the device that it is passed on to.
        """
        if source.version == 6:
            return None
        strictness, accepts_local = self.rp_filter(device), self._accepts_local(device)
        if not strictness and (accepts_local or not self._is_custom):
            is_own = source in self._own and not accepts_local
            return Decision(Fate.MARTIAN_SOURCE) if is_own else None
        counted = mark if self._counts_mark(device) else 0
        # __fib_validate_source: the way back, so its ports and devices change places.
        turned = Ports(ports.protocol, ports.destination, ports.source)
        back, error, _ = self.look_up(source, destination, counted, leaves_by, ports=turned)
        if error or back is None:
            return Decision(Fate.RP_FILTER, back) if strictness else None
        is_local = accepts_local and back.type is RouteType.LOCAL
        if back.type is not RouteType.UNICAST and not is_local:
            return Decision(Fate.MARTIAN_SOURCE, None if source in self._own else back)
        if not strictness or _uses(back, device):
            return None
        # Where a device has no address the loose check is strict.
        is_loose = strictness != 1 and _primaries(self._interfaces.get(device), 4)
        return None if is_loose else Decision(Fate.RP_FILTER, back)

    def outgoing(
        self,
        destination: Address,
        source: Address | None = None,
        mark: int = 0,
        ports: Ports = NO_PORTS,
    ) -> Decision:
        """Decide about a packet of the node's own, and its source address.

        ip_route_output_key_hash_rcu. Of several next hops it is the first, as above.
        """
        if is_zero(destination):
            destination = Address.parse("127.0.0.1" if destination.version == 4 else "::1")
        route, error, rule = self.look_up(destination, source, mark, ports=ports)
        if error or route is None:
            return Decision(Fate.ERROR, route, error=error, rule=rule)
        return self.along(route, destination, source)._replace(rule=rule)

    def along(self, route: Route, destination: Address, source: Address | None) -> Decision:
        """Send a packet of the node's own by a route (__mkroute_output)."""
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
            # ip6_route_get_saddr asks for the destination, fib_result_prefsrc for the next hop.
            towards = destination if destination.version == 6 else route.gateway
            chosen = self._select(device, towards, _SCOPE[route.scope])
        is_broadcast = route.type is RouteType.BROADCAST or is_limited_broadcast(destination)
        fate = Fate.BROADCAST if is_broadcast else Fate.FORWARD
        return Decision(fate, route, device, route.gateway or destination, chosen)

    def masquerade_source(
        self, device: str, next_hop: Address | None, destination: Address
    ) -> Address | None:
        """MASQUERADE's address (docs/facts/outcomes.md, section 7).

        nf_nat_masquerade_ipv4 looks for one that fits the next hop, nf_nat_masquerade_ipv6 for one
        that fits the destination.
        """
        towards = destination if destination.version == 6 else next_hop
        return self._select(device, towards, _SCOPE["global"])

    def redirect_address(self, device: str, destination: Address) -> Address | None:
        """Where REDIRECT sends what came in by `device` (nf_nat_redirect_ipv4, _ipv6).

        The device's first address; of IPv6 one of the destination's scope, and where that is
        global the link-local one, which comes last, if need be. None where it has none: no other
        device's stands in.
        """
        interface = self._interfaces.get(device)
        if interface is None:
            return None
        version = destination.version
        own = [one.address for one in interface.addresses if one.address.version == version]
        if version == 4:
            return own[0] if own else None
        own.sort(key=is_link_local)  # ipv6_link_dev_addr: the widest scope first
        made = own_link_local(interface)
        if made is not None:
            own.append(made)
        near = is_link_local(destination)
        return next((one for one in own if not near or is_link_local(one)), None)

    def hop_source(self, hop: Route) -> Address | None:
        """The address that belongs to a next hop (fib_info_update_nhc_saddr)."""
        return self._select(hop.device or "", hop.gateway, _SCOPE[hop.scope])

    def nearest(self, device: str, towards: Address) -> Address | None:
        """The own IPv6 address that fits best to speak to `towards` from a device.

        ipv6_dev_get_saddr, RFC 6724 section 5: one of the device, then one of the same kind (its
        labels tell unique local addresses from global ones), then the longest common prefix.
        """
        found = [
            (
                interface.name == device,
                is_unique_local(one.address) == is_unique_local(towards),
                min(common_bits(one.address, towards), one.prefix_length),
                one.address,
            )
            for interface in self._namespace.interfaces
            for one in _primaries(interface, 6)
            if not is_link_local(one.address) and not is_loopback(one.address)
        ]
        return max(found, key=lambda one: one[:3])[3] if found else None

    def own_address(self, device: str, towards: Address) -> Address | None:
        """The sender address of an ARP request (arp_solicit: inet_select_addr, scope link)."""
        return self._select(device, towards, _SCOPE["link"])

    def _select(
        self, device: str, towards: Address | None, scope: int, version: int = 4
    ) -> Address | None:
        # inet_select_addr: the primary address that shares the subnet, else the device's first,
        # else the first of any device.
        if towards is not None and towards.version == 6 and not is_link_local(towards):
            fitting = self.nearest(device, towards)
            if fitting is not None:
                return fitting
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


def _either(setting: Mapping[str, bool], device: str) -> bool:
    """Of all or of the device (IN_DEV_ORCONF)."""
    return bool(setting.get("all")) or bool(setting.get(device, setting.get("default")))


def _uses(route: Route, device: str | None) -> bool:
    """Whether one of its next hops leads out of the device (fib_info_nh_uses_dev)."""
    return route.device == device or any(hop.device == device for hop in route.hops)


def _primaries(interface: Interface | None, version: int) -> list[InterfaceAddress]:
    if interface is None:
        return []
    return [
        one for one in interface.addresses if not one.secondary and one.address.version == version
    ]


def rule_line(rule: PolicyRule) -> str:
    """The rule as ``ip rule show`` prints it (iproute2 ip/iprule.c print_rule)."""
    words = [f"{rule.priority}:"]
    if rule.inverted:
        words.append("not")
    words += ["from", "all" if rule.source is None else _prefix(rule.source)]
    if rule.destination is not None:
        words += ["to", _prefix(rule.destination)]
    if rule.mark is not None:
        mask = "" if rule.mark_mask == 0xFFFFFFFF else f"/{rule.mark_mask:#x}"
        words += ["fwmark", f"{rule.mark:#x}{mask}"]
    for name, device in (("iif", rule.iif), ("oif", rule.oif)):
        words += [name, device] if device is not None else []
    for name, both in (
        ("uidrange", rule.users),
        ("ipproto", rule.protocol if rule.protocol is None else (rule.protocol,) * 2),
        ("sport", rule.source_ports),
        ("dport", rule.destination_ports),
    ):
        if both is not None:
            first, last = both
            words += [
                name,
                f"{first}-{last}" if last != first or name == "uidrange" else str(first),
            ]
    if rule.action is RuleAction.TABLE:
        words += ["lookup", rule.table]
        if rule.suppress_prefix_length is not None:
            words += ["suppress_prefixlength", str(rule.suppress_prefix_length)]
    else:
        words.append(rule.action.value)
    return " ".join(words)


def _prefix(prefix: Prefix) -> str:
    return str(prefix.address if prefix.length == prefix.address.bits else prefix)


def route_line(route: Route) -> str:
    """The route as ``ip route show`` prints it, without protocol and metric."""
    prefix = route.destination
    words = [] if route.type is RouteType.UNICAST else [route.type.value]
    if prefix.length == 0:
        words.append("default")
    else:
        words.append(_prefix(prefix))
    if route.weight:
        words.append("nexthop")
    if route.gateway:
        words += ["via", str(route.gateway)]
    if route.device:
        words += ["dev", route.device]
    if route.source:
        words += ["src", str(route.source)]
    if route.mtu_bytes and not route.weight:
        words += ["mtu", *(["lock"] if route.mtu_locked else ()), str(route.mtu_bytes)]
    if route.weight:
        words += ["weight", str(route.weight)]
    return " ".join(words)
