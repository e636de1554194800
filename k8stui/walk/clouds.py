"""What a cloud's network does with packets of its machines that a plain one does not do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from k8stui.cluster.clouds import AWS, AZURE, GOOGLE, OPENSTACK, cloud_of
from k8stui.cluster.model import Announced, Cluster, Lack, Node
from k8stui.nodes.wire import OUTSIDE
from k8stui.origin import OriginKind

if TYPE_CHECKING:
    from k8stui.kernel.exchange import Exchange
    from k8stui.walk.trace import Request

_SAID = (OriginKind.DECLARED, OriginKind.OBSERVED)
_OWN_ARP = frozenset({AWS, AZURE, GOOGLE, "digitalocean", "hcloud", "linode", "vultr"})
"""Clouds in which an address that a machine announces by ARP gets nothing (MetalLB's documentation,
"Cloud Compatibility"); by the beginning of a providerID."""
_FIREWALLS = {
    GOOGLE: "Google's firewall (gcloud compute firewall-rules create)",
    AWS: "the nodes' security group in AWS",
    AZURE: "the network security group in Azure",
    OPENSTACK: "the security group in OpenStack",
}
"""What stands before the nodes."""
_CHECKS = {
    AWS: "the instances' source/destination check is off",
    OPENSTACK: "allowed-address-pairs of the ports name the pods' range",
}
"""Of clouds whose network carries the machines' own addresses alone: what changes that."""


def carries_pods_if(node: Node) -> str | None:
    """What lets packets with pods' addresses come through beside the node; None: nothing need."""
    return _CHECKS.get(node.cloud)


def shut_from_outside(cluster: Cluster, request: Request, exchange: Exchange) -> str | None:
    """A node's own address in a cloud, whose firewall lets in what somebody has opened."""
    connect = request.connect
    if connect is None or not exchange.steps or exchange.steps[0].namespace != OUTSIDE:
        return None
    node = next((n for n in cluster.nodes.values() if connect.destination in n.addresses), None)
    firewall = _FIREWALLS.get(cloud_of(node, cluster)) if node is not None else None
    if node is None or firewall is None:
        return None
    return (
        f"{firewall} lets nothing in to {node.name} from outside that no rule opens: walked as if "
        f"port {connect.port}/{connect.protocol.name} were open to the client; or take type: "
        "LoadBalancer, which opens it by itself"
    )


def unheard_in_cloud(cluster: Cluster, by: Announced) -> Lack | None:
    """An address that somebody announces by ARP to a cloud's network."""
    first = next((n for n in cluster.nodes.values() if n.cloud in _OWN_ARP), None)
    if first is None or not by.by_arp:
        return None
    return Lack(
        f"{by.text}; the machines are a cloud's ({first.cloud}), whose network answers ARP itself "
        "and carries the addresses alone that it has given out",
        "take the cloud's own load balancer, or an address that it gives the machine",
        by.origin,
    )


def lost_in_cloud(cluster: Cluster, nodes: Iterable[Node]) -> Lack | None:
    """What goes between pods of these nodes, and the cloud's network between them does not carry.

    Source: Calico's documentation, "Azure": its network blocks IPIP.
    """
    known = [node for node in nodes if node.cloud == AZURE]
    pools = cluster.calico.pools if cluster.calico is not None and len(known) > 1 else ()
    for pool in pools:
        if pool.tunnel == "IPIP" and pool.origin.kind in _SAID:
            return Lack(
                f"Azure's network drops IPIP, by which Calico's pool {pool.name} goes between "
                "nodes: no pod reaches one of another node",
                "set vxlanMode: Always and ipipMode: Never in the pool",
                pool.origin,
            )
    return None
