"""What a mesh's proxies do with a connection that arrives: their policies tell, and no packet."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from k8stui.cluster.ingress.mesh import (
    closed_to,
    is_early,
    kept_out,
    shows_sidecar,
    sidecar_of,
    spoken_wrongly,
    strict_for,
    takes,
)
from k8stui.kernel.exchange import Result
from k8stui.kernel.packet import Protocol
from k8stui.walk.answered import decided_by_process

if TYPE_CHECKING:
    from k8stui.cluster.model import Cluster, Pod
    from k8stui.walk.trace import Request, Trace

_RESET, _DENIED = (Result.REFUSED, "ECONNRESET"), (Result.DENIED, None)


def met_mesh(cluster: Cluster, request: Request, trace: Trace) -> Trace:
    """The trace as the client feels it, whose connection gets to a pod of a mesh.

    A proxy takes it, so connect() returns; then it is reset, or answered 403 (RBAC: access denied)
    or 503. Where the input does not show who has a proxy, the trace says so and nothing more.
    """
    done = trace.outcome
    server = cluster.pods.get(done.server_pod or "")
    if server is None or done.server_port is None or done.result is not Result.CONNECTED:
        return trace
    client = cluster.pods.get(request.connect.namespace if request.connect is not None else "")
    if client is server or request.protocol is not Protocol.TCP:
        return trace
    asks = cluster, client, server, done.server_port
    felt: tuple[Result, str | None] = _RESET
    container = next(iter(request.source.split("/", 3)[3:]), "")
    early = client is not None and is_early(cluster, client, container)
    lack = closed_to(*asks, container)
    if lack is None:
        lack, felt = kept_out(*asks), _DENIED
    if lack is None:
        lack, felt = spoken_wrongly(*asks, request.service or ""), _RESET
    if lack is None:
        said = _by_address(cluster, client, server, request, done.server_port)
        return replace(trace, assumptions=(*trace.assumptions, said)) if said else trace
    known = all(sidecar_of(cluster, one) is not None for one in (server, client) if one is not None)
    if known and not (early and client is not None and not shows_sidecar(client)):
        return decided_by_process(trace, lack, *felt)
    where = f"{lack.origin.where}: " if lack.origin.where else ""
    said = f"the connection alone: {where}{lack.why}. What mends it: {lack.mend}"
    return replace(trace, assumptions=(*trace.assumptions, said))


def _by_address(
    cluster: Cluster, client: Pod | None, server: Pod, request: Request, port: int
) -> str:
    """One in the mesh who asks a pod's own address speaks plain.

    That is no host which its sidecar knows (PassthroughCluster), but for a headless Service's pods.
    """
    strict = strict_for(cluster, server, port) if cluster.peer_authentications else None
    if client is None or strict is None or not takes(cluster, server, port):
        return ""
    if request.service is not None or any(
        one.headless and one.selector and one.selector.items() <= server.labels.items()
        for one in cluster.services.values()
        if one.namespace == server.namespace
    ):
        return ""
    return (
        f"the connection alone: a pod's own address is no host that the sidecar of {client.key} "
        f"knows, so it passes that on in plain, and PeerAuthentication {strict.namespace}/"
        f"{strict.name} (STRICT, {strict.origin.where}) has the server's close it (reset): ask a "
        "Service in front of the pod, or its name below a headless one"
    )
