"""What the input tells meshes: Istio's and Linkerd's objects and annotations → `Meshes`.

Sources: istio.io references (PeerAuthentication, AuthorizationPolicy, DestinationRule, Sidecar,
ServiceEntry, MeshConfig); linkerd.io "Authorization Policy" reference, policy-controller
k8s/index inbound (authorization_policy.rs, server_authorization.rs).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from k8stui.apiserver.fields import Object, array, flag, labels, number, table, text, texts
from k8stui.apiserver.inventory import Inventory, namespace_of
from k8stui.cluster.fields import addresses, prefixes
from k8stui.cluster.mentions import ingress_backends
from k8stui.cluster.mesh_policy import (
    Annotation,
    AuthorizationPolicy,
    Clients,
    DestinationTls,
    LinkerdAuthorization,
    LinkerdServer,
    Meshes,
    MeshRule,
    MeshSource,
    Network,
    PeerAuthentication,
    Scope,
    ServiceEntry,
    told_to_mesh,
)
from k8stui.kernel.address import Prefix
from k8stui.manifests import Manifest
from k8stui.manifests.embedded import embedded
from k8stui.origin import Origin
from k8stui.whole import whole

_USE = "istio.io/use-waypoint"
_OF_IDENTITY = "serviceaccount.identity.linkerd.cluster.local"
_ONLY = "REGISTRY_ONLY"
_NGINX = "nginx.ingress.kubernetes.io/"


def meshes(inventory: Inventory) -> Meshes:
    """All that the input says."""
    return Meshes(
        peer_authentications=tuple(_peer_authentications(inventory)),
        authorization_policies=tuple(_authorization_policies(inventory)),
        destination_tls=tuple(_destination_tls(inventory)),
        scopes=tuple(map(_scope, inventory.of("Sidecar").values())),
        entries=tuple(map(_entry, inventory.of("ServiceEntry").values())),
        registry_only=_registry_only(inventory),
        trust_domain=_trust_domain(inventory),
        waypoints=dict(_waypoints(inventory)),
        by_service=frozenset(_by_service(inventory)),
        servers=tuple(_servers(inventory)),
        authorizations=(*_server_authorizations(inventory), *_authorizations(inventory)),
        default_policy=_default_policy(inventory),
        namespaces={
            name: told
            for name, one in inventory.of("Namespace").items()
            if (told := told_to_mesh(one))
        },
    )


def _peer_authentications(inventory: Inventory) -> Iterator[PeerAuthentication]:
    for one in inventory.of("PeerAuthentication").values():
        ports = table(one.data, "spec", "portLevelMtls")
        yield PeerAuthentication(
            namespace=namespace_of(one),
            name=one.name,
            selector=labels(one.data, "spec", "selector", "matchLabels"),
            mode=text(one.data, "spec", "mtls", "mode"),
            ports={
                number: text(said, "mode")
                for port, said in ports.items()
                if (number := whole(str(port))) is not None
            },
            origin=one.origin("spec"),
            ports_origin=one.origin("spec", *(("portLevelMtls",) if ports else ())),
        )


def _authorization_policies(inventory: Inventory) -> Iterator[AuthorizationPolicy]:
    for one in inventory.of("AuthorizationPolicy").values():
        rules = array(one.data, "spec", "rules")
        single = table(one.data, "spec", "targetRef")
        targets = (*array(one.data, "spec", "targetRefs"), *([single] if single else []))
        yield AuthorizationPolicy(
            namespace=namespace_of(one),
            name=one.name,
            selector=labels(one.data, "spec", "selector", "matchLabels"),
            targets=tuple((text(each, "kind"), text(each, "name")) for each in targets),
            action=text(one.data, "spec", "action") or "ALLOW",
            rules=tuple(map(_rule, rules)),
            origin=one.origin("spec", *(("rules",) if rules else ())),
            targets_origin=one.origin("spec", *(("targetRefs",) if targets and not single else ())),
        )


_OF_HTTP = frozenset({"methods", "notMethods", "paths", "notPaths", "hosts", "notHosts"})
_OF_SOURCES = frozenset(
    {"principals", "namespaces", "notPrincipals", "notNamespaces", "ipBlocks", "notIpBlocks"}
)
_OF_TOKENS = frozenset({"requestPrincipals", "notRequestPrincipals"})


def _rule(said: object) -> MeshRule:
    operations = [table(one, "operation") for one in array(said, "to")]
    conditions = [text(one, "key") for one in array(said, "when")]
    return MeshRule(
        sources=tuple(_source(table(one, "source")) for one in array(said, "from")),
        ports=tuple(port for one in operations for port in texts(one, "ports")),
        not_ports=tuple(port for one in operations for port in texts(one, "notPorts")),
        has_more=bool(conditions) or any(set(one) - {"ports", "notPorts"} for one in operations),
        by_http=any(not _OF_HTTP.isdisjoint(one) for one in operations)
        or any(key.startswith("request.") for key in conditions),
    )


def _source(said: Object) -> MeshSource:
    return MeshSource(
        principals=texts(said, "principals"),
        namespaces=texts(said, "namespaces"),
        not_principals=texts(said, "notPrincipals"),
        not_namespaces=texts(said, "notNamespaces"),
        networks=_prefixes(texts(said, "ipBlocks")),
        not_networks=_prefixes(texts(said, "notIpBlocks")),
        has_more=bool(set(said) - _OF_SOURCES),
        by_http=not _OF_TOKENS.isdisjoint(said),
    )


def _destination_tls(inventory: Inventory) -> Iterator[DestinationTls]:
    for one in inventory.of("DestinationRule").values():
        policy = ("spec", "trafficPolicy")
        said: list[tuple[int | None, tuple[str | int, ...]]] = [(None, (*policy, "tls", "mode"))]
        for index, each in enumerate(array(one.data, *policy, "portLevelSettings")):
            port = number(each, "port", "number")
            said.append((port, (*policy, "portLevelSettings", index, "tls", "mode")))
        for port, path in said:
            mode = text(one.data, *path)
            if mode:
                yield DestinationTls(
                    namespace=namespace_of(one),
                    name=one.name,
                    host=text(one.data, "spec", "host"),
                    mode=mode,
                    port=port,
                    origin=one.origin(*path),
                )


def _scope(one: Manifest) -> Scope:
    egress = array(one.data, "spec", "egress")
    mode = text(one.data, "spec", "outboundTrafficPolicy", "mode")
    told = "outboundTrafficPolicy" in table(one.data, "spec")
    where = ("spec", "outboundTrafficPolicy", "mode") if mode else ("spec",)
    return Scope(
        namespace=namespace_of(one),
        name=one.name,
        selector=labels(one.data, "spec", "workloadSelector", "labels"),
        hosts=tuple(
            (host, number(each, "port", "number"))
            for each in egress
            for host in texts(each, "hosts")
        )
        if egress
        else None,
        # A policy without a mode: the field's default (REGISTRY_ONLY, the enum's 0).
        mode=mode or (_ONLY if told else ""),
        origin=one.origin(*where),
        hosts_origin=one.origin("spec", *(("egress", 0, "hosts") if egress else ())),
    )


def _entry(one: Manifest) -> ServiceEntry:
    exported = texts(one.data, "spec", "exportTo")
    own = (text(each, "address") for each in array(one.data, "spec", "endpoints"))
    written = (*texts(one.data, "spec", "addresses"), *own)
    return ServiceEntry(
        namespace=namespace_of(one),
        name=one.name,
        hosts=texts(one.data, "spec", "hosts"),
        networks=_prefixes(written),
        ports={
            port: text(each, "protocol").upper()
            for each in array(one.data, "spec", "ports")
            if (port := number(each, "number")) is not None
        },
        is_everywhere=not exported or "*" in exported,
        origin=one.origin("spec", "hosts"),
    )


def _mesh_configs(inventory: Inventory) -> Iterator[Manifest]:
    """MeshConfig is data.mesh of ConfigMap istio, of any revision."""
    for one in inventory.of("ConfigMap").values():
        if one.name == "istio" or one.name.startswith("istio-"):
            yield from embedded(one, "mesh")


def _trust_domain(inventory: Inventory) -> str:
    return next(filter(None, (text(m.data, "trustDomain") for m in _mesh_configs(inventory))), "")


def _registry_only(inventory: Inventory) -> Origin | None:
    """As MeshConfig says, or an IstioOperator, which makes it."""
    for mesh in _mesh_configs(inventory):
        if text(mesh.data, "outboundTrafficPolicy", "mode") == _ONLY:
            return mesh.origin("outboundTrafficPolicy", "mode")
    for one in inventory.of("IstioOperator").values():
        path = ("spec", "meshConfig", "outboundTrafficPolicy", "mode")
        if text(one.data, *path) == _ONLY:
            return one.origin(*path)
    return None


def _waypoints(inventory: Inventory) -> Iterator[tuple[str, str]]:
    """A label of a namespace, or of a Service, which may say ``none``; the Gateway has to exist."""
    known = {
        key
        for key, one in inventory.of("Gateway").items()
        if text(one.data, "spec", "gatewayClassName") == "istio-waypoint"
    }
    for kind in ("Namespace", "Service"):
        for key, one in inventory.of(kind).items():
            told = labels(one.data, "metadata", "labels")
            own = one.name if kind == "Namespace" else namespace_of(one)
            name = told.get(_USE, "")
            place = f"{told.get(f'{_USE}-namespace', own)}/{name}"
            if name:
                yield key, place if place in known else ""


def _by_service(inventory: Inventory) -> Iterator[str]:
    for one in inventory.of("Ingress").values():
        told = table(one.data, "metadata", "annotations")
        if told.get(f"{_NGINX}service-upstream") == "true" and f"{_NGINX}upstream-vhost" in told:
            for path, name_path in ingress_backends(one):
                yield f"{namespace_of(one)}/{text(one.data, *path, *name_path)}"


def _servers(inventory: Inventory) -> Iterator[LinkerdServer]:
    routes: dict[str, list[str]] = {}
    for kind in ("Linkerd HTTPRoute", "HTTPRoute", "GRPCRoute"):
        for key, route in inventory.of(kind).items():
            for parent in array(route.data, "spec", "parentRefs"):
                if text(parent, "kind") == "Server":
                    name = f"{namespace_of(route)}/{text(parent, 'name')}"
                    routes.setdefault(name, []).append(key)
    for key, one in inventory.of("Server").items():
        yield LinkerdServer(
            namespace=namespace_of(one),
            name=one.name,
            labels=labels(one.data, "metadata", "labels"),
            selector=table(one.data, "spec", "podSelector"),
            port=number(one.data, "spec", "port") or text(one.data, "spec", "port") or None,
            protocol=text(one.data, "spec", "proxyProtocol"),
            policy=text(one.data, "spec", "accessPolicy") or "deny",
            routes=tuple(routes.get(key, ())),
            origin=one.origin("spec"),
            port_origin=one.origin("spec", "port"),
        )


def _server_authorizations(inventory: Inventory) -> Iterator[LinkerdAuthorization]:
    for one in inventory.of("ServerAuthorization").values():
        server, client = table(one.data, "spec", "server"), table(one.data, "spec", "client")
        tls, space = table(client, "meshTLS"), namespace_of(one)
        accounts = tuple(
            f"{text(each, 'name')}.{text(each, 'namespace') or space}.{_OF_IDENTITY}"
            for each in array(tls, "serviceAccounts")
        )
        anybody = flag(client, "unauthenticated") or flag(tls, "unauthenticatedTLS")
        networks = tuple(_networks(array(client, "networks")))
        yield LinkerdAuthorization(
            kind=one.kind,
            namespace=space,
            name=one.name,
            server=text(server, "name") or None,
            selector=table(server, "selector") if "selector" in server else None,
            clients=(
                Clients(
                    networks=networks or None,
                    identities=None if anybody else (*texts(tls, "identities"), *accounts),
                    origin=one.origin("spec", "client"),
                ),
            ),
            origin=one.origin("spec"),
        )


def _authorizations(inventory: Inventory) -> Iterator[LinkerdAuthorization]:
    for one in inventory.of("Linkerd AuthorizationPolicy").values():
        target, space = table(one.data, "spec", "targetRef"), namespace_of(one)
        kind = text(target, "kind")
        required = array(one.data, "spec", "requiredAuthenticationRefs")
        yield LinkerdAuthorization(
            kind="AuthorizationPolicy",
            namespace=space,
            name=one.name,
            server=text(target, "name") if kind == "Server" else None,
            selector={} if kind == "Namespace" else None,
            route=text(target, "name") if kind.endswith("Route") else "",
            clients=tuple(
                _required(inventory, each, space, one.origin(*where))
                for index, each in enumerate(required)
                if (where := ("spec", "requiredAuthenticationRefs", index))
            ),
            origin=one.origin("spec"),
        )


def _required(inventory: Inventory, said: object, own: str, origin: Origin) -> Clients:
    kind, name = text(said, "kind"), text(said, "name")
    space = text(said, "namespace") or own
    if kind == "ServiceAccount":
        return Clients(identities=(f"{name}.{space}.{_OF_IDENTITY}",), origin=origin)
    one = inventory.of(kind).get(f"{space}/{name}") if kind.endswith("Authentication") else None
    if one is None:
        there = (key.partition("/") for key in inventory.of(kind))
        own_names = tuple(each for place, _, each in there if place == space)
        return Clients(missing=f"{kind} {space}/{name}", there=own_names, origin=origin)
    if kind == "NetworkAuthentication":
        networks = tuple(_networks(array(one.data, "spec", "networks")))
        return Clients(networks=networks, origin=one.origin("spec", "networks"))
    referred = (
        f"*.{text(each, 'name')}.{_OF_IDENTITY}"
        if text(each, "kind") == "Namespace"
        else f"{text(each, 'name')}.{text(each, 'namespace') or space}.{_OF_IDENTITY}"
        for each in array(one.data, "spec", "identityRefs")
    )
    field = "identities" if texts(one.data, "spec", "identities") else "identityRefs"
    return Clients(
        identities=(*texts(one.data, "spec", "identities"), *referred),
        origin=one.origin("spec", field),
    )


def _networks(said: Sequence[object]) -> Iterator[Network]:
    for each in said:
        for prefix in _prefixes((text(each, "cidr"),)):
            yield Network(prefix=prefix, but=_prefixes(texts(each, "except")))


def _prefixes(written: tuple[str, ...]) -> tuple[Prefix, ...]:
    """Addresses alone count too."""
    alone = (Prefix.of(one, one.bits) for one in addresses(written))
    return (*prefixes(tuple(one for one in written if "/" in one)), *alone)


def _default_policy(inventory: Inventory) -> Annotation | None:
    """Of the values that Linkerd's chart keeps in ConfigMap linkerd-config."""
    for one in inventory.of("ConfigMap").values():
        if one.name == "linkerd-config":
            for values in embedded(one, "values"):
                for path in (("proxy", "defaultInboundPolicy"),
                             ("policyController", "defaultAllowPolicy")):  # fmt: skip
                    if said := text(values.data, *path):
                        return Annotation(said, values.origin(*path))
    return None
