"""Istio's policies keep a request from its Service.

A PeerAuthentication of mode STRICT lets the sidecar of a pod close whatever comes in plain: the
connection is made, and reset at the first data. An AuthorizationPolicy has it answer 403 to those
whom no ALLOW means, or a DENY does; identities (principals, namespaces) are proved by mutual TLS
alone, so a client without a sidecar has none. A DestinationRule may have clients' sidecars speak
what the other side does not take. Whoever is told to ask such a pod (env, command, arguments), or
serves an Ingress that leads there, is judged. And the name of a Service's port (``grpc-``,
``http-``) may have proxies read what is spoken there as another protocol.

Does not apply to clients that nobody is known to be, to ports that annotations take out of the
sidecar's hands (excludeInboundPorts), nor to rules by methods, paths, addresses and tokens. The
walk says it too: as its outcome where the input shows who has a sidecar, else beside it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence

from k8stui.check.calls import behind, of_ingresses, told
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.cluster.endpoints import target as target_of
from k8stui.cluster.ingress.mesh import (
    closed_to,
    has_mesh,
    kept_out,
    spoken_wrongly,
    standing,
    takes,
)
from k8stui.cluster.ingress.port_protocol import misnamed
from k8stui.cluster.model import Pod, Service, ServicePort

ID = "mesh-denial"


def look(ground: Ground) -> Iterator[Finding]:
    cluster = ground.cluster
    said = (cluster.peer_authentications, cluster.authorization_policies, cluster.destination_tls)
    if ground.is_kustomized:  # which sets namespaces, and so who is in the mesh
        return
    yield from _misnamed(ground)
    if not any(said):
        return
    known: set[tuple[str, str]] = set()
    servers: dict[tuple[str, int], Sequence[tuple[Pod, int]]] = {}
    for call in (*told(ground), *of_ingresses(ground)):
        asked = call.service.key, id(call.port)
        if asked not in servers:
            servers[asked] = _unlike(ground, call.service, call.port)
        for pod, number in servers[asked]:
            if (call.client.key, pod.key) in known:
                continue
            asks = cluster, call.client, pod, number
            lack = (
                closed_to(*asks, call.container)
                or kept_out(*asks)
                or spoken_wrongly(*asks, call.service.key)
            )
            if lack is not None:
                known.add((call.client.key, pod.key))
                yield Finding(
                    rule=ID,
                    severity=Severity.WARNING,
                    subject=f"Service {call.service.key}",
                    place=lack.origin.place,
                    why=f"{call.said}: {lack.why}",
                    fix=lack.mend,
                )


def _unlike(ground: Ground, service: Service, port: ServicePort) -> Sequence[tuple[Pod, int]]:
    """Pods behind a Service's port, one of all that the mesh's policies do not tell apart."""
    found: dict[Hashable, tuple[Pod, int]] = {}
    for pod, number in behind(ground, service, port):
        found.setdefault((number, standing(ground.cluster, pod)), (pod, number))
    return tuple(found.values())


def _misnamed(ground: Ground) -> Iterator[Finding]:
    for target in ground.targets if has_mesh(ground.cluster) else ():
        pod = next(iter(ground.selected(target.service)), None)
        number = target_of(target.port, pod) if pod is not None else None
        if pod is not None and number is not None and takes(ground.cluster, pod, number):
            lack = misnamed(target.service, target.port, pod, number)
            if lack is not None:
                yield Finding.of_lack(ID, f"Service {target.service.key}", lack)


RULE = CheckRule(
    id=ID,
    summary="A mesh's policies keep a request from its Service",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
