"""What a policy engine is to the rest: the rules and the sets that it puts on a node.

An engine is made for one `Site`. What it is called is known to the registry alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from k8stui.cluster.model import Node
from k8stui.kernel.ipset import IpSet
from k8stui.nodes.contribution import Contribution


class Engine(Protocol):
    """What enforces NetworkPolicies on the nodes of one cluster, in Linux' own tables."""

    @property
    def owner(self) -> str:
        """Its name as ``rules --owner`` has it."""

    def contribution(self, node: Node, version: int) -> Contribution | None:
        """Its rules; `version` 4 or 6. None: it has nothing to do with that family."""

    def sets(self, node: Node) -> Mapping[str, IpSet]:
        """Its ipsets of both families, by name."""
