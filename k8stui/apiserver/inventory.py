"""The objects of the input by kind: of several with one name the last wins, as with kubectl."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from k8stui.record import record

if TYPE_CHECKING:
    from k8stui.manifests import Manifest

OF_CALICO = (
    "GlobalNetworkPolicy",
    "Calico NetworkPolicy",
    "GlobalNetworkSet",
    "NetworkSet",
    "Tier",
)
"""Calico's policies, and what they name."""
OF_LINKERD = (
    "Server", "ServerAuthorization", "MeshTLSAuthentication", "NetworkAuthentication",
    "Linkerd AuthorizationPolicy", "Linkerd HTTPRoute",
)  # fmt: skip
"""Linkerd's policies, and what they name."""
_GROUPS = {
    "Namespace": "",
    "Node": "",
    "Pod": "",
    "Service": "",
    "Endpoints": "",
    "EndpointSlice": "discovery.k8s.io",
    "ConfigMap": "",
    "Secret": "",
    "ReplicationController": "",
    "Deployment": "apps",
    "ReplicaSet": "apps",
    "StatefulSet": "apps",
    "DaemonSet": "apps",
    "Job": "batch",
    "CronJob": "batch",
    "HorizontalPodAutoscaler": "autoscaling",
    "ServiceAccount": "",
    "LimitRange": "",
    "ResourceQuota": "",
    "PersistentVolumeClaim": "",
    "PersistentVolume": "",
    "StorageClass": "storage.k8s.io",
    "PriorityClass": "scheduling.k8s.io",
    "RuntimeClass": "node.k8s.io",
    "ServiceCIDR": "networking.k8s.io",
    "NetworkPolicy": "networking.k8s.io",
    "Ingress": "networking.k8s.io",
    "IngressClass": "networking.k8s.io",
    "HTTPRoute": "gateway.networking.k8s.io",
    "GRPCRoute": "gateway.networking.k8s.io",
    "TLSRoute": "gateway.networking.k8s.io",
    "TCPRoute": "gateway.networking.k8s.io",
    "UDPRoute": "gateway.networking.k8s.io",
    "ReferenceGrant": "gateway.networking.k8s.io",
    "Gateway": "gateway.networking.k8s.io",
    "IngressRoute": "traefik.io",
    "IngressRouteTCP": "traefik.io",
    "IngressRouteUDP": "traefik.io",
    "Middleware": "traefik.io",
    "Event": "",
    "PeerAuthentication": "security.istio.io",
    "AuthorizationPolicy": "security.istio.io",
    "VirtualService": "networking.istio.io",
    "DestinationRule": "networking.istio.io",
    "Sidecar": "networking.istio.io",
    "ServiceEntry": "networking.istio.io",
    "IstioOperator": "install.istio.io",
    **dict.fromkeys(OF_LINKERD, "policy.linkerd.io"),
    "AdminNetworkPolicy": "policy.networking.k8s.io",
    "BaselineAdminNetworkPolicy": "policy.networking.k8s.io",
    "ClusterNetworkPolicy": "policy.networking.k8s.io",
    **dict.fromkeys(OF_CALICO, "crd.projectcalico.org"),
    "CiliumNetworkPolicy": "cilium.io",
    "CiliumClusterwideNetworkPolicy": "cilium.io",
    "CiliumLoadBalancerIPPool": "cilium.io",
    "CiliumL2AnnouncementPolicy": "cilium.io",
    "CiliumBGPPeeringPolicy": "cilium.io",
    "CiliumBGPClusterConfig": "cilium.io",
    "AddressPool": "metallb.io",
    "BGPPeer": "metallb.io",
    "IPAddressPool": "metallb.io",
    "L2Advertisement": "metallb.io",
    "BGPAdvertisement": "metallb.io",
    "ServiceL2Status": "metallb.io",
    "Certificate": "cert-manager.io",
    "ExternalSecret": "external-secrets.io",
    "SealedSecret": "bitnami.com",
    "VaultStaticSecret": "secrets.hashicorp.com",
    "VaultDynamicSecret": "secrets.hashicorp.com",
    "VaultPKISecret": "secrets.hashicorp.com",
    "OnePasswordItem": "onepassword.com",
    "SecretProviderClass": "secrets-store.csi.x-k8s.io",
    "KubeProxyConfiguration": "kubeproxy.config.k8s.io",
    "ClusterConfiguration": "kubeadm.k8s.io",
    "KubeletConfiguration": "kubelet.config.k8s.io",
    "Cluster": "kind.x-k8s.io",
}
"""The kinds that decide about the cluster, with their API group."""

_OTHER_GROUPS = {
    **dict.fromkeys(("Deployment", "ReplicaSet", "DaemonSet"), "extensions"),
    "Gateway": "networking.istio.io",
    **dict.fromkeys(OF_CALICO, "projectcalico.org"),
    **dict.fromkeys(
        ("IngressRoute", "IngressRouteTCP", "IngressRouteUDP", "Middleware"), "traefik.containo.us"
    ),
}
"""Groups of clusters before 1.16, and of Traefik before 3: a dump of one still counts; Istio's;
that of Calico's own API server."""

_CLUSTER_SCOPED = frozenset(
    {
        "Namespace",
        "Node",
        "ServiceCIDR",
        "PersistentVolume",
        "IngressClass",
        "StorageClass",
        "PriorityClass",
        "RuntimeClass",
        "AdminNetworkPolicy",
        "BaselineAdminNetworkPolicy",
        "ClusterNetworkPolicy",
        "GlobalNetworkPolicy",
        "GlobalNetworkSet",
        "Tier",
        "CiliumClusterwideNetworkPolicy",
        "CiliumLoadBalancerIPPool",
        "CiliumL2AnnouncementPolicy",
        "CiliumBGPPeeringPolicy",
        "CiliumBGPClusterConfig",
    }
)
_GUARDS = frozenset({"LimitRange", "ResourceQuota"})
_CONFIGURATION = frozenset(
    {"KubeProxyConfiguration", "ClusterConfiguration", "KubeletConfiguration", "Cluster"}
)

WORKLOADS = frozenset(
    {"Deployment", "ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet", "Job"}
)
"""The kinds that make pods. A CronJob makes Jobs when its time comes, so never here."""


def namespace_of(manifest: Manifest) -> str:
    """``default`` where none is written: which one kubectl would use is not known."""
    return manifest.namespace or "default"


def key_of(manifest: Manifest) -> str:
    """``namespace/name``."""
    return f"{namespace_of(manifest)}/{manifest.name}"


@record()
class Inventory:
    """Every object that counts, by kind and key, in the order of the input."""

    by_kind: Mapping[str, Mapping[str, Manifest]]
    pod_makers: tuple[Manifest, ...]
    """Pods and the kinds of WORKLOADS, in the order of the input across kinds."""
    makers: Mapping[tuple[str, str], Manifest]
    """The same by kind and key."""
    replaced: Mapping[tuple[str, str], Manifest]
    """Objects of a dump that a later manifest changes, by kind and key."""
    guarded_from: Mapping[tuple[str, str], int]
    """Which of `pod_makers` is the first behind a LimitRange or ResourceQuota, by kind and key."""
    observed: frozenset[str]
    """Kinds of which a dump in the input holds objects that nothing has replaced."""

    def of(self, kind: str) -> Mapping[str, Manifest]:
        return self.by_kind.get(kind, {})

    @property
    def is_dump(self) -> bool:
        """Whether any object was seen in a cluster."""
        return bool(self.observed)

    def has_observed(self, kind: str) -> bool:
        """Whether a dump in the input holds objects of `kind`."""
        return kind in self.observed


ALWAYS_THERE = ("default", "kube-system", "kube-public", "kube-node-lease")
"""Namespaces that the API server makes itself (pkg/controlplane, SystemNamespaces; default)."""


def in_known_namespaces(objects: Sequence[Manifest]) -> list[Manifest]:
    """Leave out what is in a namespace that `objects` do not make before: it would not be taken."""
    known = {*ALWAYS_THERE}
    for one in objects:
        if one.observed:
            known.add(one.name if one.kind == "Namespace" else one.namespace or "default")
    there = []
    for one in objects:
        if one.kind == "Namespace":
            known.add(one.name)
        if one.kind in _CLUSTER_SCOPED or namespace_of(one) in known:
            there.append(one)
    return there


_NOTHING = Inventory({}, (), {}, {}, {}, frozenset())


def take_stock(objects: Iterable[Manifest], earlier: Inventory = _NOTHING) -> Inventory:
    """Sort `objects` by kind; unknown kinds and groups are left out.

    A later object replaces an earlier one of the same name but keeps its place in the order: it
    updates an object that exists already (``kubectl apply``). `earlier`: of the objects that come
    before these; it stays as it is.
    """
    by_kind: dict[str, dict[str, Manifest]] = {}
    came: set[str] = set()
    makers = dict(earlier.makers)
    replaced = dict(earlier.replaced)
    guarded_from = dict(earlier.guarded_from)
    for manifest in objects:
        kind = manifest.kind
        group = manifest.group
        if _GROUPS.get(kind) != group and _OTHER_GROUPS.get(kind) != group:
            continue
        of_kind = by_kind.get(kind)
        if of_kind is None:
            of_kind = by_kind[kind] = dict(earlier.of(kind))
        if kind in _CONFIGURATION:
            key = str(len(of_kind))
        elif kind in _CLUSTER_SCOPED:
            key = manifest.name
        else:
            key = key_of(manifest)
        before = of_kind.get(key)
        if before is not None and before.observed and not manifest.observed:
            replaced[kind, key] = before
        of_kind[key] = manifest
        if manifest.observed:
            came.add(kind)
        if kind == "Pod" or kind in WORKLOADS:
            makers[kind, key] = manifest
        elif kind in _GUARDS:
            guarded_from.setdefault((kind, key), 0 if manifest.observed else len(makers))
    kinds = {**earlier.by_kind, **by_kind}
    observed = {kind for kind in by_kind if kind in earlier.observed or kind in came}
    still = {kind for kind in observed if any(one.observed for one in by_kind[kind].values())}
    return Inventory(
        kinds,
        tuple(makers.values()),
        makers,
        replaced,
        guarded_from,
        observed=(earlier.observed - by_kind.keys()) | still,
    )
