"""apps/v1, batch/v1, autoscaling: what makes pods, and how many."""

from __future__ import annotations

from k8stui.manifests.schema.objects import META, SELECTOR, kind
from k8stui.manifests.schema.pods import CLAIM_TEMPLATE, TEMPLATE
from k8stui.manifests.schema.types import (
    BOOLEAN,
    COUNT,
    INTEGER,
    NUMBER_OR_TEXT,
    STRINGS,
    ListOf,
    Struct,
    Type,
    struct,
)


def _workload(name: str, text: str = "", *, unread: str = "", **typed: Type) -> Struct:
    return struct(
        name,
        text,
        unread=unread,
        replicas=COUNT,
        minReadySeconds=INTEGER,
        template=TEMPLATE,
        required="template",
        **typed,
    )


def _strategy(**typed: Type) -> Struct:
    """How pods are replaced; `typed`: what is said beside ``maxUnavailable``."""
    rolling = struct(
        "rollingUpdate", "", required="", unread="", maxUnavailable=NUMBER_OR_TEXT, **typed
    )
    return struct("strategy", "type", rollingUpdate=rolling)


_DEPLOYMENT = _workload(
    "spec",
    selector=SELECTOR,
    strategy=_strategy(maxSurge=NUMBER_OR_TEXT),
    revisionHistoryLimit=INTEGER,
    progressDeadlineSeconds=INTEGER,
    paused=BOOLEAN,
    unread="rollbackTo",
)
_REPLICA_SET = _workload("spec", selector=SELECTOR)
_CONTROLLER = _workload("spec", selector=STRINGS)
_STATEFUL_SET = _workload(
    "spec",
    "serviceName podManagementPolicy",
    updateStrategy=_strategy(partition=INTEGER),
    revisionHistoryLimit=INTEGER,
    selector=SELECTOR,
    ordinals=struct("ordinals", start=COUNT),
    persistentVolumeClaimRetentionPolicy=struct(
        "persistentVolumeClaimRetentionPolicy", "whenDeleted whenScaled"
    ),
    volumeClaimTemplates=ListOf(CLAIM_TEMPLATE),
)
_DAEMON_SET = struct(
    "spec",
    selector=SELECTOR,
    template=TEMPLATE,
    minReadySeconds=INTEGER,
    revisionHistoryLimit=INTEGER,
    updateStrategy=_strategy(maxSurge=NUMBER_OR_TEXT),
    unread="templateGeneration",
    required="template",
)
_JOB = struct(
    "spec",
    "completionMode podReplacementPolicy managedBy",
    parallelism=COUNT,
    completions=COUNT,
    backoffLimit=INTEGER,
    backoffLimitPerIndex=INTEGER,
    maxFailedIndexes=INTEGER,
    activeDeadlineSeconds=INTEGER,
    ttlSecondsAfterFinished=INTEGER,
    suspend=BOOLEAN,
    manualSelector=BOOLEAN,
    selector=SELECTOR,
    template=TEMPLATE,
    unread="podFailurePolicy successPolicy",
    required="template",
)
_CRON_JOB = struct(
    "spec",
    "schedule timeZone concurrencyPolicy",
    suspend=BOOLEAN,
    startingDeadlineSeconds=INTEGER,
    successfulJobsHistoryLimit=INTEGER,
    failedJobsHistoryLimit=INTEGER,
    jobTemplate=struct("job template", metadata=META, spec=_JOB, required="spec"),
    required="jobTemplate",
)
_OLD_APPS = "apps/v1 apps/v1beta2 apps/v1beta1 extensions/v1beta1"

KINDS = (
    kind("Deployment", _OLD_APPS, spec=_DEPLOYMENT),
    kind("ReplicaSet", _OLD_APPS, spec=_REPLICA_SET),
    kind("ReplicationController", "v1", spec=_CONTROLLER),
    kind("StatefulSet", "apps/v1 apps/v1beta2 apps/v1beta1", spec=_STATEFUL_SET),
    kind("DaemonSet", _OLD_APPS, spec=_DAEMON_SET),
    kind("Job", "batch/v1 extensions/v1beta1", spec=_JOB),
    kind("CronJob", "batch/v1 batch/v1beta1 batch/v2alpha1", spec=_CRON_JOB),
    kind(
        "HorizontalPodAutoscaler",
        "autoscaling/v2 autoscaling/v1 autoscaling/v2beta2 autoscaling/v2beta1",
        spec=struct(
            "spec",
            unread="minReplicas maxReplicas metrics behavior targetCPUUtilizationPercentage",
            scaleTargetRef=struct("scaleTargetRef", "apiVersion kind name"),
        ),
    ),
)
