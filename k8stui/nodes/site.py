"""The whole cluster as the builders of single namespaces see it: who is where, called what.

Holds the small indexes that more than one namespace needs (pods by node, names of devices at the
two ends of a cable). Nothing of a node is built here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import field
from functools import cached_property
from operator import is_

from k8stui.cluster.memory import others
from k8stui.cluster.model import Cluster, Container, Node, Pod, Service
from k8stui.cluster.networks.own_bridges import own_bridge
from k8stui.cluster.programs.listening import Listening
from k8stui.kernel.address import Address, Prefix, is_link_local
from k8stui.kernel.namespace import Interface, InterfaceAddress, LinkKind, Neighbour, Route
from k8stui.kernel.packet import Protocol
from k8stui.kernel.rules import Ruleset
from k8stui.nodes.contribution import Contribution, compose
from k8stui.nodes.errors import NoNamespaceError
from k8stui.nodes.kubeproxy.everywhere import Everywhere
from k8stui.nodes.lan import SWITCH, Lan, LanNetwork, covering, free_address, plan
from k8stui.nodes.names import hashed_name, mac
from k8stui.nodes.observed import (
    ROOT,
    End,
    ObservedNode,
    ObservedSpace,
    SeenNode,
    has_devices,
)
from k8stui.nodes.options import NodeOptions
from k8stui.nodes.part import Part
from k8stui.nodes.route_devices import route_devices
from k8stui.origin import Origin, assumed
from k8stui.record import record

_NETWORK_LENGTH = {4: 16, 6: 56}
_NODE_LENGTH = {4: 24, 6: 64}
_NOTHING = ObservedNode()


@record()
class Uplink:
    """The node's device on the wire."""

    device: str
    mac: str


@record(kw_only=True)
class NodeStanding:
    """What stands on a node beside its rules, and what of the cluster it was made of."""

    of: tuple[object, ...]
    everybody: tuple[tuple[Pod, str], ...]
    """All pods, where the others' ones matter one by one."""
    part: Part
    routes: tuple[Route, ...]
    """With the kernel's own."""
    written: dict[int, Sequence[Contribution]] = field(default_factory=dict)
    """What the plug-in writes into iptables by IP version, once somebody has asked."""


OVER_CARDS = frozenset({"bond", "team", "vlan", "macvlan"})
"""Devices that stand over a network card and speak Ethernet as it does: one that has an address of
the node's network is where its packets leave, and the card below is none of their business."""


class Site:
    """Cluster, options and dumps, indexed. Every answer is kept.

    `earlier`: that of the same nodes a moment ago, with the same options.
    """

    def __init__(
        self,
        cluster: Cluster,
        options: NodeOptions,
        observed: Mapping[str, SeenNode],
        earlier: Site | None = None,
    ) -> None:
        self.cluster = cluster
        self.options = options
        self.dumps = observed
        self._networks: dict[str, tuple[Prefix, ...]] = {}
        self._pod_networks: dict[int, Prefix] = {}
        self._strays: dict[str, list[tuple[Pod, Address]]] = {}
        self._on_wire: dict[tuple[str, int], list[tuple[str, Neighbour]]] = {}
        self._uplinks: dict[str, tuple[Uplink, ...]] = {}
        self._by_routes: dict[str, tuple[Interface, ...]] = {}
        self._spaces: dict[str, Mapping[str, ObservedSpace]] = {}
        self._bridged: dict[str, Mapping[Address, tuple[int, str]]] = {}
        self._routed: dict[str, Mapping[Address, str]] = {}
        self._devices: dict[str, dict[str, Interface]] = {}
        self._hung: dict[str, dict[End, End]] = {}
        self._running: dict[Callable[[Pod, Container], bool], Container | None] = {}
        self._running_then: Mapping[Callable[[Pod, Container], bool], Container | None] = {}
        self._pods_apart: AbstractSet[str] = frozenset()
        self._proxied: dict[int, Everywhere] = {}
        self._standing: dict[str, NodeStanding] = {}
        self._written: dict[tuple[str, int], Sequence[Contribution]] = {}
        self._composed: dict[tuple[str, int], tuple[Sequence[Contribution], Ruleset]] = {}
        # What it has worked out, not itself: else every moment would hold the one before.
        self._proxied_then: dict[int, Everywhere] = {}
        self._standing_then: Mapping[str, NodeStanding] = {}
        self._alike_then: tuple[object, ...] | None = None
        self._places_then: Mapping[str, tuple[Pod, str]] = {}
        self._families_then: frozenset[int] = frozenset()
        if earlier is not None:
            self._take_over(earlier)

    def _take_over(self, earlier: Site) -> None:
        self._proxied_then = dict(earlier._proxied)
        self._standing_then = earlier._standing
        self._composed = dict(earlier._composed)
        self._alike_then = earlier._alike
        self._pods_apart = others(earlier.cluster.pods, self.cluster.pods)
        self._places_then = earlier._places
        self._families_then = earlier._families
        if not self._pods_apart:
            self._places = earlier._places
            self._pods_by_node = earlier._pods_by_node
            self._host_pods_by_node = earlier._host_pods_by_node
        self._running_then = earlier._running
        for is_it in earlier._running:
            self.running(is_it)
        for name, strays in earlier._strays.items():
            if self.pods(name) == earlier.pods(name):
                self._strays[name] = strays

    @cached_property
    def listening(self) -> Listening:
        return Listening(self.cluster)

    @cached_property
    def lan(self) -> Lan:
        return plan(self.cluster, self._seen_networks() if self.dumps else ())

    def _seen_networks(self) -> tuple[LanNetwork, ...]:
        """The networks of the nodes' devices on the wire, with the routers that lead out of them.

        Devices with one network in common are on one switch.
        """
        found: dict[Prefix, LanNetwork] = {}
        switches = 0
        for node in self.cluster.nodes.values():
            observed = self.observed(node)
            by_name = {one.name: one for one in self.devices(node)}
            for uplink in self.uplinks(node) if by_name else ():
                networks = {e.network: e.address for e in self._on_uplink(node, uplink)}
                known = next((found[net].switch for net in networks if net in found), None)
                if known is None:
                    known = f"{SWITCH}-{switches + 1}" if switches else SWITCH
                    switches += 1
                for network in networks:
                    router = self._router_in(observed, network)
                    if router is not None or network not in found:
                        found[network] = self._with_router(observed, network, router, known)
        return tuple(found.values())

    def _on_uplink(self, node: Node, uplink: Uplink) -> Iterator[InterfaceAddress]:
        """The addresses of a device on the wire, or of the bridge above it."""
        seen = {one.name: one for one in self.devices(node)}
        device = seen.get(uplink.device)
        master = seen.get(device.master) if device is not None and device.master else None
        for one in (device, master):
            for entry in one.addresses if one is not None else ():
                if entry.prefix_length < entry.address.bits and not is_link_local(entry.address):
                    yield entry

    def addresses_on(self, node: Node, uplink: Uplink) -> tuple[Address, ...]:
        """At which addresses the node answers there; without a dump its own."""
        if not self.devices(node):
            return tuple(a for version in (4, 6) if (a := node.address(version)))
        return tuple(entry.address for entry in self._on_uplink(node, uplink))

    def _router_in(self, observed: SeenNode, network: Prefix) -> Address | None:
        """The gateway of a default route, in whatever table, that is in the network."""
        return next(
            (
                route.gateway
                for route in observed.routes or ()
                if not route.destination.length and route.gateway and route.gateway in network
            ),
            None,
        )

    def _with_router(
        self, observed: SeenNode, network: Prefix, router: Address | None, switch: str
    ) -> LanNetwork:
        if router is None:
            taken = {address for node in self.cluster.nodes.values() for address in node.addresses}
            return LanNetwork(network, free_address(network, taken), switch)
        known = (one.mac for one in observed.neighbours or () if one.address == router)
        return LanNetwork(network, router, switch, next(known, ""))

    def proxied(self, version: int) -> Everywhere:
        """What kube-proxy makes of the cluster on every node, for one family."""
        found = self._proxied.get(version)
        if found is None:
            found = self._proxied_then.pop(version, None)
            if found is None or not found.still(self.cluster):
                found = Everywhere(self.cluster, version, found)
            self._proxied[version] = found
        return found

    def written(
        self, node: Node, version: int, make: Callable[[], Sequence[Contribution]]
    ) -> Sequence[Contribution]:
        """What all programs write, made once."""
        key = (node.name, version)
        found = self._written.get(key)
        if found is None:
            found = self._written[key] = make()
        return found

    def composed(self, node: Node, version: int, made: Sequence[Contribution]) -> Ruleset:
        """What programs have written together; as a moment ago where each wrote the same."""
        then = self._composed.get((node.name, version))
        if then is None or len(then[0]) != len(made) or not all(map(is_, then[0], made)):
            then = self._composed[node.name, version] = made, compose(made)
        return then[1]

    def standing(
        self, node: Node, make: Callable[[], tuple[Part, tuple[Route, ...]]]
    ) -> NodeStanding:
        """What `make` gives; or what it gave a moment ago, where the node's pods are the same."""
        found = self._standing.get(node.name)
        if found is None:
            of = (self._alike, self.pods(node.name), self.host_pods(node.name))
            found = self._standing_then.get(node.name)
            if (
                found is None
                or found.of != of
                or (found.part.by_pod and found.everybody != self._placed)
            ):
                part, routes = make()
                everybody = self._placed if part.by_pod else ()
                found = NodeStanding(of=of, everybody=everybody, part=part, routes=routes)
            self._standing[node.name] = found
        return found

    def plugin_rules(
        self, node: Node, version: int, make: Callable[[], Sequence[Contribution]]
    ) -> Sequence[Contribution]:
        """What `make` gives; or what it gave a moment ago, where the same stands on the node."""
        standing = self._standing.get(node.name)
        if standing is None:
            return make()
        found = standing.written.get(version)
        if found is None:
            found = standing.written[version] = make()
        return found

    def running(self, is_it: Callable[[Pod, Container], bool]) -> Container | None:
        """The container of a daemon in the first of its pods. Costs one pass over all pods."""
        if is_it not in self._running:
            pods: Iterable[Pod] = self.cluster.pods.values()
            if is_it in self._running_then and self._running_then[is_it] is None:
                pods = (pod for key, pod in self.cluster.pods.items() if key in self._pods_apart)
            found = (one for pod in pods for one in pod.containers if is_it(pod, one))
            self._running[is_it] = next(found, None)
        return self._running[is_it]

    @cached_property
    def _alike(self) -> tuple[object, ...]:
        """What matters to all nodes: the others and their pods' networks, what is between them."""
        cluster = self.cluster
        nodes = cluster.nodes.values()
        found = (
            [*map(self.running, self._running)],
            *(
                self.lan.networks,
                cluster.flannel,
                cluster.cni_configurations,
                cluster.docker,
                cluster.pod_cidr,
            ),
            *(cluster.network_plugins, cluster.calico, cluster.distribution),
            *(*nodes, *map(tuple, map(self.behind, nodes))),
        )
        return self._alike_then if self._alike_then == found else found

    def observed(self, node: Node) -> SeenNode:
        """What dumps say of this node."""
        return self.dumps.get(node.name, _NOTHING)

    @cached_property
    def is_whole(self) -> bool:
        """Whether all that stands on any node was asked for."""
        return all(self.observed(node).is_whole for node in self.cluster.nodes.values())

    # Pods

    def pods(self, node_name: str) -> tuple[Pod, ...]:
        """Pods of a node that have a namespace of their own, in the order of their addresses.

        host-local gives addresses upwards, so this is the order in which they were added.
        """
        return self._pods_by_node.get(node_name, ())

    def host_pods(self, node_name: str) -> tuple[Pod, ...]:
        """The hostNetwork pods of a node, in the cluster's order."""
        return self._host_pods_by_node.get(node_name, ())

    @cached_property
    def _places(self) -> Mapping[str, tuple[Pod, str]]:
        """Every pod that has one, with the name of the namespace that it lives in."""
        then = self._places_then
        found = {}
        for key, pod in self.cluster.pods.items():
            known = then.get(key)
            if known is not None and known[0] is pod:
                found[key] = known
                continue
            try:
                found[key] = pod, namespace_of(self.cluster, pod)
            except NoNamespaceError:
                continue
        return found

    @cached_property
    def _families(self) -> frozenset[int]:
        """Of pods' addresses, those that have gone since included."""
        pods = self.cluster.pods
        came = self._pods_apart & pods.keys() if self._places_then else pods
        return self._families_then | {a.version for key in came for a in pods[key].addresses}

    @cached_property
    def _placed(self) -> tuple[tuple[Pod, str], ...]:
        return tuple(self._places.values())

    @cached_property
    def _pods_by_node(self) -> Mapping[str, tuple[Pod, ...]]:
        found: dict[str, list[Pod]] = {}
        for key, (pod, place) in self._places.items():
            if place == key and pod.node_name is not None:
                found.setdefault(pod.node_name, []).append(pod)
        return {
            name: tuple(sorted(pods, key=lambda pod: pod.addresses[0]))
            for name, pods in found.items()
        }

    @cached_property
    def _host_pods_by_node(self) -> Mapping[str, tuple[Pod, ...]]:
        found: dict[str, list[Pod]] = {}
        for key, (pod, place) in self._places.items():
            if place != key:
                found.setdefault(place, []).append(pod)
        return {name: tuple(pods) for name, pods in found.items()}

    def targets(self, pod_key: str) -> tuple[tuple[str, Protocol, int], ...]:
        """What Services send to on a hostNetwork pod: (Service key, protocol, port)."""
        return tuple(self._targets.get(pod_key, ()))

    @cached_property
    def _targets(self) -> Mapping[str, list[tuple[str, Protocol, int]]]:
        wanted = {pod.key for pods in self._host_pods_by_node.values() for pod in pods}
        found: dict[str, list[tuple[str, Protocol, int]]] = {}
        for service, slices in self.cluster.endpoint_slices.items():
            for piece in slices:
                for endpoint in piece.endpoints:
                    if endpoint.pod is not None and endpoint.pod in wanted:
                        found.setdefault(endpoint.pod, []).extend(
                            (service, port.protocol, port.port) for port in piece.ports or ()
                        )
        return found

    @cached_property
    def health_checked(self) -> tuple[Service, ...]:
        """Services whose load balancer asks every node's healthCheckNodePort."""
        return tuple(
            service
            for service in self.cluster.services.values()
            if service.health_check_node_port and service.external_traffic_policy == "Local"
        )

    # Pod networks

    def networks(self, node: Node) -> tuple[Prefix, ...]:
        """The node's pod networks, IPv4 first: its podCIDRs, else what its pods' addresses say."""
        found = self._networks.get(node.name)
        if found is None:
            asked = (node.pod_cidr(version) or self._guess(node, version) for version in (4, 6))
            found = tuple(prefix for prefix in asked if prefix is not None)
            self._networks[node.name] = found
        return found

    def network_of(self, node: Node, address: Address) -> Prefix | None:
        """The node's pod network of the address's family, whether or not the address is in it."""
        return next(
            (net for net in self.networks(node) if net.address.version == address.version), None
        )

    def strays(self, node: Node) -> Sequence[tuple[Pod, Address]]:
        """Pods of the node whose observed address is outside its pod networks."""
        found = self._strays.get(node.name)
        if found is None:
            networks = self.networks(node)
            found = self._strays[node.name] = [
                (pod, address)
                for pod in self.pods(node.name)
                for address in pod.addresses
                if not any(address in network for network in networks)
            ]
        return found

    def behind(self, node: Node) -> Iterator[Prefix]:
        """All that the other nodes have to send to this one."""
        yield from self.networks(node)
        for _, address in self.strays(node):
            if own_bridge(address) is None:  # that is on every node, and nobody has a route to it
                yield Prefix(address, address.bits)

    def pod_network(self, version: int) -> Prefix:
        """The network of all pods: flannel's Network, the pod CIDR, or what holds the nodes'."""
        found = self._pod_networks.get(version)
        if found is None:
            found = self._pod_networks[version] = self._whole_network(version)
        return found

    def pod_network_origin(self, node: Node) -> Origin:
        """Where the node's pod network comes from."""
        if node.pod_cidrs:
            return node.origins.get("pod_cidrs", node.origin)
        return assumed("the node has no podCIDR; taken from its pods' addresses", node.origin.place)

    def _guess(self, node: Node, version: int) -> Prefix | None:
        if version not in self._families:
            return None
        addresses = (a for pod in self.pods(node.name) for a in pod.addresses)
        first = next((a for a in addresses if a.version == version), None)
        return Prefix.of(first, _NODE_LENGTH[version]) if first else None

    def _whole_network(self, version: int) -> Prefix:
        written = (self.cluster.flannel or {}).get("Network" if version == 4 else "IPv6Network")
        if isinstance(written, str) and written:
            try:
                return Prefix.parse(written)
            except ValueError:
                pass  # flanneld would not start; the nodes' own networks are the better guess
        if self.cluster.pod_cidr.address.version == version:
            return self.cluster.pod_cidr
        mine = [
            prefix
            for node in self.cluster.nodes.values()
            for prefix in self.networks(node)
            if prefix.address.version == version
        ]
        return covering(mine, _NETWORK_LENGTH[version]) if mine else self.cluster.pod_cidr

    # Devices

    def uplink(self, node: Node) -> Uplink:
        """The node's device on the wire: the one that has its address; that of the default route.

        Without a dump: eth0.
        """
        return self.uplinks(node)[0]

    def uplinks(self, node: Node) -> tuple[Uplink, ...]:
        """The node's devices on the wire, that of its own address first."""
        found = self._uplinks.get(node.name)
        if found is None:
            found = self._uplinks[node.name] = tuple(self._find_uplinks(node))
        return found

    def devices(self, node: Node) -> Sequence[Interface]:
        """Those that a dump shows, else those that its routes name; none: nothing was seen."""
        observed = self.observed(node)
        if observed.devices is not None or not has_devices(observed):
            return observed.devices or ()
        found = self._by_routes.get(node.name)
        if found is None:
            found = self._by_routes[node.name] = route_devices(observed.routes or ())
        return found

    def _find_uplinks(self, node: Node) -> Iterator[Uplink]:
        observed = self.observed(node)
        seen = self.devices(node)
        first = next(
            (i for i in seen if any(e.address in node.addresses for e in i.addresses)), None
        )
        if first is None:
            ways_out = {r.device for r in observed.routes or () if not r.destination.length}
            first = next((i for i in seen if i.name in (ways_out or {"eth0"})), None)
        if first is None:
            address = node.address(4) or node.address(6)
            yield Uplink("eth0", mac(address) if address else "02:00:00:00:00:00")
            return
        card = self._card_below(node, first)
        yield Uplink(card.name, first.mac)
        for interface in seen:
            # Whatever else has an address of a network and is no cable to a namespace here.
            # Where a cable leads is asked last: that takes the pods' own namespaces.
            if (
                interface not in (first, card)
                and any(
                    1 < entry.prefix_length < entry.address.bits
                    and not is_link_local(entry.address)
                    for entry in interface.addresses
                )
                and self._is_card(node, interface)
            ):
                yield Uplink(interface.name, interface.mac)

    def _card_below(self, node: Node, interface: Interface) -> Interface:
        """Where the address is a bridge's: the port that leads out of the node."""
        if interface.kind is LinkKind.BRIDGE:
            for port in self.devices(node):
                if port.master == interface.name and self._is_card(node, port):
                    return port
        return interface

    def _is_card(self, node: Node, interface: Interface) -> bool:
        is_card = interface.kind is LinkKind.VETH or interface.driver in OVER_CARDS
        return is_card and (ROOT, interface.name) not in self.observed(node).cables

    def answers_for(self, node: Node, address: Address) -> bool:
        """Whether the node answers who looks for the address: a dump may show that it lost it."""
        seen = self.observed(node).devices
        return seen is None or any(e.address == address for i in seen for e in i.addresses)

    def on_wire(self, device: str, version: int) -> Sequence[tuple[str, Neighbour]]:
        """Every node by name, as those know it who are on the wire with such a device."""
        found = self._on_wire.get((device, version))
        if found is None:
            found = self._on_wire[device, version] = [
                (node.name, Neighbour(address=far, device=device, mac=self.uplink(node).mac))
                for node in self.cluster.nodes.values()
                if (far := node.address(version)) and self.answers_for(node, far)
            ]
        return found

    def space_of(self, node: Node, pod: Pod) -> ObservedSpace | None:
        """The pod's own namespace, where it was collected: the one that has its address."""
        found = self._spaces.get(node.name)
        if found is None:
            by_address = {
                entry.address: space
                for space in self.observed(node).pods.values()
                for interface in space.interfaces or ()
                for entry in interface.addresses
                if interface.kind is not LinkKind.LOOPBACK and not is_link_local(entry.address)
            }
            found = self._spaces[node.name] = {
                each.key: by_address[address]
                for each in self.pods(node.name)
                for address in each.addresses
                if address in by_address
            }
        return found.get(pod.key)

    def absent(self, node: Node) -> Mapping[Address, str]:
        """Whom one would look for on a node and who is not there, by address, in words."""
        failed = self.observed(node).failed
        if not failed:
            return self.unattached(node)
        known = {a for other in self.cluster.nodes.values() for a in other.addresses}
        known |= {a for pod, _ in self._placed for a in pod.addresses}
        silent = {
            address: f"{address} did not answer {node.name} before ({why.origin.place.file}:"
            f"{why.origin.place.line}: FAILED)"
            for address, why in failed.items()
            if address not in known and why.origin.place is not None
        }
        return {**silent, **self.unattached(node)}

    def unattached(self, node: Node) -> Mapping[Address, str]:
        """Pods of a node none of whose collected namespaces is theirs."""
        observed = self.observed(node)
        if not observed.pods:
            return {}
        shut = f" ({', '.join(observed.shut)}: could not be entered)" if observed.shut else ""
        hidden = [one for space in observed.pods.values() for one in space.unread]
        shut += f" ({'; '.join(map(str, hidden))})" if hidden else ""
        return {
            address: f"pod {pod.key} is not attached in this snapshot: no namespace that was "
            f"collected of {node.name} has its address{shut}"
            for pod in self.pods(node.name)
            if self.space_of(node, pod) is None
            for address in pod.addresses
        }

    def far_ends(self, node: Node) -> Mapping[str, End]:
        """The node's devices with the (namespace, device) that a cable leads to, as it was seen."""
        observed, cables = self.observed(node), self._cables(node)
        if not cables:
            return {}
        names = {ROOT: node.name}
        for pod in self.pods(node.name):
            space = self.space_of(node, pod)
            names |= {name: pod.key for name, one in observed.pods.items() if one is space}
        return {
            device: (names[far], far_device)
            for (space, device), (far, far_device) in cables.items()
            if space == ROOT and far in names
        }

    def near_ends(self, node: Node, pod: Pod) -> Mapping[str, End]:
        """The devices of a collected pod, as `far_ends` has the node's."""
        space, observed = self.space_of(node, pod), self.observed(node)
        name = next((name for name, one in observed.pods.items() if one is space), None)
        return {
            device: (node.name if far == ROOT else pod.key, far_device)
            for (near, device), (far, far_device) in self._cables(node).items()
            if near == name and far in (ROOT, name)
        }

    def _cables(self, node: Node) -> Mapping[End, End]:
        """The cables whose ends tell of each other.

        Where none does, as by BusyBox's ip: what the node's routes, or its neighbours and bridges,
        have for a pod's address leads to the pod's card, where it has but one.
        """
        observed = self.observed(node)
        if observed.cables or not observed.pods:
            return observed.cables
        found = self._hung.get(node.name)
        if found is None:
            found = self._hung[node.name] = {}
            names = {id(space): name for name, space in observed.pods.items()}
            for pod in self.pods(node.name):
                space = self.space_of(node, pod)
                port = self.routed_to(node, pod) or self.bridged_to(node, pod)
                kinds = [] if space is None else space.interfaces or ()
                cards = [one.name for one in kinds if one.kind is LinkKind.VETH]
                if port is not None and len(cards) == 1:
                    near, far = (ROOT, port), (names[id(space)], cards[0])
                    found |= {near: far, far: near}
        return found

    def seen_device(self, node: Node, device: str) -> Interface | None:
        """One of the node's devices, as a dump shows it."""
        seen = self._devices.get(node.name)
        if seen is None:
            found = self.observed(node).interfaces or ()
            seen = self._devices[node.name] = {one.name: one for one in found}
        return seen.get(device)

    def seen_mac(self, node: Node, device: str) -> str | None:
        """The MAC address that a dump shows of one of the node's devices."""
        seen = self.seen_device(node, device)
        return seen.mac if seen is not None else None

    def bridged_to(self, node: Node, pod: Pod) -> str | None:
        """The bridge's port behind which a dump's neighbours and FDB have the pod's address."""
        ports = self._bridged.get(node.name)
        if ports is None:
            ports = self._bridged[node.name] = _behind_ports(self.observed(node))
        found = [ports[address] for address in pod.addresses if address in ports]
        return min(found)[1] if found else None

    def routed_to(self, node: Node, pod: Pod) -> str | None:
        """The device that a dump's route to the pod's own address names, on a cable of its own."""
        routed = self._routed.get(node.name)
        if routed is None:
            routed = self._routed[node.name] = _behind_routes(self.observed(node))
        return next((routed[one] for one in pod.addresses if one in routed), None)

    def cable_of(self, node: Node, pod: Pod, prefix: str) -> str:
        """The node's end of a cable without a bridge: `routed_to`, else a name by the pod's own."""
        return self.routed_to(node, pod) or hashed_name(prefix, pod)


def namespace_of(cluster: Cluster, pod: Pod) -> str:
    """The key of the network namespace that the pod's containers live in.

    Its own (`pod.key`), or its node's name for a hostNetwork pod. A Pending pod that has been
    bound and given an address has a namespace already: its init containers run there.

    Raises:
        NoNamespaceError: it has none.

    """
    if pod.phase.is_final:
        raise NoNamespaceError(pod.key, f"it has {pod.phase.lower()}")
    if pod.node_name is None:
        raise NoNamespaceError(pod.key, pod.pending_reason or "it is Pending")
    if pod.node_name not in cluster.nodes:
        raise NoNamespaceError(pod.key, f"its node {pod.node_name} is not in the input")
    if pod.host_network:
        return pod.node_name
    if not pod.addresses:
        why = f": {pod.pending_reason}" if pod.pending_reason else ""
        raise NoNamespaceError(pod.key, f"it is {pod.phase} and has no address yet{why}")
    return pod.key


def _behind_routes(observed: SeenNode) -> Mapping[Address, str]:
    """By address the device that the first route to it alone names, where that is a cable's end.

    Without ``-d`` nobody may say what kind of device it is.
    """
    cables = {
        one.name
        for one in observed.interfaces or ()
        if one.kind in (LinkKind.VETH, LinkKind.OTHER) and not one.driver and one.master is None
    }
    found: dict[Address, str] = {}
    for route in observed.routes or ():
        address, length = route.destination
        if length == address.bits and route.device in cables and route.table != "local":
            found.setdefault(address, route.device)
    return found


def _behind_ports(observed: SeenNode) -> Mapping[Address, tuple[int, str]]:
    """By address of a neighbour the bridge's port that has learned its MAC, and which FDB entry."""
    ports = {one.name for one in observed.interfaces or () if one.master is not None}
    learned: dict[str, tuple[int, str]] = {}
    for place, entry in enumerate(observed.fdb or ()):
        if entry.device in ports and not entry.permanent:
            learned.setdefault(entry.mac, (place, entry.device))
    found: dict[Address, tuple[int, str]] = {}
    for one in observed.neighbours or () if learned else ():
        if one.mac in learned:
            found[one.address] = min(learned[one.mac], found.get(one.address, learned[one.mac]))
    return found
