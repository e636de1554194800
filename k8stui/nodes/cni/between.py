"""Routes between the nodes without a tunnel: what is behind a node goes to the node's address."""

from __future__ import annotations

from collections.abc import Hashable

from k8stui.because import Because
from k8stui.cluster.model import Node
from k8stui.kernel.address import Prefix
from k8stui.kernel.derived import Derived
from k8stui.kernel.namespace import Neighbour, Route
from k8stui.nodes.part import Part
from k8stui.nodes.site import Site


def host_gateway_routes(site: Site, node: Node, owner: str) -> Part:
    """``10.244.2.0/24 via 192.168.0.12 dev eth0`` for every other node, in the cluster's order."""
    ways = _ways.of(site).seen_from(site, node, owner)
    return Part(
        routes=tuple(route for name, routes in ways if name != node.name for route in routes)
    )


def fabric(site: Site, node: Node, cloud: str) -> Part:
    """What a cloud's network does: it brings a packet to the node whose card has a pod's address.

    On a node's own subnet it answers ARP for the pod; where pods are in another one, its router
    brings the packet there at once, without a hop of its own.
    """
    device = site.uplink(node).device
    neighbours: list[Neighbour] = []
    routes: list[Route] = []
    for other in site.cluster.nodes.values():
        if other.name == node.name:
            continue
        for pod in site.pods(other.name):
            for one in (one for one in pod.addresses if one.version == 4):
                if site.lan.network_of(one) is not None:
                    far = site.uplink(other).mac
                    neighbours.append(Neighbour(address=one, device=device, mac=far))
                    continue
                way = host_gateway_route(site, node, other, Prefix(one, 32), cloud)
                routes += (way,) if way is not None else ()
    return Part(neighbours=tuple(neighbours), routes=tuple(routes), by_pod=True)


class _Ways:
    """The routes to all nodes of a site. Nodes that stand alike on the wire have the same ones."""

    def __init__(self, _site: Site) -> None:
        # The site itself is not kept: it could never go.
        self._kept: dict[Hashable, list[tuple[str, list[Route]]]] = {}

    def seen_from(self, site: Site, node: Node, owner: str) -> list[tuple[str, list[Route]]]:
        """Of each node its name and the routes to what is behind it; the node's own with them."""
        lans = tuple(mine and (site.lan.network_of(mine),) for mine in map(node.address, (4, 6)))
        key = (owner, site.uplink(node).device, lans)
        if key not in self._kept:
            self._kept[key] = [
                (
                    other.name,
                    [
                        route
                        for prefix in site.behind(other)
                        if (route := host_gateway_route(site, node, other, prefix, owner))
                    ],
                )
                for other in site.cluster.nodes.values()
            ]
        return self._kept[key]


_ways = Derived(_Ways)


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
