"""What a mesh's proxies do with a connection that arrives: their policies tell, and no packet."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from k8stui.cluster.mesh.asked import Asked
from k8stui.cluster.mesh.met import met
from k8stui.cluster.mesh.proxies import Proxy, has_mesh, proxy_of
from k8stui.cluster.mesh.unenforced import unenforced_for
from k8stui.kernel.exchange import Result
from k8stui.kernel.packet import Protocol
from k8stui.walk.answered import decided_by_process

if TYPE_CHECKING:
    from k8stui.cluster.model import Cluster
    from k8stui.walk.trace import Request, Trace


def met_mesh(cluster: Cluster, request: Request, trace: Trace) -> Trace:
    """The trace as the client feels it, whose connection gets to a pod, or leaves one, of a mesh.

    A proxy takes it, so connect() returns; then it is reset, or answered 403 (RBAC: access denied)
    or 503, or waits. Where the input does not show who has a proxy, the trace says so and nothing
    more.
    """
    done, connect = trace.outcome, request.connect
    if done.result is not Result.CONNECTED or request.protocol is not Protocol.TCP:
        return trace
    if connect is None or not has_mesh(cluster):
        return trace
    server = cluster.pods.get(done.server_pod or "")
    client = cluster.pods.get(connect.namespace)
    number = connect.port if server is None else done.server_port
    if number is None or client is server or (server is None and done.decided_at in cluster.nodes):
        return trace
    found = met(
        Asked(
            cluster,
            client,
            server,
            number,
            service=request.service or "",
            container=next(iter(request.source.split("/", 3)[3:]), ""),
            port=connect.port,
            host=request.host,
            address=connect.destination,
            scheme=request.scheme,
        )
    )
    if found is None:
        service = request.service or ""
        idle = [*unenforced_for(cluster, server, service)] if server is not None else []
        lack = cluster.unheeded_routes.get(service) if service not in cluster.mesh_routes else None
        if lack is not None and client is not None and proxy_of(cluster, client) is Proxy.ISTIO:
            idle.append(lack)
        notes = (f"{one.origin.where}: {one.why}. What mends it: {one.mend}" for one in idle)
        return replace(trace, assumptions=(*trace.assumptions, *notes))
    lack = found.lack
    if found.is_sure and found.result is not Result.CONNECTED:
        made = decided_by_process(trace, lack, found.result, found.errno)
        return replace(made, outcome=replace(made.outcome, seconds=found.seconds or done.seconds))
    where = f"{lack.origin.where}: " if lack.origin.where else ""
    alone = "" if found.result is Result.CONNECTED else "the connection alone: "
    said = f"{alone}{where}{lack.why}. What mends it: {lack.mend}"
    if not found.is_sure or found.result is not Result.CONNECTED:
        return replace(trace, assumptions=(*trace.assumptions, said))
    reason = (
        f"{done.reason.rstrip('.')}. Its first answer comes {found.seconds:g} s late: {lack.why}"
    )
    outcome = replace(
        done, seconds=done.seconds + found.seconds, reason=reason, origin=lack.origin,
        advice=lack.mend,
    )  # fmt: skip
    return replace(trace, outcome=outcome)
