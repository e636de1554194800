"""Who gives a load balancer its address on bare metal: MetalLB, of its pools; kube-vip gives none.

Which node announces it then: `announcing`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from k8stui.apiserver.fields import table, text, texts
from k8stui.apiserver.inventory import Inventory, namespace_of
from k8stui.cluster.distribution import K3S, Distribution
from k8stui.cluster.load_balancers.kube_vip import WANTED, asked_alone, nodes_of_kube_vip
from k8stui.cluster.load_balancers.metallb import POOL, Advertisement, Pool, Told, address_of, told
from k8stui.cluster.model import (
    Lack,
    LoadBalancerIngress,
    Pod,
    ProxyConfiguration,
    Service,
    ServiceType,
)
from k8stui.kernel.address import Address, Prefix
from k8stui.manifests import Manifest
from k8stui.origin import Origin, OriginKind, assumed
from k8stui.record import record

_SHARED = ("metallb.io/allow-shared-ip", "metallb.universe.tf/allow-shared-ip")
METALLB = dict.fromkeys(
    ("metallb.io", "metallb.universe.tf"),
    ("address-pool", "loadBalancerIPs", "allow-shared-ip", "ip-allocated-from-pool"),
)
"""By prefix, the annotations of Services that MetalLB reads or writes (internal/…/annotations)."""


@record(kw_only=True)
class Balancers:
    """What the input holds of MetalLB and of kube-vip."""

    metallb: Told | None
    vips: Mapping[str, Origin]
    ranges: Manifest | None
    """kube-vip-cloud-provider's ConfigMap."""
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
            return None if given else self.idle or self._no_range(service)
        all_pools = ", ".join(one.name for one in self.pools)
        out = [one for one in given if not any(one in pool for pool in self.pools)]
        if out:
            origin = self.asked.get(service.key, ("", service.origin))[1]
            if any(key in service.annotations for key in WANTED):
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

    def _no_range(self, service: Service) -> Lack | None:
        """kube-vip-cloud-provider takes addresses of the namespace's range, or of the global one.

        Source: kube-vip-cloud-provider pkg/provider/loadBalancer.go (discoverPool).
        """
        if self.ranges is None:
            return None
        has = table(self.ranges.data, "data")
        ends = (service.namespace, "global")
        if any(f"{begin}-{end}" in has for begin in ("cidr", "range") for end in ends):
            return None
        return Lack(
            f"ConfigMap {self.ranges.name} has no addresses for namespace {service.namespace} "
            f"(it has {', '.join(has) or 'none'}): kube-vip-cloud-provider gives it none",
            f"write range-global, or range-{service.namespace}, into it: free addresses of the "
            "nodes' network",
            self.ranges.origin("data"),
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
        asked = next((service.annotations[key] for key in WANTED if key in service.annotations), "")
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
    vips = nodes_of_kube_vip(pods.values(), for_services=True)
    if metallb is None and not seen and not vips:
        return None
    asked = {
        key: (text(one.data, "spec", "loadBalancerIP"), one.origin("spec", "loadBalancerIP"))
        for key, one in inventory.of("Service").items()
        if text(one.data, "spec", "loadBalancerIP")
    }
    idle = _without_pools(metallb) if metallb is not None else asked_alone(pods.values())
    ranges = inventory.of("ConfigMap").get("kube-system/kubevip") if metallb is None else None
    return Balancers(metallb=metallb, vips=vips, idle=idle, seen=seen, asked=asked, ranges=ranges)


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
        return astray(metallb.astray[0], here)
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


def astray(one: Manifest, here: str) -> Lack:
    """An object of MetalLB's outside of `here`, the namespace in which it looks for them."""
    return Lack(
        f"{one.kind} {one.name} is in namespace {namespace_of(one)}, and MetalLB reads those of "
        f"its own alone, {here}",
        f"write namespace: {here} there",
        one.origin("metadata"),
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
