"""Whose machines nodes are: by their providerID, else by what one cloud alone sets up."""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.cluster.model import Cluster, Node

AWS, AZURE, GOOGLE, OPENSTACK = "aws", "azure", "gce", "openstack"
"""As a providerID begins."""
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
