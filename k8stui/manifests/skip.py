"""What a dump holds and no room reads: left out while it is read (docs/facts/speed.md section 2).

Applies to elements of a ``List`` only: the API server has checked those.
"""

from __future__ import annotations

from k8stui.manifests.events import Skip

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

_METADATA: Skip = {"managedFields": None, "selfLink": None, "annotations": {LAST_APPLIED: None}}
_CONTAINER: Skip = dict.fromkeys(
    (
        "volumeMounts",
        "volumeDevices",
        "livenessProbe",
        "readinessProbe",
        "startupProbe",
        "lifecycle",
        "securityContext",
        "envFrom",
        "terminationMessagePath",
        "terminationMessagePolicy",
        "imagePullPolicy",
    )
)
_POD_SPEC: Skip = {
    "volumes": None,
    "securityContext": None,
    "imagePullSecrets": None,
    "containers": _CONTAINER,
    "initContainers": _CONTAINER,
    "ephemeralContainers": None,
}
_CONDITION: Skip = dict.fromkeys(
    ("lastProbeTime", "lastTransitionTime", "lastHeartbeatTime", "lastUpdateTime")
)
_TEMPLATE: Skip = {"metadata": _METADATA, "spec": _POD_SPEC}
_STATUS: Skip = {
    "conditions": _CONDITION,
    "containerStatuses": None,
    "initContainerStatuses": None,
    "ephemeralContainerStatuses": None,
    "images": None,
    "nodeInfo": None,
    "volumesAttached": None,
    "volumesInUse": None,
    "daemonEndpoints": None,
    "runtimeHandlers": None,
    "features": None,
}
ITEMS: Skip = {
    "items": {
        "metadata": _METADATA,
        "spec": {
            **_POD_SPEC,
            "template": _TEMPLATE,
            "jobTemplate": {"spec": {"template": _TEMPLATE}},
            "volumeClaimTemplates": None,
        },
        "status": _STATUS,
    }
}
