"""What a service port puts into the sets and maps that all of them share.

A packet is looked up by what it is sent to; so is an element here. Keys read backwards give the
order in which nft prints them: it sorts concatenations as one long number of the machine's byte
order (libmnl's data, src/expression.c, src/segtree.c).

Source: kube-proxy pkg/proxy/nftables/proxier.go syncProxyRules; docs/facts/kube-proxy.md section 8.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from k8stui.because import Because
from k8stui.kernel.address import Address
from k8stui.kernel.nft_ruleset import Element
from k8stui.nodes.kubeproxy.endpoints import Backend
from k8stui.nodes.kubeproxy.nftables import names
from k8stui.nodes.kubeproxy.port_plan import PortPlan
from k8stui.nodes.kubeproxy.ports import TRANSPORTS
from k8stui.nodes.kubeproxy.reasons import (
    for_cluster_ip,
    for_endpoint,
    for_external_ip,
    for_load_balancer,
    for_nobody,
    for_nobody_here,
    for_node_port,
    for_service,
)
from k8stui.nodes.kubeproxy.settings import ProxySettings

_NUMBERS = {name: int(protocol) for protocol, name in TRANSPORTS.items()}


class Key(NamedTuple):
    """Addresses, protocol and port: a node port has no address, a cluster IP nothing else."""

    addresses: tuple[Address, ...]
    protocol: str = ""
    port: int = 0

    def __str__(self) -> str:
        return " . ".join((*map(str, self.addresses), self.protocol, str(self.port)))

    @property
    def fields(self) -> tuple[Address | int, ...]:
        """As packets have them."""
        rest = (_NUMBERS[self.protocol], self.port) if self.protocol else ()
        return (*self.addresses, *rest)

    @property
    def order(self) -> tuple[int, int, int, bytes]:
        """Sorts as nft does: concatenations by the bytes read backwards, addresses by value."""
        packed = b"".join(address.packed for address in self.addresses)
        if not self.protocol:
            return 0, 0, 0, packed
        return self.port & 0xFF, self.port >> 8, _NUMBERS[self.protocol], packed[::-1]


Made = Iterator[tuple[Key, Element]]


def service_ips(plan: PortPlan, _settings: ProxySettings) -> Made:
    """``service-ips``: what has an endpoint to go to."""
    port = plan.port
    base = names.port_base(port)
    if plan.has_internal:
        chain = (names.LOCAL if port.internal_local else names.SERVICE) + base
        yield _goto(plan, port.cluster_ip, chain, for_cluster_ip(port))
    if not plan.choice.any_endpoints:
        return
    for address in port.external_ips:
        yield _goto(plan, address, names.EXTERNAL + base, for_external_ip(port))
    for address in port.vips:
        yield _goto(plan, address, names.EXTERNAL + base, for_load_balancer(port))


def service_nodeports(plan: PortPlan, _settings: ProxySettings) -> Made:
    """``service-nodeports``."""
    port = plan.port
    if port.node_port and plan.choice.any_endpoints:
        key = Key((), port.protocol, port.node_port)
        chain = names.EXTERNAL + names.port_base(port)
        yield key, Element(f"{key} : goto {chain}", for_node_port(port))


def firewall_ips(plan: PortPlan, _settings: ProxySettings) -> Made:
    """``firewall-ips``: load balancer addresses that not every source may ask."""
    port = plan.port
    if port.source_ranges:
        why = for_service(
            port,
            "load_balancer_source_ranges",
            f"load balancer address of Service {port.service_key}: who may ask it is looked at "
            "before DNAT",
            "loadBalancerSourceRanges",
        )
        for address in port.vips:
            yield _goto(plan, address, names.FIREWALL + names.port_base(port), why)


def no_endpoint_services(plan: PortPlan, _settings: ProxySettings) -> Made:
    """``no-endpoint-services``: addresses that nothing stands behind, here or at all."""
    port = plan.port
    if not plan.has_internal:
        yield _refused(plan, (port.cluster_ip,), port.number, "internalTrafficPolicy")
    if port.accessible and not plan.has_external:
        for address in (*port.external_ips, *port.vips):
            yield _refused(plan, (address,), port.number, "externalTrafficPolicy")


def no_endpoint_nodeports(plan: PortPlan, _settings: ProxySettings) -> Made:
    """``no-endpoint-nodeports``."""
    if plan.port.node_port and not plan.has_external:
        yield _refused(plan, (), plan.port.node_port, "externalTrafficPolicy")


def hairpin_connections(plan: PortPlan, settings: ProxySettings) -> Made:
    """``hairpin-connections``: endpoints of this node, which can ask themselves."""
    for backend in plan.choice.reachable:
        if backend.endpoint.node_name == settings.node_name:
            yield _hairpin(plan, backend)


def cluster_ips(plan: PortPlan, _settings: ProxySettings) -> Made:
    """``cluster-ips``: of every Service, be there endpoints or not."""
    port = plan.port
    why = for_service(port, "cluster_ips", f"cluster IP of Service {port.service_key}")
    yield Key((port.cluster_ip,)), Element(str(port.cluster_ip), why)


def _hairpin(plan: PortPlan, backend: Backend) -> tuple[Key, Element]:
    port = plan.port
    address = Address.parse(backend.address)
    key = Key((address, address), port.protocol, int(backend.text.rpartition(":")[2]))
    text = f"endpoint of Service {port.service_key} on this node: it may ask itself"
    return key, Element(str(key), for_endpoint(port, backend, text))


def _goto(plan: PortPlan, address: Address, chain: str, why: Because) -> tuple[Key, Element]:
    key = Key((address,), plan.port.protocol, plan.port.number)
    return key, Element(f"{key} : goto {chain}", why)


def _refused(
    plan: PortPlan, addresses: tuple[Address, ...], number: int, policy: str
) -> tuple[Key, Element]:
    """An address or a node port of a Service that has nothing to offer here."""
    port = plan.port
    key = Key(addresses, port.protocol, number)
    away = plan.choice.any_endpoints
    why = for_nobody_here(port, policy) if away else for_nobody(port)
    verdict = "drop" if away else "goto reject-chain"
    return key, Element(f'{key} comment "{port.name}" : {verdict}', why)
