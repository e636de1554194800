"""The fields of the kinds that k8stui knows, as a table. What a field means is cluster's business.

A module per group of the API; `types` holds the words that they are written in. Source: the API
reference of Kubernetes 1.36, kubeproxy.config.k8s.io/v1alpha1 and kubeadm.k8s.io. A field whose
inside matters to nobody is ANY: its name is known, its value is not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from k8stui.manifests.schema import (
    balancers,
    calico,
    cilium,
    cluster,
    cluster_policies,
    control_plane,
    meshes,
    monitoring,
    networking,
    pods,
    secrets,
    services,
    workloads,
)
from k8stui.manifests.schema.objects import Kind
from k8stui.manifests.schema.types import ListOf, Struct, Type

KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for group in (
        pods,
        workloads,
        services,
        cluster,
        networking,
        meshes,
        cluster_policies,
        control_plane,
        calico,
        cilium,
        balancers,
        monitoring,
        secrets,
    )
    for kind in group.KINDS
}
"""By kind. Status is looked at only where cluster reads it."""
TWINS: Mapping[str, Kind] = {
    "NetworkPolicy": KINDS["Calico NetworkPolicy"],
    "AuthorizationPolicy": KINDS["Linkerd AuthorizationPolicy"],
    "HTTPRoute": KINDS["Linkerd HTTPRoute"],
}
"""Kinds that have, as they are written, the name of another group's."""

WITHOUT_PART = frozenset(
    """
    VolumeAttachment CSIDriver CSINode
    CSIStorageCapacity Role RoleBinding ClusterRole ClusterRoleBinding
    PodDisruptionBudget
    CustomResourceDefinition Lease PodTemplate ValidatingAdmissionPolicy
    ValidatingAdmissionPolicyBinding MutatingAdmissionPolicy MutatingAdmissionPolicyBinding
    ResourceClaim ResourceClaimTemplate ResourceSlice DeviceClass VolumeAttributesClass
    ClusterTrustBundle PodCertificateRequest LeaseCandidate StorageVersion StorageVersionMigration
    ControllerRevision PodSecurityPolicy Binding ComponentStatus FlowSchema IPAddress
    PriorityLevelConfiguration CertificateSigningRequest InitConfiguration JoinConfiguration
    Eviction Scale TokenReview
    ResetConfiguration UpgradeConfiguration MasterConfiguration NodeConfiguration
    InitializerConfiguration ClusterCIDR CSINodeInfo
    """.split()  # noqa: SIM905
)
"""Built-in kinds that have no part in how packets move, those of earlier servers and kubeadms
among them: skipped, and never taken for typing errors of a known kind."""


def _names(type_: Type) -> Iterator[str]:
    if isinstance(type_, Struct):
        yield from type_.fields
        for below in type_.fields.values():
            yield from _names(below)
    elif isinstance(type_, ListOf):
        yield from _names(type_.item)


@cache
def field_names() -> frozenset[str]:
    """Every field name of every known kind: what may stand before a colon."""
    return frozenset(name for kind in KINDS.values() for name in _names(kind.fields))
