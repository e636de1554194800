"""What a cloud's network may do with packets of its machines, where the input does not say it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8stui.cluster.clouds import AWS, AZURE, GOOGLE, OPENSTACK, cloud_of
from k8stui.cluster.model import Cluster, Node
from k8stui.nodes.wire import OUTSIDE

if TYPE_CHECKING:
    from k8stui.kernel.exchange import Exchange
    from k8stui.walk.trace import Request

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
