"""Nobody has the address, or nobody knows a way to it."""

from __future__ import annotations

from k8stui.kernel.address import Address
from k8stui.kernel.exchange import Result
from k8stui.kernel.step import NeighbourCause, RouteCause
from k8stui.walk.diagnosis.case import Case, Diagnosis


def nobody_there(case: Case) -> Diagnosis | None:
    """Recognise a failed ARP and a missing route."""
    connect, step = case.request.connect, case.decided
    if connect is None or case.felt.result is Result.CONNECTED:
        return None
    target = case.rewritten_to.dst if case.rewritten_to else connect.destination
    where = case.felt.decided_at
    if step is not None and isinstance(step.cause, NeighbourCause):
        next_hop = step.after.dst if step.after is not None else target
        return Diagnosis(
            reason=f"nobody answers {where}'s ARP for {next_hop}"
            + ("" if next_hop == target else f", the way to {target}"),
            advice=_advice(case),
        )
    if step is not None and isinstance(step.cause, RouteCause):
        return Diagnosis(
            reason=f"{where} knows no way to {target}" + _whose(case, target),
            advice=_advice(case),
        )
    return None


def _whose(case: Case, target: Address) -> str:
    """Say what sort of address it is, where that explains the missing route."""
    owner = next((s for s in case.cluster.services.values() if target in s.cluster_ips), None)
    if owner is not None:
        return f": it is the ClusterIP of Service {owner.key}, which no routing table has"
    if target in case.cluster.service_cidr:
        return ": it is an address of the Services' range that no Service has"
    return ""


def _advice(case: Case) -> str:
    connect = case.request.connect
    if connect is None:
        return ""
    if connect.destination in case.cluster.service_cidr and case.rewritten is None:
        return (
            "a ClusterIP exists only in kube-proxy's rules: ask from a node or a pod, "
            "for an address and port that a Service has"
        )
    stale = _stale(case)
    if stale:
        return stale
    if connect.destination in case.cluster.pod_cidr:
        return "no pod has that address (any more): ask the Service in front of the pods instead"
    return ""


def _stale(case: Case) -> str:
    """Advice for a Service that led to an address which no pod of this cluster has."""
    target, service = case.rewritten_to, case.service
    if target is None or service is None or case.reached is not None:
        return ""
    if any(target.dst in node.addresses for node in case.cluster.nodes.values()):
        return ""
    return (
        f"the endpoints of Service {service.key} name {target.dst}, which no pod has: mend its "
        "EndpointSlice, or give the Service a selector"
    )
