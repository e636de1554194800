"""Which client address the server saw, and who changed it: the question behind most tickets."""

from __future__ import annotations

from k8stui.cluster.model import Cluster
from k8stui.kernel.exchange import Exchange
from k8stui.kernel.step import Direction, RuleCause, Step, StepKind
from k8stui.origin import Origin, OriginKind
from k8stui.walk.reason import service_of, words
from k8stui.walk.sentence import target_of

_MARKING = "KUBE-MARK-MASQ"


def source_seen(cluster: Cluster, exchange: Exchange) -> str:
    """One sentence about the source address; empty when no server was reached."""
    felt = exchange.felt
    if felt.source_seen is None or not exchange.steps:
        return ""
    server = _who(cluster, felt.server)
    sent = exchange.steps[0].before.src
    snats = [
        s
        for s in exchange.steps
        if s.kind is StepKind.SNAT
        and s.direction is Direction.FORWARD
        and s.packet_number == 1
        and s.before.src != s.after.src
    ]
    if not snats:
        if felt.source_seen == sent:
            return f"{server} sees the client's own address ({sent})"
        return f"{server} sees {felt.source_seen}"
    last = snats[-1]
    device = f"{last.namespace} ({felt.source_seen})"
    return (
        f"{server} sees {device}, not the client: masqueraded on {last.namespace}"
        f" because {why_masqueraded(cluster, exchange, last)}"
    )


def why_masqueraded(cluster: Cluster, exchange: Exchange, snat: Step) -> str:
    """Why this source was rewritten: the rule that set the mark, or the rewriting rule itself."""
    marking = _marking(exchange, snat)
    if marking is None:
        return _said(snat) or "a rule of POSTROUTING says so"
    client = exchange.steps[0].namespace
    if exchange.felt.server == client:
        return "the client is its own server (hairpin): else the answer would never leave the pod"
    service = cluster.services.get(service_of(marking.cause) or "")
    chain = marking.cause.chain.name if isinstance(marking.cause, RuleCause) else ""
    if service is not None and chain.startswith("KUBE-EXT-"):
        policy = service.external_traffic_policy or "Cluster"
        origin = service.origins.get("external_traffic_policy")
        return f"externalTrafficPolicy is {policy}{_where(origin)}"
    if service is not None and chain.startswith(("KUBE-SVC-", "KUBE-SVL-")):
        return "the client is no pod: kube-proxy sees to it that the answer comes back this way"
    return _said(marking) or "a rule marked it for masquerade"


def _marking(exchange: Exchange, snat: Step) -> Step | None:
    """Find the last jump to KUBE-MARK-MASQ on the node that masquerades, before it does."""
    found = None
    for step in exchange.steps:
        if step is snat:
            break
        cause = step.cause
        if (
            step.namespace == snat.namespace
            and step.packet_number == 1
            and isinstance(cause, RuleCause)
            and cause.rule is not None
            and target_of(cause.rule.text) == _MARKING
        ):
            found = step
    return found


def _said(step: Step) -> str:
    return words(step.cause) if isinstance(step.cause, RuleCause) else ""


def _where(origin: Origin | None) -> str:
    if origin is None:
        return ""
    place = f"{origin.place.file}:{origin.place.line}" if origin.place is not None else ""
    kind = "" if origin.kind is OriginKind.DECLARED and place else origin.kind.value
    return f" ({'; '.join(part for part in (kind, place) if part)})"


def _who(cluster: Cluster, server: str | None) -> str:
    if server in cluster.pods:
        return "The pod"
    if server in cluster.nodes:
        return f"Node {server}"
    return "The server"
