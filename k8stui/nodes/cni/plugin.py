"""What a network plug-in is to the rest: what it puts on a node and in a pod.

A plug-in is made for one `Site`. Devices, cables, routes, settings, sockets and rules are its own
business; nobody else asks which plug-in it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from k8stui.cluster.model import Node, Pod
from k8stui.kernel.address import Address
from k8stui.nodes.contribution import Contribution
from k8stui.nodes.part import Part


class Plugin(Protocol):
    """One network plug-in (with its daemon) on the nodes of one cluster."""

    def recognises(self, node: Node) -> bool:
        """Whether the dump of the node's devices and routes shows this plug-in's work."""

    def node_part(self, node: Node) -> Part:
        """What stands on the node: devices with the ends of the cables, routes, sockets."""

    def pod_part(self, node: Node, pod: Pod) -> Part:
        """The same in the pod, without lo."""

    def addresses(self, node: Node) -> Sequence[Address]:
        """The node's own addresses on the devices of `node_part`, without building them."""

    def contributions(self, node: Node, version: int) -> Sequence[Contribution]:
        """Rules, in the order in which they are written; `version` 4 or 6."""
