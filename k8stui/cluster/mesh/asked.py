"""A connection that a mesh may meet, and what becomes of it."""

from __future__ import annotations

from functools import cached_property

from k8stui.cluster.endpoints import target
from k8stui.cluster.mesh.proxies import (
    INJECT,
    MODE,
    SIDECAR,
    Proxy,
    asks_for_sidecar,
    early,
    istio_told,
    passed_by,
    proxy_of,
    sends,
    shows_proxy,
    takes,
    told_of,
)
from k8stui.cluster.model import Cluster, Container, Lack, Pod, Service, ServicePort
from k8stui.cluster.programs.images import bare_image, is_gateway
from k8stui.kernel.address import Address
from k8stui.kernel.exchange import Result
from k8stui.record import record


@record(kw_only=True)
class Met:
    """What a proxy makes of a connection: it is no packet that tells."""

    lack: Lack
    result: Result
    errno: str | None = None
    seconds: float = 0.0
    is_sure: bool = True
    """Whether the input shows who has a proxy."""


class Asked:
    """Who asks whom; what the proxies between them are, looked at once."""

    def __init__(
        self,
        cluster: Cluster,
        client: Pod | None,
        server: Pod | None,
        number: int,
        *,
        service: str = "",
        container: str = "",
        port: int | None = None,
        host: str = "",
        address: Address | None = None,
        scheme: str = "",
    ) -> None:
        """`client` None: no pod; `server` None: nobody of the cluster.

        `number`: at the server. `service`: ``namespace/name`` of the one that was asked, empty: an
        address. `container`: which of the client's asks, where that is known. `port`: that the
        client asks; None: as the Service has it. `host`, `address`: as the client writes it, and
        what it becomes.
        """
        self.cluster, self.client, self.server, self.number = cluster, client, server, number
        self.service_key, self.container, self.host = service, container, host
        self.address, self.scheme, self._port = address, scheme, port

    @cached_property
    def service(self) -> Service | None:
        return self.cluster.services.get(self.service_key)

    @cached_property
    def service_port(self) -> ServicePort | None:
        """The port of the Service that was asked; None: there is none, or nobody knows which."""
        ports = self.service.ports if self.service is not None else ()
        if self._port is not None:
            return next((one for one in ports if one.port == self._port), None)
        server = self.server
        if server is None:
            return None
        leading = [one for one in ports if target(one, server) == self.number]
        return leading[0] if len(leading) == 1 else None

    @property
    def port(self) -> int:
        """That the client asks."""
        one = self.service_port
        return self._port or (one.port if one is not None else self.number)

    @cached_property
    def early(self) -> Container | None:
        """The client's container, where it ends before its pod's proxy starts."""
        client = self.client
        return early(self.cluster, client, self.container) if client is not None else None

    @cached_property
    def out(self) -> Proxy:
        """Whose proxy takes what the client sends."""
        if self.client is None or self.early is not None:
            return Proxy.NONE
        return sends(self.cluster, self.client, self.address, self.port)

    @cached_property
    def into(self) -> Proxy:
        """Whose proxy takes what comes to the server."""
        return Proxy.NONE if self.server is None else takes(self.cluster, self.server, self.number)

    @cached_property
    def is_sure(self) -> bool:
        """Whether the input shows who has a proxy."""
        both = (one for one in (self.client, self.server) if one is not None)
        if any(proxy_of(self.cluster, one) is Proxy.UNKNOWN for one in both):
            return False
        client = self.client
        return self.early is None or (client is not None and shows_proxy(client) is not None)

    @cached_property
    def by_address(self) -> bool:
        """Whether Istio's sidecar of the client knows no host there: a pod's own address.

        But for a headless Service's pods, it passes that on in plain (PassthroughCluster). So does
        an ingress-nginx ask, and by a host that is none of the cluster.
        """
        if self.server is None or self.out is not Proxy.ISTIO:
            return False
        if self.service_key and not self.by_nginx:
            return False
        labels, namespace = self.server.labels, self.server.namespace
        return not any(
            one.headless and one.selector and one.selector.items() <= labels.items()
            for one in self.cluster.services.values()
            if one.namespace == namespace
        )

    @cached_property
    def by_nginx(self) -> bool:
        """Whether it is an ingress-nginx that asks a Service's pods by their addresses."""
        client, known = self.client, self.cluster.meshes.by_service
        return client is not None and self.service_key not in known and any(
            bare_image(one.image).endswith("ingress-nginx/controller") for one in client.containers
        )  # fmt: skip

    @cached_property
    def by_gateway(self) -> bool:
        """Whether it is Istio's gateway that asks: by its own routes, out of no Sidecar's scope."""
        client = self.client
        return client is not None and any(map(is_gateway, client.containers))

    @property
    def who(self) -> str:
        """The client, in words."""
        return f"pod {self.client.key}" if self.client is not None else "who asks"

    @property
    def why_plain(self) -> str:
        """Why nothing that is the client's speaks mutual TLS for it, and who that is."""
        client = self.client
        if self.early is not None:
            return (
                f"init container {self.early.name} of {self.who}, which ends before the proxy "
                "starts, has none that speaks it"
            )
        if client is not None:
            told = passed_by(self.cluster, client, self.address, self.port)
            if told is not None:
                where = told.origin.where
                return (
                    f"{self.who} has its own proxy passed by ({told.value!r} of an annotation, "
                    f"{where})"
                )
        return f"{self.who} has none that speaks it{self._misplaced}"

    @property
    def _misplaced(self) -> str:
        """Where a proxy is asked for in vain: at the workload, as a label of the namespace."""
        client = self.client
        if client is None:
            return ""
        for name in (INJECT, SIDECAR):
            told = client.beside.get(name)
            if told is not None and told.value in ("enabled", "true"):
                kind = client.owner[0] if client.owner is not None else "workload"
                return (
                    f" ({name}: {told.value} stands at the {kind} itself, {told.origin.where}, and "
                    "is read in its pods' template alone)"
                )
        if INJECT in self.cluster.namespace_labels.get(client.namespace, {}):
            return (
                f" (namespace {client.namespace} has {INJECT} as a label, and Linkerd reads the "
                "annotation)"
            )
        return ""

    @property
    def joining(self) -> str:
        """What gives the client a proxy of the server's mesh."""
        client = self.client
        if client is None:
            return "ask from a pod of the mesh"
        space, spaces = client.namespace, self.cluster.namespace_labels
        if "itself" in self._misplaced:
            return "move that annotation into spec.template.metadata.annotations"
        if self.into is Proxy.LINKERD:
            told = client.annotations.get(INJECT)
            if told is not None and told.value != "enabled":
                return f"write {INJECT}: enabled ({told.value} stands at {told.origin.where})"
            if space in self.cluster.meshes.namespaces and told_of(self.cluster, client, INJECT):
                return f"restart the pods of {space}, which were started before it was annotated"
            return f"kubectl annotate namespace {space} {INJECT}=enabled and restart its pods"
        if self.into is Proxy.ZTUNNEL:
            return f"kubectl label namespace {space} {MODE}=ambient"
        if istio_told(client) == "false":
            return f"take sidecar.istio.io/inject: false from pod {client.key}"
        if asks_for_sidecar(self.cluster, space):
            return f"restart the pods of {space}, which were started before it was labelled"
        server = self.server.namespace if self.server is not None else ""
        revision = spaces.get(server, {}).get("istio.io/rev")
        label = f"istio.io/rev={revision}" if revision else "istio-injection=enabled"
        return f"kubectl label namespace {space} {label} and restart its pods"

    def met(
        self, lack: Lack, result: Result, errno: str | None = None, seconds: float = 0.0
    ) -> Met:
        return Met(lack=lack, result=result, errno=errno, seconds=seconds, is_sure=self.is_sure)

    def reset(self, lack: Lack) -> Met:
        """Connected, and closed at the first data (HTTP: 503)."""
        return self.met(lack, Result.REFUSED, "ECONNRESET")

    def denied(self, lack: Lack) -> Met:
        """Connected, and answered 403 (RBAC: access denied)."""
        return self.met(lack, Result.DENIED)
