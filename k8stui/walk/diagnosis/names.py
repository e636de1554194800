"""A name that does not resolve, and the name that was probably meant."""

from __future__ import annotations

from k8stui.cluster.model import Cluster
from k8stui.walk.diagnosis.case import Diagnosis
from k8stui.walk.diagnosis.endpoints import headless_without_endpoints
from k8stui.walk.error import nearest
from k8stui.walk.explain import client_namespace
from k8stui.walk.trace import Request


def no_such_name(cluster: Cluster, request: Request) -> Diagnosis:
    """Say why there is no address, and the nearest name that there is."""
    found = headless_without_endpoints(cluster, request)
    if found.reason:
        return found
    last = request.names[-1] if request.names else "the name is not known"
    reason = last.removeprefix("no such name: ")
    client = client_namespace(request)
    if "/" not in client:
        return Diagnosis(
            reason=reason,
            advice="use the Service's ClusterIP, or a node port: only pods ask cluster DNS",
        )
    asked = request.destination.rpartition(":")[0]
    here = client.partition("/")[0]
    names = [
        s.name if s.namespace == here else f"{s.name}.{s.namespace}"
        for s in cluster.services.values()
    ]
    near = nearest(asked, names) or nearest(asked.partition(".")[0], names)
    return Diagnosis(reason=reason, advice=f"did you mean {near}?" if near else "")
