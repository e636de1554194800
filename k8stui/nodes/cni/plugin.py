"""What every network plug-in answers, and what it may be asked about.

All plug-ins here put a bridge on the node and a veth pair per pod; they differ in names, in
routes between the nodes and in rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from k8stui.cluster.model import Node, Pod
from k8stui.kernel.namespace import FdbEntry, Interface, Neighbour, Route
from k8stui.nodes.contribution import Contribution
from k8stui.record import record

if TYPE_CHECKING:
    from k8stui.nodes.site import Site


@record(kw_only=True)
class Part:
    """A piece of a namespace. What the kernel adds for each address is not in it."""

    interfaces: tuple[Interface, ...] = ()
    routes: tuple[Route, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()
    fdb: tuple[FdbEntry, ...] = ()

    def __add__(self, other: Part) -> Part:
        return Part(
            interfaces=self.interfaces + other.interfaces,
            routes=self.routes + other.routes,
            neighbours=self.neighbours + other.neighbours,
            fdb=self.fdb + other.fdb,
        )


@record(kw_only=True)
class BridgeStyle:
    """How a plug-in names and sets up its bridge and the pods' veth pairs."""

    owner: str
    """The program, for reasons: flannel, bridge plug-in, docker."""
    device: str = "cni0"
    veth_digits: int = 8
    mac_lead: str = "02:00"
    """First two bytes of the MAC addresses of bridge and pods; the IPv4 address follows."""
    hairpin: bool = True
    """Of the bridge ports, where no option says otherwise."""
    stands_empty: bool = False
    """Whether the bridge is there before the first pod (docker0 is)."""
    mtu_bytes: int = 1500


class Plugin(Protocol):
    """One network plug-in (with its daemon)."""

    @property
    def style(self) -> BridgeStyle:
        """Its bridge."""

    def node_part(self, site: Site, node: Node) -> Part:
        """Devices, routes, neighbours and forwarding entries on the node."""

    def pod_part(self, site: Site, node: Node, pod: Pod) -> Part:
        """The same in the pod, without lo."""

    def contributions(self, site: Site, node: Node, version: int) -> Sequence[Contribution]:
        """Rules, in the order in which they are written; `version` 4 or 6."""
