"""Services of type LoadBalancer with what their balancers make of them, whichever those are."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from k8stui.apiserver.inventory import Inventory
from k8stui.cluster.distribution import K3S, Distribution
from k8stui.cluster.load_balancers.announcing import announced, unannounced
from k8stui.cluster.load_balancers.balancers import find_balancers, rivals
from k8stui.cluster.load_balancers.cilium_pools import CiliumPools
from k8stui.cluster.load_balancers.servicelb import with_nodes_addresses
from k8stui.cluster.model import (
    Announced,
    EndpointSlice,
    Lack,
    Node,
    Pod,
    ProxyConfiguration,
    Service,
)
from k8stui.kernel.address import Address, Prefix
from k8stui.record import record

Slices = dict[str, tuple[EndpointSlice, ...]]


@record(kw_only=True)
class Balanced:
    """All Services; the fields of `Cluster` that bear the names of these say what they hold."""

    services: dict[str, Service]
    slices: Slices
    announced: Mapping[Address, Announced]
    unannounced: Mapping[Address, Lack]
    unbalanced: Mapping[str, Lack]
    vacant: Mapping[Prefix, Lack]
    rivals: tuple[Lack, ...]


def balanced(
    inventory: Inventory,
    services: dict[str, Service],
    slices_of: Callable[[Mapping[str, Service]], Slices],
    *,
    pods: Mapping[str, Pod],
    nodes: Mapping[str, Node],
    distribution: Distribution,
    proxy: ProxyConfiguration,
) -> Balanced:
    """Give addresses: MetalLB's or kube-vip's pools, else Cilium's, else k3s' ServiceLB.

    `slices_of`: the endpoints of Services; ServiceLB gives the addresses of nodes that have some.
    """
    balancers, cilium = find_balancers(inventory, pods), CiliumPools(inventory)
    unbalanced: dict[str, Lack] = {}
    vacant: dict[Prefix, Lack] = {}
    if balancers is not None:
        services, unbalanced = balancers.with_addresses(services)
        vacant = balancers.vacant(services, unbalanced)
    elif cilium:
        services, unbalanced = cilium.with_addresses(services)
    slices = slices_of(services)
    if balancers is None and distribution.name == K3S and distribution.balancer:
        services, unbalanced = with_nodes_addresses(services, slices, nodes)
    announcers = announced(balancers, services, slices, nodes, pods)
    return Balanced(
        services=services,
        slices=slices,
        announced=announcers,
        unannounced={
            **cilium.unannounced(services),
            **unannounced(balancers, services, nodes, announcers, slices=slices, pods=pods),
        },
        unbalanced=unbalanced,
        vacant=vacant,
        rivals=tuple(rivals(balancers, proxy, distribution)),
    )
