"""kubectl's names for the kinds that a request can name (``kubectl api-resources``, 1.36)."""

from __future__ import annotations

from enum import Enum, auto


class Target(Enum):
    """What a typed kind leads to."""

    POD = auto()
    NODE = auto()
    SERVICE = auto()
    WORKLOAD = auto()


_WORKLOADS: dict[str, tuple[str, ...]] = {
    "Deployment": ("deploy", "deployment", "deployments", "deployment.apps", "deployments.apps"),
    "ReplicaSet": ("rs", "replicaset", "replicasets", "replicaset.apps", "replicasets.apps"),
    "ReplicationController": ("rc", "replicationcontroller", "replicationcontrollers"),
    "StatefulSet": ("sts", "statefulset", "statefulsets", "statefulset.apps", "statefulsets.apps"),
    "DaemonSet": ("ds", "daemonset", "daemonsets", "daemonset.apps", "daemonsets.apps"),
    "Job": ("job", "jobs", "job.batch", "jobs.batch"),
    "CronJob": ("cj", "cronjob", "cronjobs", "cronjob.batch", "cronjobs.batch"),
}

_NAMES: dict[str, tuple[Target, str]] = {
    **dict.fromkeys(("po", "pod", "pods"), (Target.POD, "Pod")),
    **dict.fromkeys(("no", "node", "nodes"), (Target.NODE, "Node")),
    **dict.fromkeys(("svc", "service", "services"), (Target.SERVICE, "Service")),
    **{name: (Target.WORKLOAD, kind) for kind, names in _WORKLOADS.items() for name in names},
}

SHORT = {kind: names[0] for kind, names in _WORKLOADS.items()}
"""The short name by kind, as suggestions print it."""


def kind_of(word: str) -> tuple[Target, str] | None:
    """The target and API kind that `word` names, in any case; None: it names no kind."""
    return _NAMES.get(word.lower())


def kind_words() -> tuple[str, ...]:
    """Every word that names a kind."""
    return tuple(_NAMES)


def api_kind(word: str) -> str | None:
    """The API's name of the kind that `word` names (``rc`` → ReplicationController)."""
    found = kind_of(word)
    return found[1] if found is not None else None
