"""Pods that fit on no node, with the scheduler's own message, or find no address on theirs.

They stay Pending, have no address and are no endpoints. One finding for all pods of a workload
with the same message. A warning; an information where the input has no Node object, so that labels,
taints and sizes of the nodes are only assumed, and the pod does not wait for a claim.

Does not apply to pods that have a node and an address, whatever their state.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground, names
from k8stui.cluster.model import Pod
from k8stui.walk.diagnosis.pending import room, waits_for_claim

ID = "unschedulable"


def look(ground: Ground) -> Iterator[Finding]:
    groups: dict[tuple[str, object, str], list[Pod]] = {}
    for pod in ground.cluster.pods.values():
        if not pod.addresses and pod.pending_reason:
            key = (pod.namespace, pod.owner or pod.name, pod.pending_reason)
            groups.setdefault(key, []).append(pod)
    guessed = ground.nodes_are_assumed
    for pods in groups.values():
        first = pods[0]
        at = first.origins.get("pending_reason", first.origin)
        written = first.node_name is not None and at.place is not None
        unsure = guessed and not waits_for_claim(first) and not written
        subject = (
            f"{first.owner[0]} {first.namespace}/{first.owner[1]}"
            if first.owner
            else (f"Pod {first.key}")
        )
        yield Finding(
            rule=ID,
            severity=Severity.INFO if unsure else Severity.WARNING,
            subject=subject,
            place=at.place if written else first.origins.get("claims", first.origin).place,
            why=f"{names([p.name for p in pods])} {'stays' if len(pods) == 1 else 'stay'} Pending: "
            f"{first.pending_reason.rstrip('.')}",
            fix="check together with the Node objects (kubectl get nodes -o yaml)"
            if unsure
            else _fix(first),
        )


def _fix(pod: Pod) -> str:
    if waits_for_claim(pod):
        return room(pod)
    if "free ports" in pod.pending_reason:
        return (
            "a node gives a hostPort to one pod only: let the old pod go first (a Deployment: "
            "strategy.rollingUpdate.maxSurge: 0, or type: Recreate), have no more replicas than "
            "nodes, or leave hostPort out"
        )
    return room(pod)


RULE = CheckRule(
    id=ID,
    summary="Pods that fit on no node",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
