"""What Istio's sidecar of a client does with what it sends: where it leads, what it speaks.

A VirtualService for the mesh leads who asks its host; where it leads to nobody, the sidecar answers
503. A Sidecar chooses the hosts that it knows; what it does not know it passes on in plain, or with
outboundTrafficPolicy REGISTRY_ONLY not at all (BlackHoleCluster: closed; HTTP: 502). A
DestinationRule says what it speaks. Sources: networking.istio.io references (VirtualService,
DestinationRule, Sidecar, ServiceEntry); pilot/pkg/networking/core (listener_outbound, httproute
buildSidecarOutboundVirtualHosts), pilot/pkg/model/sidecar.go (SidecarScope, ConvertToSidecarScope).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from k8stui.cluster.ingress.subsets import led_nowhere
from k8stui.cluster.mesh.asked import Asked, Met
from k8stui.cluster.mesh.istio_policy import ROOT, strict_for
from k8stui.cluster.mesh.port_protocol import is_tcp
from k8stui.cluster.mesh.proxies import OF_ISTIO, Proxy
from k8stui.cluster.mesh_policy import DestinationTls, Scope, ServiceEntry
from k8stui.cluster.model import Cluster, Lack, Pod
from k8stui.kernel.derived import Derived
from k8stui.kernel.exchange import Result
from k8stui.origin import Origin

_ONLY = "REGISTRY_ONLY"
_EXPORT = "networking.istio.io/exportTo"
_TLS_PORT = 443
_TCP = frozenset({"TCP", "MYSQL", "MONGO", "REDIS"})
_ITS_OWN = frozenset({"SIMPLE", "MUTUAL"})


def cut_off(asked: Asked) -> Met | None:
    """Why the sidecar of a client does not pass on what it sends."""
    client, cluster = asked.client, asked.cluster
    if client is None or asked.out is not Proxy.ISTIO or asked.by_gateway:
        return None
    scope = _scope_of(cluster, client)
    only = _only(cluster, scope)
    if asked.service is not None:
        return (_out_of_scope(asked, scope, only) if scope is not None else None) or _kept_home(
            asked, client, only
        )
    if only is None or (asked.server is not None and not asked.by_address):
        return None
    where = asked.host or str(asked.address or "")
    near = [one for one in _entries(asked, client) if _names(one, asked)]
    if any(asked.port in one.ports for one in near):
        return None
    said = f"the sidecar of {asked.who} passes nothing on to hosts that it does not know"
    if near:
        ports = ", ".join(map(str, near[0].ports)) or "none"
        return asked.reset(
            Lack(
                f"{said} (REGISTRY_ONLY, {only.where}), and ServiceEntry {near[0].namespace}/"
                f"{near[0].name} has no port {asked.port} of {where}; it has {ports}: the "
                "connection is closed (HTTP: 502)",
                f"add port {asked.port} to ServiceEntry {near[0].name}",
                near[0].origin,
            )
        )
    if asked.server is not None:
        why, mend = f"{where} is a pod's own address", "ask a Service in front of the pod"
    else:
        why = f"no ServiceEntry of the input has {where}"
        mend = (
            f"write a ServiceEntry for {where} with port {asked.port} (location: MESH_EXTERNAL), "
            "or outboundTrafficPolicy: {mode: ALLOW_ANY}"
        )
    return asked.reset(
        Lack(
            f"{said} (outboundTrafficPolicy REGISTRY_ONLY), and {why}: the connection is closed "
            "(BlackHoleCluster; HTTP: 502)",
            mend,
            only,
        )
    )


def _out_of_scope(asked: Asked, scope: Scope, only: Origin | None) -> Met | None:
    """Of a Service that the client's Sidecar does not have among its hosts."""
    service, cluster = asked.service, asked.cluster
    if service is None or scope.hosts is None:
        return None
    full = f"{service.name}.{service.namespace}.svc.{cluster.cluster_domain}"
    ports = [
        port for one, port in scope.hosts if _has(one, scope.namespace, service.namespace, full)
    ]
    if None in ports or asked.port in ports:
        return None
    named = f"Sidecar {scope.namespace}/{scope.name}"
    at = f" but at port {ports[0]}" if ports else ""
    said = (
        f"{named} does not have {service.key} among the hosts of its egress{at}, so the sidecar of "
        f"{asked.who} does not know it{' at ' + str(asked.port) if ports else ''}"
    )
    mend = (
        f"take port out of that egress of {named}"
        if ports
        else f"add {service.namespace}/* (or {service.namespace}/{full}) to egress hosts of {named}"
    )
    if only is not None:
        return asked.reset(
            Lack(
                f"{said}, and passes nothing on that it does not know (REGISTRY_ONLY, "
                f"{only.where}): the connection is closed (HTTP: 502)",
                mend,
                scope.hosts_origin,
            )
        )
    server = asked.server
    strict = strict_for(cluster, server, asked.number) if server is not None else None
    if strict is None or asked.into not in OF_ISTIO:
        return None
    return asked.reset(
        Lack(
            f"{said} and passes on in plain what is sent there, and PeerAuthentication "
            f"{strict.namespace}/{strict.name} (STRICT) has the server's take mutual TLS alone: "
            "the connection is reset",
            mend,
            scope.hosts_origin,
        )
    )


def _kept_home(asked: Asked, client: Pod, only: Origin | None) -> Met | None:
    """Of a Service that is not for the client's namespace (networking.istio.io/exportTo)."""
    service, server = asked.service, asked.server
    told = service.annotations.get(_EXPORT) if service is not None else None
    if service is None or told is None:
        return None
    spaces = {one.strip() for one in told.split(",")}
    is_own = client.namespace == service.namespace
    if "*" in spaces or client.namespace in spaces or (is_own and "." in spaces):
        return None
    said = (
        f"Service {service.key} is for {told!r} alone ({_EXPORT}), so the sidecar of {asked.who} "
        "does not know it"
    )
    mend = f"write {_EXPORT}: '*' (or {client.namespace}) at Service {service.name}"
    strict = strict_for(asked.cluster, server, asked.number) if server is not None else None
    if only is not None:
        why = f"{said}, and passes nothing on that it does not know (REGISTRY_ONLY; HTTP: 502)"
    elif strict is not None and asked.into in OF_ISTIO:
        why = (
            f"{said} and passes it on in plain, and PeerAuthentication {strict.namespace}/"
            f"{strict.name} (STRICT) has the server's close it"
        )
    else:
        return None
    return asked.reset(Lack(why, mend, service.origins.get("annotations", service.origin)))


def _has(said: str, own: str, namespace: str, host: str) -> bool:
    """Whether a Sidecar's host (``./*``, ``prod/*``, ``*/reviews.prod.svc…``) means a host."""
    space, _, name = said.partition("/")
    if space == "~" or (space not in ("*", namespace) and not (space == "." and own == namespace)):
        return False
    return name in ("*", host) or (name.startswith("*.") and host.endswith(name[1:]))


def _scope_of(cluster: Cluster, pod: Pod) -> Scope | None:
    """The one that counts: with a selector, its namespace's, the mesh's."""
    mine = [
        one
        for one in cluster.meshes.scopes
        if one.namespace == pod.namespace and one.selector.items() <= pod.labels.items()
    ]
    mine += [one for one in cluster.meshes.scopes if one.namespace == ROOT and not one.selector]
    return next((one for one in mine if one.selector), next(iter(mine), None))


def _only(cluster: Cluster, scope: Scope | None) -> Origin | None:
    """Where it says that what a sidecar does not know it passes on nowhere."""
    if scope is not None and scope.mode:
        return scope.origin if scope.mode == _ONLY else None
    return cluster.meshes.registry_only


def _entries(asked: Asked, client: Pod) -> Iterator[ServiceEntry]:
    for one in asked.cluster.meshes.entries:
        if one.is_everywhere or one.namespace == client.namespace:
            yield one


def _names(entry: ServiceEntry, asked: Asked) -> bool:
    host = asked.host.rstrip(".")
    if any(one == host or (one.startswith("*") and host.endswith(one[1:])) for one in entry.hosts):
        return True
    return asked.address is not None and any(asked.address in one for one in entry.networks)


def entry_misspoken(asked: Asked) -> Met | None:
    """TLS that the client speaks itself, where a ServiceEntry or DestinationRule has it twice."""
    client = asked.client
    speaks_tls = asked.scheme == "https" or (not asked.scheme and asked.port == _TLS_PORT)
    if client is None or asked.out is not Proxy.ISTIO or asked.server is not None or not speaks_tls:
        return None
    for one in _entries(asked, client):
        protocol = one.ports.get(asked.port)
        if protocol is None or not _names(one, asked):
            continue
        rule = next(
            (
                each
                for each in asked.cluster.meshes.destination_tls
                if each.host in one.hosts
                and each.mode in _ITS_OWN
                and each.port in (None, asked.port)
            ),
            None,
        )
        if rule is not None:
            return asked.reset(
                Lack(
                    f"DestinationRule {rule.namespace}/{rule.name} ({rule.mode}) has the client's "
                    f"sidecar speak TLS to {rule.host}, and the client speaks it itself: TLS in "
                    "TLS, which the server does not understand",
                    "ask by plain http (port 80 of the ServiceEntry, with targetPort 443), or take "
                    "tls out of the DestinationRule",
                    rule.origin,
                )
            )
        if protocol.startswith(("HTTP", "GRPC")) and protocol != "HTTPS":
            return asked.reset(
                Lack(
                    f"ServiceEntry {one.namespace}/{one.name} says {protocol} of port "
                    f"{asked.port}, so the client's sidecar reads plain HTTP there, and the client "
                    "speaks TLS: it is not understood, and the connection is closed",
                    "write protocol: TLS (or HTTPS)",
                    one.origin,
                )
            )
    return None


def shares_listener(asked: Asked) -> Met | None:
    """Two ServiceEntries of TCP at one port without addresses: the sidecar has one listener.

    Of pilot's conflicting listeners 0.0.0.0:PORT the first alone stands (listener_outbound.go).
    """
    client = asked.client
    if client is None or asked.out is not Proxy.ISTIO or asked.server is not None:
        return None
    sharing = [
        one
        for one in _entries(asked, client)
        if not one.networks and one.ports.get(asked.port, "") in _TCP
    ]
    own = next((one for one in sharing if _names(one, asked)), None)
    other = next((one for one in sharing if one is not own), None)
    if own is None or other is None:
        return None
    return Met(
        lack=Lack(
            f"ServiceEntries {own.namespace}/{own.name} and {other.namespace}/{other.name} are TCP "
            f"at the same port {asked.port} without addresses, so the sidecar has one listener for "
            f"both, and may lead this connection to {other.hosts[0] if other.hosts else 'it'}",
            "write addresses into both (their own, or made-up ones with DNS proxying: "
            "ISTIO_META_DNS_CAPTURE, ISTIO_META_DNS_AUTO_ALLOCATE)",
            own.origin,
        ),
        result=Result.CONNECTED,
        is_sure=False,
    )


def led_astray(asked: Asked) -> Met | None:
    """Why a VirtualService has the client's sidecar answer 503, whatever is asked."""
    key = asked.service_key or ("" if asked.server is not None else asked.host)
    if asked.out is not Proxy.ISTIO or not key or is_tcp(asked.service_port):
        return None
    if asked.by_gateway:
        return None
    nowhere = led_nowhere(asked.cluster, key, asked.port)
    if nowhere is None:
        return None
    why = f"a VirtualService has the client's sidecar answer 503: {nowhere.why}"
    return asked.met(Lack(why, nowhere.mend, nowhere.origin, "503"), Result.NOT_SERVED)


def spoken_wrongly(asked: Asked) -> Met | None:
    """What a DestinationRule has the client's sidecar speak, and the server does not take."""
    client, server, cluster = asked.client, asked.server, asked.cluster
    if client is None or server is None or asked.out not in OF_ISTIO:
        return None
    told = _tls_to(asked, client) if cluster.meshes.destination_tls else None
    if told is None:
        return None
    is_taken = asked.into in OF_ISTIO
    said = f"DestinationRule {told.namespace}/{told.name} ({told.mode}) has the client's sidecar"
    if told.mode == "ISTIO_MUTUAL" and not is_taken:
        return asked.reset(
            Lack(
                f"{said} speak Istio's mutual TLS, and pod {server.key} has no sidecar that takes "
                "it: 503 (upstream connect error)",
                f"write mode: DISABLE there, or give namespace {server.namespace} a sidecar "
                f"(kubectl label namespace {server.namespace} istio-injection=enabled)",
                told.origin,
            )
        )
    strict = strict_for(cluster, server, asked.number) if is_taken else None
    if told.mode != "ISTIO_MUTUAL" and strict is not None:
        return asked.reset(
            Lack(
                f"{said} speak no mutual TLS of Istio's, and PeerAuthentication "
                f"{strict.namespace}/{strict.name} (STRICT) has that of pod {server.key} take "
                "nothing else: 503 (upstream connect error)",
                "leave tls out of it, or write mode: ISTIO_MUTUAL",
                told.origin,
            )
        )
    return None


def has_own_tls(asked: Asked) -> bool:
    """Whether a DestinationRule has the client's sidecar speak no mutual TLS of Istio's there."""
    told = _tls_to(asked, asked.client) if asked.client is not None else None
    return told is not None and told.mode != "ISTIO_MUTUAL"


def _tls_to(asked: Asked, client: Pod) -> DestinationTls | None:
    """The DestinationRule that counts: of the client's namespace, the Service's, or the mesh's."""
    cluster, found = asked.cluster, _speaking.of(asked.cluster)
    namespace, _, name = asked.service_key.partition("/")
    full = f"{name}.{namespace}.svc.{cluster.cluster_domain}"
    for place in dict.fromkeys((client.namespace, namespace, ROOT)):
        names = {full, f"{name}.{namespace}", *((name,) if place == namespace else ())}
        for host in (*names, *_ends(full)):
            those = found.get((place, host), ())
            own = next((one for one in those if one.port == asked.port), None)
            usual = next((one for one in those if one.port is None), None)
            if own is not None or usual is not None:
                return own or usual
    return None


def _ends(full: str) -> Iterator[str]:
    """``*.NAMESPACE.svc.cluster.local``, …, ``*.local``: the narrowest first."""
    rest = full
    while "." in rest:
        rest = rest.partition(".")[2]
        yield f"*.{rest}"


def _by_host(cluster: Cluster) -> Mapping[tuple[str, str], Sequence[DestinationTls]]:
    found: dict[tuple[str, str], list[DestinationTls]] = {}
    for one in cluster.meshes.destination_tls:
        found.setdefault((one.namespace, one.host), []).append(one)
    return found


_speaking = Derived(_by_host)
