"""k3s' ServiceLB: which Services get the nodes' own addresses, and which nodes serve them.

It runs a pod for each load balancer on every node, with the Service's ports as hostPorts; once any
node is labelled enablelb, on those alone. The addresses of nodes whose pod is ready become the
Service's; with externalTrafficPolicy Local those of nodes with an endpoint.
Source: k3s pkg/cloudprovider/servicelb.go (getStatus, newDaemonSet).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from k8stui.cluster.model import (
    EndpointSlice,
    Lack,
    LoadBalancerIngress,
    Node,
    Service,
    ServiceType,
)
from k8stui.kernel.packet import Protocol
from k8stui.origin import assumed

ENABLED = "svccontroller.k3s.cattle.io/enablelb"
_SYSTEM = "kube-system"
_TRAEFIKS = frozenset((80, 443))


def serving_nodes(nodes: Mapping[str, Node]) -> list[Node]:
    """Nodes that get ServiceLB's pods."""
    chosen = [node for node in nodes.values() if node.labels.get(ENABLED) == "true"]
    return chosen or list(nodes.values())


def is_asked(service: Service) -> bool:
    """Whether ServiceLB is to give the Service its addresses."""
    return service.type is ServiceType.LOAD_BALANCER and not service.load_balancer_class


def with_nodes_addresses(
    services: Mapping[str, Service],
    slices: Mapping[str, tuple[EndpointSlice, ...]],
    nodes: Mapping[str, Node],
) -> tuple[dict[str, Service], dict[str, Lack]]:
    """Give addresses to the load balancers that have none; and say why the others get none."""
    found, lacks = dict(services), without_port(services)
    for key, service in services.items():
        if not is_asked(service) or service.load_balancer_ingress or key in lacks:
            continue
        at = {
            endpoint.node_name
            for each in slices.get(key, ())
            for endpoint in each.endpoints
            if endpoint.ready
        }
        is_local = service.external_traffic_policy == "Local"
        given = [
            address
            for node in serving_nodes(nodes)
            if node.name in at or not is_local
            for version in service.ip_families
            if (address := node.address(version)) is not None
        ]
        said = "k3s' ServiceLB gives it the addresses of the nodes, by a pod on each"
        if any(port.port in _TRAEFIKS for port in service.ports):
            said += " (unless k3s' own traefik has ports 80 and 443)"
        if given:
            found[key] = replace(
                service,
                load_balancer_ingress=tuple(LoadBalancerIngress(ip=one) for one in given),
                origins={**service.origins, "load_balancer_ingress": assumed(said)},
            )
    return found, lacks


def without_port(services: Mapping[str, Service]) -> dict[str, Lack]:
    """Load balancers whose port another one has on every node.

    The pods of the second stay Pending, and its Service without an address.
    """
    found: dict[str, Lack] = {}
    first: dict[tuple[int, Protocol], Service] = {}
    # What k3s brings itself (traefik) is there before all others.
    for key, service in sorted(services.items(), key=lambda one: one[1].namespace != _SYSTEM):
        if not is_asked(service):
            continue
        for port in service.ports:
            other = first.setdefault((port.port, port.protocol), service)
            if other is not service and not service.load_balancer_ingress:
                found[key] = Lack(
                    f"k3s' ServiceLB opens port {port.port} on every node for Service {other.key} "
                    "already: its own pods stay Pending, and it gets no address",
                    "take another port, put both behind one ingress controller, or use a load "
                    "balancer with addresses of its own (MetalLB)",
                    port.origins.get("port", port.origin),
                )
                break
    return found
