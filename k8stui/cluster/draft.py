"""A pod in the making: what its template or its object says, and what is decided step by step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from k8stui.apiserver.fields import Object, array, flag, table, text, texts
from k8stui.cluster.fields import Origins, addresses
from k8stui.cluster.mesh_policy import told_to_mesh
from k8stui.cluster.model import Container, DnsConfig, Pod, PodPhase
from k8stui.digest import sha256
from k8stui.kernel.address import Address
from k8stui.origin import Origin, assumed, defaulted
from k8stui.record import record

if TYPE_CHECKING:
    from k8stui.manifests import Manifest

_CONTAINER_ID = assumed("the sandbox's id is random; a hash of namespace/name stands in for it")
_NAME = assumed("the real suffix is random; pods are numbered instead")
_RUNS = assumed("a pod that has a node is taken to run and to be ready")
_SCHEDULED = assumed("the scheduler could have picked this node")
_MESSAGE = defaulted("what the scheduler says, worked out from the nodes that are known")
_FULL = defaulted("what the kubelet says of the sandbox: the node's pod range is used up")
_ADDRESS = assumed("the next free address of the node's pod range, in the order of the input")
_HOST_ADDRESS = defaulted("hostNetwork: the pod has its node's addresses")

_PATHS: dict[str, tuple[str | int, ...]] = {
    "containers": ("containers",),
    "host_network": ("hostNetwork",),
    "service_account": ("serviceAccountName",),
    "hostname": ("hostname",),
    "subdomain": ("subdomain",),
    "dns_policy": ("dnsPolicy",),
    "dns_config": ("dnsConfig",),
    "host_aliases": ("hostAliases",),
    "enable_service_links": ("enableServiceLinks",),
    "node_selector": ("nodeSelector",),
    "node_name": ("nodeName",),
}
"""Attributes of a pod that stand in its spec."""


@record(frozen=False, kw_only=True, eq=False)
class Draft:
    """Everything about a pod that other decisions need, before it becomes a `Pod`."""

    namespace: str
    name: str
    labels: dict[str, str]
    spec: Object
    containers: tuple[Container, ...]
    manifest: Manifest
    spec_path: tuple[str | int, ...]
    """Where `spec` stands in `manifest`."""
    owner: tuple[str, str] | None = None
    replica: int | None = None
    """Number among its owner's pods; None for a pod that was written or seen as such."""
    observed: bool = False
    """It comes from a dump: nothing is decided for it."""
    node_name: str | None = None
    after: Draft | None = None
    """A StatefulSet makes this pod only when that one runs and is ready."""
    lost: bool = False
    """Its nodeName is no node of the cluster: no scheduler will look at it."""
    evicted: bool = False
    """A pod of higher priority took its place, and nobody makes it anew."""
    pending_reason: str = ""
    pending_mends: tuple[str, ...] = ()
    unready_reason: str = ""
    unready_mend: str = ""
    unready_sure: bool = True
    addresses: tuple[Address, ...] = ()
    phase: PodPhase = PodPhase.PENDING
    ready: bool = False
    terminating: bool = False
    hostname: str | None = None
    subdomain: str | None = None
    decided: dict[str, Origin] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return f"{self.namespace}/{self.name}"

    @property
    def host_network(self) -> bool:
        return flag(self.spec, "hostNetwork") or False

    @property
    def finished(self) -> bool:
        return self.phase.is_final

    @property
    def said(self) -> tuple[object, ...]:
        """All that `finish` looks at."""
        return (
            *(self.manifest, self.spec_path, self.spec, self.containers, self.labels),
            *(self.owner, self.replica, self.observed, self.node_name, self.addresses),
            *(self.phase, self.ready, self.terminating, self.pending_reason, self.unready_reason),
            *(self.hostname, self.subdomain, self.decided, self.pending_mends),
            *(self.unready_mend, self.unready_sure),
        )

    def finish(self) -> Pod:
        """The pod as the other rooms see it."""
        origin = self._origin()
        return Pod(
            namespace=self.namespace,
            name=self.name,
            labels=self.labels,
            containers=self.containers,
            node_name=self.node_name,
            addresses=self.addresses,
            host_address=self.host_address,
            host_network=self.host_network,
            phase=self.phase,
            ready=self.ready,
            terminating=self.terminating,
            pending_reason=self.pending_reason,
            pending_mends=self.pending_mends,
            unready_reason=self.unready_reason,
            unready_mend=self.unready_mend,
            unready_sure=self.unready_sure,
            owner=self.owner,
            service_account=text(self.spec, "serviceAccountName") or "default",
            annotations=told_to_mesh(self.manifest, *self.spec_path[:-1]),
            beside=told_to_mesh(self.manifest) if self.spec_path[:-1] else {},
            hostname=self.hostname,
            subdomain=self.subdomain,
            container_id=sha256(self.key.encode()).hexdigest(),
            dns_policy=text(self.spec, "dnsPolicy") or "ClusterFirst",
            dns_config=_dns_config(self.spec),
            host_aliases=tuple(
                (address, texts(entry, "hostnames"))
                for entry in array(self.spec, "hostAliases")
                for address in addresses((text(entry, "ip"),))
            ),
            enable_service_links=flag(self.spec, "enableServiceLinks") is not False,
            origin=origin,
            origins=Origins(self.manifest, _PATHS, self._decided(origin), self.spec_path),
        )

    @property
    def host_address(self) -> Address | None:
        """status.hostIP, where the input says it."""
        written = text(self.manifest.data, "status", "hostIP")
        return next(iter(addresses((written,))), None) if written else None

    def _origin(self) -> Origin:
        if self.replica is None or self.owner is None:
            return self.manifest.origin(*self.spec_path[:-1])
        kind, name = self.owner
        reason = f"pod {self.replica + 1} made for {kind} {name}"
        return self.manifest.origin(*self.spec_path[:-1], reason=reason)

    def _decided(self, origin: Origin) -> Mapping[str, Origin]:
        decided = {"container_id": _CONTAINER_ID, "name": origin, "labels": origin, **self.decided}
        if self.observed:
            for attribute in ("node_name", "addresses", "phase", "ready", "terminating", "owner"):
                decided.setdefault(attribute, origin)
            return decided
        if self.replica is not None and self.owner and self.owner[0] == "StatefulSet":
            # stateful_set_utils.go initIdentity: hostname is the pod's name, subdomain this.
            decided["subdomain"] = self.manifest.origin("spec", "serviceName")
        if self.replica is not None and "statefulset.kubernetes.io/pod-name" not in self.labels:
            decided["name"] = _NAME
        if self.node_name is None:
            decided["pending_reason"] = _MESSAGE
            return decided
        if self.pending_reason:
            decided.setdefault("pending_reason", _FULL)
        decided["phase"] = decided["ready"] = _RUNS
        decided["addresses"] = _HOST_ADDRESS if self.host_network else _ADDRESS
        if not text(self.spec, "nodeName"):
            decided["node_name"] = _SCHEDULED
        return decided


def _dns_config(spec: Object) -> DnsConfig | None:
    config = table(spec, "dnsConfig")
    if not config:
        return None
    ndots = next(
        (
            text(option, "value")
            for option in array(config, "options")
            if text(option, "name") == "ndots"
        ),
        "",
    )
    return DnsConfig(
        nameservers=addresses(texts(config, "nameservers")),
        searches=texts(config, "searches"),
        ndots=int(ndots[:6]) if ndots.isascii() and ndots.isdigit() else None,
    )
