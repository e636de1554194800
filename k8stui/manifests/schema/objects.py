"""An object of the API: its kind and versions, and what stands in objects of many groups."""

from __future__ import annotations

from k8stui.manifests.schema.types import (
    BOOLEAN,
    FREE,
    INTEGER,
    STRINGS,
    TEXTS,
    ListOf,
    MapOf,
    Struct,
    Type,
    struct,
)
from k8stui.record import record

META = struct(
    "metadata",
    "name namespace generateName uid resourceVersion creationTimestamp deletionTimestamp selfLink",
    unread="managedFields clusterName",
    labels=STRINGS,
    annotations=MapOf(FREE),
    finalizers=TEXTS,
    generation=INTEGER,
    deletionGracePeriodSeconds=INTEGER,
    ownerReferences=ListOf(
        struct(
            "ownerReference",
            "apiVersion kind name uid",
            controller=BOOLEAN,
            blockOwnerDeletion=BOOLEAN,
        )
    ),
)
EXPRESSION = struct("matchExpression", "key operator", values=TEXTS, required="key operator")
SELECTOR = struct("selector", matchLabels=STRINGS, matchExpressions=ListOf(EXPRESSION))

_WITHOUT_SPEC = frozenset(
    {"Node", "NetworkPolicy", "Calico NetworkPolicy", "GlobalNetworkPolicy"}
    | {"NetworkSet", "GlobalNetworkSet", "Tier"}
    | {"CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"}
)
"""Kinds whose spec may be missing: a NetworkPolicy then selects all pods and lets in nobody."""

CONDITIONS = ListOf(
    struct(
        "condition",
        "type status reason message lastTransitionTime lastProbeTime lastHeartbeatTime "
        "lastUpdateTime",
        observedGeneration=INTEGER,
    )
)


@record(eq=False)
class Kind:
    """A kind with the API versions that it was ever served in, the one of today first."""

    name: str
    versions: tuple[str, ...]
    fields: Struct
    named: bool = True
    """It needs a metadata.name."""
    namespaced: bool = True


def kind(
    name: str, versions: str, *, namespaced: bool = True, unread: str = "", **typed: Type
) -> Kind:
    """A kind with metadata and the `typed` fields; `unread`: those whose value is not looked at."""
    fields = struct(
        name,
        "apiVersion kind",
        unread=f"status {unread}",
        metadata=META,
        required="spec" if "spec" in typed and name not in _WITHOUT_SPEC else "",
        **typed,
    )
    return Kind(name, tuple(versions.split()), fields, namespaced=namespaced)
