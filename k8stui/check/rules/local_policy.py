"""A traffic policy of Local, and nodes that drop what they are asked.

With externalTrafficPolicy Local a node hands what comes from outside to its own endpoints only; a
node without any drops it (kube-proxy proxier.go, "has no local endpoints"). With
internalTrafficPolicy Local the same happens to pods and processes of that node.

Where kube-proxy's hostnameOverride is no Node's name, all nodes drop it: no endpoint is theirs. One
name in the file of a DaemonSet is that of one node alone.

Does not apply to Services without any endpoint (no-endpoints) and where every node has one, as
with a DaemonSet. An information only for type LoadBalancer: a balancer that asks the
healthCheckNodePort leaves those nodes out.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.check.claim import Claim
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground, behind, names, service_target
from k8stui.cluster.model import Service, ServiceType
from k8stui.walk.diagnosis.local_policy import OVERRIDE_MEND

ID = "local-policy"


def look(ground: Ground) -> Iterator[Finding]:
    for service in ground.services:
        external = service.external_traffic_policy == "Local"
        internal = service.internal_traffic_policy == "Local" and bool(service.cluster_ips)
        if not (external or internal) or not service.ports:
            continue
        having = {e.node_name for e in ground.endpoints(service) if e.ready}
        without = [name for name in ground.cluster.nodes if name not in having]
        if having and ground.cluster.proxy.hostname_override:
            yield _nowhere(ground, service)
        elif having and without:
            if external:
                yield from _external(ground, service, without)
            if internal:
                yield _internal(ground, service, without)


def _nowhere(ground: Ground, service: Service) -> Finding:
    proxy = ground.cluster.proxy
    is_one = proxy.hostname_override in ground.cluster.nodes
    whose = "one name for all nodes: on the others no" if is_one else "no Node's name: no"
    return Finding(
        rule=ID,
        severity=Severity.WARNING,
        subject=f"Service {service.key}",
        place=proxy.origins["hostname_override"].place,
        why="its traffic policy is Local, and kube-proxy's hostnameOverride "
        f"{proxy.hostname_override} is {whose} endpoint is its own node's, and all of it is "
        "dropped",
        fix=OVERRIDE_MEND,
    )


def _external(ground: Ground, service: Service, without: list[str]) -> Iterator[Finding]:
    port = next((p for p in service.ports if p.node_port), None)
    if port is not None:
        balanced = service.type is ServiceType.LOAD_BALANCER
        yield Finding(
            rule=ID,
            severity=Severity.INFO if balanced else Severity.WARNING,
            subject=f"Service {service.key}",
            place=ground.place(service, "spec", "externalTrafficPolicy"),
            why=f"externalTrafficPolicy is Local: {_they_drop(without)} what comes from outside",
            fix="ask the other nodes, run a pod of it on every node (a DaemonSet; tolerations for "
            "their taints), or set externalTrafficPolicy: Cluster",
            claim=Claim("outside", f"node/{without[0]}:{port.node_port}{behind(service, port)}"),
        )


def _internal(ground: Ground, service: Service, without: list[str]) -> Finding:
    return Finding(
        rule=ID,
        severity=Severity.WARNING,
        subject=f"Service {service.key}",
        place=ground.place(service, "spec", "internalTrafficPolicy"),
        why=f"internalTrafficPolicy is Local: {_they_drop(without)} what is sent to it there",
        fix="run a pod of it on every node (a DaemonSet; tolerations for their taints), or set "
        "internalTrafficPolicy: Cluster",
        claim=Claim(f"node/{without[0]}", service_target(service, service.ports[0])),
    )


def _they_drop(nodes: list[str]) -> str:
    verbs = (
        "has no endpoint of it and drops"
        if len(nodes) == 1
        else ("have no endpoint of it and drop")
    )
    return f"{names(nodes)} {verbs}"


RULE = CheckRule(
    id=ID,
    summary="A traffic policy of Local drops on some nodes",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
