"""What would make the API server take the pods of a workload that it refuses now."""

from __future__ import annotations

from k8stui.cluster.model import Workload
from k8stui.cluster.workloads import PAUSED


def mend(workload: Workload) -> str:
    """By the words of the refusal: a quota's, a LimitRange's, an account's."""
    if workload.refused is not None:
        return workload.refused.mend
    said, kind = workload.lack, workload.kind.lower()
    if said == PAUSED:
        return f"kubectl rollout resume {kind}/{workload.name}, or take paused: true out"
    if said.startswith("violates PodSecurity "):
        return (
            f"write what it asks for into securityContext of {workload.kind} {workload.name}'s "
            f"pods, or let namespace {workload.namespace} enforce less (label "
            "pod-security.kubernetes.io/enforce)"
        )
    if said.startswith("exceeded quota: "):
        name = said.removeprefix("exceeded quota: ").partition(",")[0]
        return f"raise hard of ResourceQuota {name}, or ask for less (replicas, resources)"
    if said.startswith("failed quota: "):
        name = said.removeprefix("failed quota: ").partition(":")[0]
        return (
            f"write those requests and limits in every container, as ResourceQuota {name} wants, "
            "or give the namespace a LimitRange with defaults"
        )
    if " usage per " in said or " max limit to request ratio per " in said:
        return (
            f"write resources in {workload.kind} {workload.name} that the LimitRange of namespace "
            f"{workload.namespace} allows, or change the LimitRange"
        )
    return f"create what it names: kubectl describe {kind} {workload.name}"
