"""Routes between the nodes without a tunnel: what is behind a node goes to the node's address."""

from __future__ import annotations

from k8stui.because import Because
from k8stui.cluster.model import Node
from k8stui.kernel.address import Prefix
from k8stui.kernel.namespace import Route
from k8stui.nodes.part import Part
from k8stui.nodes.site import Site


def host_gateway_routes(site: Site, node: Node, owner: str) -> Part:
    """``10.244.2.0/24 via 192.168.0.12 dev eth0`` for every other node, in the cluster's order."""
    return Part(
        routes=tuple(
            route
            for other in site.cluster.nodes.values()
            if other.name != node.name
            for prefix in site.behind(other)
            if (route := host_gateway_route(site, node, other, prefix, owner))
        )
    )


def host_gateway_route(
    site: Site, node: Node, other: Node, prefix: Prefix, owner: str
) -> Route | None:
    """The route to what is behind `other`; None where a node has no address of that family."""
    via = other.address(prefix.address.version)
    mine = node.address(prefix.address.version)
    if via is None or mine is None:
        return None
    return Route(
        destination=prefix,
        gateway=via,
        device=site.uplink(node).device,
        onlink=site.lan.network_of(via) != site.lan.network_of(mine),
        reason=Because(
            text=f"the pods of {other.name} are behind {via}",
            origin=site.pod_network_origin(other),
            owner=owner,
        ),
    )
