"""Which client address the server saw, and who changed it: the question behind most tickets."""

from __future__ import annotations

from itertools import takewhile

from k8stui.cluster.model import Cluster
from k8stui.kernel.address import Address
from k8stui.kernel.exchange import Exchange
from k8stui.kernel.step import Direction, RuleCause, Step, StepKind
from k8stui.origin import Origin, OriginKind
from k8stui.walk.reason import because, service_of, words
from k8stui.walk.rules_met import MASQUERADING, chain_of, marked_by


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
        f" because {why_masqueraded(cluster, exchange, last)}{_in_vain(cluster, exchange, last)}"
    )


def _in_vain(cluster: Cluster, exchange: Exchange, snat: Step) -> str:
    """That a dump's own rule hides a client which the pod could answer: it is on that node."""
    node, pod = cluster.nodes.get(snat.namespace), cluster.pods.get(exchange.felt.server or "")
    why = because(snat.cause)
    if node is None or pod is None or pod.node_name != node.name or pod.host_network:
        return ""
    if snat.before.src != exchange.steps[0].before.src:
        return ""  # another node has hidden the client before
    if why is None or why.origin.kind is not OriginKind.OBSERVED or marked_before(exchange, snat):
        return ""
    own = next((cidr for cidr in node.pod_cidrs if snat.after.dst in cidr), snat.after.dst)
    return (
        f". It need not: the pod is on {node.name} itself, and its answer comes back there. To "
        f"keep the client's address put -d {own} -j RETURN in front of that rule"
    )


def why_masqueraded(cluster: Cluster, exchange: Exchange, snat: Step) -> str:
    """Why this source was rewritten: the rule that set the mark, or the rewriting rule itself."""
    marking = marked_before(exchange, snat)
    if marking is None:
        return _said(snat) or _by_rule(snat)
    client = exchange.steps[0].namespace
    if exchange.felt.server == client:
        return "the client is its own server (hairpin): else the answer would never leave the pod"
    service = cluster.services.get(service_of(marking.cause) or "")
    chain = marking.cause.chain.name if isinstance(marking.cause, RuleCause) else ""
    if service is not None and chain.startswith(("KUBE-EXT-", "external-")):
        policy = service.external_traffic_policy or "Cluster"
        origin = service.origins.get("external_traffic_policy")
        return f"externalTrafficPolicy is {policy}{_where(origin)}"
    if service is not None and chain.startswith(("KUBE-SVC-", "KUBE-SVL-", "services")):
        return _of_cluster_ip(cluster, client, exchange.steps[0].before.src)
    return _said(marking) or _by_rule(marking)


def _of_cluster_ip(cluster: Cluster, client: str, source: Address) -> str:
    """Why kube-proxy marks what asks a ClusterIP: the client is no pod, or it is taken for none."""
    proxy = cluster.proxy
    if proxy.masquerade_all:
        return f"kube-proxy's masqueradeAll is true{_where(proxy.origins.get('masquerade_all'))}"
    pod = cluster.pods.get(client)
    if pod is not None and not pod.host_network:
        where = _where(proxy.origins.get("cluster_cidr"))
        return (
            f"kube-proxy takes the pod for a stranger: its clusterCIDR {proxy.cluster_cidr}{where} "
            f"does not hold {source}"
            if proxy.cluster_cidr
            else f"kube-proxy takes {source} for no pod's address"
        )
    return "the client is no pod: kube-proxy sees to it that the answer comes back this way"


def marked_before(exchange: Exchange, snat: Step) -> Step | None:
    """Find the rule that had the packet marked, where it is the mark that was masqueraded for.

    A plug-in's own rule (flannel's, ``! -s PODS -d PODS``) asks no mark, and a marking chain that
    somebody has emptied marks nothing.
    """
    if not chain_of(snat).startswith(MASQUERADING) or snat.packet_number != 1:
        return None
    before = takewhile(lambda step: step is not snat, exchange.steps)
    return marked_by([s for s in before if s.namespace == snat.namespace and s.packet_number == 1])


def _said(step: Step) -> str:
    """What the rule's maker says of it; empty for a dump's rule, whose comment is but a name."""
    why = because(step.cause)
    if why is None or why.origin.kind is OriginKind.OBSERVED:
        return ""
    return words(step.cause) if isinstance(step.cause, RuleCause) else ""


def _by_rule(step: Step) -> str:
    """The rule itself, with the line of the dump that has it."""
    cause = step.cause
    if not isinstance(cause, RuleCause) or cause.rule is None:
        return "a rule of POSTROUTING says so"
    comment = words(cause)
    why = because(cause)
    return (
        f"rule {cause.index} of chain {cause.chain.name} says so"
        + (f", {comment}" if comment else "")
        + _where(why.origin if why else None)
    )


def _where(origin: Origin | None) -> str:
    if origin is None:
        return ""
    kind = "" if origin.kind is OriginKind.DECLARED and origin.where else origin.kind.value
    return f" ({'; '.join(part for part in (kind, origin.where) if part)})"


def _who(cluster: Cluster, server: str | None) -> str:
    if server in cluster.pods:
        return "The pod"
    if server in cluster.nodes:
        return f"Node {server}"
    return "The server"
