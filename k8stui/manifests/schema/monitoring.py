"""monitoring.coreos.com: which Services and pods are scraped, at which of their ports, by whom.

What they mean is check's affair. Source: prometheus-operator v0.80 pkg/apis/monitoring/v1.
"""

from __future__ import annotations

from k8stui.manifests.schema.objects import kind

GROUPS = frozenset({"monitoring.coreos.com"})
KINDS = tuple(
    kind(name, "monitoring.coreos.com/v1", unread="spec")
    for name in ("ServiceMonitor", "PodMonitor", "Prometheus")
)
