"""The network namespace of one pod: its containers share it and meet on its lo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from k8stui.cluster.model import Cluster, Node, Pod
from k8stui.cluster.nameservers import LINK_LOCAL, resolvers
from k8stui.cluster.programs.listening import Listening
from k8stui.kernel.address import Address, is_link_local
from k8stui.kernel.namespace import DEFAULT_POLICY_RULES, Interface, NetNamespace, Socket, Sysctls
from k8stui.nodes.cni.plugin import Plugin
from k8stui.nodes.doubt import pod_cut
from k8stui.nodes.observed import ObservedSpace, SeenNode
from k8stui.nodes.part import Part
from k8stui.nodes.servicelb import servicelb
from k8stui.nodes.sidecars import rulesets, sidecar, with_proxy
from k8stui.nodes.sidecars.sidecar import Sidecar
from k8stui.nodes.site import Site
from k8stui.nodes.sockets import as_seen, pod_sockets
from k8stui.nodes.standing import loopback, standing_routes


def build_collected_pod(
    site: Site, node: Node, pod: Pod, space: ObservedSpace, plugin: Plugin
) -> NetNamespace:
    """The pod's namespace as it was collected, its cables leading where both their ends say.

    Routes that cannot be read are those that `plugin` gives.
    """
    far_ends = site.near_ends(node, pod)
    routes = space.routes
    if routes is None and space.unread:
        part = Part(interfaces=(loopback(),))
        routes = standing_routes(part + plugin.pod_part(node, pod))
    found = NetNamespace(
        name=pod.key,
        machine=node.name,
        interfaces=tuple(
            replace(one, peer=far_ends.get(one.name)) for one in space.interfaces or ()
        ),
        routes=routes or (),
        policy_rules=space.policy_rules or DEFAULT_POLICY_RULES,
        neighbours=space.neighbours or (),
        fdb=space.fdb or (),
        rulesets=space.rulesets,
        other_rulesets=space.other_rulesets,
        sets=space.sets,
        sysctls=space.sysctls or Sysctls(),
        sockets=as_seen(_sockets(site.listening, pod, _mesh(site.cluster, pod)), space.sockets),
        nft=space.nft,
    )
    cut = pod_cut(pod.key, space)
    return found if cut is None else replace(found, rules_cut=cut)


def build_pod(
    plugin: Plugin,
    site: Site,
    node: Node,
    pod: Pod,
    seen: SeenNode,
    *,
    absent: Mapping[Address, str],
) -> NetNamespace:
    """lo, eth0, its routes; no rules but ServiceLB's and a mesh's, the kernel's default settings.

    `seen`: what a dump says of the node. A gateway that it shows to have gone is not known, though
    neighbours are warm by assumption. `absent`: that its namespace was looked for and not found.
    """
    part = Part(interfaces=(loopback(),))
    part += plugin.pod_part(node, pod)
    neighbours = part.neighbours
    if seen.interfaces is not None:
        gateways = {route.gateway for route in part.routes}
        own = {entry.address for each in seen.interfaces for entry in each.addresses}
        # Without an address of its own the node answers ARP for nobody (arp_process); link-local
        # gateways are on no node: the plug-in's proxy ARP answers for them, or a MAC it gave.
        gone = {one for one in gateways - own if one is not None and not _is_nobodys(one)}
        neighbours = tuple(one for one in neighbours if one.address not in gone)
    balancing, mesh = servicelb(node, pod), _mesh(site.cluster, pod)
    return NetNamespace(
        name=pod.key,
        machine=node.name,
        interfaces=tuple(_as_long(site, node, one) for one in part.interfaces),
        routes=standing_routes(part),
        neighbours=neighbours,
        rulesets=balancing or (rulesets(mesh) if mesh is not None else {}),
        sysctls=Sysctls(ip_forward=bool(balancing)),
        sockets=_sockets(site.listening, pod, mesh),
        absent=absent,
    )


def _as_long(site: Site, node: Node, own: Interface) -> Interface:
    """A plug-in makes both ends of a cable with one MTU: that of the end which a dump shows."""
    far = site.seen_device(node, own.peer[1]) if own.peer and own.peer[0] == node.name else None
    return own if far is None else replace(own, mtu_bytes=far.mtu_bytes)


def _is_nobodys(gateway: Address) -> bool:
    return is_link_local(gateway) or gateway in LINK_LOCAL


def _mesh(cluster: Cluster, pod: Pod) -> Sidecar | None:
    if not any(one.init for one in pod.containers):
        return None
    return sidecar(pod, resolvers(cluster, pod))


def _sockets(listening: Listening, pod: Pod, mesh: Sidecar | None) -> tuple[Socket, ...]:
    own = pod_sockets(listening, pod)
    return own if mesh is None or not own else with_proxy(mesh, own)
