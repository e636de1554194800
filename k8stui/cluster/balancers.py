"""Who gives a load balancer its address on bare metal, and which node announces it.

MetalLB: a free address of the pools. In L2 mode one node answers ARP for it, that of which the hash
of name and address is the smallest, among those with a speaker that advertisements choose and, with
externalTrafficPolicy Local, an endpoint (speaker/layer2_controller.go ShouldAnnounce). In BGP mode
all of them announce it, and the router takes one. ServiceL2Status says which it was. kube-vip: the
leader among its pods, or the node that it notes on the Service (pkg/services, ``vipHost``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from itertools import islice

from k8stui.apiserver.fields import array, flag, labels, table, text, texts
from k8stui.apiserver.inventory import Inventory
from k8stui.cluster.model import (
    Announced,
    EndpointSlice,
    LoadBalancerIngress,
    Node,
    Pod,
    PodPhase,
    Service,
    ServiceType,
    Unbalanced,
)
from k8stui.cluster.selectors import matches
from k8stui.kernel.address import Address, Prefix
from k8stui.manifests import Manifest
from k8stui.origin import Origin, OriginKind, assumed
from k8stui.record import record

_WANTED = ("metallb.io/loadBalancerIPs", "metallb.universe.tf/loadBalancerIPs",
           "kube-vip.io/loadbalancerIPs")  # fmt: skip
_POOL = ("metallb.io/address-pool", "metallb.universe.tf/address-pool")
_VIP_HOST = "kube-vip.io/vipHost"
_EXCLUDED = "node.kubernetes.io/exclude-from-external-load-balancers"
_SPEAKER, _KUBE_VIP = "metallb/speaker", "kube-vip"
_MOST = 65536
"""Addresses of a pool that are looked at for a free one."""


@record(kw_only=True)
class Pool:
    """An IPAddressPool."""

    name: str
    labels: Mapping[str, str]
    ranges: tuple[tuple[Address, Address], ...]
    """First and last."""
    auto: bool
    manifest: Manifest
    written: str
    """Its addresses, as they are written."""

    def __contains__(self, address: Address) -> bool:
        return any(
            first.version == address.version and first.value <= address.value <= last.value
            for first, last in self.ranges
        )

    def serves(self, service: Service) -> bool:
        """Whether it is for that Service (serviceAllocation; pool_reconciler isPoolCompatible…)."""
        told = table(self.manifest.data, "spec", "serviceAllocation")
        spaces = texts(told, "namespaces")
        if array(told, "namespaceSelectors"):
            return True  # of labels that namespaces have, which are not known here
        selectors = array(told, "serviceSelectors")
        return (not spaces or service.namespace in spaces) and (
            not selectors or any(matches(one, service.labels) for one in selectors)
        )

    def addresses(self, version: int) -> Iterator[Address]:
        for first, last in self.ranges:
            if first.version == version:
                count = last.value - first.value + 1
                yield from (Address(version, first.value + n) for n in range(min(count, _MOST)))


@record(kw_only=True)
class _Advertisement:
    """For which pools, from which nodes."""

    is_l2: bool
    manifest: Manifest

    def is_for(self, pool: Pool) -> bool:
        names = texts(self.manifest.data, "spec", "ipAddressPools")
        selectors = array(self.manifest.data, "spec", "ipAddressPoolSelectors")
        if not names and not selectors:
            return True
        return pool.name in names or any(matches(one, pool.labels) for one in selectors)

    def chooses(self, node: Node) -> bool:
        selectors = array(self.manifest.data, "spec", "nodeSelectors")
        return not selectors or any(matches(one, node.labels) for one in selectors)


@record(kw_only=True)
class Balancers:
    """What the input holds of MetalLB."""

    pools: tuple[Pool, ...]
    advertisements: tuple[_Advertisement, ...]
    seen: Mapping[str, tuple[str, Origin]]
    """By ``namespace/name`` of a Service: the node that announces it, as its status says."""
    asked: Mapping[str, tuple[str, Origin]]
    """By ``namespace/name`` of a Service: its ``spec.loadBalancerIP``."""

    def with_addresses(
        self, services: dict[str, Service]
    ) -> tuple[dict[str, Service], dict[str, Unbalanced]]:
        """Give an address to those load balancers that have none: as MetalLB's controller would.

        And say why the others get none (internal/allocator/allocator.go).
        """
        taken = {
            one.ip
            for service in services.values()
            for one in service.load_balancer_ingress
            if one.ip
        }
        found, lacks = dict(services), {}
        for key, service in services.items():
            if service.load_balancer_ingress or service.type is not ServiceType.LOAD_BALANCER:
                continue
            given, origin = self._given(service, taken)
            if service.load_balancer_class is not None:
                continue
            lack = self._lack(service, given, services, taken)
            if lack is not None:
                lacks[key] = lack
            if lack is not None or not given:
                continue
            taken |= set(given)
            found[key] = replace(
                service,
                load_balancer_ingress=tuple(LoadBalancerIngress(ip=one) for one in given),
                origins={**service.origins, "load_balancer_ingress": origin},
            )
        return found, lacks

    def _lack(
        self,
        service: Service,
        given: tuple[Address, ...],
        services: Mapping[str, Service],
        taken: set[Address],
    ) -> Unbalanced | None:
        """Why MetalLB gives none, or not the one that is asked for; None: nothing is known."""
        if not self.pools:
            return None
        all_pools = ", ".join(one.name for one in self.pools)
        out = [one for one in given if not any(one in pool for pool in self.pools)]
        if out:
            origin = self.asked.get(service.key, ("", service.origin))[1]
            if any(key in service.annotations for key in _WANTED):
                origin = service.origins.get("annotations", service.origin)
            listed = ", ".join(f"{one.name}: {one.written}" for one in self.pools)
            return Unbalanced(
                f"the address {out[0]} that it asks for is in no IPAddressPool ({listed}): MetalLB "
                "gives it none",
                f"ask for an address of a pool ({self.pools[0].written}), or add {out[0]} to one",
                origin,
            )
        if given:
            return None
        named = next((service.annotations[key] for key in _POOL if key in service.annotations), "")
        pools = [p for p in self.pools if p.name == named or (not named and p.auto)]
        if pools and not any(pool.serves(service) for pool in pools):
            return Unbalanced(
                f"IPAddressPool {pools[0].name} gives nothing to Service {service.key}: its "
                f"serviceAllocation is for {_allocation(pools[0])}",
                f"add namespace {service.namespace} (or the Service's labels) there, or make a "
                "pool for it",
                pools[0].manifest.origin("spec", "serviceAllocation"),
            )
        if not pools:
            said = f"its annotation asks for IPAddressPool {named}, and there is {all_pools}"
            by_itself = f"no IPAddressPool gives addresses unasked ({all_pools}: autoAssign: false)"
            return Unbalanced(
                said if named else by_itself,
                f"write {self.pools[0].name} there, or make IPAddressPool {named}"
                if named
                else f"ask for one: metallb.io/address-pool: {self.pools[0].name}",
                service.origins.get("annotations", service.origin)
                if named
                else self.pools[0].manifest.origin("spec", "autoAssign"),
            )
        held = [
            f"{one.ip}: {other.key}"
            for other in services.values()
            for one in other.load_balancer_ingress
            if one.ip is not None and one.ip in taken and any(one.ip in pool for pool in pools)
        ]
        if not held:
            return None
        return Unbalanced(
            f"IPAddressPool {pools[0].name} ({pools[0].written}) is used up "
            f"({', '.join(held[:3])})",
            f"widen the addresses of IPAddressPool {pools[0].name}, or let Services share one "
            "(metallb.io/allow-shared-ip)",
            pools[0].manifest.origin("spec", "addresses"),
        )

    def _given(self, service: Service, taken: set[Address]) -> tuple[tuple[Address, ...], Origin]:
        asked = next(
            (service.annotations[key] for key in _WANTED if key in service.annotations), ""
        )
        origin = service.origins.get("annotations", service.origin)
        if not asked and service.key in self.asked:
            asked, origin = self.asked[service.key]
        if asked:
            return tuple(filter(None, (_address(one) for one in asked.split(",")))), origin
        named = next((service.annotations[key] for key in _POOL if key in service.annotations), "")
        for pool in self.pools:
            if pool.serves(service) and (pool.name == named or (not named and pool.auto)):
                free = (
                    next((a for a in pool.addresses(version) if a not in taken), None)
                    for version in service.ip_families
                )
                given = tuple(filter(None, free))
                if given:
                    said = f"MetalLB gives it a free address of IPAddressPool {pool.name}"
                    return given, assumed(said, pool.manifest.origin().place)
        return (), service.origin


def _allocation(pool: Pool) -> str:
    told = table(pool.manifest.data, "spec", "serviceAllocation")
    spaces = texts(told, "namespaces")
    return f"namespace {', '.join(spaces)}" if spaces else "Services with other labels"


def find_balancers(inventory: Inventory) -> Balancers | None:
    """None: nothing of MetalLB's own kinds is there."""
    pools = tuple(_pool(one) for one in inventory.of("IPAddressPool").values())
    ads = tuple(
        _Advertisement(is_l2=kind == "L2Advertisement", manifest=one)
        for kind in ("L2Advertisement", "BGPAdvertisement")
        for one in inventory.of(kind).values()
    )
    seen = {}
    for one in inventory.of("ServiceL2Status").values():
        status = table(one.data, "status")
        key = f"{text(status, 'serviceNamespace')}/{text(status, 'serviceName')}"
        seen[key] = text(status, "node"), one.origin("status", "node")
    if not pools and not ads and not seen:
        return None
    asked = {
        key: (text(one.data, "spec", "loadBalancerIP"), one.origin("spec", "loadBalancerIP"))
        for key, one in inventory.of("Service").items()
        if text(one.data, "spec", "loadBalancerIP")
    }
    return Balancers(pools=pools, advertisements=ads, seen=seen, asked=asked)


def unannounced(
    balancers: Balancers | None,
    services: Mapping[str, Service],
    nodes: Mapping[str, Node],
    known: Mapping[Address, Announced],
    *,
    slices: Mapping[str, tuple[EndpointSlice, ...]],
    pods: Mapping[str, Pod],
) -> dict[Address, Unbalanced]:
    """Addresses of MetalLB's pools that no speaker announces, and why."""
    found: dict[Address, Unbalanced] = {}
    if balancers is None or not nodes:
        return found
    speakers = _where(pods.values(), _SPEAKER)
    for service in services.values():
        for one in service.load_balancer_ingress:
            pool = next((p for p in balancers.pools if one.ip in p), None) if one.ip else None
            if one.ip is None or pool is None or one.ip in known:
                continue
            at = _with_endpoint(slices.get(service.key, ()))
            lack = _unheard(balancers, pool, nodes) or _far(
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
) -> Unbalanced | None:
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
        return Unbalanced(
            f"{said}which {ad.kind} {ad.name} does not choose",
            f"{cluster}, choose those nodes in its nodeSelectors, or run pods on those it chooses",
            ad.origin("spec", "nodeSelectors"),
        )
    if speakers and not any(node.name in speakers for node in chosen):
        return Unbalanced(
            f"{said}where no speaker of MetalLB runs (one does on {', '.join(sorted(speakers))})",
            f"let the DaemonSet speaker run on {where} (tolerations, nodeSelector), or {cluster}",
            origin,
        )
    return None


def _unheard(balancers: Balancers, pool: Pool, nodes: Mapping[str, Node]) -> Unbalanced | None:
    ads = [one for one in balancers.advertisements if one.is_for(pool)]
    if not ads:
        return Unbalanced(
            f"no L2Advertisement and no BGPAdvertisement is for IPAddressPool {pool.name}: MetalLB "
            "gives its addresses, and nobody announces them",
            f"write an L2Advertisement for it (spec.ipAddressPools: [{pool.name}])",
            pool.manifest.origin(),
        )
    chosen = [node for node in nodes.values() if any(one.chooses(node) for one in ads)]
    if not chosen:
        return Unbalanced(
            f"no node has the labels that {ads[0].manifest.kind} {ads[0].manifest.name} asks for: "
            "nobody announces the address",
            "mend its nodeSelectors, or label a node so",
            ads[0].manifest.origin("spec", "nodeSelectors"),
        )
    if all(_EXCLUDED in node.labels for node in chosen):
        return Unbalanced(
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
    wanted = [one for one in services.values() if any(i.ip for i in one.load_balancer_ingress)]
    if not wanted:
        return found
    speakers = _where(pods.values(), _SPEAKER)
    vips = _where(pods.values(), _KUBE_VIP)
    for service in wanted:
        addresses = [one.ip for one in service.load_balancer_ingress if one.ip is not None]
        told = _noted(balancers, service, nodes) or (
            _by_metallb(balancers, service, speakers, slices.get(service.key, ()), nodes)
            if balancers is not None
            else None
        )
        if told is None and vips:
            first = next(name for name in nodes if name in vips)
            told = Announced(
                node=first,
                text=f"kube-vip on {first} answers ARP for the address of Service {service.key}",
                origin=assumed(
                    f"nothing says which of kube-vip's pods leads: that of {first} taken",
                    vips[first].place,
                ),
            )
        if told is not None:
            found |= dict.fromkeys(addresses, told)
    return found


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
    for is_l2 in (True, False):
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
    service: Service, able: list[Node], advertisement: _Advertisement, *, is_l2: bool
) -> Announced:
    name, place = able[0].name, advertisement.manifest.origin().place
    if is_l2:
        count = len(able)
        return Announced(
            node=name,
            text=f"MetalLB's speaker on {name} answers ARP for the address of {service.key}",
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


def _pool(manifest: Manifest) -> Pool:
    ranges = (_range(one) for one in texts(manifest.data, "spec", "addresses"))
    return Pool(
        name=manifest.name,
        labels=labels(manifest.data, "metadata", "labels"),
        ranges=tuple(filter(None, ranges)),
        auto=flag(table(manifest.data, "spec"), "autoAssign") is not False,
        manifest=manifest,
        written=", ".join(texts(manifest.data, "spec", "addresses")),
    )


def _range(written: str) -> tuple[Address, Address] | None:
    """``192.168.0.240-192.168.0.250``, or a prefix (internal/config/config.go parseCIDR)."""
    first, dash, last = written.partition("-")
    if dash:
        ends = _address(first), _address(last)
        if ends[0] is None or ends[1] is None or ends[0].version != ends[1].version:
            return None
        return ends[0], ends[1]
    try:
        prefix = Prefix.parse(written.strip())
    except ValueError:
        return None
    return prefix.address, prefix.nth(-1)


def _address(written: str) -> Address | None:
    try:
        return Address.parse(written.strip())
    except ValueError:
        return None
