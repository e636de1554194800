"""What is between the nodes and beyond them: the switch with its router, and a client outside.

One namespace, `wire`, is both: the bridge `lan` with a port per node, and routing from `lan` to
`eth1`, where the client is. The client's host, `outside`, stands for every public address; what
the cluster sends to a private address that nobody has (a Service's address without rules, say)
ends here, as on a router without a route. All of it is assumed (the lab that recorded
golden-walks looked like this); addresses from `k8stui.nodes.lan`.

A third one, `lan`, stands for every host on the nodes' own networks that is no node: it hangs on
the switch and answers for each address there that the cluster does not use.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from k8stui.because import Because
from k8stui.cluster.hosts import OutsideHost
from k8stui.cluster.kubernetes_service import lost_api_servers
from k8stui.cluster.model import Cluster, Node, Service
from k8stui.digest import sha1
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.namespace import (
    DEFAULT_POLICY_RULES,
    BridgePort,
    FdbEntry,
    Interface,
    LinkKind,
    Neighbour,
    NetNamespace,
    PolicyRule,
    Route,
    RouteType,
    Sysctls,
)
from k8stui.nodes import clouds
from k8stui.nodes.internet import PRIVATE, is_private
from k8stui.nodes.lan import SWITCH, Lan, LanNetwork, client, hand_written
from k8stui.nodes.names import host_mac, mac
from k8stui.nodes.observed import SeenNode
from k8stui.nodes.part import DEFAULT_ROUTE, Part, interface_address
from k8stui.nodes.site import Site, Uplink
from k8stui.nodes.sockets import outside_sockets
from k8stui.nodes.standing import loopback, standing_routes
from k8stui.origin import assumed
from k8stui.record import record

WIRE = "wire"
OUTSIDE = "outside"
_HOSTS = "hosts"
"""The switch's port to the other hosts on the nodes' networks."""
LAN = "lan"
_EVERYTHING = "everything"
"""Name of the table by which `outside` takes what comes in for any public address."""
_ORIGIN = assumed("manifests do not say what is between the nodes: one switch and one router")


def build_wire(site: Site) -> NetNamespace:
    """The switch and router. Costs one pass over the nodes."""
    lan = site.lan
    switches = _switches(lan.networks)
    ports = []
    fdb = [
        FdbEntry(mac=lan.router_mac(switch), device=switch, permanent=True) for switch in switches
    ]
    neighbours = []
    for node in site.cluster.nodes.values():
        for uplink in site.uplinks(node):
            addresses = site.addresses_on(node, uplink)
            switch = _switch_of(lan, addresses)
            name = port_name(site, node, uplink)
            port_mac = _port_mac(node, name)
            ports.append(
                Interface(
                    name=name,
                    kind=LinkKind.VETH,
                    mac=port_mac,
                    master=switch,
                    peer=(node.name, uplink.device),
                    port=BridgePort(),
                    reason=Because(text=f"switch port of {name}", origin=_ORIGIN),
                )
            )
            fdb += [
                FdbEntry(mac=uplink.mac, device=name),
                FdbEntry(mac=port_mac, device=name, permanent=True),
            ]
            neighbours += [
                Neighbour(address=address, device=switch, mac=uplink.mac)
                for address in addresses
                if site.answers_for(node, address)
            ]
    ports += [
        _port_of_the_hosts(n, switch, networks)
        for n, (switch, networks) in enumerate(switches.items())
    ]
    neighbours += _pods_on_the_wire(site)
    neighbours += [
        Neighbour(address=client(net), device="eth1", mac=_mac([client(lan.outside[0])]))
        for net in lan.outside
    ]
    bridges = (
        Interface(
            name=switch,
            kind=LinkKind.BRIDGE,
            mac=lan.router_mac(switch),
            carrier=bool(ports),
            addresses=tuple(
                interface_address(
                    net.router,
                    net.prefix.length,
                    Because(text=f"the nodes' router in {net.prefix}", origin=_ORIGIN),
                )
                for net in networks
            ),
            reason=Because(
                text="the switch between the nodes, and the router's leg on it", origin=_ORIGIN
            ),
        )
        for switch, networks in switches.items()
    )
    part = Part(
        interfaces=(loopback(), *bridges, *ports),
        neighbours=tuple(neighbours),
        fdb=tuple(fdb),
        routes=(
            *_way_out(lan.outside),
            *_named_hosts(site),
            *_written_hosts(site),
            *_virtual_addresses(site),
        ),
    ) + _leg(lan.outside, [net.router for net in lan.outside], "eth1", (OUTSIDE, "eth0"))
    return NetNamespace(
        name=WIRE,
        interfaces=part.interfaces,
        routes=standing_routes(part),
        neighbours=part.neighbours,
        fdb=part.fdb,
        sysctls=Sysctls(ip_forward=True, bridge_nf_call_iptables=False),
        judges=clouds.judges(site.cluster),
    )


def _switches(networks: Iterable[LanNetwork]) -> Mapping[str, tuple[LanNetwork, ...]]:
    """The networks by the switch that they are on; one without any where nodes have no address."""
    found: dict[str, tuple[LanNetwork, ...]] = {}
    for net in networks:
        found[net.switch] = (*found.get(net.switch, ()), net)
    return found or {SWITCH: ()}


def _switch_of(lan: Lan, addresses: Iterable[Address]) -> str:
    """The switch of who has these addresses."""
    found = (net for one in addresses if (net := lan.network_of(one)) is not None)
    return next((net.switch for net in found), SWITCH)


def port_name(site: Site, node: Node, uplink: Uplink) -> str:
    """The switch's port of one of the node's devices: called as the node, where it has but one."""
    is_first = uplink is site.uplink(node)
    return node.name if is_first else f"{node.name} {uplink.device}"


def _port_mac(node: Node, name: str) -> str:
    addresses = [a for version in (4, 6) if (a := node.address(version))]
    if name == node.name:
        return host_mac(addresses[0]) if addresses else "06:00:00:00:00:00"
    return f"06:00:{sha1(name.encode()).digest()[:4].hex(':')}"


def _pods_on_the_wire(site: Site) -> Iterator[Neighbour]:
    """Pods with an address of the nodes' own network: the fabric brings it to their node.

    To which of the node's devices the other nodes' neighbours tell, or the node's own rule for what
    the pod sends (an AWS interface has its pods' addresses, and their way out); else to its first.
    """
    known = {
        near.address: near.mac
        for node in site.cluster.nodes.values()
        for near in site.observed(node).neighbours or ()
        if near.device in {uplink.device for uplink in site.uplinks(node)}
    }
    for node in site.cluster.nodes.values():
        uplinks = site.uplinks(node)
        macs = {one.device: one.mac for one in uplinks}
        ways_out = _ways_out(site.observed(node))
        for pod in site.pods(node.name) if site.observed(node).devices is not None else ():
            for address in pod.addresses:
                net = site.lan.network_of(address)
                if net is not None:
                    seen = known.get(address, "")
                    own = macs.get(ways_out.get(address, ""), uplinks[0].mac)
                    yield Neighbour(
                        address=address,
                        device=net.switch,
                        mac=seen if seen in macs.values() else own,
                    )


def _ways_out(observed: SeenNode) -> Mapping[Address, str]:
    """The device by which the packets of one address go out, where a rule of its own says so."""
    rules = [
        (one.source.address, one.table)
        for one in observed.policy_rules or ()
        if one.source is not None and one.source.length == one.source.address.bits
    ]
    devices = {
        route.table: route.device
        for route in observed.routes or ()
        if not route.destination.length and route.device is not None
    }
    return {address: devices[table] for address, table in rules if table in devices}


def build_outside(site: Site) -> NetNamespace:
    """The client beyond the router: 203.0.113.10, everything by way of the router."""
    networks = site.lan.outside
    part = Part(interfaces=(loopback(),)) + _leg(
        networks, [client(net) for net in networks], "eth0", (WIRE, "eth1")
    )
    part += Part(
        routes=tuple(
            Route(
                destination=DEFAULT_ROUTE[net.prefix.address.version],
                gateway=net.router,
                device="eth0",
                reason=Because(text="everything goes to the nodes' router", origin=_ORIGIN),
            )
            for net in networks
        )
        + tuple(
            Route(
                destination=DEFAULT_ROUTE[net.prefix.address.version],
                device="lo",
                type=RouteType.LOCAL,
                scope="host",
                table=_EVERYTHING,
                reason=Because(text="stands for every public address", origin=_ORIGIN),
            )
            for net in networks
        )
        + tuple(_own_addresses(site)),
        neighbours=tuple(
            Neighbour(address=net.router, device="eth0", mac=_mac([networks[0].router]))
            for net in networks
        ),
    )
    return NetNamespace(
        name=OUTSIDE,
        interfaces=part.interfaces,
        routes=standing_routes(part),
        policy_rules=(
            DEFAULT_POLICY_RULES[0],
            PolicyRule(priority=100, table=_EVERYTHING, iif="eth0"),
            *DEFAULT_POLICY_RULES[1:],
        ),
        neighbours=part.neighbours,
        sockets=outside_sockets(OUTSIDE, site.cluster.hosts.values()),
    )


def _own_addresses(site: Site) -> Iterator[Route]:
    """Of hosts that the user named: `outside` has their addresses, and refuses in their name.

    Where only a rule leads to an address, a kernel sends nothing from it unless a socket does
    (net/ipv4/route.c ip_route_output_key_hash_rcu, __ip_dev_find).
    """
    for host in _beyond(site):
        yield Route(
            destination=Prefix(host.address, host.address.bits),
            device="lo",
            type=RouteType.LOCAL,
            scope="host",
            table="local",
            reason=Because(text=f"the address of {host.name}", origin=host.origin),
        )


def _beyond(site: Site) -> Iterator[OutsideHost]:
    """Hosts that the user named, but for those on the nodes' own network.

    A name may also be a load balancer's: who asks it comes in by that.
    """
    services = site.cluster.services.values() if site.cluster.hosts else ()
    balanced = {one.ip for service in services for one in service.load_balancer_ingress}
    balanced.update(address for service in services for address in service.external_ips)
    for host in site.cluster.hosts.values():
        if host.address not in balanced and site.lan.network_of(host.address) is None:
            yield host


def _port_of_the_hosts(n: int, switch: str, networks: Sequence[LanNetwork]) -> Interface:
    """A switch's end of the cable to all hosts that are no nodes."""
    return Interface(
        name=f"{_HOSTS}-{n}" if n else _HOSTS,
        kind=LinkKind.VETH,
        mac=host_mac(networks[0].prefix.address) if networks else "06:00:00:00:00:00",
        master=switch,
        peer=(LAN, f"eth{n}"),
        port=BridgePort(),
        reason=Because(text="switch port of the other hosts", origin=_ORIGIN),
    )


def build_lan(site: Site) -> NetNamespace:
    """The other hosts on the nodes' networks: every address there that the cluster does not use.

    They answer ARP, talk to their neighbours directly and to others by the nodes' router.
    """
    switches = _switches(site.lan.networks)
    assumption = Because(
        text="stands for every host on the nodes' network that is no node",
        origin=assumed("a host outside the cluster has the address"),
    )
    devices = tuple(
        Interface(
            name=f"eth{n}",
            kind=LinkKind.VETH,
            mac=_mac([net.prefix.address for net in networks]),
            peer=(WIRE, f"{_HOSTS}-{n}" if n else _HOSTS),
            reason=Because(text="the cable to the nodes' switch", origin=_ORIGIN),
        )
        for n, networks in enumerate(switches.values())
    )
    routes = []
    for device, networks in zip(devices, switches.values(), strict=True):
        for net in networks:
            default = DEFAULT_ROUTE[net.prefix.address.version]
            routes += [
                Route(
                    destination=net.prefix,
                    device="lo",
                    type=RouteType.LOCAL,
                    scope="host",
                    table="local",
                    reason=assumption,
                ),
                Route(destination=net.prefix, device=device.name, scope="link", reason=assumption),
                Route(
                    destination=default,
                    gateway=net.router,
                    device=device.name,
                    reason=assumption,
                ),
            ]
    networks = site.lan.networks
    used = {prefix for prefix in _in_use(site) if any(prefix.address in n.prefix for n in networks)}
    routes += [
        Route(destination=prefix, type=RouteType.THROW, table="local", reason=assumption)
        for prefix in sorted(used)
    ]
    answered = list(_answered(site))
    routes += [route for route, _ in answered]
    part = Part(interfaces=(loopback(), *devices), routes=tuple(routes))
    return NetNamespace(
        name=LAN,
        interfaces=part.interfaces,
        routes=standing_routes(part),
        neighbours=tuple(neighbour for _, neighbour in answered),
        # Any rule keeps the kernel from taking tables local and main for one (fib_unmerge), in
        # which what is thrown would not be looked for again.
        policy_rules=(
            DEFAULT_POLICY_RULES[0],
            PolicyRule(priority=100, table="main"),
            *DEFAULT_POLICY_RULES[1:],
        ),
        sockets=outside_sockets(LAN, site.cluster.hosts.values()),
    )


def _in_use(site: Site) -> Iterator[Prefix]:
    """Addresses and ranges that are the cluster's, the router's or the network's own."""
    cluster = site.cluster
    taken = {address for node in cluster.nodes.values() for address in node.addresses}
    yield from (prefix for prefix in cluster.vacant if not any(a in prefix for a in taken))
    for net in site.lan.networks:
        yield Prefix(net.router, net.router.bits)
        if net.prefix.address.version == 4:
            yield from (Prefix(a, a.bits) for a in (net.prefix.address, net.prefix.nth(-1)))
    for node in cluster.nodes.values():
        own = {*node.addresses, *(e.address for one in site.devices(node) for e in one.addresses)}
        yield from (Prefix(address, address.bits) for address in own)
        yield from (Prefix(address, address.bits) for address in site.observed(node).failed)
        yield from (Prefix(a, a.bits) for pod in site.pods(node.name) for a in pod.addresses)
        yield from node.pod_cidrs
    yield from cluster.pod_cidrs
    yield from cluster.service_cidrs
    yield from (Prefix(address, address.bits) for address in cluster.gateway_addresses)
    for endpoint in lost_api_servers(cluster):
        yield from (Prefix(address, address.bits) for address in endpoint.addresses)
    for service in cluster.services.values():
        balancers = (e.ip for e in service.load_balancer_ingress if e.ip)
        for address in (*service.cluster_ips, *service.external_ips, *balancers):
            yield Prefix(address, address.bits)


def _way_out(networks: tuple[LanNetwork, ...]) -> Iterator[Route]:
    """The router's ways to what is not on its own networks."""
    for net in networks:
        version = net.prefix.address.version
        yield Route(
            destination=DEFAULT_ROUTE[version],
            gateway=client(net),
            device="eth1",
            reason=Because(text="every public address is outside", origin=_ORIGIN),
        )
        for private in PRIVATE[version]:
            yield Route(
                destination=private,
                type=RouteType.THROW,
                reason=Because(text="private addresses have no way out", origin=_ORIGIN),
            )


def _named_hosts(site: Site) -> Iterator[Route]:
    """Hosts that the user named: also one with a private address is reached."""
    for host in _beyond(site):
        version = host.address.version
        way = next((n for n in site.lan.outside if n.prefix.address.version == version), None)
        if way is not None:
            yield Route(
                destination=Prefix(host.address, host.address.bits),
                gateway=client(way),
                device="eth1",
                reason=Because(text=f"{host.name} is outside", origin=host.origin),
            )


def _written_hosts(site: Site) -> Iterator[Route]:
    """Private addresses that somebody wrote into endpoints: a database in a network of its own.

    Those in the pods' ranges are left out: they are pods that are gone, or slips; and Services'
    own addresses. Of the Services' range nothing else is known to a node's routing.
    """
    cluster = site.cluster
    ranges = list(cluster.pod_cidrs)
    ranges += (prefix for node in cluster.nodes.values() for prefix in node.pod_cidrs)
    ranges += (Prefix(a, a.bits) for one in cluster.services.values() for a in one.cluster_ips)
    named = {host.address for host in cluster.hosts.values()}
    named |= {address for one in lost_api_servers(cluster) for address in one.addresses}
    outside = {net.prefix.address.version: net for net in site.lan.outside}
    for address, key in hand_written(cluster).items():
        way = outside.get(address.version)
        near = site.lan.network_of(address) is not None or any(address in p for p in ranges)
        if way is None or near or address in named or not is_private(address):
            continue
        yield Route(
            destination=Prefix(address, address.bits),
            gateway=client(way),
            device="eth1",
            reason=Because(
                text=f"the host that the endpoints of Service {key} name",
                origin=assumed("nothing says where it is: beyond the nodes' router taken"),
                service=key,
            ),
        )


def _by(cluster: Cluster) -> str:
    """Who announces such addresses in a cluster of that distribution."""
    balancer = cluster.distribution.balancer if cluster.distribution is not None else ""
    return f" ({balancer})" if balancer else ""


@record()
class _Brought:
    """A load-balancer or external address, and where something brings it to a node."""

    address: Address
    there: Address
    """The node's own address, in the network of `address` where it has one there."""
    switch: str
    mac: str
    """What is answered to who asks for it by ARP on that switch; empty: nobody answers."""
    reason: Because


def _brought(site: Site) -> Iterator[_Brought]:
    """Load-balancer and external addresses: something has to bring them to a node.

    Who announces them is what the input shows (`k8stui.cluster.load_balancers`). Else the node is
    the first that can, which is what a keepalived pair or a static route come to: one at a time;
    with policy Local the first with an endpoint, for a load balancer asks the nodes'
    healthCheckNodePort. An address that a node has needs nobody. For externalIPs that nobody
    announces no node answers ARP: kube-proxy takes what is for them where it arrives.
    """
    cluster = site.cluster
    own = {address for node in cluster.nodes.values() for address in node.addresses}
    able = {v: [n for n in cluster.nodes.values() if n.address(v)] for v in (4, 6)}
    seen: set[Address] = set()
    for service in cluster.services.values():
        balancers = [e.ip for e in service.load_balancer_ingress if e.ip and e.ip_mode == "VIP"]
        for address in (*balancers, *service.external_ips):
            if not able[address.version] or address in own or address in seen:
                continue
            if address in cluster.unannounced:
                continue
            seen.add(address)
            told = cluster.announced.get(address)
            if told is not None and cluster.nodes[told.node].address(address.version):
                node, text, origin = cluster.nodes[told.node], told.text, told.origin
                answered = told.by_arp
            elif (holder := _holder(site, address)) is not None:
                node, answered = holder, True
                text, origin = f"{node.name} has it on a device of its own", node.origin
            else:
                node = able[address.version][0]
                if service.external_traffic_policy == "Local" and address in balancers:
                    node = _first_with_endpoint(cluster, service, address.version) or node
                text = f"something brings the address of Service {service.key} to a node"
                origin = assumed(
                    f"no manifest says which node gets it: {node.name} taken{_by(cluster)}"
                )
                answered = address in balancers
            reason = Because(text=text, origin=origin, service=service.key)
            net = site.lan.network_of(address)
            near = [
                _Brought(address, one, net.switch, uplink.mac if answered else "", reason)
                for uplink in site.uplinks(node)
                for one in site.addresses_on(node, uplink)
                if net is not None and one in net.prefix
            ]
            there = node.address(address.version)
            if near:
                yield near[0]
            elif there is not None:
                switch = _switch_of(site.lan, node.addresses)
                yield _Brought(address, there, switch, "", reason)


def _holder(site: Site, address: Address) -> Node | None:
    """The node that has it on a card, as its dump shows: keepalived and kube-vip put it there."""
    for node in site.cluster.nodes.values():
        cards = {one.device for one in site.uplinks(node)} if site.devices(node) else ()
        for device in site.devices(node) if cards else ():
            if device.name in cards and any(one.address == address for one in device.addresses):
                return node
    return None


def _first_with_endpoint(cluster: Cluster, service: Service, version: int) -> Node | None:
    at = {
        endpoint.node_name
        for each in cluster.endpoint_slices.get(service.key, ())
        for endpoint in each.endpoints
        if endpoint.ready and endpoint.node_name
    }
    nodes = (cluster.nodes[name] for name in at if name in cluster.nodes)
    able = (node for node in nodes if node.address(version))
    return min(able, key=lambda node: node.index, default=None)


def _virtual_addresses(site: Site) -> Iterator[Route]:
    """The router's ways to them."""
    for one in _brought(site):
        yield Route(
            destination=Prefix(one.address, one.address.bits),
            gateway=one.there,
            device=one.switch,
            reason=one.reason,
        )


def _answered(site: Site) -> Iterator[tuple[Route, Neighbour]]:
    """What the other hosts on the nodes' networks hear who ask for such an address by ARP."""
    devices = {name: f"eth{n}" for n, name in enumerate(_switches(site.lan.networks))}
    for one in _brought(site):
        if one.mac:
            # Of no effect beside the network's own route: it says who answers, and why.
            route = Route(
                destination=Prefix(one.address, one.address.bits),
                device=devices[one.switch],
                scope="link",
                reason=one.reason,
            )
            yield (
                route,
                Neighbour(address=one.address, device=devices[one.switch], mac=one.mac),
            )


def _leg(
    networks: tuple[LanNetwork, ...],
    addresses: list[Address],
    device: str,
    peer: tuple[str, str],
) -> Part:
    """One end of the cable between router and client."""
    if not networks:
        return Part()
    leg = Interface(
        name=device,
        kind=LinkKind.VETH,
        mac=_mac(addresses),
        addresses=tuple(
            interface_address(
                address,
                net.prefix.length,
                Because(text="a network for documentation (RFC 5737, RFC 3849)", origin=_ORIGIN),
            )
            for net, address in zip(networks, addresses, strict=True)
        ),
        peer=peer,
        reason=Because(text=f"the cable to {peer[0]}", origin=_ORIGIN),
    )
    return Part(interfaces=(leg,))


def _mac(addresses: list[Address]) -> str:
    return mac(addresses[0]) if addresses else "02:00:00:00:00:00"
