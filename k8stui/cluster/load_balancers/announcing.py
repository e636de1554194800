"""Which node announces a load balancer's address on bare metal, and why none does.

In MetalLB's L2 mode one node answers ARP for it, that of which the hash of name and address is the
smallest, among those with a speaker that advertisements choose and, with externalTrafficPolicy
Local, an endpoint (speaker/layer2_controller.go ShouldAnnounce). In BGP mode all of them announce
it, and the router takes one. ServiceL2Status says which it was. kube-vip: the leader among its
pods, or the node that it notes on the Service (pkg/services, ``vipHost``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from itertools import islice

from k8stui.apiserver.fields import texts
from k8stui.cluster.load_balancers.balancers import Balancers, astray
from k8stui.cluster.load_balancers.kube_vip import (
    device_of_kube_vip,
    nodes_of_kube_vip,
    not_for_services,
    of_other_class,
    settings_of_kube_vip,
)
from k8stui.cluster.load_balancers.metallb import Advertisement, Pool
from k8stui.cluster.model import Announced, EndpointSlice, Lack, Node, Pod, PodPhase, Service
from k8stui.kernel.address import Address, Prefix
from k8stui.origin import Origin, OriginKind, assumed

_VIP_HOST = "kube-vip.io/vipHost"
_EXCLUDED = "node.kubernetes.io/exclude-from-external-load-balancers"
_SPEAKER = "metallb/speaker"


def unannounced(
    balancers: Balancers | None,
    services: Mapping[str, Service],
    nodes: Mapping[str, Node],
    known: Mapping[Address, Announced],
    *,
    slices: Mapping[str, tuple[EndpointSlice, ...]],
    pods: Mapping[str, Pod],
) -> dict[Address, Lack]:
    """Addresses of MetalLB's pools that no speaker announces, and why."""
    if not nodes:
        return {}
    if balancers is None:
        return not_for_services(services, pods.values())
    found = of_other_class(services, pods.values())
    speakers = _where(pods.values(), _SPEAKER)
    for service in services.values():
        for one in service.load_balancer_ingress:
            pool = next((p for p in balancers.pools if one.ip in p), None) if one.ip else None
            if one.ip is None or pool is None or one.ip in known:
                continue
            at = _with_endpoint(slices.get(service.key, ()))
            lack = _unheard(balancers, pool, nodes, speakers) or _far(
                balancers, service, pool, [node for node in nodes.values() if node.name in at],
                speakers,
            )  # fmt: skip
            if lack is not None:
                found[one.ip] = lack
    return found


def _far(
    balancers: Balancers,
    service: Service,
    pool: Pool,
    at: Sequence[Node],
    speakers: Mapping[str, Origin],
) -> Lack | None:
    """With policy Local the nodes that may announce are none of those with an endpoint."""
    if service.external_traffic_policy != "Local" or not at:
        return None
    origin = service.origins.get("external_traffic_policy", service.origin)
    where = ", ".join(node.name for node in at[:3])
    ads = [one for one in balancers.advertisements if one.is_for(pool)]
    chosen = [node for node in at if any(one.chooses(node) for one in ads)]
    said = (
        "externalTrafficPolicy is Local, so only a node with an endpoint may announce the address: "
        f"the endpoints are on {where}, "
    )
    cluster = "set externalTrafficPolicy: Cluster"
    if not chosen:
        ad = ads[0].manifest
        return Lack(
            f"{said}which {ad.kind} {ad.name} does not choose",
            f"{cluster}, choose those nodes in its nodeSelectors, or run pods on those it chooses",
            ad.origin("spec", "nodeSelectors"),
        )
    if speakers and not any(node.name in speakers for node in chosen):
        return Lack(
            f"{said}where no speaker of MetalLB runs (one does on {', '.join(sorted(speakers))})",
            f"let the DaemonSet speaker run on {where} (tolerations, nodeSelector), or {cluster}",
            origin,
        )
    return None


def _unheard(
    balancers: Balancers, pool: Pool, nodes: Mapping[str, Node], speakers: Mapping[str, Origin]
) -> Lack | None:
    ads = [one for one in balancers.advertisements if one.is_for(pool)]
    metallb = balancers.metallb
    if not ads and metallb is not None and metallb.runs is not None:
        for one in metallb.astray:
            if one.kind.endswith("Advertisement"):
                return astray(one, metallb.runs.namespace)
    if not ads:
        return Lack(
            f"no L2Advertisement and no BGPAdvertisement is for {pool.title}: MetalLB gives its "
            "addresses, and nobody announces them",
            f"write an L2Advertisement for it (spec.ipAddressPools: [{pool.name}])",
            pool.whole,
        )
    if not any(one.is_l2 or balancers.has_peers for one in ads):
        old = bool(ads[0].only)
        return Lack(
            f"{pool.title} is announced by BGP alone, and nothing names the router that MetalLB "
            f"speaks to: there {'are no peers beside the pools' if old else 'is no BGPPeer'}",
            f"{'name it under peers' if old else 'write a BGPPeer'} (its address, both AS "
            f"numbers), or announce the pool in L2 mode "
            f"({'protocol: layer2' if old else 'L2Advertisement'})",
            pool.origin("protocol") if old else ads[0].manifest.origin(),
        )
    chosen = [node for node in nodes.values() if any(one.chooses(node) for one in ads)]
    if not chosen:
        return Lack(
            f"no node has the labels that {ads[0].manifest.kind} {ads[0].manifest.name} asks for: "
            "nobody announces the address",
            "mend its nodeSelectors, or label a node so",
            ads[0].manifest.origin("spec", "nodeSelectors"),
        )
    if speakers and not any(node.name in speakers for node in chosen):
        ad = ads[0].manifest
        return Lack(
            f"{ad.kind} {ad.name} chooses {', '.join(node.name for node in chosen[:3])}, where no "
            f"speaker of MetalLB runs (one does on {', '.join(sorted(speakers)[:3])}): nobody "
            "announces the address",
            "let the DaemonSet speaker run there (nodeSelector, tolerations), or choose the others "
            "in its nodeSelectors",
            ad.origin("spec", "nodeSelectors"),
        )
    if all(_EXCLUDED in node.labels for node in chosen):
        return Lack(
            f"{chosen[0].name} is labelled {_EXCLUDED}, as kubeadm labels control planes, so its "
            "speaker announces nothing, and no other node may",
            f"kubectl label node {chosen[0].name} {_EXCLUDED}-, or run MetalLB's speakers with "
            "--ignore-exclude-lb",
            chosen[0].origins.get("labels", chosen[0].origin),
        )
    return None


def announced(
    balancers: Balancers | None,
    services: Mapping[str, Service],
    slices: Mapping[str, tuple[EndpointSlice, ...]],
    nodes: Mapping[str, Node],
    pods: Mapping[str, Pod],
) -> Mapping[Address, Announced]:
    """Who announces each load balancer's address, where the input shows that."""
    found: dict[Address, Announced] = {}
    shown = [one for one in services.values() if one.load_balancer_ingress]
    wanted = [one for one in shown if any(i.ip for i in one.load_balancer_ingress)]
    if not wanted:
        return found
    speakers = _where(pods.values(), _SPEAKER)
    vips = nodes_of_kube_vip(pods.values(), for_services=True)
    for service in wanted:
        addresses = [one.ip for one in service.load_balancer_ingress if one.ip is not None]
        told = _noted(balancers, service, nodes) or (
            _by_metallb(balancers, service, speakers, slices.get(service.key, ()), nodes)
            if balancers is not None
            else None
        )
        if told is None and vips:
            told = _by_kube_vip(service, vips, pods, slices.get(service.key, ()), nodes)
        if told is not None:
            found |= dict.fromkeys(addresses, told)
    return found


def _by_kube_vip(
    service: Service,
    vips: Mapping[str, Origin],
    pods: Mapping[str, Pod],
    slices: Iterable[EndpointSlice],
    nodes: Mapping[str, Node],
) -> Announced:
    """The leader among kube-vip's pods, of all Services or (svc_election) of each.

    The one of a Service with policy Local is where an endpoint is (pkg/endpoints). By BGP each of
    them announces (bgp_enable).
    """
    settings = settings_of_kube_vip(pods.values())
    able = [name for name in nodes if name in vips]
    if settings.get("svc_election") == "true" and service.external_traffic_policy == "Local":
        at = _with_endpoint(slices)
        able = [name for name in able if name in at] or able
    first = able[0]
    if settings.get("bgp_enable") == "true" and settings.get("vip_arp") != "true":
        said = f"kube-vip announces the address of {service.key} by BGP: the router takes {first}"
        why = f"a router chooses among {', '.join(islice(able, 3))}: {first} taken"
        return Announced(
            node=first, text=said, by_arp=False, origin=assumed(why, vips[first].place)
        )
    return Announced(
        node=first,
        text=f"kube-vip on {first} answers ARP for the address of Service {service.key}",
        only_on=tuple(filter(None, (device_of_kube_vip(pods.values()),))),
        origin=assumed(
            f"nothing says which of kube-vip's pods leads: that of {first} taken",
            vips[first].place,
        ),
    )


def _noted(
    balancers: Balancers | None, service: Service, nodes: Mapping[str, Node]
) -> Announced | None:
    """What MetalLB's status or kube-vip's note on the Service says."""
    if balancers is not None and service.key in balancers.seen:
        node, origin = balancers.seen[service.key]
        if node in nodes:
            said = f"MetalLB's speaker on {node} answers ARP for the address of {service.key}"
            observed = Origin(kind=OriginKind.OBSERVED, place=origin.place)
            return Announced(node=node, text=said, origin=observed)
    host = service.annotations.get(_VIP_HOST)
    if host not in nodes or host is None:
        return None
    origin = service.origins.get("annotations", service.origin)
    said = f"kube-vip on {host} answers ARP for the address of Service {service.key}"
    return Announced(
        node=host, text=said, origin=Origin(kind=OriginKind.OBSERVED, place=origin.place)
    )


def is_elsewhere(address: Address, nodes: Iterable[Node], seen: Iterable[Prefix]) -> bool:
    """Whether nobody asks the nodes' networks for an address by ARP: it is another network's.

    How long a network's prefix is, nobody says but those `seen` on nodes: nodes of one /16 may well
    share it.
    """
    if any(address in one for one in seen):
        return False
    own = [a for node in nodes if node.origin.kind is not OriginKind.ASSUMED
           for a in node.addresses if a.version == 4]  # fmt: skip
    off = not any(address in Prefix.of(one, 16) for one in own)
    return address.version == 4 and bool(own) and off


def _by_metallb(
    balancers: Balancers,
    service: Service,
    speakers: Mapping[str, Origin],
    slices: Iterable[EndpointSlice],
    nodes: Mapping[str, Node],
) -> Announced | None:
    address = next(one.ip for one in service.load_balancer_ingress if one.ip is not None)
    pool = next((one for one in balancers.pools if address in one), None)
    if pool is None:
        return None
    ads = [one for one in balancers.advertisements if one.is_for(pool)]
    with_endpoint = _with_endpoint(slices)
    for is_l2 in (True, False) if balancers.has_peers else (True,):
        mine = [one for one in ads if one.is_l2 is is_l2]
        able = [
            node
            for node in nodes.values()
            if any(one.chooses(node) for one in mine)
            and (not speakers or node.name in speakers)
            and _EXCLUDED not in node.labels
            and (service.external_traffic_policy != "Local" or node.name in with_endpoint)
        ]
        if able and with_endpoint:
            able.sort(key=lambda node: sha256(f"{node.name}#{address}".encode()).digest())
            return _chosen(service, able, mine[0], is_l2=is_l2)
    return None


def _with_endpoint(slices: Iterable[EndpointSlice]) -> set[str | None]:
    return {
        endpoint.node_name
        for each in slices
        for endpoint in each.endpoints
        if endpoint.ready or (endpoint.serving and endpoint.terminating)
    }


def _chosen(
    service: Service, able: list[Node], advertisement: Advertisement, *, is_l2: bool
) -> Announced:
    name, place = able[0].name, advertisement.manifest.origin().place
    if is_l2:
        count = len(able)
        return Announced(
            node=name,
            text=f"MetalLB's speaker on {name} answers ARP for the address of {service.key}",
            only_on=texts(advertisement.manifest.data, "spec", "interfaces"),
            origin=assumed(
                f"MetalLB's own choice among {count} node{'' if count == 1 else 's'}: the smallest "
                "hash of node and address",
                place,
            ),
        )
    names = ", ".join(node.name for node in islice(able, 3))
    return Announced(
        node=name,
        text=f"MetalLB announces the address of {service.key} by BGP: the router takes {name}",
        by_arp=False,
        origin=assumed(f"a router chooses among {names}: {name} taken", place),
    )


def _where(pods: Iterable[Pod], image: str) -> Mapping[str, Origin]:
    """Nodes on which such a container runs."""
    return {
        pod.node_name: pod.origin
        for pod in pods
        if pod.node_name is not None
        and pod.phase is PodPhase.RUNNING
        and any(image in one.image for one in pod.containers if not one.init)
    }
