"""A namespace of the model → the commands that make a real one.

Option names: ip-link(8), ip-address(8), ip-neighbour(8), bridge(8).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from k8stui.kernel.address import Prefix, is_loopback
from k8stui.kernel.link import NO_MAC
from k8stui.kernel.namespace import (
    Interface,
    LinkKind,
    NetNamespace,
    Route,
    Scope,
    Vxlan,
)
from k8stui.kernel.vxlan import OVERHEAD_BYTES
from k8stui.lab.plan import FD, NOWHERE, ProcFile, Space
from k8stui.lab.planning import settings
from k8stui.lab.planning.naming import Naming
from k8stui.lab.planning.routing import Routing, Words


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
        self.naming = Naming()
        for interface in namespace.interfaces:
            self.naming(interface.name)
        self._indexes = indexes
        """Of the namespaces that are built."""
        self._routing = Routing(namespace, self.naming, hops)

    def settings(self) -> list[ProcFile]:
        """Before there is a device."""
        return settings.of_namespace(self.namespace, ipv6=self.has_ipv6)

    def device_settings(self) -> list[ProcFile]:
        """Of single devices, when they are there."""
        return settings.of_devices(self.namespace, self.naming, ipv6=self.has_ipv6)

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
            *self._routing.routes(),
            *self._routing.rules(4),
            *self._neighbours(),
        ]

    def ip6(self) -> list[Words]:
        """What only ``ip -6`` takes."""
        return list(self._routing.rules(6)) if self.has_ipv6 else []

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


def _on(value: bool) -> str:
    return "on" if value else "off"
