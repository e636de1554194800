"""ResourceQuotas as far as they are about objects that are applied; pods are the cluster's part.

Source: plugin/pkg/admission/resourcequota/controller.go, pkg/quota/v1/evaluator/core/services.go
(serviceEvaluator Usage); recordings-cluster/namespaces.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from k8stui.apiserver import quantity
from k8stui.apiserver.fields import Object, array, records, table, text
from k8stui.apiserver.validation.mistake import Mistake, Wrong
from k8stui.manifests.manifest import Manifest

_COUNTED = {
    "Service": ("services", "count/services"),
    "Secret": ("secrets", "count/secrets"),
    "ReplicationController": ("replicationcontrollers", "count/replicationcontrollers"),
    "Deployment": ("count/deployments.apps",),
    "ReplicaSet": ("count/replicasets.apps",),
    "StatefulSet": ("count/statefulsets.apps",),
    "DaemonSet": ("count/daemonsets.apps",),
    "Job": ("count/jobs.batch",),
    "CronJob": ("count/cronjobs.batch",),
    "Ingress": ("count/ingresses.networking.k8s.io",),
    "NetworkPolicy": ("count/networkpolicies.networking.k8s.io",),
}
"""What an object counts as. ConfigMaps are not counted here: every namespace has one already."""


class Quotas:
    """What each namespace may have, and has."""

    def __init__(self) -> None:
        self._hard: dict[str, dict[str, Manifest]] = {}
        self._used: dict[str, Counter[str]] = {}

    def enter(self, one: Manifest, before: Manifest | None) -> None:
        """`one` is stored; `before` was there under its name."""
        namespace = one.namespace or "default"
        if one.kind == "ResourceQuota":
            self._hard.setdefault(namespace, {})[one.name] = one
        elif one.kind in _COUNTED:
            used = self._used.setdefault(namespace, Counter())
            used.update(_usage(one.kind, one.data))
            if before is not None:
                used.subtract(_usage(before.kind, before.data))

    def judge(self, one: Manifest, before: Manifest | None) -> Iterator[Mistake]:
        namespace = one.namespace or "default"
        if namespace not in self._hard or one.kind not in _COUNTED:
            return
        asked = _usage(one.kind, one.data)
        if before is not None:
            asked.subtract(_usage(before.kind, before.data))
        used = self._used.get(namespace, Counter())
        for quota in self._hard[namespace].values():
            hard = table(quota.data, "spec", "hard")
            over = [
                name
                for name in sorted(hard)
                if asked[name] > 0
                and (used[name] + asked[name]) * quantity.parse(1) > quantity.parse(hard[name])
            ]
            if over:
                message = f"is more than ResourceQuota {quota.name} allows: " + ", ".join(
                    f"{name} {hard[name]}, {used[name]} used, {asked[name]} asked for"
                    for name in over
                )
                yield Mistake((), Wrong.FORBIDDEN, message)


def _usage(kind: str, data: Object) -> Counter[str]:
    found = Counter(_COUNTED[kind])
    if kind == "Service":
        spec = table(data, "spec")
        ports, of = len(array(spec, "ports")), text(spec, "type")
        if of == "LoadBalancer":
            found["services.loadbalancers"] = 1
            if spec.get("allocateLoadBalancerNodePorts") is False:
                ports = sum(
                    port.get("nodePort") is not None for _, port in records(spec, "ports", ())
                )
        if of in ("NodePort", "LoadBalancer"):
            found["services.nodeports"] = ports
    return found
