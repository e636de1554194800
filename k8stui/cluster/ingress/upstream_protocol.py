"""Whether an ingress controller speaks TLS to a Service that expects it, and only to such a one.

None looks at what the Service's port is called (Traefik does); each has an annotation of its own
and reads no other's. Sources: ingress-nginx docs/user-guide/nginx-configuration/annotations
(backend-protocol, ssl-passthrough); NGINX's kubernetes-ingress, nginx.org/ssl-services; HAProxy
Technologies' server-ssl; AWS Load Balancer Controller, alb.ingress.kubernetes.io/backend-protocol.
"""

from __future__ import annotations

from collections.abc import Mapping

from k8stui.apiserver.fields import at, table
from k8stui.cluster.mentions import Path
from k8stui.cluster.model import Cluster, Entrance, EntrancePath, Lack, Service, ServicePort
from k8stui.manifests import Manifest
from k8stui.record import record

OF_KUBERNETES, OF_NGINX = "k8s.io/ingress-nginx", "nginx.org/ingress-controller"
PREFIX_OF_KUBERNETES, PREFIX_OF_NGINX = "nginx.ingress.kubernetes.io/", "nginx.org/"
TLS_NUMBERS = frozenset({443, 6443, 8443, 9443})
_PLAIN_NUMBERS = frozenset({80, 3000, 5000, 8000, 8080, 8888, 9090})
_TLS_PROTOCOLS = frozenset({"HTTPS", "GRPCS"})
_OPEN = frozenset({"AUTO_HTTP", "FCGI"})
"""Protocols of ingress-nginx that are right whatever the back end speaks, or no matter of TLS."""
_SNIPPET = "proxy_pass"


@record()
class _Means:
    """How a controller is told to speak TLS to a Service."""

    prefix: str
    """Of its annotations."""
    key: str
    value: str
    """What is to be written; ``{}``: the Service's name."""
    grpc: tuple[str, str] = ("", "")
    """The same for gRPC; empty: it is not judged."""


_MEANS = {
    OF_KUBERNETES: _Means(
        PREFIX_OF_KUBERNETES, "backend-protocol", "HTTPS", ("backend-protocol", "GRPC")
    ),
    OF_NGINX: _Means(PREFIX_OF_NGINX, "ssl-services", "{}", ("grpc-services", "{}")),
    "haproxy.org/ingress-controller/haproxy": _Means("haproxy.org/", "server-ssl", '"true"'),
    "ingress.k8s.aws/alb": _Means("alb.ingress.kubernetes.io/", "backend-protocol", "HTTPS"),
}
_PROTOCOL_KEYS = ("backend-protocol", "ssl-services", "server-ssl", "secure-backends")


def misspoken(
    manifest: Manifest, path: Path, service: Service, asked: object, controller: str
) -> Lack | None:
    """Why a back end of an Ingress does not understand its controller; None: nothing says so.

    `path`: the back end's; `asked`: the Service's port as it is named there.
    """
    means = _MEANS.get(controller)
    port = next((one for one in service.ports if asked in (one.port, one.name)), None)
    if means is None or port is None:
        return None
    notes = table(manifest.data, "metadata", "annotations")
    if _is_grpc(port) and means.grpc[0] and not _is_told_of_grpc(notes, service):
        key, value = means.grpc[0], means.grpc[1].format(service.name)
        return Lack(
            f"its controller speaks HTTP/1.1 to port {port.port} of Service {service.key}, which "
            "by its name is gRPC's (HTTP/2): 502 Bad Gateway",
            f"annotate it {means.prefix}{key}: {value} (and give it tls: clients of gRPC need "
            "HTTP/2 to the controller too)",
            manifest.origin(*path),
            "502",
        )
    told = _told(notes, means, service)
    expects = _expects_tls(port)
    if told is None or expects is None or told is expects:
        return None
    name = f"port {port.port} of Service {service.key}"
    key = means.prefix + means.key
    if not expects:
        return Lack(
            f"its controller speaks TLS to {name} ({means.key}), and by its name and number that "
            "answers plain HTTP: 502 Bad Gateway",
            f"take annotation {key} away, or name a port of the Service that takes TLS",
            manifest.origin("metadata", "annotations", key),
            "502",
        )
    value = means.value.format(service.name)
    other = next((k for k in notes if k != key and k.endswith(_PROTOCOL_KEYS)), "")
    unread = f" ({other} is another controller's annotation, which this one does not read)"
    return Lack(
        f"its controller speaks plain HTTP to {name}, which by its name and number expects TLS: "
        f"400 or 502 Bad Gateway{unread if other else ''}",
        f"annotate it {key}: {value}, or name a port of the Service that takes plain HTTP",
        manifest.origin("metadata", "annotations", other) if other else manifest.origin(*path),
        "400 or 502",
    )


def plain_to_tls(cluster: Cluster, entrance: Entrance, path: EntrancePath) -> Lack | None:
    """Why a Service does not understand an Istio gateway, which has ended TLS; None: it may.

    The gateway speaks TLS to it where a DestinationRule says so (networking.istio.io,
    ClientTLSSettings).
    """
    service = cluster.services.get(path.service)
    if service is None or path.speaks_tls or not entrance.owner.startswith("VirtualService "):
        return None
    port = path.port_of(service)
    if port is None or not _expects_tls(port):
        return None
    return Lack(
        f"the gateway speaks plain HTTP to port {port.port} of Service {service.key}, which by its "
        "name and number expects TLS, and no DestinationRule has it speak that (400 or 503)",
        f"write a DestinationRule for host {service.name} with trafficPolicy.tls.mode: SIMPLE, or "
        "lead to a port of plain HTTP",
        path.port_origin,
        "400 or 503",
    )


def _told(notes: Mapping[str, object], means: _Means, service: Service) -> bool | None:
    """Whether the controller is told to speak TLS; None: it depends."""
    mine = {
        key.removeprefix(means.prefix): str(value)
        for key, value in notes.items()
        if key.startswith(means.prefix)
    }
    if mine.get("ssl-passthrough") == "true" or any(_SNIPPET in value for value in mine.values()):
        return None
    if mine.get("secure-backends") == "true" or mine.get("server-ssl") == "true":
        return True
    if "ssl-services" in mine:
        return service.name in map(str.strip, mine["ssl-services"].split(","))
    protocol = mine.get("backend-protocol", service.annotations.get(means.prefix + means.key, ""))
    said = protocol.strip().upper()
    return None if said in _OPEN else said in _TLS_PROTOCOLS


def _expects_tls(port: ServicePort) -> bool | None:
    """As its names and numbers have it, all of one mind; None: they are not, or say nothing.

    A Service's port 443 with a plain number behind it is mostly a load balancer's, which ends TLS.
    """
    target = port.target_port
    words = [port.name, port.app_protocol or "", target if isinstance(target, str) else ""]
    tls = any(word.lower().startswith("https") for word in words)
    plain = any(word.lower() in ("http", "web") or word.startswith("http-") for word in words)
    if isinstance(target, int):
        if target in TLS_NUMBERS:
            return None if plain else True
        if target in _PLAIN_NUMBERS:
            return False if not tls and (plain or target == 80) and port.port != 443 else None
    return tls if tls is not plain else None


def _is_grpc(port: ServicePort) -> bool:
    words = (port.name, port.app_protocol or "", str(port.target_port))
    return any(word.lower() == "grpc" or word.lower().startswith("grpc-") for word in words) and (
        "web" not in port.name
    )


def _is_told_of_grpc(notes: Mapping[str, object], service: Service) -> bool:
    """Whether anything of it says so, in whatever way: a protocol, a snippet, passthrough."""
    said = [*notes.items(), *service.annotations.items()]
    return any(
        "grpc" in f"{key} {value}".lower() or key.endswith(("ssl-passthrough", "h2c"))
        for key, value in said
    )


def port_of(backend: Mapping[str, object]) -> object:
    """The Service's port that a back end of an Ingress names: its number or its name."""
    return (
        at(backend, "service", "port", "number")
        or at(backend, "service", "port", "name")
        or backend.get("servicePort")
    )
