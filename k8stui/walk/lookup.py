"""Find a pod, workload, node or Service by what was typed, or say what was probably meant."""

from __future__ import annotations

from collections.abc import Iterable

from k8stui.cluster.model import Cluster, Node, Pod, Service
from k8stui.walk.error import RequestError, unknown
from k8stui.walk.kinds import SHORT


def find_pod(cluster: Cluster, namespace: str, name: str) -> Pod:
    """Look a pod up by namespace and name, or by NAME.NAMESPACE as a Service is."""
    alone, _, of = name.rpartition(".")
    pod = cluster.pods.get(f"{namespace}/{name}") or cluster.pods.get(f"{of}/{alone}")
    if pod is not None:
        return pod
    elsewhere = [p.namespace for p in cluster.pods.values() if p.name == name]
    if elsewhere:
        raise RequestError(
            f"there is no pod {name} in namespace {namespace}",
            hint=f"it is in namespace {elsewhere[0]}: use -n {elsewhere[0]}",
        )
    owner = next(
        (w for w in cluster.workloads if (w.namespace, w.name) == (namespace, name)),
        None,
    )
    choices = _typed("pod", namespace, cluster.pods.values())
    if owner is not None:
        word = f"{SHORT.get(owner.kind, owner.kind.lower())}/{name}"
        raise RequestError(
            f"there is no pod {name} in namespace {namespace}",
            hint=f"{name} is a {owner.kind}: did you mean {word}?",
            choices=choices,
        )
    raise unknown(f"there is no pod {name} in namespace {namespace}", f"pod/{name}", choices)


def find_workload_pod(cluster: Cluster, kind: str, namespace: str, name: str) -> Pod:
    """Give the first pod of a workload: the first that runs, else the first."""
    found = next(
        (w for w in cluster.workloads if (w.kind, w.namespace, w.name) == (kind, namespace, name)),
        None,
    )
    if found is None:
        raise _no_workload(cluster, kind, namespace, name)
    pods = [cluster.pods[key] for key in found.pods if key in cluster.pods]
    if not pods and kind == "CronJob":
        raise RequestError(
            f"CronJob {namespace}/{name} has no pod now: it makes one when its time comes",
            hint="put a Job of the same template into the input (kubectl create job NAME "
            f"--from=cronjob/{name} --dry-run=client -o yaml), and ask from job/NAME",
        )
    if not pods:
        raise RequestError(f"{kind} {namespace}/{name} has no pods")
    return next((p for p in pods if can_send(p)), pods[0])


def _no_workload(cluster: Cluster, kind: str, namespace: str, name: str) -> RequestError:
    other = next(
        (w for w in cluster.workloads if (w.namespace, w.name) == (namespace, name)),
        None,
    )
    message = f"there is no {kind} {name} in namespace {namespace}"
    choices = tuple(
        f"{SHORT.get(w.kind, w.kind.lower())}/{w.name}"
        for w in cluster.workloads
        if w.namespace == namespace
    )
    if other is not None:
        word = f"{SHORT.get(other.kind, other.kind.lower())}/{name}"
        return RequestError(message, hint=f"did you mean {word}?", choices=choices)
    return unknown(message, f"{SHORT.get(kind, kind.lower())}/{name}", choices)


def find_node(cluster: Cluster, name: str) -> Node:
    """Look a node up by its name."""
    node = cluster.nodes.get(name)
    if node is None:
        choices = [f"node/{n}" for n in cluster.nodes]
        raise unknown(f"there is no node {name}", f"node/{name}", choices)
    return node


def find_service(cluster: Cluster, namespace: str, name: str) -> Service:
    """Look a Service up by namespace and name."""
    service = cluster.services.get(f"{namespace}/{name}")
    if service is not None:
        return service
    elsewhere = [s.namespace for s in cluster.services.values() if s.name == name]
    if elsewhere:
        raise RequestError(
            f"there is no Service {name} in namespace {namespace}",
            hint=f"it is in namespace {elsewhere[0]}: svc/{name}.{elsewhere[0]}",
        )
    problem = cluster.refused.get(f"Service {namespace}/{name}")
    if problem is not None:
        raise RequestError(f"{problem.where}: {problem.message}", hint=problem.mend)
    choices = _typed("svc", namespace, cluster.services.values())
    raise unknown(f"there is no Service {name} in namespace {namespace}", f"svc/{name}", choices)


def can_send(pod: Pod) -> bool:
    """Whether the pod has a network namespace with something running in it."""
    return pod.node_name is not None and bool(pod.addresses) and not pod.phase.is_final


def why_silent(pod: Pod) -> str:
    """Tell, in one sentence, why a pod that cannot send or be asked cannot."""
    if pod.phase.is_final:
        if pod.unready_reason:
            return f"pod {pod.key} is {pod.phase.value}: {pod.unready_reason}"
        return f"pod {pod.key} has finished ({pod.phase.value}): its network namespace is gone"
    if pod.node_name is None:
        return f"pod {pod.key} is Pending: {pod.pending_reason or 'no node was found for it'}"
    known = pod.pending_reason or pod.unready_reason
    why = f": {known}" if known else ""
    return f"pod {pod.key} has no address yet ({pod.phase.value}){why}"


def _typed(word: str, namespace: str, found: Iterable[Pod | Service]) -> tuple[str, ...]:
    return tuple(f"{word}/{each.name}" for each in found if each.namespace == namespace)
