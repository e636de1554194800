"""HorizontalPodAutoscalers: how many pods they make of what a workload wants.

Source: pkg/controller/podautoscaler/horizontal.go reconcileAutoscaler: fewer than minReplicas and
more than maxReplicas are set right without any metric; a workload of 0 replicas is left alone.
What a metric asks for is not known here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from k8stui.apiserver import defaults
from k8stui.apiserver.fields import number, table, text
from k8stui.apiserver.inventory import Inventory, namespace_of

if TYPE_CHECKING:
    from k8stui.manifests import Manifest

_SCALED = frozenset({"Deployment", "ReplicaSet", "ReplicationController", "StatefulSet"})


class Autoscalers:
    """Those of one input, by what they scale."""

    def __init__(self, inventory: Inventory) -> None:
        self._by_target: Mapping[tuple[str, str, str], Manifest] = {
            (
                text(one.data, "spec", "scaleTargetRef", "kind"),
                namespace_of(one),
                text(one.data, "spec", "scaleTargetRef", "name"),
            ): one
            for one in inventory.of("HorizontalPodAutoscaler").values()
        }

    def of(self, manifest: Manifest) -> Manifest | None:
        """The autoscaler that changes how many pods a workload has; None where none does."""
        found = self._by_target.get((manifest.kind, namespace_of(manifest), manifest.name))
        if found is None or self.scaled(manifest) is manifest:
            return None
        return found

    def scaled(self, manifest: Manifest) -> Manifest:
        """The workload with the replicas that its autoscaler gives it; what a dump says stays."""
        key = (manifest.kind, namespace_of(manifest), manifest.name)
        found = self._by_target.get(key)
        if found is None or manifest.observed or manifest.kind not in _SCALED:
            return manifest
        spec = table(manifest.data, "spec")
        wanted = defaults.replicas(manifest.kind, spec) or 0
        least = number(found.data, "spec", "minReplicas")
        least = 1 if least is None else least
        most = number(found.data, "spec", "maxReplicas") or wanted
        given = min(most, max(least, wanted))
        if not wanted or given == wanted:
            return manifest
        return replace(manifest, data={**manifest.data, "spec": {**spec, "replicas": given}})
