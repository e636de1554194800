"""What the input tells service meshes, decoded: Istio's and Linkerd's own kinds and annotations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from k8stui.apiserver.fields import table
from k8stui.kernel.address import Prefix
from k8stui.origin import Origin
from k8stui.record import record

if TYPE_CHECKING:
    from k8stui.manifests import Manifest

ANNOTATIONS = (
    "traffic.sidecar.istio.io/", "sidecar.istio.io/", "proxy.istio.io/",
    "linkerd.io/", "config.linkerd.io/",
    "k8s.v1.cni.cncf.io/network", "vpc.amazonaws.com/pod-eni",
)  # fmt: skip
"""What annotations begin with that tell a mesh something, or of a pod's other networks."""


@record()
class Annotation:
    """One that tells a mesh something."""

    value: str
    origin: Origin = field(compare=False)


def told_to_mesh(one: Manifest, *base: str | int) -> dict[str, Annotation]:
    """Those of an object, or of the template of pods at `base` in it."""
    path = (*base, "metadata", "annotations")
    return {
        name: Annotation(str(value), one.origin(*path, name))
        for name, value in table(one.data, *path).items()
        if isinstance(name, str) and name.startswith(ANNOTATIONS)
    }


@record(kw_only=True)
class PeerAuthentication:
    """Who of Istio's mesh takes mutual TLS (security.istio.io)."""

    namespace: str
    name: str
    selector: Mapping[str, str]
    """Labels of the pods that it is for; empty: all of its namespace, or of the mesh."""
    mode: str
    """STRICT, PERMISSIVE, DISABLE; empty, UNSET: as the wider one says."""
    ports: Mapping[int, str]
    """Modes of single ports, of the pods' own numbers."""
    origin: Origin
    ports_origin: Origin


@record(kw_only=True)
class MeshSource:
    """One of the sources that an AuthorizationPolicy's rule means."""

    principals: tuple[str, ...]
    namespaces: tuple[str, ...]
    not_principals: tuple[str, ...] = ()
    not_namespaces: tuple[str, ...] = ()
    networks: tuple[Prefix, ...] = ()
    """``ipBlocks``; none at all: any address."""
    not_networks: tuple[Prefix, ...] = ()
    has_more: bool = False
    """Whether it says what is not judged here: what proxies in front say of addresses."""
    by_http: bool = False
    """Whether it says what only HTTP shows: a token's subject."""

    @property
    def is_blank(self) -> bool:
        """Whether it says nothing to who reads no HTTP."""
        return self.by_http and not (
            self.principals or self.namespaces or self.not_principals or self.not_namespaces
            or self.networks or self.not_networks
        )  # fmt: skip


@record(kw_only=True)
class MeshRule:
    """A rule of an AuthorizationPolicy: any of its sources, any of its ports."""

    sources: tuple[MeshSource, ...]
    """None at all: everybody."""
    ports: tuple[str, ...]
    """None at all: every port."""
    not_ports: tuple[str, ...]
    has_more: bool
    """Whether it says more than sources and ports: conditions."""
    by_http: bool = False
    """Whether it says what only HTTP shows: methods, paths, hosts, headers."""

    @property
    def is_blank(self) -> bool:
        """Likewise, of all of it."""
        return self.reads_http and not self.ports and all(one.is_blank for one in self.sources)

    @property
    def reads_http(self) -> bool:
        """Whether nobody can judge it who does not read HTTP."""
        return self.by_http or any(one.by_http for one in self.sources)


@record(kw_only=True)
class AuthorizationPolicy:
    """Who of Istio's mesh is let in (security.istio.io)."""

    namespace: str
    name: str
    selector: Mapping[str, str]
    """Labels of the pods that it is for; empty: all of its namespace, or of the mesh."""
    targets: tuple[tuple[str, str], ...] = ()
    """(kind, name) of what a waypoint or gateway judges by it instead: Services, Gateways."""
    action: str
    """ALLOW, DENY, and others, which are not judged."""
    rules: tuple[MeshRule, ...]
    origin: Origin
    targets_origin: Origin


@record(kw_only=True)
class DestinationTls:
    """What a DestinationRule has the sidecars of clients speak to a host (networking.istio.io)."""

    namespace: str
    name: str
    host: str
    """A Service's name, short or in full; or ``*.`` and what names end in."""
    mode: str
    """ISTIO_MUTUAL, DISABLE, SIMPLE, MUTUAL."""
    port: int | None = None
    """Of the Service; None: every one of which nothing else is said."""
    origin: Origin


@record(kw_only=True)
class Scope:
    """Which hosts the sidecars of some pods know: a Sidecar of Istio's."""

    namespace: str
    name: str
    selector: Mapping[str, str]
    """Empty: all pods of its namespace, or of the mesh."""
    hosts: tuple[tuple[str, int | None], ...] | None
    """``NAMESPACE/HOST``, each with the port at which alone it is known; None: all."""
    mode: str
    """ALLOW_ANY, REGISTRY_ONLY; empty: as the mesh has it."""
    origin: Origin
    hosts_origin: Origin


@record(kw_only=True)
class ServiceEntry:
    """Hosts outside that Istio's sidecars know."""

    namespace: str
    name: str
    hosts: tuple[str, ...]
    networks: tuple[Prefix, ...]
    """``addresses``, and those of its endpoints."""
    ports: Mapping[int, str]
    """The protocol of each."""
    is_everywhere: bool
    """Whether it is for other namespaces too (``exportTo``)."""
    origin: Origin


@record(kw_only=True)
class LinkerdServer:
    """A port of some pods whose clients are chosen (policy.linkerd.io, Server)."""

    namespace: str
    name: str
    labels: Mapping[str, str]
    selector: object
    """A LabelSelector."""
    port: int | str | None
    protocol: str
    """``proxyProtocol``; empty: it is found out."""
    policy: str
    """``accessPolicy``: for whom no authorization means."""
    routes: tuple[str, ...]
    """HTTPRoutes and GRPCRoutes of it: requests are let in by those."""
    origin: Origin
    port_origin: Origin


@record(kw_only=True)
class Network:
    """A range of addresses, and what of it is not meant."""

    prefix: Prefix
    but: tuple[Prefix, ...]


@record(kw_only=True)
class Clients:
    """Whom one authentication means: all that it says has to hold."""

    networks: tuple[Network, ...] | None = None
    """None: any."""
    identities: tuple[str, ...] | None = None
    """``*`` in front; None: who has none, too."""
    missing: str = ""
    """What is named and not there: it means nobody."""
    there: tuple[str, ...] = ()
    """The names of those that there are instead."""
    origin: Origin


@record(kw_only=True)
class LinkerdAuthorization:
    """Who is let in to a Server: a ServerAuthorization, or an AuthorizationPolicy."""

    kind: str
    namespace: str
    name: str
    server: str | None
    """Its name; None: those that `selector` chooses."""
    selector: object
    """A LabelSelector for Servers; None: it is for a route alone."""
    route: str = ""
    """The route, by its name."""
    clients: tuple[Clients, ...]
    """All have to mean the client; empty: everybody."""
    origin: Origin


@record(kw_only=True)
class Meshes:
    """All of it."""

    peer_authentications: tuple[PeerAuthentication, ...] = ()
    authorization_policies: tuple[AuthorizationPolicy, ...] = ()
    destination_tls: tuple[DestinationTls, ...] = ()
    scopes: tuple[Scope, ...] = ()
    entries: tuple[ServiceEntry, ...] = ()
    trust_domain: str = ""
    """Of Istio's identities, by MeshConfig; empty: cluster.local, or nobody knows."""
    registry_only: Origin | None = None
    """Where MeshConfig says that sidecars pass nothing on to hosts that they do not know."""
    waypoints: Mapping[str, str] = field(default_factory=dict)
    """By ``namespace/name`` of a Service, and by a namespace: the waypoint's."""
    by_service: frozenset[str] = frozenset()
    """Services that ingress-nginx asks as such, by a host of the cluster (service-upstream,
    upstream-vhost), where else it asks their pods by their addresses."""
    servers: tuple[LinkerdServer, ...] = ()
    authorizations: tuple[LinkerdAuthorization, ...] = ()
    default_policy: Annotation | None = None
    """``defaultInboundPolicy`` of Linkerd's own values."""
    namespaces: Mapping[str, Mapping[str, Annotation]] = field(default_factory=dict)
    """Annotations of namespaces that tell a mesh something."""
