"""Whose machines nodes are, and what that cloud's network carries none of.

By their providerID, else by what one cloud alone sets up.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.cluster.model import Announced, Cluster, Lack, Node
from k8stui.kernel.derived import Derived
from k8stui.origin import OriginKind

AWS, AZURE, GOOGLE, OPENSTACK = "aws", "azure", "gce", "openstack"
"""As a providerID begins."""
_OWN_ARP = frozenset({AWS, AZURE, GOOGLE, "digitalocean", "hcloud", "linode", "vultr"})
"""Clouds in which an address that a machine announces by ARP gets nothing (MetalLB's documentation,
"Cloud Compatibility"); by the beginning of a providerID."""
_SAID = (OriginKind.DECLARED, OriginKind.OBSERVED)
_OF_DISTRIBUTION = {"eks": AWS, "aks": AZURE, "gke": GOOGLE}


def cloud_of(node: Node, cluster: Cluster) -> str:
    """The node's; empty: not known."""
    return node.cloud or _sold_by(cluster)


def clouds(cluster: Cluster) -> Iterator[str]:
    """Those of the nodes, then that of the distribution."""
    yield from (node.cloud for node in cluster.nodes.values() if node.cloud)
    yield _sold_by(cluster)


def _sold_by(cluster: Cluster) -> str:
    told = cluster.distribution
    return _OF_DISTRIBUTION.get(told.name, "") if told is not None else ""


def unheard_in_cloud(cluster: Cluster, by: Announced) -> Lack | None:
    """An address that somebody announces by ARP to a cloud's network."""
    first = _answering.of(cluster)
    if first is None or not by.by_arp:
        return None
    return Lack(
        f"{by.text}; the machines are a cloud's ({first.cloud}), whose network answers ARP itself "
        "and carries the addresses alone that it has given out",
        "take the cloud's own load balancer, or an address that it gives the machine",
        by.origin,
    )


def _first_answering(cluster: Cluster) -> Node | None:
    return next((node for node in cluster.nodes.values() if node.cloud in _OWN_ARP), None)


_answering = Derived(_first_answering)


def lost_in_cloud(cluster: Cluster) -> Lack | None:
    """What goes between pods of two nodes, and the cloud's network between them does not carry.

    Source: Calico's documentation, "Azure": its network blocks IPIP.
    """
    known = [node for node in cluster.nodes.values() if node.cloud == AZURE]
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
