"""Addresses that Cilium gives load balancers (LB IPAM), and whether it announces them.

A CiliumLoadBalancerIPPool is for the Services that its selector fits, all without one; beside
their labels they have ``io.kubernetes.service.name`` and ``…namespace``. Nodes answer ARP for an
address only where a CiliumL2AnnouncementPolicy with ``loadBalancerIPs`` fits the Service; else a
BGP peering has to bring it. Sources: cilium operator/pkg/lbipam (lbipam.go, service_store.go),
pkg/l2announcer; Documentation/network/lb-ipam.rst, l2-announcements.rst.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from k8stui.apiserver.fields import array, at, flag, text
from k8stui.apiserver.inventory import Inventory
from k8stui.cluster.load_balancers.metallb import address_of, address_range
from k8stui.cluster.model import Lack, LoadBalancerIngress, Service, ServiceType
from k8stui.cluster.selectors import matches
from k8stui.kernel.address import Address
from k8stui.manifests import Manifest
from k8stui.origin import assumed
from k8stui.record import record

_WANTED = ("lbipam.cilium.io/ips", "io.cilium/lb-ipam-ips")
_CLASSES = ("io.cilium/bgp-control-plane", "io.cilium/l2-announcer")
_L2 = "CiliumL2AnnouncementPolicy"
_BGP = ("CiliumBGPPeeringPolicy", "CiliumBGPClusterConfig")
_MOST = 65536
"""Addresses of a block that are looked at for a free one."""


@record()
class _Pool:
    manifest: Manifest
    ranges: tuple[tuple[Address, Address], ...]

    def __contains__(self, address: Address) -> bool:
        return any(
            first.version == address.version and first.value <= address.value <= last.value
            for first, last in self.ranges
        )

    def free(self, version: int, taken: set[Address]) -> Address | None:
        for first, last in self.ranges:
            for value in range(first.value, min(last.value, first.value + _MOST) + 1):
                if first.version == version and Address(version, value) not in taken:
                    return Address(version, value)
        return None


class CiliumPools:
    """Those of an inventory."""

    def __init__(self, inventory: Inventory) -> None:
        self._pools = [
            _Pool(one, tuple(_ranges(one)))
            for one in inventory.of("CiliumLoadBalancerIPPool").values()
            if not flag(one.data, "spec", "disabled")
        ]
        self._l2 = [*inventory.of(_L2).values()]
        self._has_peers = any(inventory.of(kind) for kind in _BGP)

    def __bool__(self) -> bool:
        return bool(self._pools)

    def with_addresses(
        self, services: Mapping[str, Service]
    ) -> tuple[dict[str, Service], dict[str, Lack]]:
        """Give an address to those load balancers that have none, and say why others get none."""
        found, lacks = dict(services), {}
        taken = {i.ip for one in services.values() for i in one.load_balancer_ingress if i.ip}
        for key, service in services.items():
            if service.load_balancer_ingress or not _is_ours(service):
                continue
            fitting = [one for one in self._pools if _fits(one.manifest, service)]
            if not fitting:
                first = self._pools[0].manifest
                lacks[key] = Lack(
                    f"no CiliumLoadBalancerIPPool is for it: the serviceSelector of {first.name} "
                    "does not fit its labels",
                    f"give the Service the labels that the selector of {first.name} asks for, or "
                    "mend the selector",
                    first.origin("spec", "serviceSelector"),
                )
                continue
            given = self._given(service, fitting, taken)
            if isinstance(given, Lack):
                lacks[key] = given
                continue
            taken |= set(given)
            origin = assumed(
                f"Cilium gives it a free address of {fitting[0].manifest.name}",
                fitting[0].manifest.origin("spec").place,
            )
            found[key] = replace(
                service,
                load_balancer_ingress=tuple(LoadBalancerIngress(ip=one) for one in given),
                origins={**service.origins, "load_balancer_ingress": origin},
            )
        return found, lacks

    def unannounced(self, services: Mapping[str, Service]) -> dict[Address, Lack]:
        """Addresses of the pools that no node answers ARP for, and no BGP brings."""
        found: dict[Address, Lack] = {}
        for service in services.values() if not self._has_peers else ():
            for one in service.load_balancer_ingress if _is_ours(service) else ():
                pool = next((p for p in self._pools if one.ip is not None and one.ip in p), None)
                if one.ip is not None and pool is not None:
                    lack = self._unheard(service, pool)
                    if lack is not None:
                        found[one.ip] = lack
        return found

    def _given(
        self, service: Service, pools: list[_Pool], taken: set[Address]
    ) -> tuple[Address, ...] | Lack:
        wanted = next((service.annotations[k] for k in _WANTED if k in service.annotations), "")
        asked = tuple(filter(None, map(address_of, wanted.split(","))))
        out = next((one for one in asked if not any(one in pool for pool in pools)), None)
        if out is not None:
            return Lack(
                f"the address {out} that it asks for is in no CiliumLoadBalancerIPPool that is for "
                "it: it gets none",
                f"ask for an address of {pools[0].manifest.name}, or add {out} to one",
                service.origins.get("annotations", service.origin),
            )
        free = (pool.free(v, taken) for pool in pools for v in service.ip_families)
        return (
            asked
            or tuple(filter(None, free))[: len(service.ip_families)]
            or Lack(
                f"CiliumLoadBalancerIPPool {pools[0].manifest.name} has no address left",
                "add a block to it",
                pools[0].manifest.origin("spec"),
            )
        )

    def _unheard(self, service: Service, pool: _Pool) -> Lack | None:
        fitting = [one for one in self._l2 if _fits(one, service)]
        if any(flag(one.data, "spec", "loadBalancerIPs") for one in fitting):
            return None
        if fitting:
            first = fitting[0]
            return Lack(
                f"{_L2} {first.name} fits the Service, and is not for addresses of load balancers "
                "(loadBalancerIPs is not true): no node answers ARP",
                "write loadBalancerIPs: true there",
                first.origin("spec"),
            )
        if self._l2:
            first = self._l2[0]
            return Lack(
                f"the serviceSelector of {_L2} {first.name} does not fit the Service's labels: no "
                "node answers ARP",
                "mend the selector, or label the Service so",
                first.origin("spec", "serviceSelector"),
            )
        return Lack(
            f"CiliumLoadBalancerIPPool {pool.manifest.name} gives the address, and nothing "
            f"announces it: there is no {_L2} and no BGP peering",
            f"write a {_L2} with loadBalancerIPs: true (and l2announcements.enabled in Cilium's "
            "values), or a CiliumBGPClusterConfig",
            pool.manifest.origin("spec"),
        )


def _is_ours(service: Service) -> bool:
    given = service.load_balancer_class
    return service.type is ServiceType.LOAD_BALANCER and (not given or given in _CLASSES)


def _fits(one: Manifest, service: Service) -> bool:
    selector = at(one.data, "spec", "serviceSelector")
    labels = {
        **service.labels,
        "io.kubernetes.service.name": service.name,
        "io.kubernetes.service.namespace": service.namespace,
    }
    return not selector or matches(selector, labels)


def _ranges(one: Manifest) -> Iterator[tuple[Address, Address]]:
    """``blocks``, and ``cidrs`` of before 1.15: a prefix, or from start to stop."""
    for field in ("blocks", "cidrs"):
        for block in array(one.data, "spec", field):
            first = text(block, "start")
            written = text(block, "cidr") or f"{first}-{text(block, 'stop') or first}"
            if (found := address_range(written)) is not None:
                yield found
