"""What the client feels, where it was decided, why, and what would mend it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from k8stui.cluster.model import Cluster
from k8stui.kernel.exchange import Exchange, Result
from k8stui.kernel.namespace import NetNamespace
from k8stui.kernel.packet import Protocol
from k8stui.kernel.step import SocketCause, StepKind
from k8stui.origin import Origin, OriginKind, assumed
from k8stui.walk.explain import client_namespace
from k8stui.walk.reason import because
from k8stui.walk.source_seen import source_seen
from k8stui.walk.trace import Outcome, Request

RESULT_WORDS = {
    Result.CONNECTED: "connected",
    Result.DENIED: "denied",
    Result.NOT_SERVED: "not served",
    Result.REFUSED: "refused",
    Result.UNREACHABLE: "unreachable",
    Result.TIMEOUT: "timed out",
    Result.NO_SUCH_NAME: "no such name",
    Result.UNKNOWN: "unknown",
}
"""What the client feels, as one says it."""

_AFTER = {
    Result.TIMEOUT: "connected, but the first data times out",
    Result.REFUSED: "connected, but the connection is reset at the first data",
    Result.UNKNOWN: "connected, but what becomes of the first data is not known",
}
"""What connect() does not tell: by then it has returned."""


def no_such_name(cluster: Cluster, request: Request) -> Outcome:
    """Give the outcome of a name that does not resolve: no packet was ever sent."""
    from k8stui.walk.diagnosis.names import no_such_name as diagnose_name  # noqa: PLC0415 - as below

    found = diagnose_name(cluster, request)
    return Outcome(
        result=Result.NO_SUCH_NAME,
        errno="EAI_NONAME",
        seconds=0.0,
        decided_at=client_namespace(request),
        reason=found.reason,
        server_pod=None,
        server_address=None,
        server_port=None,
        source_seen_by_server=None,
        origin=found.origin or request.origin,
        step=len(request.names) or None,
        advice=found.advice,
    )


def outcome(
    cluster: Cluster,
    network: Mapping[str, NetNamespace],
    request: Request,
    exchange: Exchange,
    numbers: Mapping[int, int],
    *,
    diagnosed: bool = True,
) -> Outcome:
    """Put the kernel's outcome into Kubernetes words. `numbers`: kernel step → walk step."""
    felt = exchange.felt
    reason, advice = felt.reason, ""
    origin = _origin(cluster, exchange)
    if felt.result is Result.CONNECTED:
        reason = source_seen(cluster, exchange) or felt.reason
        if request.protocol is not Protocol.TCP and not reason:
            reason = "answered"
    elif diagnosed:
        # Twenty modules that a walk which arrives does without.
        from k8stui.walk.diagnosis import Case, diagnose  # noqa: PLC0415

        found = diagnose(Case(cluster=cluster, network=network, request=request, exchange=exchange))
        reason, advice = found.reason or felt.reason, found.advice
        # What says that somebody listens there is no cause of a failure; that nothing does, is.
        is_assumed = origin is not None and origin.kind is OriginKind.ASSUMED
        origin = found.origin or (origin if is_assumed else None)
        if absent := _absent(network, exchange):
            reason, advice, origin = absent, "", None
    if felt.established and felt.result is not Result.CONNECTED:
        reason = f"{_AFTER.get(felt.result, _AFTER[Result.UNKNOWN])}: {reason}"
    limits = dict.fromkeys(_cut(network, exchange))
    if limits:
        reason = f"{reason} ({'; '.join(limits)})" if reason else "; ".join(limits)
    return Outcome(
        result=felt.result,
        errno=felt.errno,
        seconds=felt.seconds,
        decided_at=felt.decided_at,
        reason=reason,
        server_pod=_server_pod(cluster, exchange),
        server_address=felt.server_address,
        server_port=felt.server_port,
        source_seen_by_server=felt.source_seen,
        origin=origin,
        step=numbers.get(-1 if felt.deciding_step is None else felt.deciding_step),
        advice=advice,
    )


def _absent(network: Mapping[str, NetNamespace], exchange: Exchange) -> str:
    """That one end of a packet is nowhere where it should be."""
    for step in exchange.steps:
        missing = network[step.namespace].absent
        for address in (step.before.dst, step.before.src) if missing else ():
            if address in missing:
                return missing[address]
    return ""


def _cut(network: Mapping[str, NetNamespace], exchange: Exchange) -> Iterator[str]:
    """Why the rules that were met may not be all, node by node."""
    for name in dict.fromkeys(step.namespace for step in exchange.steps):
        if cut := network[name].rules_cut:
            yield cut.words


def _server_pod(cluster: Cluster, exchange: Exchange) -> str | None:
    """Name the pod that was reached; one with hostNetwork is found by its socket or address."""
    felt = exchange.felt
    if felt.server is None or felt.server in cluster.pods:
        return felt.server
    if felt.server not in cluster.nodes:
        return None
    for step in exchange.steps:
        if step.kind is StepKind.DELIVER and step.namespace == felt.server:
            why = because(step.cause)
            if why is not None and why.pod:
                return why.pod
    return None


def _origin(cluster: Cluster, exchange: Exchange) -> Origin | None:
    """Where it is said what listens (or does not) on the port that was reached."""
    felt = exchange.felt
    socket = None
    for step in exchange.steps:
        if isinstance(step.cause, SocketCause) and step.namespace == felt.server:
            socket = step.cause.socket
            why = because(step.cause)
            if why is not None:
                return why.origin
    if socket is None and felt.result is Result.REFUSED and felt.server in cluster.pods:
        return assumed(f"nothing declares {felt.server_port}")
    return None
