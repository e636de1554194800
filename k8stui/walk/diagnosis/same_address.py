"""Two nodes call the same address theirs: what is sent to the one stays with the other."""

from __future__ import annotations

from k8stui.cluster.model import Node
from k8stui.kernel.address import Address
from k8stui.walk.diagnosis.case import Case, Diagnosis


def one_address_for_two(case: Case) -> Diagnosis | None:
    """Recognise Node objects with one InternalIP, as the NAT card of virtual machines gives it."""
    step = case.decided
    if step is None:
        return None
    met = {each.namespace for each in case.exchange.steps}
    met |= {p.node_name for key in met if (p := case.cluster.pods.get(key)) and p.node_name}
    first: dict[Address, Node] = {}
    for node in case.cluster.nodes.values():
        for address in node.addresses:
            other = first.setdefault(address, node)
            if other is node or not met & {node.name, other.name}:
                continue
            return Diagnosis(
                f"nodes {other.name} and {node.name} both say that {address} is their address "
                "(InternalIP): what is sent to the pods of the one goes to the other, or nowhere",
                "give each node's kubelet the address of the card by which the nodes see each "
                "other (--node-ip), and the plug-in that card (flannel: --iface)",
                node.origins.get("addresses", node.origin),
            )
    return None
