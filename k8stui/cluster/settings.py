"""What the input says about the cluster as a whole: its address ranges and its network plug-in.

Sources, the stronger first: ServiceCIDR objects, kubeadm's ClusterConfiguration (also inside the
``kubeadm-config`` ConfigMap of a dump), flannel's ``net-conf.json``, kube-proxy's ``clusterCIDR``,
k3s's arguments, Calico's pools; else the usual ranges of the distribution are assumed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import compress
from typing import TYPE_CHECKING

from k8stui.apiserver.fields import table, text, texts
from k8stui.apiserver.inventory import Inventory
from k8stui.cluster.distribution import KUBEADM, Distribution
from k8stui.cluster.fields import prefixes
from k8stui.cluster.memory import NO_MEMORY, Memory
from k8stui.cluster.model import CalicoPool, CalicoSettings, ProxyConfiguration, Remark
from k8stui.kernel.address import Address, Prefix
from k8stui.manifests.embedded import embedded
from k8stui.origin import Origin, OriginKind, assumed
from k8stui.record import record

if TYPE_CHECKING:
    from k8stui.manifests import Manifest

NODE_NETWORKS = {4: Prefix.parse("192.168.0.0/16"), 6: Prefix.parse("fd00:192:168::/64")}
"""What is assumed where nothing is said (README; the IPv6 ones as in the recordings)."""

_NET_CONF = "net-conf.json"


@record(kw_only=True)
class ClusterSettings:
    """Ranges by family, the primary family first, and where they come from."""

    pod_cidrs: Mapping[int, Prefix]
    service_cidrs: Mapping[int, Prefix]
    service_ranges: Mapping[Prefix, Origin]
    """Those of ServiceCIDR objects."""
    cluster_domain: str
    """Empty: nobody says it."""
    flannel: Mapping[str, object] | None
    origins: Mapping[str, Origin]
    remarks: tuple[Remark, ...] = ()
    """What had to be taken for granted for the input to make sense."""

    @property
    def families(self) -> tuple[int, ...]:
        """Address families of the cluster: those of its service ranges."""
        return tuple(self.service_cidrs)


def read_settings(
    inventory: Inventory,
    configurations: Iterable[Manifest],
    proxy: ProxyConfiguration,
    distribution: Distribution,
    calico: CalicoSettings | None = None,
    *,
    memory: Memory = NO_MEMORY,
) -> ClusterSettings:
    """Collect the settings; `configurations` are kubeadm's and kind's, both with `networking`."""
    written: dict[str, tuple[tuple[Prefix, ...], Origin]] = {}
    arguments = distribution.arguments
    domain = arguments.get("--cluster-domain", "")
    for attribute, flag in (("pod_cidr", "--cluster-cidr"), ("service_cidr", "--service-cidr")):
        if flag in arguments:
            written[attribute] = (_prefixes(arguments[flag]), distribution.origin)
    flannel, flannel_origin = _flannel(inventory)
    if proxy.cluster_cidr:
        written["pod_cidr"] = (_prefixes(proxy.cluster_cidr), proxy.origin)
    if flannel is not None and flannel_origin is not None:
        networks = ",".join(filter(None, (text(flannel, "Network"), text(flannel, "IPv6Network"))))
        if networks:
            written["pod_cidr"] = (_prefixes(networks), flannel_origin)
    for manifest in configurations:
        networking = table(manifest.data, "networking")
        domain = text(networking, "dnsDomain") or domain
        for attribute, field in (("pod_cidr", "podSubnet"), ("service_cidr", "serviceSubnet")):
            if text(networking, field):
                found = _prefixes(text(networking, field))
                written[attribute] = (found, manifest.origin("networking", field))
    for manifest in inventory.of("ServiceCIDR").values():
        cidrs = _prefixes(",".join(texts(manifest.data, "spec", "cidrs")))
        if cidrs and manifest.name == "kubernetes":
            written["service_cidr"] = (cidrs, manifest.origin("spec", "cidrs"))
    pools = [one for one in calico.pools if one.cidr is not None] if calico is not None else []
    if pools and flannel is None and not _hold(written.get("pod_cidr", ((),))[0], pools):
        cidrs = tuple(one.cidr for one in reversed(pools) if one.cidr is not None)
        written["pod_cidr"] = (cidrs, pools[0].origin)
    families, remarks = _families(inventory, written, memory)
    _guess(inventory, written, distribution, memory)
    pods, pods_origin = written.get("pod_cidr", ((), assumed(_usual_pods(distribution))))
    services, services_origin = written.get(
        "service_cidr", ((), assumed(f"{distribution.name}'s usual service range"))
    )
    service_cidrs = _by_family(services, families, distribution.service_cidrs)
    return ClusterSettings(
        pod_cidrs=_by_family(pods, families, distribution.pod_cidrs),
        service_cidrs=service_cidrs,
        service_ranges=dict(_ranges(inventory, service_cidrs.values(), services_origin)),
        cluster_domain=domain,
        flannel=flannel,
        origins={
            "pod_cidr": pods_origin,
            "service_cidr": services_origin,
            **({"flannel": flannel_origin} if flannel_origin is not None else {}),
        },
        remarks=remarks,
    )


def _hold(told: Iterable[Prefix], pools: Iterable[CalicoPool]) -> bool:
    """Whether a range that others tell has a pool in it, or lies in one.

    Else pods' addresses are the pools', whatever kube-proxy and kubeadm were told (calico-ipam).
    """
    return any(
        one.cidr is not None and (one.cidr.address in cidr or cidr.address in one.cidr)
        for cidr in told
        for one in pools
    )


def _ranges(
    inventory: Inventory, own: Iterable[Prefix], origin: Origin
) -> Iterator[tuple[Prefix, Origin]]:
    """The ranges of ServiceCIDR objects. An API server makes one of its own range, since 1.33.

    Where the input has Nodes but says nothing of that range, it shows what is there: then none.
    Source: pkg/controlplane/controller/defaultservicecidr.
    """
    for manifest in inventory.of("ServiceCIDR").values():
        for prefix in _prefixes(",".join(texts(manifest.data, "spec", "cidrs"))):
            yield prefix, manifest.origin("spec", "cidrs")
    if origin.kind is not OriginKind.ASSUMED or not inventory.of("Node"):
        yield from ((prefix, origin) for prefix in own)


def _usual_pods(distribution: Distribution) -> str:
    whose = "flannel" if distribution.name == KUBEADM else distribution.name
    return f"{whose}'s usual pod range"


def _guess(
    inventory: Inventory,
    written: dict[str, tuple[tuple[Prefix, ...], Origin]],
    distribution: Distribution,
    memory: Memory,
) -> None:
    """Ranges that nobody says, from what was given out of them.

    Only where the usual range does not hold them: then the network of 16 bits, in IPv6 48, around
    them is assumed, or a smaller one that keeps clear of the other range, where that is said.
    """
    nodes = [
        cidr.address
        for node in inventory.of("Node").values()
        for cidr in _prefixes(",".join(_node_cidrs(node)))
    ]
    those = inventory.of("Service").values()
    services = [one for some in memory.each("clusterIP", those, _cluster_ip) for one in some]
    for attribute, seen, usual, what in (
        ("pod_cidr", nodes, distribution.pod_cidrs, "the Nodes' pod ranges"),
        ("service_cidr", services, distribution.service_cidrs, "the Services' clusterIPs"),
    ):
        if attribute in written or any(other in usual[other.version] for other in seen):
            continue
        others = [one for key, (those, _) in written.items() if key != attribute for one in those]
        found = {address.version: _around(address, others) for address in reversed(seen)}
        if found:
            written[attribute] = (
                tuple(found.values()),
                assumed(f"not said in the input: a range around {what}"),
            )


def _around(address: Address, others: Iterable[Prefix]) -> Prefix:
    """The range around an address: the widest that none of the others lies in, if there is one."""
    usual = 16 if address.version == 4 else 48
    apart = [one for one in others if one.address.version == address.version]
    for length in range(usual, address.bits - 7):
        found = Prefix.of(address, length)
        if not any(one.address in found or found.address in one for one in apart):
            return found
    return Prefix.of(address, usual)


def _cluster_ip(service: Manifest) -> tuple[Address, ...]:
    written = text(service.data, "spec", "clusterIP")
    return () if written in ("", "None") else tuple(one.address for one in _prefixes(written))


def _says_families(service: Manifest) -> bool:
    spec = table(service.data, "spec")
    return "ipFamilies" in spec or "ipFamilyPolicy" in spec


def _node_cidrs(node: Manifest) -> tuple[str, ...]:
    spec = table(node.data, "spec")
    return texts(spec, "podCIDRs") or tuple(filter(None, (text(spec, "podCIDR"),)))


def _prefixes(written: str) -> tuple[Prefix, ...]:
    return prefixes(map(str.strip, written.split(",")))


def _by_family(
    written: tuple[Prefix, ...], families: tuple[int, ...], usual: Mapping[int, Prefix]
) -> dict[int, Prefix]:
    given = {prefix.address.version: prefix for prefix in written}
    return {family: given.get(family, usual[family]) for family in families}


def _families(
    inventory: Inventory,
    written: Mapping[str, tuple[tuple[Prefix, ...], Origin]],
    memory: Memory,
) -> tuple[tuple[int, ...], tuple[Remark, ...]]:
    """Families of the service range; else those that Nodes or Services give away; else IPv4."""
    said = written.get("service_cidr")
    if said and said[0]:
        return tuple(dict.fromkeys(prefix.address.version for prefix in said[0])), ()
    found: dict[int, None] = {}
    for node in inventory.of("Node").values():
        for cidr in _node_cidrs(node):
            found[6 if ":" in cidr else 4] = None
    sure = bool(found)
    if not found:
        found[4] = None
    remarks: list[Remark] = []
    those = inventory.of("Service").values()
    for service in compress(those, memory.each("families", those, _says_families)):
        if sure and not service.observed:
            continue  # what a declared one asks for beyond that is refused
        spec = table(service.data, "spec")
        if text(spec, "clusterIP") == "None":
            continue
        asked = {6 if family == "IPv6" else 4 for family in texts(spec, "ipFamilies")}
        field = "ipFamilies"
        if text(spec, "ipFamilyPolicy") == "RequireDualStack":
            asked, field = {4, 6}, "ipFamilyPolicy"
        if not (service.observed or asked <= found.keys() or remarks):
            remarks.append(_one_family_refuses(service, field))
        found.update(dict.fromkeys(sorted(asked)))
    return tuple(found), tuple(remarks)


def _one_family_refuses(service: Manifest, field: str) -> Remark:
    """Source: pkg/registry/core/service/storage/alloc.go initIPFamilyFields."""
    said = f"{field}: RequireDualStack" if field == "ipFamilyPolicy" else f"{field} with IPv6"
    return Remark(
        text=f"Service {service.name} has {said}, and nothing says which families the cluster has: "
        "taken to have both. One of IPv4 alone, as most are, refuses the Service (PreferDualStack "
        "suits every cluster; both need ranges of both families: kubeadm's podSubnet and "
        "serviceSubnet)",
        origin=service.origin("spec", field),
    )


def _flannel(inventory: Inventory) -> tuple[Mapping[str, object] | None, Origin | None]:
    first = next(flannel_configurations(inventory), None)
    return (None, None) if first is None else (first.data, first.origin())


def flannel_configurations(inventory: Inventory) -> Iterator[Manifest]:
    """``net-conf.json`` of flannel's ConfigMaps, whatever their name and namespace."""
    for manifest in inventory.of("ConfigMap").values():
        yield from embedded(manifest, _NET_CONF)


def node_address(family: int, index: int) -> Address:
    """192.168.0.(10+N), and fd00:192:168::a and on."""
    return NODE_NETWORKS[family].nth(10 + index)
