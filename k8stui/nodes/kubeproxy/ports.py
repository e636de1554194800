"""A service port as kube-proxy knows it, for one family.

Sources: kube-proxy pkg/proxy/serviceport.go (newBaseServiceInfo), pkg/proxy/util
(ShouldSkipService); docs/facts/kube-proxy.md section 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from k8stui.cluster.model import Service, ServicePort, ServiceType
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.packet import Protocol
from k8stui.nodes.kubeproxy.names import service_port_name
from k8stui.record import record

TRANSPORTS = {protocol: protocol.name.lower() for protocol in Protocol}
"""Protocols as iptables writes them."""
_OTHER_PROXY = "service.kubernetes.io/service-proxy-name"


@record(kw_only=True)
class Port:
    """One service port in one family."""

    name: str
    """The service port name, ``namespace/service:port``."""
    protocol: str
    """``tcp``, ``udp`` or ``sctp``."""
    number: int
    cluster_ip: Address
    external_ips: tuple[Address, ...]
    vips: tuple[Address, ...]
    """Load balancer addresses that packets arrive with (ipMode VIP)."""
    source_ranges: tuple[Prefix, ...]
    node_port: int | None
    internal_local: bool
    """internalTrafficPolicy is Local."""
    external_local: bool
    """externalTrafficPolicy is Local, and there is something for it to apply to."""
    affinity_seconds: int | None
    """None: no session affinity."""
    health_check_node_port: int | None
    service: Service
    service_key: str
    """``namespace/name``."""
    service_port: ServicePort

    @property
    def accessible(self) -> bool:
        """Reachable from outside of the cluster."""
        return bool(self.node_port or self.vips or self.external_ips)

    @property
    def uses_cluster(self) -> bool:
        return not self.internal_local or self.accessible

    @property
    def uses_local(self) -> bool:
        return self.internal_local or (self.external_local and self.accessible)


def is_proxied(service: Service) -> bool:
    """Whether kube-proxy has anything to do with the Service."""
    return (
        bool(service.cluster_ips)
        and service.type is not ServiceType.EXTERNAL_NAME
        and _OTHER_PROXY not in service.labels
    )


def known_ports(
    services: Iterable[Service], version: int
) -> Iterator[tuple[str, Service, ServicePort]]:
    """Service port name, Service and port of all that have a cluster IP of this family."""
    for service in services:
        if is_proxied(service) and any(a.version == version for a in service.cluster_ips):
            for port in service.ports:
                yield (
                    service_port_name(service.namespace, service.name, port.name),
                    service,
                    port,
                )


def port_of(name: str, service: Service, port: ServicePort, version: int) -> Port:
    """The service port `name` in the family of `version`, which has a cluster IP there."""
    load_balancer = service.type is ServiceType.LOAD_BALANCER
    external_local = service.external_traffic_policy == "Local"
    return Port(
        name=name,
        protocol=TRANSPORTS[port.protocol],
        number=port.port,
        cluster_ip=_of_family(service.cluster_ips, version)[0],
        external_ips=_of_family(service.external_ips, version),
        vips=_vips(service, version) if service.load_balancer_ingress else (),
        source_ranges=_source_ranges(service, version)
        if service.load_balancer_source_ranges
        else (),
        node_port=port.node_port or None,
        internal_local=service.internal_traffic_policy == "Local",
        external_local=external_local
        and (service.type is not ServiceType.CLUSTER_IP or bool(service.external_ips)),
        affinity_seconds=service.session_affinity_timeout_seconds
        if service.session_affinity == "ClientIP"
        else None,
        health_check_node_port=service.health_check_node_port or None
        if load_balancer and external_local
        else None,
        service=service,
        service_key=service.key,
        service_port=port,
    )


def _of_family(addresses: tuple[Address, ...], version: int) -> tuple[Address, ...]:
    """Those of one family. Nearly always all of them: then nothing is made anew."""
    if len(addresses) < 2 and (not addresses or addresses[0].version == version):
        return addresses
    return tuple(address for address in addresses if address.version == version)


def _vips(service: Service, version: int) -> tuple[Address, ...]:
    """Load balancer addresses that packets arrive with; ipMode Proxy ones arrive with others."""
    return tuple(
        entry.ip
        for entry in service.load_balancer_ingress
        if entry.ip and entry.ip.version == version and entry.ip_mode != "Proxy"
    )


def _source_ranges(service: Service, version: int) -> tuple[Prefix, ...]:
    """LoadBalancerSourceRanges of the family in their order; none if one of them is everything."""
    ranges = []
    for text in service.load_balancer_source_ranges:
        try:
            prefix = Prefix.parse(text.strip())
        except ValueError:
            continue
        if prefix.address.version == version:
            if prefix.length == 0:
                return ()
            ranges.append(prefix)
    return tuple(ranges)
