"""The Service has no endpoint that could answer: kube-proxy rejects, and the reason is older."""

from __future__ import annotations

from k8stui.cluster.model import Cluster, Endpoint, Pod, PodPhase, Service, ServicePort
from k8stui.kernel.step import StepKind
from k8stui.walk.diagnosis.case import Case, Diagnosis
from k8stui.walk.diagnosis.selectors import in_other_namespace, matching, near_miss, written
from k8stui.walk.error import nearest
from k8stui.walk.lookup import why_silent
from k8stui.walk.trace import Request


def no_endpoints(case: Case) -> Diagnosis | None:
    """Recognise a Service without usable endpoints and say why it has none."""
    service, step = case.service, case.decided
    if service is None or step is None or case.rule is None:
        return None
    if step.kind not in (StepKind.REJECT, StepKind.DROP):
        return None
    return without_endpoints(case.cluster, service, case.service_port)


def headless_without_endpoints(cluster: Cluster, request: Request) -> Diagnosis:
    """Say why a headless Service's name has no address; empty for any other name."""
    service = cluster.services.get(request.service or "")
    if service is None or not service.headless:
        return Diagnosis()
    return without_endpoints(cluster, service, None) or Diagnosis()


def without_endpoints(
    cluster: Cluster, service: Service, port: ServicePort | None
) -> Diagnosis | None:
    """Why nobody is behind a Service's port (None: any of its ports); None where somebody is."""
    if any(e.ready for e in _with_port(cluster, service, port)):
        return None
    what, advice = _why(cluster, service, port)
    return Diagnosis(reason=f"Service {service.key} has no endpoints: {what}", advice=advice)


def _with_port(cluster: Cluster, service: Service, port: ServicePort | None) -> list[Endpoint]:
    """Endpoints of slices in which the asked port resolved."""
    found: list[Endpoint] = []
    for each in cluster.endpoint_slices.get(service.key, ()):
        names = {p.name for p in each.ports or ()}
        if each.ports is not None and (port is None or port.name in names):
            found.extend(each.endpoints)
    return found


def _why(cluster: Cluster, service: Service, asked: ServicePort | None) -> tuple[str, str]:
    if service.selector is None:
        return (
            "it has no selector, and nobody has written EndpointSlices for it",
            (
                "give it a selector, or write an EndpointSlice "
                f"labelled kubernetes.io/service-name: {service.name}"
            ),
        )
    pods = matching(cluster, service)
    wanted = written(service.selector)
    if not pods:
        miss = near_miss(cluster, service)
        away = in_other_namespace(cluster, service) if not miss else None
        if away is not None:
            what = (
                f"its selector {wanted} matches no pod of namespace {service.namespace}; pod "
                f"{away.name} has these labels, but is in namespace {away.namespace}"
            )
            return (
                what,
                f"put the Service into namespace {away.namespace}: it selects in its own only",
            )
        return (
            f"its selector {wanted} matches no pod" + (f" ({miss})" if miss else ""),
            "make the Service's selector and the pods' labels the same"
            if miss
            else f"create pods labelled {wanted}, or mend the selector",
        )
    finished = [p for p in pods if p.phase in (PodPhase.SUCCEEDED, PodPhase.FAILED)]
    if len(finished) == len(pods):
        return why_silent(pods[0]), "select pods that go on running"
    pending = [p for p in pods if p.node_name is None or not p.addresses]
    if pending and len(pending) + len(finished) == len(pods):
        return why_silent(pending[0]), "make room for the pod, or mend what keeps it from a node"
    unready = [p for p in pods if not p.ready and p not in pending]
    if unready and all(p in unready or p in pending or p in finished for p in pods):
        return (
            f"{_count(unready)} {wanted}, and none is ready ({unready[0].name})",
            (
                "look at the readiness probe, or at what the pod waits for: "
                f"kubectl describe pod {unready[0].name}"
            ),
        )
    return _port(cluster, service, asked)


def _port(cluster: Cluster, service: Service, asked: ServicePort | None) -> tuple[str, str]:
    port = asked or (service.ports[0] if service.ports else None)
    if port is None or not isinstance(port.target_port, str):
        return "none is ready", "look at the pods: kubectl get pods"
    pods = matching(cluster, service)
    names = [
        p.name
        for pod in pods
        for c in pod.containers
        for p in c.ports
        if p.name and p.protocol is port.protocol
    ]
    only = names[0] if len(set(names)) == 1 else None
    near = nearest(port.target_port, names) or only
    has = f"; it declares {', '.join(dict.fromkeys(names))}" if names else ""
    return (
        (
            f"no container of pod {pods[0].name} declares a port named {port.target_port}"
            f" for {port.protocol.name}{has}"
        ),
        f"write targetPort: {near}" if near else f"name the container's port {port.target_port}",
    )


def _count(pods: list[Pod]) -> str:
    return "1 pod matches" if len(pods) == 1 else f"{len(pods)} pods match"
