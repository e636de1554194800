"""core/v1, scheduling, node, storage: nodes, namespaces, and what pods there may have."""

from __future__ import annotations

from k8stui.manifests.schema.objects import CONDITIONS, kind
from k8stui.manifests.schema.types import (
    BOOLEAN,
    FREE,
    INTEGER,
    QUANTITY,
    STRING,
    STRINGS,
    TEXTS,
    ListOf,
    MapOf,
    struct,
)

_NODE_SPEC = struct(
    "spec",
    "podCIDR providerID externalID",
    unread="configSource",
    podCIDRs=TEXTS,
    unschedulable=BOOLEAN,
    taints=ListOf(struct("taint", "key value effect timeAdded", required="key effect")),
)
_NODE_STATUS = struct(
    "status",
    "phase",
    unread="capacity allocatable daemonEndpoints nodeInfo images volumesInUse volumesAttached "
    "config runtimeHandlers features declaredFeatures",
    addresses=ListOf(struct("address", "type address")),
    conditions=CONDITIONS,
)
KINDS = (
    kind("Node", "v1", spec=_NODE_SPEC, status=_NODE_STATUS, namespaced=False),
    kind("Namespace", "v1", unread="spec", namespaced=False),
    kind(
        "Event",
        "v1",
        unread="involvedObject reason message type action source count series firstTimestamp "
        "lastTimestamp eventTime related reportingComponent reportingInstance",
    ),
    kind("ConfigMap", "v1", data=MapOf(FREE), unread="binaryData", immutable=BOOLEAN),
    kind("Secret", "v1", type=STRING, unread="data stringData", immutable=BOOLEAN),
    kind(
        "LimitRange",
        "v1",
        spec=struct(
            "spec",
            limits=ListOf(
                struct(
                    "limit",
                    "type",
                    max=MapOf(QUANTITY),
                    min=MapOf(QUANTITY),
                    default=MapOf(QUANTITY),
                    defaultRequest=MapOf(QUANTITY),
                    maxLimitRequestRatio=MapOf(QUANTITY),
                )
            ),
        ),
    ),
    kind(
        "ResourceQuota",
        "v1",
        spec=struct("spec", unread="scopeSelector", hard=MapOf(QUANTITY), scopes=TEXTS),
    ),
    kind(
        "PriorityClass",
        "scheduling.k8s.io/v1 scheduling.k8s.io/v1beta1",
        value=INTEGER,
        globalDefault=BOOLEAN,
        description=STRING,
        preemptionPolicy=STRING,
        namespaced=False,
    ),
    kind(
        "RuntimeClass",
        "node.k8s.io/v1 node.k8s.io/v1beta1",
        handler=STRING,
        overhead=struct("overhead", podFixed=MapOf(QUANTITY)),
        scheduling=struct("scheduling", unread="tolerations", nodeSelector=STRINGS),
        namespaced=False,
    ),
    kind("PersistentVolumeClaim", "v1", unread="spec"),
    kind("PersistentVolume", "v1", unread="spec", namespaced=False),
    kind(
        "StorageClass",
        "storage.k8s.io/v1 storage.k8s.io/v1beta1",
        provisioner=STRING,
        unread="parameters reclaimPolicy volumeBindingMode allowVolumeExpansion mountOptions "
        "allowedTopologies",
        namespaced=False,
    ),
    kind(
        "ServiceAccount",
        "v1",
        unread="secrets imagePullSecrets",
        automountServiceAccountToken=BOOLEAN,
    ),
)
