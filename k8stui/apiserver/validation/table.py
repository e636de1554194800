"""Which checks look at which kind. What the types alone say stands in `schema`, not here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from k8stui.apiserver.fields import Object
from k8stui.apiserver.validation.metadata import check_metadata
from k8stui.apiserver.validation.mistake import Check, Mistake
from k8stui.apiserver.validation.pod import check_pod
from k8stui.apiserver.validation.service import check_service
from k8stui.apiserver.validation.workload import check_apps, check_replication_controller
from k8stui.late import Late

_HERE = "k8stui.apiserver.validation"

CHECKS: Mapping[str, tuple[Check, ...]] = {
    "Pod": (check_metadata, check_pod),
    "Deployment": (check_metadata, check_apps),
    "ReplicaSet": (check_metadata, check_apps),
    "StatefulSet": (check_metadata, check_apps),
    "DaemonSet": (check_metadata, check_apps),
    "ReplicationController": (check_metadata, check_replication_controller),
    "Job": (check_metadata, Late(f"{_HERE}.job", "check_job")),
    "CronJob": (check_metadata, Late(f"{_HERE}.job", "check_cron_job")),
    "Service": (check_metadata, check_service),
    "Endpoints": (check_metadata, Late(f"{_HERE}.endpoints", "check_endpoints")),
    "EndpointSlice": (check_metadata, Late(f"{_HERE}.endpoints", "check_slice")),
    "Ingress": (check_metadata, Late(f"{_HERE}.policy", "check_ingress")),
    "NetworkPolicy": (check_metadata, Late(f"{_HERE}.policy", "check_policy")),
    "AdminNetworkPolicy": (check_metadata, Late(f"{_HERE}.cluster_policy", "check_cluster_policy")),
    "BaselineAdminNetworkPolicy": (
        check_metadata,
        Late(f"{_HERE}.cluster_policy", "check_cluster_policy"),
    ),
    "ClusterNetworkPolicy": (
        check_metadata,
        Late(f"{_HERE}.cluster_policy", "check_cluster_policy"),
    ),
    "Node": (check_metadata, Late(f"{_HERE}.store", "check_node")),
    "ConfigMap": (check_metadata, Late(f"{_HERE}.store", "check_keys")),
    "Secret": (check_metadata, Late(f"{_HERE}.store", "check_keys")),
    "ServiceCIDR": (check_metadata, Late(f"{_HERE}.store", "check_service_cidr")),
    "Namespace": (check_metadata,),
    "ServiceAccount": (check_metadata,),
}
"""By kind; what few inputs hold is loaded with the first of it.

Configuration files (KubeProxyConfiguration) never come before an API server."""


def mistakes(kind: str, data: Object) -> Iterator[Mistake]:
    """Everything that is wrong with one object by itself."""
    for check in CHECKS.get(kind, ()):
        yield from check(data)
