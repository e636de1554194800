"""What the API server fills in where nothing is written (Kubernetes 1.36).

Sources: pkg/apis/core/v1/defaults.go, pkg/apis/apps/v1/defaults.go, pkg/apis/batch/v1/defaults.go,
pkg/registry/core/service/storage/alloc.go (families); docs/facts/control-plane.md section 1.
"""

from __future__ import annotations

from k8stui.apiserver.fields import Object, array, at, number, table, text, texts

TIMEOUT_SECONDS = 10800
"""sessionAffinityConfig.clientIP.timeoutSeconds of ClientIP affinity: three hours."""

_FAMILIES = {"IPv4": 4, "IPv6": 6}


def external_traffic_policy(spec: Object) -> str | None:
    """Cluster for what can be reached from outside, so also with externalIPs; else absent."""
    written = text(spec, "externalTrafficPolicy")
    if written:
        return written
    outside = text(spec, "type") in {"NodePort", "LoadBalancer"} or bool(array(spec, "externalIPs"))
    return "Cluster" if outside and text(spec, "type") != "ExternalName" else None


def internal_traffic_policy(spec: Object) -> str | None:
    """Cluster, except for ExternalName."""
    if text(spec, "type") == "ExternalName":
        return None
    return text(spec, "internalTrafficPolicy") or "Cluster"


def target_port(port: Object) -> int | str:
    """``targetPort`` absent, 0 or "" means the number of `port`."""
    written = port.get("targetPort")
    if isinstance(written, str | int) and written:
        return written
    return number(port, "port") or 0


def families(spec: Object, cluster: tuple[int, ...]) -> tuple[tuple[int, ...], str | None]:
    """``ipFamilies`` (as 4 and 6) and ``ipFamilyPolicy`` of a Service.

    `cluster` are the cluster's own families, first the primary one. Source: alloc.go
    initIPFamilyFields; a headless Service without selector asks for both families even in a
    single-stack cluster.
    """
    if text(spec, "type") == "ExternalName":
        return (), None
    policy = text(spec, "ipFamilyPolicy") or None
    written = tuple(_FAMILIES[f] for f in texts(spec, "ipFamilies") if f in _FAMILIES)
    addresses = texts(spec, "clusterIPs") or tuple(filter(None, (text(spec, "clusterIP"),)))
    if not written and addresses and addresses != ("None",):
        written = tuple(6 if ":" in address else 4 for address in addresses)
    headless = text(spec, "clusterIP") == "None" or addresses == ("None",)
    if headless and not table(spec, "selector"):
        if not written and policy is None:
            return (cluster[0], 10 - cluster[0]), "RequireDualStack"
        if policy is None:
            policy = "RequireDualStack" if len(written) > 1 else "SingleStack"
        if policy != "SingleStack" and len(written) == 1:
            written = (written[0], 10 - written[0])
    if policy is None:
        policy = "SingleStack" if len(written) < 2 else "RequireDualStack"
    if not written:
        written = cluster if policy != "SingleStack" else cluster[:1]
    elif policy != "SingleStack" and len(written) == 1 and len(cluster) > 1:
        written = (written[0], 10 - written[0])
    return written, policy


MOST_PODS = 10_000
"""Pods of one workload that are made; more are only counted: a typo must not fill the memory."""


def made_replicas(kind: str, spec: Object) -> int:
    """Pods that are made of a workload's wish; 0 for a DaemonSet, whose nodes decide.

    A Deployment that is paused from the start gets no ReplicaSet, so no pods (deployment/sync.go
    sync, with createIfNotExisted false).
    """
    if kind == "Deployment" and spec.get("paused") is True:
        return 0
    return max(0, min(replicas(kind, spec) or 0, MOST_PODS))


def replicas(kind: str, spec: Object) -> int | None:
    """Pods that a workload wants at one time; None for a DaemonSet.

    A Job runs at most `parallelism` pods at once and never more than `completions`; suspended it
    has none.
    """
    if kind == "DaemonSet":
        return None
    if kind == "Job":
        if spec.get("suspend") is True:
            return 0
        parallelism = number(spec, "parallelism")
        completions = number(spec, "completions")
        parallelism = 1 if parallelism is None else parallelism
        return parallelism if completions is None else min(parallelism, completions)
    written = number(spec, "replicas")
    return 1 if written is None else written


def requests(container: Object) -> dict[str, object]:
    """Resources that a container asks for: limits without requests become requests."""
    return {**table(container, "resources", "limits"), **table(container, "resources", "requests")}


def host_port(port: Object, host_network: bool) -> int | None:
    """``hostPort``; on the node's network every containerPort is one (defaultHostNetworkPorts)."""
    written = number(port, "hostPort")
    if written:
        return written
    return number(port, "containerPort") if host_network else None


def selector(kind: str, spec: Object) -> Object:
    """A workload's label selector in the form of LabelSelector.

    A ReplicationController has plain labels, from its template when none are written; the kinds of
    apps/v1 always write theirs.
    """
    if kind == "ReplicationController":
        plain = table(spec, "selector") or table(spec, "template", "metadata", "labels")
        return {"matchLabels": plain}
    found = at(spec, "selector")
    return found if isinstance(found, dict) else {}
