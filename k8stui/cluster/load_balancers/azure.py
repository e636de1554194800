"""Azure's load balancer asks the nodes whether they serve, by HTTP where a port says so.

Since Kubernetes 1.24 appProtocol http or https makes the probe an HTTP request for /, to which
ingress-nginx answers 404: no node is healthy then, and the load balancer answers nobody. With
externalTrafficPolicy Local it asks kube-proxy's health check instead. Source: cloud-provider-azure
docs, "Custom Load Balancer health probe"; pkg/provider/azure_loadbalancer_healthprobe.go.
"""

from __future__ import annotations

from k8stui.cluster.clouds import AZURE, clouds
from k8stui.cluster.endpoints import pods_behind
from k8stui.cluster.model import Cluster, Lack, Service
from k8stui.cluster.programs.images import bare_image

_PREFIX = "service.beta.kubernetes.io/"
_PROBES = ("health-probe-request-path", "health-probe-protocol", "health-probe_request-path",
           "health-probe_protocol", "no_probe_rule")  # fmt: skip
_CONTROLLER = "ingress-nginx/controller"


def probed_in_vain(service: Service, cluster: Cluster) -> Lack | None:
    """Why Azure takes every node for dead; None where it does not."""
    spoken = next((p for p in service.ports if p.app_protocol in ("http", "https")), None)
    if spoken is None or service.external_traffic_policy == "Local":
        return None
    told = any(key.startswith(f"{_PREFIX}azure-") for key in service.annotations)
    if not told and AZURE not in clouds(cluster):
        return None
    if any(key.startswith(_PREFIX) and key.endswith(_PROBES) for key in service.annotations):
        return None
    behind = pods_behind(cluster, service.key)
    if not any(bare_image(c.image).endswith(_CONTROLLER) for p, _ in behind for c in p.containers):
        return None
    return Lack(
        f"Azure's load balancer asks every node for / by HTTP, as appProtocol {spoken.app_protocol}"
        " has it, and ingress-nginx answers 404: no node counts as healthy, and nobody is answered",
        f"annotate Service {service.name} with {_PREFIX}azure-load-balancer-health-probe-request-"
        "path: /healthz",
        spoken.origins.get("app_protocol", spoken.origin),
    )
