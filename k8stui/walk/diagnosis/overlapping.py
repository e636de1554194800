"""Two networks with the same addresses: whoever looks for one finds the other."""

from __future__ import annotations

from k8stui.cluster.networks.own_bridges import own_bridge
from k8stui.kernel.step import NeighbourCause, RouteCause, RuleCause, Step
from k8stui.walk.diagnosis.case import Case, Diagnosis
from k8stui.walk.diagnosis.one_direction import is_untracked
from k8stui.walk.diagnosis.own_bridges import keep_apart
from k8stui.walk.diagnosis.owners import overlap, service_with
from k8stui.walk.reason import observed_at


def _without_host_route(case: Case, step: Step) -> Diagnosis | None:
    """A pod without the route that each other pod of its node has there: ``ADDRESS dev DEVICE``.

    Plug-ins without a bridge make one for each pod (Calico, Amazon's VPC CNI, Cilium, ptp).
    """
    target, here = step.before.dst, case.network.get(step.namespace)
    pod = case.pod_with(target)
    if pod is None or here is None or pod.node_name != step.namespace:
        return None
    own = {
        route.destination.address: route
        for route in here.routes
        if route.destination.length == target.bits and route.gateway is None
    }
    others = {a for one in case.cluster.pods.values() if one.node_name == pod.node_name
              for a in one.addresses if a != target and not one.host_network}  # fmt: skip
    like = next((own[address] for address in others if address in own), None)
    if like is None or target in own:
        return None
    return Diagnosis(
        f"{step.namespace} has no route to pod {pod.key} ({target}), which stands on it, as it has "
        f"to others ({like.destination.address} dev {like.device}): the packet goes out instead",
        "delete the pod: for the new one the network plug-in makes the route again; what takes it "
        "away is NetworkManager or systemd-networkd, which have to leave the pods' devices alone",
        observed_at(RouteCause(route=like)),
    )


def two_pods_of_one_address(case: Case) -> Diagnosis | None:
    """Recognise an answer, or a frame, that went to another pod of the same address."""
    step = case.decided
    if step is None or (isinstance(step.cause, RuleCause) and not is_untracked(step)):
        return None
    for address in (step.before.src, step.before.dst):
        same = case.pods_with(address)
        own = [one for one in same if not one.host_network and not one.phase.is_final]
        if len(own) > 1:
            return Diagnosis(
                f"pods {own[0].key} and {own[1].key} have the same address, {address}: what is "
                "sent to the one goes to the other",
                f"delete one of them: the address was given out twice ({own[1].key} gets another)",
                own[1].origins.get("addresses", own[1].origin),
            )
    return None


def _service_among_pods(case: Case, step: Step) -> Diagnosis | None:
    """A ClusterIP in the range of the client's own node: its pods ask each other for it by ARP."""
    client, target = case.client, step.before.dst
    node = case.cluster.nodes.get(client.node_name or "") if client is not None else None
    service = service_with(case, target) if case.rewritten is None else None
    if service is None or node is None or target not in service.cluster_ips:
        return None
    cidr = next((one for one in node.pod_cidrs if target in one), None)
    if cidr is None:
        return None
    return Diagnosis(
        f"the clusterIP {target} of Service {service.key} is in {cidr}, the pods' range of "
        f"{node.name}: its pods look for it beside them, and no rule of kube-proxy is asked",
        f"take clusterIP out of Service {service.name}, and give Services and pods ranges apart "
        "(serviceSubnet, podSubnet)",
        service.origins.get("cluster_ips", service.origin),
    )


def overlapping_networks(case: Case) -> Diagnosis | None:
    """Recognise that routing or ARP failed for an address that two networks claim."""
    step = case.decided
    if step is None or not (
        isinstance(step.cause, RouteCause | NeighbourCause) or is_untracked(step)
    ):
        return None
    among = _service_among_pods(case, step)
    if among is not None:
        return among
    lost = _without_host_route(case, step)
    if lost is not None:
        return lost
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
