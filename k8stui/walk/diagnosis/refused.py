"""What was asked for is in the input, and the API server refuses the object."""

from __future__ import annotations

from k8stui.cluster.model import Cluster, Service
from k8stui.origin import Origin, OriginKind
from k8stui.walk.diagnosis.case import Diagnosis


def refused(cluster: Cluster, kind: str, key: str) -> Diagnosis | None:
    """Why an object is not there though a manifest has it; `key`: ``NAMESPACE/NAME``."""
    problem = cluster.refused.get(f"{kind} {key}")
    if problem is None:
        return None
    origin = Origin(kind=OriginKind.DECLARED, place=problem)
    return Diagnosis(problem.message, problem.mend, origin)


_MAKERS = (
    *("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController"),
    *("Pod", "Job"),
)


def refused_pods(cluster: Cluster, service: Service) -> Diagnosis | None:
    """What should have made the pods that a Service selects, and was refused.

    Its labels are not known then: it is called as the Service is, or as a label of the selector
    says, or it is the only one of the namespace.
    """
    found = [
        (kind, name)
        for kind, _, key in (subject.partition(" ") for subject in cluster.refused)
        for namespace, _, name in (key.partition("/"),)
        if kind in _MAKERS and namespace == service.namespace
    ]
    values = (service.name, *(service.selector or {}).values())
    called = [one for one in found if one[1] in values] or found
    if len(called) != 1:
        return None
    kind, name = called[0]
    why = refused(cluster, kind, f"{service.namespace}/{name}")
    if why is None:
        return None
    said = why.reason.removeprefix(f"{kind} {name} is refused and left out: ")
    return Diagnosis(f"the API server refuses {kind} {name}: {said}", why.advice, why.origin)


def refused_endpoints(cluster: Cluster, service: Service) -> Diagnosis | None:
    """Endpoints that were written for a Service, and refused."""
    found = refused(cluster, "Endpoints", service.key)
    slices = (
        refused(cluster, kind, key)
        for kind, _, key in (subject.partition(" ") for subject in cluster.refused)
        if kind == "EndpointSlice" and _is_of(cluster, key, service)
    )
    return found or next(slices, None)


def _is_of(cluster: Cluster, key: str, service: Service) -> bool:
    """Whether a slice's name is the Service's, as controllers write it, and no longer one's."""
    if key == service.key:
        return True
    parts = key.split("-")
    keys = ("-".join(parts[:length]) for length in range(len(parts) - 1, 0, -1))
    return next((one for one in keys if one in cluster.services), None) == service.key
