"""What the load balancer of a GKE Ingress asks the pods, to know whether they live.

The path of their readinessProbe, where that is an httpGet of the very port that serves; else / by
HTTP, and nothing but 200 will do. A BackendConfig may say another. Sources: ingress-gce
pkg/healthchecks, docs/faq ("health check"); GKE, "Ingress: default and inferred parameters".
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.cluster.clouds import GOOGLE, clouds
from k8stui.cluster.endpoints import pods_behind
from k8stui.cluster.endpoints import target as target_of
from k8stui.cluster.ingress.entrances import OF_GOOGLE
from k8stui.cluster.load_balancers.handed_on import fronts
from k8stui.cluster.model import Cluster, Entrance, Lack, Pod, ProbedPort

_CONFIG = "backend-config"


def asked_at_root(cluster: Cluster, entrance: Entrance) -> Lack | None:
    """Why it may count a pod that is ready as dead; None: nothing says so."""
    usual = not entrance.controller and not fronts(cluster) and GOOGLE in clouds(cluster)
    if not entrance.owner.startswith("Ingress ") or not (usual or entrance.controller == OF_GOOGLE):
        return None
    for path in entrance.paths:
        service = cluster.services.get(path.service)
        pod, _ = next(pods_behind(cluster, path.service), (None, None))
        if service is None or pod is None or any(_CONFIG in key for key in service.annotations):
            continue
        port = path.port_of(service)
        number = target_of(port, pod) if port is not None else None
        asked = list(_ready(pod))
        if number is not None and asked and not any(p.plain and p.number == number for p in asked):
            return Lack(
                f"Google's load balancer asks port {number} of its pods for / and wants 200, for "
                "their readinessProbe is no httpGet of that port, which it would take over: where "
                "/ is answered otherwise, they count as dead (502)",
                f"make the readinessProbe an httpGet of port {number} with a path that answers "
                f"200, or write a BackendConfig (healthCheck.requestPath) for Service "
                f"{service.name}",
                asked[0].origin,
                "502",
            )
    return None


def _ready(pod: Pod) -> Iterator[ProbedPort]:
    for one in pod.containers:
        yield from (asked for asked in one.probed_ports if asked.probe == "readinessProbe")
