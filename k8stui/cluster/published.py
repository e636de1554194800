"""Ports of kind's nodes that the machine around them publishes (``extraPortMappings``).

A node of kind is a container: from outside only those ports are reached, each at its hostPort, and
behind it something of the node has to answer, mostly a node port. Source: kind
pkg/apis/config/v1alpha4 types.go PortMapping.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.apiserver.fields import array, number, text
from k8stui.apiserver.inventory import Inventory
from k8stui.cluster.fields import protocol
from k8stui.cluster.kind_nodes import kind_nodes
from k8stui.cluster.model import PublishedPort


def published(inventory: Inventory) -> Iterator[PublishedPort]:
    """In the order in which they are written."""
    served = (80, 443) if inventory.of("Ingress") else ()
    names = [one.name for one in kind_nodes(inventory)]
    for manifest in inventory.of("Cluster").values():
        for index, node in enumerate(array(manifest.data, "nodes")):
            for place, one in enumerate(array(node, "extraPortMappings")):
                opened = number(one, "containerPort") or 0
                yield PublishedPort(
                    number=opened,
                    host_port=number(one, "hostPort") or 0,
                    node=names[index],
                    for_ingresses=opened in served,
                    protocol=protocol(text(one, "protocol")),
                    origin=manifest.origin(
                        "nodes", index, "extraPortMappings", place, "containerPort"
                    ),
                )
