"""What is between the nodes and beyond them: the switch with its router, and a client outside.

One namespace, `wire`, is both: the bridge `lan` with a port per node, and routing from `lan` to
`eth1`, where the client is. No default route: what the cluster sends to nowhere ends here. All of
it is assumed (the lab that recorded golden-walks looked like this); addresses from
`k8stui.nodes.lan`.
"""

from __future__ import annotations

from k8stui.kernel.address import Address
from k8stui.kernel.namespace import (
    BridgePort,
    FdbEntry,
    Interface,
    LinkKind,
    Neighbour,
    NetNamespace,
    Route,
    Sysctls,
)
from k8stui.manifests.origin import assumed
from k8stui.nodes.cni.bridge import DEFAULT_ROUTE, interface_address
from k8stui.nodes.cni.plugin import Part
from k8stui.nodes.lan import LanNetwork, client
from k8stui.nodes.names import host_mac, mac
from k8stui.nodes.reason import Because
from k8stui.nodes.site import Site
from k8stui.nodes.sockets import outside_sockets
from k8stui.nodes.standing import loopback, standing_routes

WIRE = "wire"
OUTSIDE = "outside"
_SWITCH = "lan"
_ORIGIN = assumed("manifests do not say what is between the nodes: one switch and one router")


def build_wire(site: Site) -> NetNamespace:
    """The switch and router. Costs one pass over the nodes."""
    lan = site.lan
    routers = [net.router for net in lan.networks]
    ports = []
    fdb = [FdbEntry(mac=_mac(routers), device=_SWITCH, permanent=True)]
    neighbours = []
    for node in site.cluster.nodes.values():
        uplink = site.uplink(node)
        addresses = [a for version in (4, 6) if (a := node.address(version))]
        port_mac = host_mac(addresses[0]) if addresses else "06:00:00:00:00:00"
        ports.append(
            Interface(
                name=node.name,
                kind=LinkKind.VETH,
                mac=port_mac,
                master=_SWITCH,
                peer=(node.name, uplink.device),
                port=BridgePort(),
                reason=Because(text=f"switch port of {node.name}", origin=_ORIGIN),
            )
        )
        fdb += [
            FdbEntry(mac=uplink.mac, device=node.name),
            FdbEntry(mac=port_mac, device=node.name, permanent=True),
        ]
        neighbours += [
            Neighbour(address=address, device=_SWITCH, mac=uplink.mac) for address in addresses
        ]
    neighbours += [
        Neighbour(address=client(net), device="eth1", mac=_mac([client(lan.outside[0])]))
        for net in lan.outside
    ]
    switch = Interface(
        name=_SWITCH,
        kind=LinkKind.BRIDGE,
        mac=_mac(routers),
        carrier=bool(ports),
        addresses=tuple(
            interface_address(
                net.router,
                net.prefix.length,
                Because(text=f"the nodes' router in {net.prefix}", origin=_ORIGIN),
            )
            for net in lan.networks
        ),
        reason=Because(
            text="the switch between the nodes, and the router's leg on it", origin=_ORIGIN
        ),
    )
    part = Part(
        interfaces=(loopback(_versions(lan.networks)), switch, *ports),
        neighbours=tuple(neighbours),
        fdb=tuple(fdb),
    ) + _leg(lan.outside, [net.router for net in lan.outside], "eth1", (OUTSIDE, "eth0"))
    return NetNamespace(
        name=WIRE,
        interfaces=part.interfaces,
        routes=standing_routes(part),
        neighbours=part.neighbours,
        fdb=part.fdb,
        sysctls=Sysctls(ip_forward=True, bridge_nf_call_iptables=False),
    )


def build_outside(site: Site) -> NetNamespace:
    """The client beyond the router: 203.0.113.10, everything by way of the router."""
    networks = site.lan.outside
    part = Part(interfaces=(loopback(_versions(networks)),)) + _leg(
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
        ),
        neighbours=tuple(
            Neighbour(address=net.router, device="eth0", mac=_mac([networks[0].router]))
            for net in networks
        ),
    )
    return NetNamespace(
        name=OUTSIDE,
        interfaces=part.interfaces,
        routes=standing_routes(part),
        neighbours=part.neighbours,
        sockets=outside_sockets(OUTSIDE),
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


def _versions(networks: tuple[LanNetwork, ...]) -> set[int]:
    return {net.prefix.address.version for net in networks}
