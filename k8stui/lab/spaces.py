"""A namespace of the model → the commands that make a real one.

Option names: ip-link(8), ip-address(8), ip-route(8), ip-rule(8), ip-neighbour(8), bridge(8);
sysctls: the kernel's Documentation/networking/ip-sysctl.rst.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from k8stui.kernel.address import Address, Prefix, is_loopback
from k8stui.kernel.address_routes import kernel_routes
from k8stui.kernel.link import NO_MAC
from k8stui.kernel.namespace import (
    DEFAULT_POLICY_RULES,
    Interface,
    LinkKind,
    NetNamespace,
    PolicyRule,
    Route,
    RuleAction,
    Scope,
    Sysctls,
    Vxlan,
)
from k8stui.kernel.vxlan import OVERHEAD_BYTES
from k8stui.lab.errors import NotComparedError
from k8stui.lab.naming import Naming
from k8stui.lab.plan import FD, NOWHERE, ProcFile, Space

Words = list[str]

_TABLES = {"main": "254", "default": "253", "local": "255"}
_FIRST_TABLE = 1000
"""Of the numbers that tables with a name of their own get."""
_LAST_TABLE = 0xFFFFFFFF
_SWITCHES = (
    "route_localnet", "src_valid_mark", "proxy_arp", "accept_local", "arp_ignore", "forwarding",
)  # fmt: skip
"""Of single devices: fields of `Sysctls` that are called as the kernel calls them."""
_NEVER_SECONDS = 3600


class Nowhere:
    """The namespace in which cables end whose far end is not built. Nobody answers there."""

    def __init__(self, index: int) -> None:
        self.index = index
        self._far_ends: dict[str, bool] = {}

    def cable(self, *, plugged_in: bool) -> Words:
        """The second half of an ``ip link add``: the far end, which is up where `plugged_in`."""
        name = f"k8x{len(self._far_ends)}"
        self._far_ends[name] = plugged_in
        return ["type", "veth", "peer", "name", name, "netns", FD % self.index]

    def space(self) -> Space:
        """It has no IPv6, no address and no rule; so nothing is answered, nothing sent."""
        up = [["link", "set", "dev", name, "up"] for name, on in self._far_ends.items() if on]
        building = Building(NetNamespace(name=NOWHERE), {})
        return Space(
            name=NOWHERE, settings=building.settings(), links=[], ip=up, ip6=[],
            device_settings=[], bridge=[], sets={}, rules={}, nft="", listeners=[], devices={},
            vxlan_ports=[],
        )  # fmt: skip


class Building:
    """The commands for one namespace, device by device."""

    def __init__(
        self,
        namespace: NetNamespace,
        indexes: Mapping[str, int],
        hops: Collection[Route] = (),
    ) -> None:
        """`hops`: what the walk took where chance decides; without them the kernel chooses."""
        self.namespace = namespace
        self._hops = hops
        self.naming = Naming()
        for interface in namespace.interfaces:
            self.naming(interface.name)
        self._indexes = indexes
        """Of the namespaces that are built."""
        self._tables: dict[str, str] = {}

    # Devices.

    def links(
        self, names: Mapping[str, Naming], network: Mapping[str, NetNamespace], nowhere: Nowhere
    ) -> list[Words]:
        """Make the devices; a cable is made by the namespace with the smaller (index, name).

        A cable into a namespace that is not built ends `nowhere`: frames may leave by it.
        """
        found = []
        for interface in sorted(self.namespace.interfaces, key=lambda i: i.kind is LinkKind.VXLAN):
            words = self._link(interface, names, network, nowhere)
            if words:
                found.append(words)
        return found

    def _link(
        self,
        interface: Interface,
        names: Mapping[str, Naming],
        network: Mapping[str, NetNamespace],
        nowhere: Nowhere,
    ) -> Words:
        if interface.kind is LinkKind.LOOPBACK:
            return []
        words = self._described(interface)
        if interface.kind is LinkKind.BRIDGE:
            return [*words, "type", "bridge", "stp_state", "0", "mcast_snooping", "0"]
        if interface.vxlan is not None:
            vxlan = interface.vxlan
            return [
                *words, "type", "vxlan", "id", str(vxlan.vni), "local", str(vxlan.local),
                *self._below(interface, vxlan), "dstport", str(vxlan.port), "nolearning",
            ]  # fmt: skip
        far = self._far_end(interface, network)
        if far is None:
            return [*words, *nowhere.cable(plugged_in=interface.carrier)]
        space, device = far
        me = (self._indexes[self.namespace.name], interface.name)
        if me > (self._indexes[space], device.name):
            return []
        return [
            *words, "type", "veth", "peer", "name", names[space](device.name),
            "address", device.mac, "mtu", str(device.mtu_bytes),
            "netns", FD % self._indexes[space],
        ]  # fmt: skip

    def _below(self, interface: Interface, vxlan: Vxlan) -> Words:
        """The device below a tunnel, which would take some of its MTU where it has got less itself.

        As when it was made narrow later on (vxlan_config_apply looks once).
        """
        below = self.namespace.interface(vxlan.device)
        around = OVERHEAD_BYTES[vxlan.local.version]
        if below is None or below.mtu_bytes < interface.mtu_bytes + around:
            return []
        return ["dev", self.naming(vxlan.device)]

    def _described(self, interface: Interface) -> Words:
        words = ["link", "add", "name", self.naming(interface.name)]
        if interface.mac != NO_MAC:  # a tunnel without Ethernet: what stands for it has some other
            words += ["address", interface.mac]
        return [*words, "mtu", str(interface.mtu_bytes)]

    def _far_end(
        self, interface: Interface, network: Mapping[str, NetNamespace]
    ) -> tuple[str, Interface] | None:
        if interface.kind is not LinkKind.VETH or interface.peer is None:
            return None
        space, name = interface.peer
        if space not in self._indexes:
            return None
        device = network[space].interface(name)
        mine = (self.namespace.name, interface.name)
        return (space, device) if device is not None and device.peer == mine else None

    # What stands on them.

    def ip(self) -> list[Words]:
        """Ports, bridges, addresses, routes, rules, neighbours, in this order."""
        return [
            *self._ports(),
            *self._bridges(),
            *self._addresses(),
            *self._routes(),
            *self._rules(4),
            *self._neighbours(),
        ]

    def ip6(self) -> list[Words]:
        """What only ``ip -6`` takes."""
        return list(self._rules(6)) if self.has_ipv6 else []

    def whole_segments(self) -> list[Words]:
        """No device takes several segments as one packet: each is seen as it is sent."""
        names = [self.naming(interface.name) for interface in self.namespace.interfaces]
        return [["link", "set", "dev", name, "gso_max_segs", "1"] for name in names]

    @property
    def has_ipv6(self) -> bool:
        """Beyond ::1, which every namespace has by itself."""
        own = (entry.address for one in self.namespace.interfaces for entry in one.addresses)
        routed = (one.destination.address for one in self.namespace.routes)
        return any(one.version == 6 and not is_loopback(one) for one in (*own, *routed))

    def _ports(self) -> Iterator[Words]:
        for interface in self.namespace.interfaces:
            name = self.naming(interface.name)
            if interface.master is not None:
                yield ["link", "set", "dev", name, "master", self.naming(interface.master)]
            # A device's switch for IPv6 is in its settings; they come later than this.
            if interface.up:
                yield ["link", "set", "dev", name, "up"]
            port = interface.port
            if interface.master is not None and port is not None:
                # A port that has no state of its own yet: up, the kernel forwards at once
                # (stp_state 0).
                yield [
                    "link", "set", "dev", name, "type", "bridge_slave",
                    "hairpin", _on(port.hairpin), "isolated", _on(port.isolated),
                    "learning", _on(port.learning), "flood", _on(port.flood),
                ]  # fmt: skip
                if not port.forwarding:
                    yield ["link", "set", "dev", name, "type", "bridge_slave", "state", "4"]

    def _bridges(self) -> Iterator[Words]:
        """Said once more behind their ports: else a bridge takes the least MTU of these.

        net/bridge/br_if.c br_mtu_auto_adjust, as long as nobody has set it (br_change_mtu).
        """
        for interface in self.namespace.interfaces:
            if interface.kind is LinkKind.BRIDGE:
                mtu = str(interface.mtu_bytes)
                yield ["link", "set", "dev", self.naming(interface.name), "mtu", mtu]

    def _addresses(self) -> Iterator[Words]:
        for interface in self.namespace.interfaces:
            for entry in interface.addresses:
                words = ["addr", "replace", f"{entry.address}/{entry.prefix_length}"]
                if entry.broadcast is not None:
                    words += ["broadcast", str(entry.broadcast)]
                words += ["dev", self.naming(interface.name)]
                if not self._is_connected(interface, entry.network):
                    # Whoever set it up has taken the kernel's own route away.
                    words += ["noprefixroute"]
                if entry.address.version == 4:
                    words += ["scope", entry.scope.value]
                elif entry.scope is Scope.GLOBAL:
                    words += ["nodad"]
                yield words

    def _is_connected(self, interface: Interface, network: Prefix) -> bool:
        """Whether the device's network is routed there, or would not be by the kernel either."""
        if network.length == network.address.bits:
            return True
        return any(
            route.destination == network
            and route.device == interface.name
            and route.gateway is None
            for route in self.namespace.routes
        )

    def _routes(self) -> Iterator[Words]:
        """Those with a gateway need the others; of table local only what the kernel has not got.

        A route of the kernel's own in main is written again, which changes nothing.
        """
        own = {_entry(route) for route in kernel_routes(self.namespace.interfaces)}
        mine = [
            route
            for route in self.namespace.routes
            if not (route.table == "local" and _entry(route) in own) and not _is_multicast(route)
        ]
        for route in sorted(mine, key=lambda r: r.gateway is not None):
            if route.device is not None and self.namespace.interface(route.device) is None:
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
        if several:
            for hop in route.hops:
                words += ["nexthop", *self._hop(hop), "weight", str(hop.weight)]
        return words

    def _hop(self, hop: Route) -> Words:
        words = [] if hop.gateway is None else ["via", str(hop.gateway)]
        if hop.device is not None:
            words += ["dev", self.naming(hop.device)]
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

    def _rules(self, version: int) -> Iterator[Words]:
        for rule in self.namespace.policy_rules:
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
            words += ["iif", self.naming(rule.iif)]
        if rule.oif is not None:
            words += ["oif", self.naming(rule.oif)]
        if rule.action is RuleAction.GOTO:
            return [*words, "goto", str(rule.goto)]
        if rule.action is not RuleAction.TABLE:
            return [*words, "type", rule.action.value]
        words += ["lookup", self._table(rule.table)]
        if rule.suppress_prefix_length is not None:
            words += ["suppress_prefixlength", str(rule.suppress_prefix_length)]
        return words

    def _table(self, name: str) -> str:
        if name.isascii() and name.isdecimal() and int(name) <= _LAST_TABLE:
            return str(int(name))
        known = _TABLES.get(name)
        return known or self._tables.setdefault(name, str(_FIRST_TABLE + len(self._tables)))

    def _neighbours(self) -> Iterator[Words]:
        """Known, and not confirmed of late: stale.

        Behind a neighbour that is REACHABLE or PERMANENT and has been sent to, br_netfilter hands a
        DNATed frame straight to the port, and cni0 does not show it
        (br_netfilter_hooks.c br_nf_pre_routing_finish_bridge). Golden walks were recorded stale.
        """
        for entry in self.namespace.neighbours:
            if self.namespace.interface(entry.device) is not None:
                yield [
                    "neigh", "replace", str(entry.address), "lladdr", entry.mac,
                    "dev", self.naming(entry.device), "nud", "stale",
                ]  # fmt: skip

    def bridge(self) -> list[Words]:
        """Forwarding databases: what bridges have learned, and where a vxlan device finds a MAC.

        The ports' own addresses (permanent) are there by themselves.
        """
        found = []
        for entry in self.namespace.fdb:
            device = self.namespace.interface(entry.device)
            if device is None:
                continue
            words = ["fdb", "replace", entry.mac, "dev", self.naming(entry.device)]
            if entry.destination is not None:
                found.append([*words, "self", "permanent", "dst", str(entry.destination)])
            elif not entry.permanent and device.master is not None:
                found.append([*words, "master", "static"])
        return found

    # Settings.

    def settings(self) -> list[ProcFile]:
        """Before there is a device: what the model says, and no noise and no limits."""
        # Whom the kernel lets ping without a raw socket: root of this user namespace.
        ping = ProcFile(path="net/ipv4/ping_group_range", value="0 0", needed=False)
        return [
            ping,
            *_settings(self.namespace.sysctls, ipv6=self.has_ipv6, bridge=self._has_bridge),
        ]

    @property
    def _has_bridge(self) -> bool:
        return any(i.kind is LinkKind.BRIDGE for i in self.namespace.interfaces)

    def device_settings(self) -> list[ProcFile]:
        """What the model says of single devices."""
        sysctls = self.namespace.sysctls
        values = [("rp_filter", d, v) for d, v in sysctls.rp_filter.items()]
        for name in _SWITCHES:
            values += [(name, d, int(v)) for d, v in getattr(sysctls, name).items()]
        families = ("ipv4", "ipv6") if self.has_ipv6 else ("ipv4",)
        return [
            *(
                _setting(f"net/ipv4/conf/{self.naming(device)}/{name}", value)
                for name, device, value in values
                if device not in ("all", "default") and self.namespace.interface(device) is not None
            ),
            # What was known before is stale: used, it would be asked again after 5 s, of which the
            # walk has nothing (neigh_timer_handler).
            *(
                _setting(
                    f"net/{family}/neigh/{self.naming(one.name)}/delay_first_probe_time",
                    _NEVER_SECONDS,
                    needed=False,
                )
                for family in families
                for one in self.namespace.interfaces
                if one.master is None
            ),
        ]


def _settings(sysctls: Sysctls, *, ipv6: bool, bridge: bool) -> Iterator[ProcFile]:
    if sysctls.multipath_hash:
        yield _setting("net/ipv4/fib_multipath_hash_policy", sysctls.multipath_hash)
    yield _setting("net/ipv4/ip_forward", sysctls.ip_forward)
    # A new namespace takes the host's settings (net/ipv4/devinet.c devinet_init_net).
    for device in ("all", "default"):
        yield _setting(f"net/ipv4/conf/{device}/rp_filter", sysctls.rp_filter.get(device, 0))
        for name in _SWITCHES:
            if name != "forwarding":  # that of all is ip_forward
                value = getattr(sysctls, name).get(device, 0)
                yield _setting(f"net/ipv4/conf/{device}/{name}", value)
        for name in ("send_redirects", "arp_announce", "arp_filter"):
            yield _setting(f"net/ipv4/conf/{device}/{name}", 0)
    yield _setting("net/ipv4/ip_default_ttl", sysctls.ip_default_ttl)
    yield _setting("net/ipv4/tcp_syn_retries", sysctls.tcp_syn_retries)
    linear = sysctls.tcp_syn_linear_timeouts
    yield _setting("net/ipv4/tcp_syn_linear_timeouts", linear, needed=False)
    # Else the seventh error of a series looks like a lost packet (docs/facts/kernel.md).
    yield _setting("net/ipv4/icmp_ratelimit", 0)
    if bridge:
        for name in ("bridge-nf-call-iptables", "bridge-nf-call-ip6tables"):
            value = sysctls.bridge_nf_call_iptables
            # Without br_netfilter nothing calls iptables, which is what 0 says.
            yield _setting(f"net/bridge/{name}", value, needed=value)
    liberal = sysctls.nf_conntrack_tcp_be_liberal
    yield _setting("net/netfilter/nf_conntrack_tcp_be_liberal", liberal, needed=liberal)
    if not ipv6:
        # lo alone has it, as every namespace has whose switches nobody has touched: that the other
        # devices have but their own link-local addresses makes no difference to a walk.
        yield _setting("net/ipv6/conf/default/disable_ipv6", 1, needed=False)
    for device in ("all", "default"):
        conf = f"net/ipv6/conf/{device}"
        if ipv6:
            yield _setting(f"{conf}/disable_ipv6", 0)
            yield _setting(f"{conf}/forwarding", sysctls.ip_forward)
            for name in (
                "accept_dad",
                "dad_transmits",
                "router_solicitations",
                "accept_ra",
                "accept_redirects",
            ):
                yield _setting(f"{conf}/{name}", 0)
    if ipv6:
        yield _setting("net/ipv6/icmp/ratelimit", 0)


def _setting(path: str, value: int, *, needed: bool = True) -> ProcFile:
    return ProcFile(path=path, value=str(int(value)), needed=needed)


def _entry(route: Route) -> tuple[object, ...]:
    """What tells routes of one table apart."""
    return (route.type, route.destination, route.device, route.metric)


def _is_multicast(route: Route) -> bool:
    address = route.destination.address
    return address.version == 6 and address.value >> 120 == 0xFF


def _on(value: bool) -> str:
    return "on" if value else "off"


def _prefix(prefix: Prefix) -> str:
    return f"{prefix.address}/{prefix.length}"


def _plain(rule: PolicyRule) -> PolicyRule:
    """The rule as it is for both families."""
    return replace(rule, version=None)


def _family(rule: PolicyRule) -> int | None:
    ends: list[Address] = [p.address for p in (rule.source, rule.destination) if p is not None]
    return ends[0].version if ends else None
