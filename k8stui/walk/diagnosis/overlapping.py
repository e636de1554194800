"""Two networks with the same addresses: whoever looks for one finds the other."""

from __future__ import annotations

from k8stui.cluster.own_bridges import own_bridge
from k8stui.kernel.step import NeighbourCause, RouteCause
from k8stui.walk.diagnosis.case import Case, Diagnosis
from k8stui.walk.diagnosis.own_bridges import keep_apart
from k8stui.walk.diagnosis.owners import overlap


def overlapping_networks(case: Case) -> Diagnosis | None:
    """Recognise that routing or ARP failed for an address that two networks claim."""
    step = case.decided
    if step is None or not isinstance(step.cause, RouteCause | NeighbourCause):
        return None
    asked = case.rewritten_to.dst if case.rewritten_to else step.after.dst
    found = overlap(case, step.before.dst, asked, step.before.src)
    if found is None:
        return None
    one, other, network = found
    node = next(
        (n for n in case.cluster.nodes.values() if n.pod_cidrs and str(n.pod_cidrs[0]) == network),
        None,
    )
    known = own_bridge(step.before.dst)
    if known is not None and str(known.network) == network:
        return Diagnosis(
            f"{network} is the bridge that {known.runtime} brings along ({known.file}), the same "
            f"on {one} and on {other}: its pods reach those of their own node alone",
            keep_apart(known),
            node.origins.get("pod_cidrs", node.origin) if node else None,
        )
    return Diagnosis(
        f"{network} is the network of {one} and of {other} at once: what is sent to "
        f"{step.before.dst} goes to the wrong one of the two",
        "give every node's pods a network of their own that nobody else has (podCIDR; kubeadm: "
        "podSubnet), and make the pods anew",
        node.origins.get("pod_cidrs", node.origin) if node else None,
    )
