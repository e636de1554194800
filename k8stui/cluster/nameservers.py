"""The nameservers in a pod's resolv.conf, where one of them is known to be nobody's.

Sources: pkg/kubelet/network/dns/dns.go (GetPodDNS: clusterDNS of the kubelet's configuration, or
dnsConfig with dnsPolicy None), resolv.conf(5).
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.apiserver.fields import texts
from k8stui.apiserver.inventory import Inventory
from k8stui.cluster.configurations import embedded_in
from k8stui.cluster.fields import addresses
from k8stui.cluster.model import Cluster, Pod, Service, ServiceType
from k8stui.cluster.names import DNS_SERVICE, dns_port, uses_cluster_dns
from k8stui.kernel.address import Address
from k8stui.kernel.derived import Derived
from k8stui.origin import Origin, OriginKind
from k8stui.record import record


@record()
class LostServer:
    """A nameserver of the Services' range that is the address of no DNS Service."""

    address: Address
    dns: Service
    """Where cluster DNS is."""
    by_kubelet: bool
    """The kubelet writes it into every pod; else the pod has it in its own dnsConfig."""
    origin: Origin

    @property
    def right(self) -> Address:
        """The address that was meant."""
        return self.dns.cluster_ips[0]


def kubelet_dns(inventory: Inventory) -> Iterator[tuple[tuple[Address, ...], Origin]]:
    """``clusterDNS`` of each KubeletConfiguration in a ConfigMap: kubeadm keeps it in one."""
    for one in embedded_in(inventory, "KubeletConfiguration"):
        given = addresses(tuple(texts(one.data, "clusterDNS")))
        if given:
            yield given, one.origin("clusterDNS")


def lost_server(cluster: Cluster, pod: Pod) -> LostServer | None:
    """What the pod asks in vain; None where somebody answers, or nobody can know."""
    dns = cluster.services.get(DNS_SERVICE)
    if dns is None or not dns.cluster_ips:
        return None
    if dns.origins.get("cluster_ips", dns.origin).kind is OriginKind.ASSUMED:
        return None
    own = pod.dns_config.nameservers if pod.dns_config is not None else ()
    by_kubelet = pod.dns_policy != "None"
    given, origin = own, pod.origins.get("dns_config", pod.origin)
    if by_kubelet:
        if not cluster.kubelet_dns or not uses_cluster_dns(cluster, pod):
            return None
        given, origin = (*cluster.kubelet_dns, *own), cluster.origins["kubelet_dns"]
    ranges = cluster.service_cidrs or (cluster.service_cidr,)
    answering = _answering.of(cluster)
    if not given or not all(
        one not in answering and any(one in cidr for cidr in ranges) for one in given
    ):
        return None
    return LostServer(given[0], dns, by_kubelet, origin)


def _name_servers(cluster: Cluster) -> frozenset[Address]:
    return frozenset(
        address
        for service in cluster.services.values()
        if service.type is not ServiceType.EXTERNAL_NAME and dns_port(service) is not None
        for address in service.cluster_ips
    )


# Asked for each pod that asks by name.
_answering: Derived[Cluster, frozenset[Address]] = Derived(_name_servers)
