"""What Istio's proxies take a Service's port for, and what is spoken there.

They go by appProtocol, else by the port's name up to its first hyphen (istio.io, "Protocol
Selection"); what they take for HTTP they read, and gRPC and http2 are HTTP/2 to the server.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.cluster.ingress.upstream_protocol import TLS_NUMBERS
from k8stui.cluster.mesh.proxies import containers_of
from k8stui.cluster.model import Lack, Pod, Service, ServicePort
from k8stui.cluster.programs.images import image_word
from k8stui.kernel.packet import Protocol

_HTTP = frozenset({"http", "http2", "grpc", "kubernetes.io/h2c"})
_HTTP2 = frozenset({"http2", "grpc", "kubernetes.io/h2c"})
_TLS = frozenset({"https", "tls", "ssl"})
_DATABASES = {
    "mysql": "mysql", "mariadb": "mysql", "percona": "mysql", "postgres": "tcp",
    "postgresql": "tcp", "redis": "redis", "mongo": "mongo", "mongodb": "mongo", "rabbitmq": "tcp",
    "kafka": "tcp", "cp-kafka": "tcp", "zookeeper": "tcp", "memcached": "tcp", "nats": "tcp",
    "cassandra": "tcp", "cockroach": "tcp", "oracle": "tcp", "mssql": "tcp", "scylla": "tcp",
    "pgbouncer": "tcp", "pgpool": "tcp", "proxysql": "mysql", "valkey": "redis",
}  # fmt: skip
"""By the image's name, and what their ports are to be called."""
_ASIDE = frozenset({8080, 8222, 9090, 15672, 15692})
"""Where some of them serve HTTP: consoles, metrics, monitoring."""
_PLAIN = frozenset({"nginx", "nginx-unprivileged", "httpd", "wordpress", "whoami", "http-echo"})
"""Images that speak HTTP/1.1 in plain, as they come."""


_TCP = frozenset({"tcp", "tls", "https", "ssl", "mysql", "redis", "mongo", "postgres", "udp"})
WELL_KNOWN = frozenset({25, 53, 3306, 27017})
"""Taken for TCP's (pkg/config/kube/conversion.go wellKnownPorts)."""
_KNOWN = _HTTP | _TCP | {"http-web", "grpc-web", "kubernetes.io/ws", "kubernetes.io/wss"}


def said_of(port: ServicePort) -> str:
    """The protocol that a port says; empty: none that Istio knows, it is found out."""
    said = (port.app_protocol or port.name.partition("-")[0]).lower()
    return said if said in _KNOWN else ""


def is_tcp(port: ServicePort | None) -> bool:
    """Whether no proxy reads HTTP at a port: its name, or that of a well-known one, says so."""
    return port is not None and said_of(port) in _TCP


def reads_no_http(port: ServicePort | None) -> bool:
    """As `is_tcp`, or one of the ports that are taken for TCP's where nothing says otherwise."""
    return is_tcp(port) or (port is not None and not said_of(port) and port.port in WELL_KNOWN)


def misnamed(service: Service, port: ServicePort, server: Pod, number: int) -> Lack | None:
    """Why the proxies do not understand what is spoken at a port; None: nothing says so.

    `number`: at the server.
    """
    said = (port.app_protocol or port.name.partition("-")[0]).lower()
    if port.protocol is not Protocol.TCP or said not in _HTTP:
        return None
    field = "app_protocol" if port.app_protocol else "name"
    origin = port.origins.get(field, port.origin)
    where = (
        f"port {port.port} of Service {service.key} says {said} ({port.app_protocol or port.name})"
    )
    rest = port.name.partition("-")[2]
    also = next((one for one in port.name.lower().split("-") if one in _TLS), "")
    if also or number in TLS_NUMBERS:
        why = f"its name says {also} too" if also else f"the pods' port {number} is TLS's"
        return Lack(
            f"{where}, so Istio's proxies read it in plain, and {why}: who speaks TLS there is not "
            "understood (503, or a handshake that fails)",
            "let the name begin in https- or tls-, or write appProtocol: https",
            origin,
            "503",
        )
    for image in _images(server, number):
        if image in _DATABASES and number not in _ASIDE:
            to = _DATABASES[image]
            named = f"{to}-{rest or image}" if rest or to != image else to
            return Lack(
                f"{where}, so Istio's proxies read it as that, and {image} of pod {server.key} "
                "speaks a protocol of its own: the connection is closed or waits for ever",
                f"name it {named}, or write appProtocol: {to}",
                origin,
                "503",
            )
        if image in _PLAIN and said in _HTTP2:
            return Lack(
                f"{where}, so Istio's proxies speak HTTP/2 to it, and {image} of pod {server.key} "
                "speaks HTTP/1.1: 503 (upstream connect error)",
                f"name it http{f'-{rest}' if rest else ''}, or write appProtocol: http",
                origin,
                "503",
            )
    return None


def _images(pod: Pod, number: int) -> Iterator[str]:
    """Of the containers that declare the port; else of the one that there is beside the proxy."""
    each = [*containers_of(pod)]
    declaring = [one for one in each if any(port.number == number for port in one.ports)]
    for one in declaring or (each if len(each) == 1 else ()):
        yield image_word(one.image)
