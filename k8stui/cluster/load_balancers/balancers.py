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
from typing import TYPE_CHECKING

from k8stui.apiserver.fields import table, text, texts
from k8stui.apiserver.inventory import Inventory, namespace_of
from k8stui.cluster.distribution import K3S, Distribution
from k8stui.cluster.load_balancers.metallb import POOL, Advertisement, Pool, Told, address_of, told
from k8stui.cluster.model import (
    Announced,
    Container,
    EndpointSlice,
    Lack,
    LoadBalancerIngress,
    Node,
    Pod,
    PodPhase,
    ProxyConfiguration,
    Service,
    ServiceType,
)
from k8stui.cluster.programs.images import image_word
from k8stui.kernel.address import Address, Prefix
from k8stui.origin import Origin, OriginKind, assumed
from k8stui.record import record

if TYPE_CHECKING:
    from k8stui.manifests import Manifest

_WANTED = ("metallb.io/loadBalancerIPs", "metallb.universe.tf/loadBalancerIPs",
           "kube-vip.io/loadbalancerIPs")  # fmt: skip
_SHARED = ("metallb.io/allow-shared-ip", "metallb.universe.tf/allow-shared-ip")
METALLB = dict.fromkeys(
    ("metallb.io", "metallb.universe.tf"),
    ("address-pool", "loadBalancerIPs", "allow-shared-ip", "ip-allocated-from-pool"),
)
"""By prefix, the annotations of Services that MetalLB reads or writes (internal/…/annotations)."""
_VIP_HOST = "kube-vip.io/vipHost"
_EXCLUDED = "node.kubernetes.io/exclude-from-external-load-balancers"
_SPEAKER = "metallb/speaker"
_KUBE_VIP, _GIVES = "kube-vip", "kube-vip-cloud-provider"


@record(kw_only=True)
class Balancers:
    """What the input holds of MetalLB and of kube-vip."""

    metallb: Told | None
    vips: Mapping[str, Origin]
    """Nodes on which kube-vip announces what Services ask for."""
    idle: Lack | None
    """Why a Service that asks for no address gets none from anybody; None: nothing says so."""
    seen: Mapping[str, tuple[str, Origin]]
    """By ``namespace/name`` of a Service: the node that announces it, as its status says."""
    asked: Mapping[str, tuple[str, Origin]]
    """By ``namespace/name`` of a Service: its ``spec.loadBalancerIP``."""

    @property
    def pools(self) -> tuple[Pool, ...]:
        return self.metallb.pools if self.metallb is not None else ()

    @property
    def has_peers(self) -> bool:
        return self.metallb is not None and self.metallb.has_peers

    @property
    def advertisements(self) -> tuple[Advertisement, ...]:
        return self.metallb.advertisements if self.metallb is not None else ()

    def with_addresses(
        self, services: dict[str, Service]
    ) -> tuple[dict[str, Service], dict[str, Lack]]:
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
        holders: dict[Address, Service] = {}
        for key, service in services.items():
            if service.load_balancer_ingress or service.type is not ServiceType.LOAD_BALANCER:
                continue
            given, origin = self._given(service, taken)
            if service.load_balancer_class is not None:
                continue
            lack = self._lack(service, given, found, taken)
            if lack is None and self.pools:
                lack = self._held(service, given, holders) or _one_family(service, given)
            if lack is not None:
                lacks[key] = lack
            if lack is not None or not given:
                continue
            taken |= set(given)
            holders |= dict.fromkeys(given, service)
            found[key] = replace(
                service,
                load_balancer_ingress=tuple(LoadBalancerIngress(ip=one) for one in given),
                origins={**service.origins, "load_balancer_ingress": origin},
            )
        return found, lacks

    def vacant(
        self, services: Mapping[str, Service], lacks: Mapping[str, Lack]
    ) -> dict[Prefix, Lack]:
        """Of the pools: for an address there that no Service has nobody answers, and why.

        Services that ask for one, and do not get it, say why.
        """
        found: dict[Prefix, Lack] = {}
        for pool in self.pools:
            lack = Lack(
                f"it is of {pool.title} ({pool.written}), and MetalLB has given it to no Service",
                "ask the address that the Service has, or let it ask for this one "
                "(metallb.io/loadBalancerIPs; for any of the pool metallb.io/address-pool: "
                f"{pool.name})",
                pool.origin("addresses"),
            )
            found |= dict.fromkeys(pool.prefixes(), lack)
        for key, lack in lacks.items():
            for one in self._given(services[key], set())[0]:
                found[Prefix(one, one.bits)] = lack
        return found

    def _lack(
        self,
        service: Service,
        given: tuple[Address, ...],
        services: Mapping[str, Service],
        taken: set[Address],
    ) -> Lack | None:
        """Why MetalLB gives none, or not the one that is asked for; None: nothing is known."""
        if not self.pools:
            return None if given else self.idle
        all_pools = ", ".join(one.name for one in self.pools)
        out = [one for one in given if not any(one in pool for pool in self.pools)]
        if out:
            origin = self.asked.get(service.key, ("", service.origin))[1]
            if any(key in service.annotations for key in _WANTED):
                origin = service.origins.get("annotations", service.origin)
            listed = ", ".join(f"{one.name}: {one.written}" for one in self.pools)
            return Lack(
                f"the address {out[0]} that it asks for is in no pool ({listed}): MetalLB "
                "gives it none",
                f"ask for an address of a pool ({self.pools[0].written}), or add {out[0]} to one",
                origin,
            )
        named = next((service.annotations[key] for key in POOL if key in service.annotations), "")
        own = next((one for one in self.pools if one.name == named), None)
        if given and own is not None and not all(one in own for one in given):
            return Lack(
                f"it asks for the address {given[0]}, which is not of {own.title} ({own.written}), "
                "the pool that it asks for too: MetalLB gives it none",
                f"take the annotation for the address or the one for pool {own.name} away, or ask "
                f"for an address of {own.written}",
                service.origins.get("annotations", service.origin),
            )
        if given:
            return None
        unread = next((one for one in self.pools if not one.ranges and one.written), None)
        if unread is not None and (named == unread.name or unread.path != ("spec",)):
            return Lack(
                f"the addresses of {unread.title} ({unread.written}) are neither a prefix nor a "
                "range from-to: MetalLB takes none of its configuration",
                f"write {unread.written}/32, or {unread.written}-{unread.written}"
                if address_of(unread.written)
                else "write 192.0.2.0/28, or 192.0.2.1-192.0.2.14",
                unread.origin("addresses"),
            )
        pools = [p for p in self.pools if p.name == named or (not named and p.auto)]
        if pools and not any(pool.serves(service) for pool in pools):
            return Lack(
                f"{pools[0].title} gives nothing to Service {service.key}: its "
                f"serviceAllocation is for {_allocation(pools[0])}",
                f"add namespace {service.namespace} (or the Service's labels) there, or make a "
                "pool for it",
                pools[0].origin("serviceAllocation"),
            )
        if not pools:
            said = f"its annotation asks for address pool {named}, and there is {all_pools}"
            by_itself = f"no pool gives addresses unasked ({all_pools}: autoAssign: false)"
            return Lack(
                said if named else by_itself,
                f"write {self.pools[0].name} there, or make a pool {named}"
                if named
                else f"ask for one: metallb.io/address-pool: {self.pools[0].name}",
                service.origins.get("annotations", service.origin)
                if named
                else self.pools[0].origin("autoAssign"),
            )
        held = [
            f"{one.ip}: {other.key}"
            for other in services.values()
            for one in other.load_balancer_ingress
            if one.ip is not None and one.ip in taken and any(one.ip in pool for pool in pools)
        ]
        if not held:
            return None
        return Lack(
            f"{pools[0].title} ({pools[0].written}) is used up ({', '.join(held[:3])})",
            f"widen the addresses of {pools[0].title}, or let Services share one "
            "(metallb.io/allow-shared-ip)",
            pools[0].origin("addresses"),
        )

    def _held(
        self, service: Service, given: tuple[Address, ...], holders: Mapping[Address, Service]
    ) -> Lack | None:
        """The address that it asks for is another Service's, and the two may not share it.

        Source: MetalLB internal/allocator/allocator.go (checkSharing, sharingOK).
        """
        for one in given:
            other = holders.get(one)
            why = _apart(service, other) if other is not None else ""
            if other is not None and why:
                return Lack(
                    f"the address {one} that it asks for is that of Service {other.key}, and "
                    f"{why}: MetalLB gives it none",
                    "write the same metallb.io/allow-shared-ip into both, with other ports and, "
                    "for policy Local, one selector; or ask for another address",
                    service.origins.get("annotations", service.origin),
                )
        return None

    def _given(self, service: Service, taken: set[Address]) -> tuple[tuple[Address, ...], Origin]:
        asked = next(
            (service.annotations[key] for key in _WANTED if key in service.annotations), ""
        )
        origin = service.origins.get("annotations", service.origin)
        if not asked and service.key in self.asked:
            asked, origin = self.asked[service.key]
        is_whole = all(one.ranges or one.path == ("spec",) for one in self.pools)
        if asked and (self.pools or self.vips):
            return tuple(filter(None, map(address_of, asked.split(",")))), origin
        named = next((service.annotations[key] for key in POOL if key in service.annotations), "")
        for pool in self.pools if is_whole else ():
            if pool.serves(service) and (pool.name == named or (not named and pool.auto)):
                free = (
                    next((a for a in pool.addresses(version) if a not in taken), None)
                    for version in service.ip_families
                )
                given = tuple(filter(None, free))
                if given:
                    said = f"MetalLB gives it a free address of {pool.title}"
                    return given, assumed(said, pool.origin().place)
        return (), service.origin


def _apart(one: Service, other: Service) -> str:
    """Why two Services may not share an address; empty: they may."""
    keys = {
        next((s.annotations[k] for k in _SHARED if k in s.annotations), "") for s in (one, other)
    }
    if len(keys) > 1 or "" in keys:
        return "metallb.io/allow-shared-ip is not the same in both"
    ports = [{(port.port, port.protocol) for port in each.ports} for each in (one, other)]
    if ports[0] & ports[1]:
        return "both have the same port"
    local = "Local" in (one.external_traffic_policy, other.external_traffic_policy)
    return (
        "with policy Local their selectors differ"
        if local and one.selector != other.selector
        else ""
    )


def _one_family(service: Service, given: tuple[Address, ...]) -> Lack | None:
    """Of two families that it must have the pools give one alone (allocator.go, getIPFromCIDR…)."""
    lacks = set(service.ip_families) - {one.version for one in given}
    if service.ip_family_policy != "RequireDualStack" or not given or not lacks:
        return None
    return Lack(
        f"it must have addresses of both families (RequireDualStack), and no pool has one of IPv"
        f"{min(lacks)} for it: MetalLB gives it none",
        f"add a range of IPv{min(lacks)} to the pool, or set ipFamilyPolicy: PreferDualStack",
        service.origins.get("ip_family_policy", service.origin),
    )


def _allocation(pool: Pool) -> str:
    told = table(pool.manifest.data, *pool.path, "serviceAllocation")
    spaces = texts(told, "namespaces")
    if not told:
        return "no Service at all: it is there, and chooses none"
    return f"namespace {', '.join(spaces)}" if spaces else "Services with other labels"


def find_balancers(inventory: Inventory, pods: Mapping[str, Pod]) -> Balancers | None:
    """None: nothing of MetalLB's is there, and no kube-vip that is for Services."""
    metallb = told(inventory, pods.values())
    seen = {}
    for one in inventory.of("ServiceL2Status").values():
        status = table(one.data, "status")
        key = f"{text(status, 'serviceNamespace')}/{text(status, 'serviceName')}"
        seen[key] = text(status, "node"), one.origin("status", "node")
    vips = _where_kube_vip(pods.values(), for_services=True)
    if metallb is None and not seen and not vips:
        return None
    asked = {
        key: (text(one.data, "spec", "loadBalancerIP"), one.origin("spec", "loadBalancerIP"))
        for key, one in inventory.of("Service").items()
        if text(one.data, "spec", "loadBalancerIP")
    }
    idle = _without_pools(metallb) if metallb is not None else _asked_alone(pods.values())
    return Balancers(metallb=metallb, vips=vips, idle=idle, seen=seen, asked=asked)


def _without_pools(metallb: Told) -> Lack | None:
    if metallb.pools or metallb.runs is None:
        return None
    unread, here = metallb.unread, metallb.runs.namespace
    if metallb.called is not None:
        name, other = metallb.called
        return Lack(
            f"MetalLB before 0.13 reads its pools from ConfigMap {here}/{name}, and they stand in "
            f"{namespace_of(other)}/{other.name}: it has no address to give",
            f"call that ConfigMap {name}, in {here} (or start controller and speaker with "
            f"--config={other.name})",
            other.origin("metadata", "name"),
        )
    if unread is not None:
        return Lack(
            f"MetalLB reads its pools from objects since 0.13, and no ConfigMap: {unread.name} in "
            f"{here} says nothing to it, and there is no IPAddressPool",
            "write that pool as an IPAddressPool, and an L2Advertisement (BGPAdvertisement and "
            "BGPPeer) for it; MetalLB's configmaptocrs makes them of the ConfigMap",
            unread.origin("data", "config"),
        )
    if metallb.astray:
        return _astray(metallb.astray[0], here)
    if metallb.in_config_map:
        return Lack(
            f"MetalLB runs without pools: before 0.13 it reads them from ConfigMap {here}/config, "
            "and there is none",
            f"write ConfigMap config in {here}, with address-pools (name, protocol: layer2, "
            "addresses: free ones of the nodes' network) in its key config",
            metallb.runs.origin,
        )
    return Lack(
        "MetalLB runs, and there is no IPAddressPool: it has no address to give",
        "write an IPAddressPool with free addresses of the nodes' network, and an L2Advertisement",
        metallb.runs.origin,
    )


def _astray(one: Manifest, here: str) -> Lack:
    return Lack(
        f"{one.kind} {one.name} is in namespace {namespace_of(one)}, and MetalLB reads those of "
        f"its own alone, {here}",
        f"write namespace: {here} there",
        one.origin("metadata"),
    )


def _asked_alone(pods: Iterable[Pod]) -> Lack | None:
    """kube-vip announces the address that a Service asks for, and chooses none itself."""
    by_image = {image_word(one.image): pod for pod in pods for one in pod.containers}
    if _GIVES in by_image or _KUBE_VIP not in by_image:
        return None
    return Lack(
        "kube-vip announces the address that a Service has, and gives it none: that is "
        "kube-vip-cloud-provider's work, which does not run",
        "ask for one (annotation kube-vip.io/loadbalancerIPs: a free address of the nodes' "
        "network), or run kube-vip-cloud-provider with ConfigMap kube-system/kubevip "
        "(range-global)",
        by_image[_KUBE_VIP].origin,
    )


def rivals(
    balancers: Balancers | None, proxy: ProxyConfiguration, there: Distribution
) -> Iterator[Lack]:
    """Who else answers for the addresses that MetalLB announces, or gives others.

    Sources: MetalLB's own documents (Installation, Preparation); k3s' ServiceLB.
    """
    ads = balancers.advertisements if balancers is not None else ()
    first = next((one for one in ads if one.is_l2), None)
    if first is None:
        return
    if there.name == K3S and there.balancer:
        yield Lack(
            "k3s' own ServiceLB runs beside MetalLB: both give load balancers addresses, it those "
            "of the nodes, and each takes back what the other wrote",
            "start k3s' servers with --disable servicelb",
            first.manifest.origin(),
        )
    told = proxy.origin.kind is not OriginKind.ASSUMED
    if proxy.mode == "ipvs" and not proxy.strict_arp and told:
        unset = proxy.origins["strict_arp"].kind is OriginKind.DEFAULTED
        yield Lack(
            "in mode ipvs every node has the load balancers' addresses on kube-ipvs0, and without "
            "strictARP every node answers ARP for them: not only the one that MetalLB chose",
            "set ipvs.strictARP: true in kube-proxy's configuration and restart its pods",
            proxy.origins["mode" if unset else "strict_arp"],
        )


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
        return _not_for_services(services, pods.values())
    found = _of_other_class(services, pods.values())
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


def _not_for_services(services: Mapping[str, Service], pods: Iterable[Pod]) -> dict[Address, Lack]:
    """What asks kube-vip for its address, where that keeps to the API server's own one."""
    idle = _where_kube_vip(pods, for_services=False)
    if not idle:
        return {}
    origin = next(iter(idle.values()))
    lack = Lack(
        "kube-vip runs for the API server's address alone (svc_enable is not true), and announces "
        "no Service's",
        'set svc_enable: "true" in kube-vip\'s env (argument --services)',
        origin,
    )
    return {
        one.ip: lack
        for service in services.values()
        if "kube-vip.io/loadbalancerIPs" in service.annotations
        for one in service.load_balancer_ingress
        if one.ip is not None
    }


def _of_other_class(services: Mapping[str, Service], pods: Iterable[Pod]) -> dict[Address, Lack]:
    """What asks kube-vip for its address without the class that it keeps to (lb_class_only)."""
    for pod in pods:
        for one in pod.containers:
            told = dict(one.env)
            if image_word(one.image) != _KUBE_VIP or told.get("lb_class_only") != "true":
                continue
            wanted = told.get("lb_class_name") or "kube-vip.io/kube-vip-class"
            lack = Lack(
                f"kube-vip takes Services of loadBalancerClass {wanted} alone (lb_class_only), and "
                "this one is of another or none: nobody announces its address",
                f"write loadBalancerClass: {wanted} into a new Service (it cannot be changed), or "
                "take lb_class_only out of kube-vip's env",
                one.origin,
            )
            return {
                address.ip: lack
                for service in services.values()
                if any(key in service.annotations for key in _WANTED)
                and service.load_balancer_class != wanted
                for address in service.load_balancer_ingress
                if address.ip is not None
            }
    return {}


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
                return _astray(one, metallb.runs.namespace)
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
    vips = _where_kube_vip(pods.values(), for_services=True)
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


def _where_kube_vip(pods: Iterable[Pod], *, for_services: bool) -> Mapping[str, Origin]:
    """Nodes on which kube-vip runs: for Services, or for the API server's address alone.

    Source: kube-vip pkg/kubevip/config_environment.go (svc_enable), cmd/kube-vip.go (--services).
    """
    return {
        pod.node_name: pod.origin
        for pod in pods
        for one in pod.containers
        if pod.node_name is not None
        and pod.phase is PodPhase.RUNNING
        and _KUBE_VIP in one.image
        and image_word(one.image).removesuffix("-iptables") == _KUBE_VIP
        and _is_for_services(one) is for_services
    }


def _is_for_services(container: Container) -> bool:
    """As its env says; where that says nothing of what it is for, it is taken to be."""
    told = dict(container.env)
    if "--services" in container.spoken or not {"svc_enable", "cp_enable"} & told.keys():
        return True
    return told.get("svc_enable", "").lower() == "true"
