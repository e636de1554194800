"""The root namespace of one node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from k8stui.because import Because
from k8stui.cluster.model import Cluster, Node
from k8stui.kernel.ipset import IpSet
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
    Sysctls,
    TakesAt,
    Unmodelled,
)
from k8stui.kernel.rules import Ruleset
from k8stui.nodes import nodelocaldns
from k8stui.nodes.doubt import cut, stranger
from k8stui.nodes.kubeproxy import ipvs, unmodelled
from k8stui.nodes.kubeproxy.settings import settings
from k8stui.nodes.observed import End, SeenNode, has_devices
from k8stui.nodes.part import DEFAULT_ROUTE, Part, interface_address
from k8stui.nodes.rules import Programs, nft_ruleset, ruleset
from k8stui.nodes.site import OVER_CARDS, Site
from k8stui.nodes.sockets import as_seen, node_sockets
from k8stui.nodes.standing import loopback, standing_routes
from k8stui.nodes.sysctl import BRIDGE_NF, IP_FORWARD, RP_FILTER, written
from k8stui.nodes.wire import WIRE, port_name
from k8stui.origin import assumed


def build_node(site: Site, programs: Programs, node: Node) -> NetNamespace:
    """Everything on the node: devices, routes, neighbours, rules, settings, sockets."""
    standing = site.standing(node, partial(_stands, site, programs, node))
    part, observed = standing.part, site.observed(node)
    return NetNamespace(
        name=node.name,
        interfaces=part.interfaces,
        routes=standing.routes,
        policy_rules=observed.policy_rules or _policy_rules(part),
        neighbours=part.neighbours,
        fdb=part.fdb,
        rulesets=_rulesets(site, programs, node, part),
        other_rulesets=observed.other_rulesets,
        sets=_sets(programs, node, observed, part),
        stranger=None
        if observed.interfaces is not None or not observed.rulesets
        else stranger(node.name, site.options.cni, observed.rulesets.values(), part.interfaces),
        rules_cut=cut(node.name, observed),
        sysctls=_sysctls(site, node, part),
        sockets=as_seen(node_sockets(site, node, part.sockets), observed.sockets),
        tracked=observed.tracked,
        unmodelled=_engines(site.cluster, observed),
        nft=nft_ruleset(site, programs, node),
        absent=site.absent(node),
        judges=programs.judges + (() if observed.is_whole else part.judges),
    )


def _policy_rules(part: Part) -> tuple[PolicyRule, ...]:
    """The kernel's own three and a program's, as they are asked."""
    return tuple(sorted((*DEFAULT_POLICY_RULES, *part.policy_rules), key=lambda one: one.priority))


def _stands(site: Site, programs: Programs, node: Node) -> tuple[Part, tuple[Route, ...]]:
    """Devices and all that hangs on them; and the routes, with the kernel's own."""
    part = _base(site, node) + programs.plugin.node_part(node) + nodelocaldns.part(site, node)
    part += _ipvs_part(site, node)
    observed = site.observed(node)
    interfaces = _observed_interfaces(site, node, part)
    if interfaces is not None:
        part = replace(part, interfaces=interfaces)
    is_whole = observed.is_whole and interfaces is not None
    if observed.neighbours is not None or is_whole:
        near = _neighbours(site, node, observed.neighbours or ())
        part = replace(part, neighbours=_with_made(site, node, near, part.neighbours))
    if observed.fdb is not None or is_whole:
        part = replace(part, fdb=_fdb(part, observed.fdb or ()))
    return part, _routes(site, node, part)


def _neighbours(site: Site, node: Node, seen: Sequence[Neighbour]) -> tuple[Neighbour, ...]:
    """Those that a dump shows; on the wire without who is not known to stand there.

    Of hosts that nobody has seen only the address is known here: they are asked for.
    """
    wire = {uplink.device for uplink in site.uplinks(node)}
    wire |= {
        one.master
        for one in site.observed(node).interfaces or ()
        if one.name in wire and one.master
    }
    there = {up.mac for other in site.cluster.nodes.values() for up in site.uplinks(other)}
    there |= {net.router_mac for net in site.lan.networks}
    return tuple(one for one in seen if one.device not in wire or one.mac in there)


def _base(site: Site, node: Node) -> Part:
    """lo, the device on the wire, the default route; the router and the other nodes are known."""
    uplink = site.uplink(node)
    addresses = []
    routes = []
    neighbours = []
    origin = node.origins.get("addresses", node.origin)
    for version in (4, 6):
        address = node.address(version)
        network = site.lan.network_of(address) if address else None
        if address is None or network is None:
            continue
        addresses.append(
            interface_address(
                address,
                network.prefix.length,
                Because(text=f"address of node {node.name}", origin=origin),
            )
        )
        routes.append(
            Route(
                destination=DEFAULT_ROUTE[version],
                gateway=network.router,
                device=uplink.device,
                reason=Because(
                    text="everything else goes to the nodes' router",
                    origin=assumed("manifests do not say what is between the nodes"),
                ),
            )
        )
        neighbours.append(
            Neighbour(
                address=network.router,
                device=uplink.device,
                mac=site.lan.router_mac(network.switch),
            )
        )
        beside = site.on_wire(uplink.device, version)
        neighbours += [near for name, near in beside if name != node.name]
    eth0 = Interface(
        name=uplink.device,
        kind=LinkKind.VETH,
        mac=uplink.mac,
        addresses=tuple(addresses),
        peer=(WIRE, node.name),
        reason=Because(
            text=f"the cable from {node.name} to the switch",
            origin=assumed("manifests do not say what is between the nodes"),
        ),
    )
    # The bridge has an address of each of the pods' families, so the kernel speaks them too.
    return Part(interfaces=(loopback(), eth0), routes=tuple(routes), neighbours=tuple(neighbours))


def _with_made(
    site: Site, node: Node, seen: Sequence[Neighbour], made: Sequence[Neighbour]
) -> tuple[Neighbour, ...]:
    """Neighbours as seen; those of pods that were not collected have the made-up pods' addresses.

    A MAC address that was seen is of no use where the device that has it is made up.
    """
    pods = site.pods(node.name)
    unseen = {a for pod in pods if site.space_of(node, pod) is None for a in pod.addresses}
    kept = tuple(one for one in seen if one.address not in unseen)
    if site.observed(node).pods:
        return kept
    return (*kept, *(one for one in made if one.address in unseen))


def _fdb(part: Part, seen: Sequence[FdbEntry]) -> tuple[FdbEntry, ...]:
    """The same for what bridges know of the ports of made-up pods."""
    ports = {one.name for one in part.interfaces if one.master is not None and _leads_to_a_pod(one)}
    made = {one.device for one in part.fdb}
    invented = ports & made
    kept = tuple(one for one in seen if one.device not in invented)
    return (*kept, *(one for one in part.fdb if one.device in invented))


def _observed_interfaces(site: Site, node: Node, part: Part) -> tuple[Interface, ...] | None:
    """The dump's devices, with the far ends of those cables that the input knows.

    Where the pods' own namespaces were collected, a cable leads where both its ends say. Else to
    the pod that the plug-in would hang there; and cables to pods that the dump has no veth for are
    kept, so that every pod is plugged in. Where only routes were seen, the devices that they name
    stand beside those that the node would have.
    """
    observed = site.observed(node)
    generated = {interface.name: interface for interface in part.interfaces}
    far_ends: dict[str, End] = {
        uplink.device: (WIRE, port_name(site, node, uplink)) for uplink in site.uplinks(node)
    }
    if observed.interfaces is None:
        beside = tuple(
            _plugged(one, None, far_ends.get(one.name))
            for one in site.devices(node)
            if one.name not in generated and (one.kind is not LinkKind.VETH or one.name in far_ends)
        )
        return part.interfaces + beside if beside else None
    far_ends |= site.far_ends(node)
    if observed.pods:
        generated = {n: one for n, one in generated.items() if not _leads_to_a_pod(one)}
    seen = {interface.name for interface in observed.interfaces}
    kept = tuple(
        _plugged(interface, generated.get(interface.name), far_ends.get(interface.name))
        for interface in observed.interfaces
    )
    missing = tuple(
        interface
        for interface in generated.values()
        if interface.name not in seen and _leads_to_a_pod(interface)
    )
    return kept + missing


def _ipvs_part(site: Site, node: Node) -> Part:
    """The device of a kube-proxy in mode ipvs."""
    if site.cluster.proxy.mode != ipvs.IPVS:
        return Part()
    (engine,) = unmodelled(site.cluster)
    return Part(interfaces=(ipvs.device(engine.addresses, node.addresses),))


def _engines(cluster: Cluster, observed: SeenNode) -> tuple[Unmodelled, ...]:
    """What takes packets here and is not modelled: by the input's word, or by what stands here.

    Sources: kube-proxy pkg/proxy/ipvs/ipset.go (kubeClusterIPSet) and proxier.go
    (defaultDummyDevice): no other mode makes that set, or binds addresses to that device.
    """
    bound = {
        entry.address: entry.reason or interface.reason
        for interface in observed.interfaces or ()
        if interface.name == ipvs.DEVICE
        for entry in interface.addresses
    }
    if "KUBE-CLUSTER-IP" in observed.sets or bound:
        cluster = replace(cluster, proxy=replace(cluster.proxy, mode=ipvs.IPVS))
    found = unmodelled(cluster)
    if not bound:
        # Where no dump shows devices, they are made with the one of ipvs among them.
        is_made = cluster.proxy.mode == ipvs.IPVS and observed.interfaces is None
        takes_at = TakesAt.AS_IPVS if is_made and not observed.sets else TakesAt.BEFORE_ROUTING
        return tuple(replace(engine, takes_at=takes_at) for engine in found)
    shown = assumed(f"{ipvs.DEVICE} has the address")
    addresses = {
        address: replace(reason, text=ipvs.DEVICE)
        if reason
        else Because(text=ipvs.DEVICE, origin=shown)
        for address, reason in bound.items()
    }
    # With the node's own rules and devices the packet finds its way to where ipvs stands.
    takes_at = TakesAt.AS_IPVS if observed.rulesets else TakesAt.BEFORE_ROUTING
    return tuple(
        replace(engine, addresses=addresses | dict(engine.addresses), takes_at=takes_at)
        for engine in found
    )


def _leads_to_a_pod(interface: Interface) -> bool:
    return interface.peer is not None and interface.peer[0] != WIRE


def _plugged(observed: Interface, generated: Interface | None, far_end: End | None) -> Interface:
    """An observed device with what its dump does not say: the far end, perhaps the port's modes."""
    port = observed.port
    if port is None and observed.master is not None:
        port = (generated.port if generated else None) or BridgePort()
    peer = far_end or (generated.peer if generated else None)
    found = replace(observed, peer=peer, port=port)
    is_over_card = found.driver in OVER_CARDS and far_end is not None and far_end[0] == WIRE
    is_unnamed = found.kind is LinkKind.OTHER and not found.driver
    if far_end is not None and (is_over_card or is_unnamed):
        found = replace(found, kind=LinkKind.VETH)
    if generated is None:
        return found
    if found.kind is LinkKind.OTHER and not found.driver:
        # ip -j addr without -d does not tell the kind
        found = replace(found, kind=generated.kind)
    if found.kind is LinkKind.VXLAN and found.vxlan is None:
        found = replace(found, vxlan=generated.vxlan)
    if found.kind is LinkKind.IPIP and found.ipip is None:
        found = replace(found, ipip=generated.ipip)
    return found


def _routes(site: Site, node: Node, part: Part) -> tuple[Route, ...]:
    """The dump's routes; where it holds no table `local`, the kernel's own entries are added."""
    seen = site.observed(node)
    observed = seen.routes
    if observed is None or not has_devices(seen):
        return standing_routes(part)
    if any(route.table == "local" for route in observed):
        return observed
    local = (route for route in standing_routes(part) if route.table == "local")
    return (*observed, *local)


def _rulesets(site: Site, programs: Programs, node: Node, part: Part) -> Mapping[int, Ruleset]:
    """IPv4 always; IPv6 where some device has an IPv6 address or a dump holds the rules."""
    versions = {4, *site.observed(node).rulesets}
    versions |= {e.address.version for i in part.interfaces for e in i.addresses}
    return {version: ruleset(site, programs, node, version) for version in sorted(versions)}


def _sets(programs: Programs, node: Node, observed: SeenNode, part: Part) -> Mapping[str, IpSet]:
    """The dump's sets; else the plug-in's, and those that the policy engine fills."""
    if observed.sets:
        return observed.sets
    engine = programs.engine.sets(node) if programs.engine is not None else {}
    return {**part.sets, **engine} if part.sets else engine


def bridge_nf(site: Site, node: Node) -> bool:
    """As an option says, else as a pod sets it on the node, else 1 (kubeadm's preflight)."""
    said = site.options.bridge_nf_call_iptables
    seen = site.observed(node).sysctls
    if said is None and seen is not None:
        return seen.bridge_nf_call_iptables
    if said is None:
        return _written(site, node, BRIDGE_NF, "1") != "0"
    return said


def _written(site: Site, node: Node, key: str, otherwise: str) -> str:
    """As a pod of the node's own network sets it."""
    found = written(site.host_pods(node.name), key)
    return found.value if found is not None else otherwise


def _sysctls(site: Site, node: Node, part: Part) -> Sysctls:
    """As a dump shows them, bar bridge-nf-call-iptables where an option says otherwise.

    Else ip_forward as kubeadm's preflight wants it; route_localnet as kube-proxy and plug-ins set
    it; unless a pod of the node's own network sets it otherwise.

    Source: kube-proxy pkg/proxy/iptables/proxier.go:NewProxier (conf/all/route_localnet for
    localhost node ports).
    """
    seen = site.observed(node).sysctls
    if seen is not None:
        said = site.options.bridge_nf_call_iptables
        return seen if said is None else replace(seen, bridge_nf_call_iptables=said)
    proxy = site.cluster.proxy
    localnet = dict.fromkeys(part.route_localnet, True)
    if settings(proxy, node, 4, nfacct=False, local_addresses=None).localhost_node_ports:
        localnet["all"] = True
    filtered = _written(site, node, RP_FILTER, "0")
    return Sysctls(
        ip_forward=_written(site, node, IP_FORWARD, "1") != "0",
        rp_filter={**part.rp_filter, **({"all": int(filtered)} if filtered in {"1", "2"} else {})},
        bridge_nf_call_iptables=bridge_nf(site, node),
        route_localnet=localnet,
        nf_conntrack_tcp_be_liberal=proxy.conntrack_tcp_be_liberal,
    )
