"""Proxies that look at a client's first bytes to tell its protocol, where the server speaks first.

Istio's waits for ever (meshConfig.protocolDetectionTimeout, 0) at a port whose protocol the Service
does not say, but for the well-known ones; and where plain text and mutual TLS are both taken
(PERMISSIVE) at any. Linkerd's waits 10 s, where nothing says that the port is opaque: for the
client's proxy the Service's annotation or appProtocol, for the server's the pod's. Sources:
istio.io "Protocol Selection", FAQ "MySQL connectivity troubleshooting"; pkg/config/kube/
conversion.go (wellKnownPorts); linkerd.io "TCP Proxying and Protocol Detection".
"""

from __future__ import annotations

from k8stui.cluster.mesh.asked import Asked, Met
from k8stui.cluster.mesh.istio_policy import authentications_of
from k8stui.cluster.mesh.port_protocol import WELL_KNOWN, said_of
from k8stui.cluster.mesh.proxies import Proxy, in_ports, told_of
from k8stui.cluster.mesh.server_first import spoken_first
from k8stui.cluster.mesh_policy import Annotation
from k8stui.cluster.model import Lack
from k8stui.cluster.selectors import matches
from k8stui.kernel.exchange import Result

_OPAQUE = "config.linkerd.io/opaque-ports"
_USUAL = "25,587,3306,4444,5432,6379,9300,11211"
_LINKERD_SECONDS = 10.0
_GIVES_UP = 10.0
"""Seconds after which a client stops waiting for a greeting, as MySQL's (connect_timeout)."""


def waits(asked: Asked) -> Met | None:
    """Why a proxy waits for what the client does not send before the server has spoken."""
    if Proxy.LINKERD in (asked.out, asked.into):
        return _by_linkerd(asked)
    if Proxy.ISTIO in (asked.out, asked.into) and asked.server is not None:
        return _by_istio(asked)
    return None


def _by_istio(asked: Asked) -> Met | None:
    server, port = asked.server, asked.service_port
    protocol = spoken_first(server, asked.number, port)
    if not protocol or server is None or port is None:
        return None
    said = said_of(port)
    is_told = bool(said) or port.port in WELL_KNOWN
    field = "app_protocol" if port.app_protocol else "name"
    if not is_told:
        who = f"the sidecar of {asked.who}" if asked.out is Proxy.ISTIO else "the server's sidecar"
        return asked.met(
            Lack(
                f"port {port.port} of Service {asked.service_key} does not say its protocol (name "
                f"{port.name!r}), so {who} waits for the client's first bytes to tell it, and in "
                f"{protocol} the server speaks first: both wait, no greeting ever comes",
                f"write appProtocol: tcp at that port (or name it tcp-{port.name or 'db'})",
                port.origins.get(field, port.origin),
            ),
            Result.TIMEOUT,
            None,
            _GIVES_UP,
        )
    if asked.into is Proxy.ISTIO and asked.out not in (Proxy.ISTIO, Proxy.ZTUNNEL):
        modes = [
            one.ports.get(asked.number) or one.mode
            for one in authentications_of(asked.cluster, server)
        ]
        mode = next((one for one in modes if one not in ("", "UNSET")), "PERMISSIVE")
        if mode == "PERMISSIVE" and asked.is_sure:
            return asked.met(
                Lack(
                    f"the sidecar of pod {server.key} takes plain text and mutual TLS (PERMISSIVE) "
                    f"and waits for the client's first bytes to tell which; {asked.who} has no "
                    f"sidecar, and in {protocol} the server speaks first: both wait",
                    "give the client a sidecar, or write a PeerAuthentication for the pod with "
                    f"portLevelMtls: {{{asked.number}: {{mode: DISABLE}}}}, or the annotation "
                    f'traffic.sidecar.istio.io/excludeInboundPorts: "{asked.number}"',
                    port.origins.get(field, port.origin),
                ),
                Result.TIMEOUT,
                None,
                _GIVES_UP,
            )
    return None


def _by_linkerd(asked: Asked) -> Met | None:
    server, port, number = asked.server, asked.service_port, asked.number
    protocol = spoken_first(server, number, port)
    if not protocol or server is None:
        return None
    end = (
        f"to tell the protocol, and in {protocol} the server speaks first: each connection waits "
        f"{_LINKERD_SECONDS:g} s, then it is passed on as TCP"
    )
    opaque = f'config.linkerd.io/opaque-ports: "{number}"'
    service = asked.service
    if asked.out is Proxy.LINKERD and service is not None and port is not None:
        if port.app_protocol or _opaque_for_service(asked, port.port) or (
            service.headless and _opaque_for_pod(asked)
        ):  # fmt: skip
            return None
        told = service.annotations.get(_OPAQUE)
        instead = f" ({told!r} takes the place of the usual ones)" if told is not None else ""
        return asked.met(
            Lack(
                f"port {port.port} is not among the opaque ports of Service {service.key}{instead},"
                f" so the Linkerd proxy of {asked.who} waits for the client's first bytes {end}",
                f'annotate Service {service.name} config.linkerd.io/opaque-ports: "{port.port}" '
                "(and its pods, for clients without a proxy)",
                port.origins.get("port", port.origin),
            ),
            Result.CONNECTED,
            None,
            _LINKERD_SECONDS,
        )
    if asked.into is Proxy.LINKERD and not _opaque_for_pod(asked):
        known = told_of(asked.cluster, server, _OPAQUE)
        return asked.met(
            Lack(
                f"port {number} is not among the opaque ports of pod {server.key}, so its Linkerd "
                f"proxy waits for the client's first bytes {end}",
                f"annotate the pods' template {opaque}",
                known.origin if known is not None else server.origin,
            ),
            Result.CONNECTED,
            None,
            _LINKERD_SECONDS,
        )
    return None


def _opaque_for_service(asked: Asked, number: int) -> bool:
    """Its own annotation, else its namespace's, in the place of the usual ones."""
    service = asked.service
    told = service.annotations.get(_OPAQUE) if service is not None else None
    if told is None and service is not None:
        space = asked.cluster.meshes.namespaces.get(service.namespace, {}).get(_OPAQUE)
        told = space.value if space is not None else None
    return in_ports(_USUAL if told is None else told, number)


def _opaque_for_pod(asked: Asked) -> bool:
    server = asked.server
    if server is None:
        return False
    for one in asked.cluster.meshes.servers:
        if (
            one.namespace == server.namespace
            and one.protocol in ("opaque", "TLS")
            and one.port == asked.number
            and matches(one.selector, server.labels)
        ):
            return True
    told: Annotation | None = told_of(asked.cluster, server, _OPAQUE)
    return in_ports(_USUAL if told is None else told.value, asked.number)
