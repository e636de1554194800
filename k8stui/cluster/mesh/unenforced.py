"""AuthorizationPolicies of Istio's that nobody enforces, so that more comes in than they say.

Of pods without a proxy; with targetRefs to what no waypoint serves; of an ambient mesh's DENY whose
rules ask for what only HTTP shows (ztunnel leaves those out). Sources: istio.io
"AuthorizationPolicy", "Use Layer 7 features"; ztunnel src/rbac.rs (empty match groups).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from k8stui.cluster.mesh.proxies import Proxy, proxy_of
from k8stui.cluster.mesh_policy import AuthorizationPolicy
from k8stui.cluster.model import Cluster, Lack, Pod


def unenforced(cluster: Cluster) -> Iterator[tuple[AuthorizationPolicy, Lack]]:
    """Each that is for something of the input, and why nobody enforces it there."""
    spaces: dict[str, list[Pod]] = {}
    for pod in cluster.pods.values():
        spaces.setdefault(pod.namespace, []).append(pod)
    for one in cluster.meshes.authorization_policies:
        pods = spaces.get(one.namespace, ())
        lack = (
            _without_waypoint(cluster, one) if one.targets else _without_proxy(cluster, one, pods)
        )
        if lack is not None:
            yield one, lack


def unenforced_for(cluster: Cluster, pod: Pod, service: str) -> Iterator[Lack]:
    """Of a pod that is asked, by its Service: those that were to decide it."""
    name = service.partition("/")[2]
    for one in cluster.meshes.authorization_policies:
        lack = None
        if one.namespace == pod.namespace and one.targets:
            lack = _without_waypoint(cluster, one) if ("Service", name) in one.targets else None
        elif one.namespace == pod.namespace:
            lack = _without_proxy(cluster, one, (pod,))
        if lack is not None:
            yield lack


def _without_waypoint(cluster: Cluster, one: AuthorizationPolicy) -> Lack | None:
    """A waypoint judges by it, if its Service or namespace is told to use one."""
    for kind, name in one.targets:
        key = f"{one.namespace}/{name}"
        if kind != "Service" or key not in cluster.services:
            continue
        known = cluster.meshes.waypoints
        if not known.get(key, known.get(one.namespace, "")):
            return Lack(
                f"AuthorizationPolicy {one.namespace}/{one.name} is for Service {name}, which "
                "goes by no waypoint that the input has: nobody enforces it",
                f"istioctl waypoint apply -n {one.namespace} --enroll-namespace",
                one.targets_origin,
            )
    return None


def _without_proxy(cluster: Cluster, one: AuthorizationPolicy, pods: Sequence[Pod]) -> Lack | None:
    meant = [pod for pod in pods if one.selector.items() <= pod.labels.items()]
    named = f"AuthorizationPolicy {one.namespace}/{one.name}"
    proxies = {proxy_of(cluster, pod) for pod in meant}
    if proxies == {Proxy.NONE}:
        return Lack(
            f"{named} is for pods without a sidecar ({meant[0].key}): nobody enforces it",
            f"kubectl label namespace {one.namespace} istio-injection=enabled and restart its pods",
            one.origin,
        )
    is_blank = bool(one.rules) and all(rule.is_blank for rule in one.rules)
    if proxies == {Proxy.ZTUNNEL} and one.action == "DENY" and is_blank:
        return Lack(
            f"{named} denies by what only HTTP shows (methods, paths, headers, tokens), and "
            f"ztunnel of pod {meant[0].key} reads none: nobody enforces it",
            f"istioctl waypoint apply -n {one.namespace} --enroll-namespace, and write targetRefs "
            "instead of the selector",
            one.origin,
        )
    return None
