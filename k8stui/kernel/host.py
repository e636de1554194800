"""A namespace while a packet is in it: what stands there, and what changes during a walk."""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable, Iterable, Mapping

from k8stui.kernel.address import Address
from k8stui.kernel.conntrack import Conntrack
from k8stui.kernel.events import EventQueue
from k8stui.kernel.exchange import Choose
from k8stui.kernel.hooks import Blocked, HookState, Registration, Registry
from k8stui.kernel.journal import Journal
from k8stui.kernel.link import NO_MAC
from k8stui.kernel.namespace import (
    FdbEntry,
    Interface,
    LinkKind,
    Neighbour,
    NetNamespace,
    Network,
    Route,
)
from k8stui.kernel.packet import Protocol
from k8stui.kernel.recent import RecentLists
from k8stui.kernel.routing import Decision, Routing
from k8stui.kernel.skb import Skb
from k8stui.record import record

HookFunction = Callable[["Host", Skb, HookState], Blocked | None]
"""What is called for each packet at a hook."""

_IPV6_MIN_MTU_BYTES = 1280
_ROUTE_ERRORS = 5.0
"""net.ipv4.route.error_burst, in units of error_cost: a second each."""
_KEPT = 256
"""Namespaces whose indexes are kept between walks."""


class Standing:
    """Indexes over a namespace at rest, shared by all walks through it."""

    __slots__ = (
        "everywhere",
        "fdb",
        "hooks",
        "interfaces",
        "namespace",
        "neighbours",
        "port_macs",
        "ports",
        "routing",
        "tracked",
    )

    def __init__(self, namespace: NetNamespace) -> None:
        self.namespace = namespace
        self.interfaces = {device.name: device for device in namespace.interfaces}
        self.routing = Routing(namespace, self.interfaces)
        self.neighbours = {(one.device, one.address): one for one in namespace.neighbours}
        self.tracked = {
            direction: one for one in namespace.tracked for direction in (one.original, one.reply)
        }
        ports: dict[str, list[Interface]] = {}
        for device in reversed(namespace.interfaces):
            if device.master:
                # The kernel's list of ports begins with the youngest (net/bridge/br_if.c).
                ports.setdefault(device.master, []).append(device)
        self.ports = {bridge: tuple(members) for bridge, members in ports.items()}
        self.port_macs = {
            bridge: frozenset(port.mac for port in members) for bridge, members in ports.items()
        }
        self.fdb: dict[tuple[str, str], FdbEntry] = {}
        self.everywhere: dict[str, tuple[FdbEntry, ...]] = {}
        for entry in namespace.fdb:
            if entry.destination is not None:
                # A vxlan device has a table of its own, also where it is a bridge's port.
                self.fdb[entry.device, entry.mac] = entry
                if entry.mac == NO_MAC:
                    others = self.everywhere.get(entry.device, ())
                    self.everywhere[entry.device] = (*others, entry)
                continue
            port = self.interfaces.get(entry.device)
            self.fdb[(port.master if port and port.master else entry.device, entry.mac)] = entry
        self.hooks: dict[int, Registry[HookFunction]] = {}
        """By family; made when the first packet gets to a hook."""


_holding: deque[weakref.ref[NetNamespace]] = deque()
"""Those that have their `Standing`, the first one first."""


def standing(namespace: NetNamespace) -> Standing:
    """The indexes of a namespace, kept between walks."""
    found = namespace.standing
    if not isinstance(found, Standing) or found.namespace is not namespace:  # that of a copy
        found = Standing(namespace)
        _keep(namespace, found)
        _holding.append(weakref.ref(namespace))
        if len(_holding) > _KEPT and (first := _holding.popleft()()) is not None:
            _keep(first, None)
    return found


def _keep(namespace: NetNamespace, kept: Standing | None) -> None:
    object.__setattr__(namespace, "standing", kept)


class IncompleteNeighbour:
    """A neighbour that is being asked for (NUD_INCOMPLETE)."""

    __slots__ = ("asked", "queue")

    def __init__(self) -> None:
        self.asked = 0
        self.queue: list[tuple[Skb, Callable[[Host, str, Skb, str], None]]] = []
        """Packets that wait, each with what to do when the MAC address is known."""


@record()
class Stack:
    """Calls from a layer to the one above it, as the kernel's own tables of functions.

    A module imports only what lies below it; `k8stui.kernel.simulate` puts this together.
    """

    start_xmit: Mapping[LinkKind, Callable[[Host, Interface, Skb], None]]
    """net_device_ops.ndo_start_xmit: what a device does with a packet to send."""
    bridge_frame: Callable[[Host, Interface, Skb], None]
    """rx_handler of a bridge port."""
    receive_ip: Callable[[Host, str, Skb], None]
    receive_arp: Callable[[Host, str, Skb], None]
    icmp_error: Callable[[Host, Skb, int, int, int], None]
    """Tell the sender: type, code, next-hop MTU."""
    reject: Callable[[Host, Skb, str], None]
    """Carry out ``--reject-with``."""
    local_out: Callable[[Host, Skb], str | None]
    """Send a packet of the node's own; an errno when the sender is told at once."""
    protocols: Mapping[Protocol, Callable[[Host, Skb], None]]
    """Local delivery by IP protocol."""
    registrations: Callable[[int, NetNamespace], Iterable[Registration[HookFunction]]]
    """What stands at netfilter's hooks of a family in a namespace."""


@record(frozen=False)
class Simulation:
    """What all namespaces of one walk share."""

    network: Network
    stack: Stack
    events: EventQueue
    journal: Journal
    choose: Choose
    hosts: dict[str, Host]
    asker: tuple[str, int | None] = ("", None)
    """Who asks: the namespace, and as which user."""
    cannot: str | None = None
    """Set when a rule could not be evaluated: the walk ends there, unknown."""

    def next_request(self, waited_seconds: float, pause_seconds: float) -> None:
        """Begin anew at 0 s with an empty journal, in namespaces that remember.

        The client has `waited_seconds`, also where nothing more happened.
        """
        passed = max(self.events.restart(), waited_seconds) + pause_seconds
        self.journal = Journal()
        self.cannot = None
        for host in self.hosts.values():
            host.age(passed)

    def change(self, network: Network) -> None:
        """Go on in another network: what is tracked stays, where the namespace does."""
        self.network = network
        before, self.hosts = self.hosts, {}
        for name, old in before.items():
            host = self.host(name)
            if host is not None:
                host.conntrack, host.recent = old.conntrack, old.recent

    def host(self, name: str) -> Host | None:
        """The namespace of that name; looked up in the network when a packet first gets there."""
        found = self.hosts.get(name)
        if found is None:
            namespace = self.network.get(name)
            if namespace is None:
                return None
            found = self.hosts[name] = Host(name, namespace, self)
        return found


class Host:
    """One namespace during one walk."""

    __slots__ = (
        "_carrier",
        "_standing",
        "answered",
        "connections",
        "conntrack",
        "fdb_learned",
        "hops",
        "name",
        "namespace",
        "neighbours_learned",
        "path_mtus",
        "recent",
        "resolving",
        "route_errors",
        "routing",
        "simulation",
    )

    def __init__(self, name: str, namespace: NetNamespace, simulation: Simulation) -> None:
        self.name = name
        self.namespace = namespace
        self.simulation = simulation
        self._standing = standing(namespace)
        self._carrier: dict[str, bool] = {}
        self.routing = self._standing.routing
        self.conntrack = Conntrack(self._standing.tracked)
        self.recent = RecentLists(simulation.events)
        self.neighbours_learned: dict[tuple[str, Address], Neighbour] = {}
        self.answered: set[tuple[str, Address]] = set()
        """Neighbours that have answered in this exchange (NUD_REACHABLE)."""
        self.fdb_learned: dict[tuple[str, str], FdbEntry] = {}
        self.resolving: dict[tuple[str, Address], IncompleteNeighbour] = {}
        self.hops: dict[tuple[int, tuple[object, ...]], Route] = {}
        """Which of a route's next hops a flow takes: `k8stui.kernel.multipath`."""
        self.route_errors: dict[Address, tuple[float, float]] = {}
        """Of who has been told that there is no route: how many more errors it may get, and when
        that was counted (inet_peer: rate_tokens, rate_last)."""
        self.path_mtus: dict[Address, int] = {}
        """What is known to fit on the way to an address (fnhe_pmtu, rt6_exception)."""
        self.connections: dict[tuple[Address, int, Address, int], bool] = {}
        """TCP connections that a listener knows; True: established."""

    def age(self, seconds: float) -> None:
        """Let so much time pass; what was under way is over."""
        self.conntrack.age(seconds)
        self.recent.age(seconds)
        self.resolving.clear()
        self.route_errors = {
            peer: (tokens, counted - seconds)
            for peer, (tokens, counted) in self.route_errors.items()
        }

    def may_tell_of_route(self, peer: Address, packets: int = 1) -> bool:
        """Whether the first of so many packets without a route is answered.

        net/ipv4/route.c ip_error: five at once, then one a second. IPv6 has another limit.
        """
        if peer.version == 6:
            return True
        now = self.simulation.events.now
        left, counted = self.route_errors.get(peer, (_ROUTE_ERRORS, now))
        left = min(left + now - counted, _ROUTE_ERRORS)
        self.route_errors[peer] = (left - min(packets, int(left)), now)
        return left >= 1

    def mtu(self, way: Decision) -> int:
        """What the route takes, or else its device (dst_metric_raw of RTAX_MTU); 0: no device."""
        if way.route is not None and way.route.mtu_bytes:
            return way.route.mtu_bytes
        interface = self.interface(way.device)
        return interface.mtu_bytes if interface is not None else 0

    def path_mtu(self, destination: Address, first_bytes: int) -> int:
        """What fits on the way to `destination`, as far as this host knows (dst_mtu).

        `first_bytes`: what its first part takes.
        """
        return min(first_bytes, self.path_mtus.get(destination, first_bytes))

    def learn_path_mtu(self, destination: Address, fits_bytes: int) -> None:
        """Keep what fits on the way to `destination`, if it is less than was known.

        IPv6 has no less than 1,280, and takes no word of it (__ip6_rt_update_pmtu).
        """
        if destination.version == 4 or fits_bytes >= _IPV6_MIN_MTU_BYTES:
            self.path_mtus[destination] = self.path_mtu(destination, fits_bytes)

    def interface(self, name: str) -> Interface | None:
        return self._standing.interfaces.get(name)

    def hooks(self, family: int) -> Registry[HookFunction]:
        """What stands at the hooks of a family (4, 6, `nft_ruleset.BRIDGE`, `nft_ruleset.ARP`)."""
        standing = self._standing.hooks
        found = standing.get(family)
        if found is None:
            registrations = self.simulation.stack.registrations
            found = Registry(registrations(family, self.namespace))
            standing[family] = found
        return found

    def ports(self, bridge: str) -> tuple[Interface, ...]:
        """Ports of a bridge, the youngest first."""
        return self._standing.ports.get(bridge, ())

    def is_port_mac(self, bridge: str, mac: str) -> bool:
        """Whether one of the bridge's own ports has this MAC address."""
        return mac in self._standing.port_macs.get(bridge, ())

    def fdb(self, bridge: str, mac: str) -> FdbEntry | None:
        """What a bridge (or a vxlan device) knows of a MAC address."""
        return self.fdb_learned.get((bridge, mac)) or self._standing.fdb.get((bridge, mac))

    def everywhere(self, device: str) -> tuple[FdbEntry, ...]:
        """To whom a vxlan device sends what is for nobody that it knows (all_zeros_mac)."""
        return self._standing.everywhere.get(device, ())

    def neighbour(self, device: str, address: Address) -> Neighbour | None:
        """A resolved neighbour. Without carrier a device forgets them (neigh_carrier_down)."""
        key = (device, address)
        found = self.neighbours_learned.get(key) or self._standing.neighbours.get(key)
        if found is None or not self.has_carrier(device):
            return None
        entry = self.fdb(device, found.mac)
        if entry and not entry.permanent and not self.has_carrier(entry.device):
            # The neighbour behind a bridge port goes with the port.
            return None
        return found

    def has_carrier(self, device: str) -> bool:
        """Whether the device's other end is there and up (IFF_LOWER_UP)."""
        known = self._carrier.get(device)
        if known is None:
            known = self._carrier[device] = self._find_carrier(device)
        return known

    def _find_carrier(self, device: str) -> bool:
        interface = self.interface(device)
        if interface is None or not interface.up or not interface.carrier:
            return False
        if interface.kind is not LinkKind.VETH:
            return True
        if interface.peer is None:
            return False
        other = self.simulation.host(interface.peer[0])
        far = other.interface(interface.peer[1]) if other else None
        return far is not None and far.up
