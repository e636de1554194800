"""A policy of Local, and no endpoint on the node that was asked: kube-proxy drops."""

from __future__ import annotations

from k8stui.kernel.compile import compile_rule
from k8stui.kernel.step import RuleCause, StepKind
from k8stui.walk.diagnosis.case import Case, Diagnosis
from k8stui.walk.reason import because, origin_of
from k8stui.walk.rules_met import sent_to_be_dropped

OVERRIDE_MEND = (
    "leave hostnameOverride empty and start kube-proxy with --hostname-override=$(NODE_NAME) "
    "(fieldRef spec.nodeName), or write the Node's own name"
)


def no_local_endpoint(case: Case) -> Diagnosis | None:
    """Recognise kube-proxy's "has no local endpoints" rule (proxier.go syncProxyRules)."""
    step, rule, service = case.decided, case.rule, case.service
    marked = sent_to_be_dropped(case.asked)
    if marked is not None and isinstance(marked.cause, RuleCause):
        rule = marked.cause
    if step is None or rule is None or rule.rule is None or service is None:
        return None
    why = because(rule)
    setting = (why.setting if why else None) or ""
    if step.kind is not StepKind.DROP or not (
        (not rule.is_nft and "no local endpoints" in compile_rule(rule.rule.text).comment)
        or "TrafficPolicy: Local" in setting
    ):
        return None
    nodes = sorted({e.node_name for e in case.endpoints if e.ready and e.node_name})
    internal = service.internal_traffic_policy == "Local" and "internal" in setting.lower()
    if not internal and service.external_traffic_policy != "Local":
        internal = True
    policy = "internalTrafficPolicy" if internal else "externalTrafficPolicy"
    proxy = case.cluster.proxy
    if step.namespace in nodes and not proxy.hostname_override:
        return Diagnosis(
            f"{policy} of Service {service.key} is Local, and the rules of {step.namespace} know "
            "no endpoint of its own, though one is there: they are older than it, or kube-proxy "
            f"goes by another name than {step.namespace} (hostnameOverride, --hostname-override)",
            f"look at kube-proxy's log on {step.namespace} and restart it; where that does not "
            f"help, {OVERRIDE_MEND}",
            origin_of(rule),
        )
    if step.namespace in nodes:
        return Diagnosis(
            f"{policy} of Service {service.key} is Local, and kube-proxy takes no endpoint for one "
            f"of {step.namespace}: it goes by the name {proxy.hostname_override} "
            "(hostnameOverride), and endpoints by the Node's",
            OVERRIDE_MEND,
            proxy.origins["hostname_override"],
        )
    ask = f"ask {_either(nodes)}, or " if nodes and not internal else ""
    return Diagnosis(
        reason=f"{policy} of Service {service.key} is Local, and {step.namespace} has no endpoint "
        "of it" + (f" ({_has(nodes)})" if nodes else ""),
        advice=f"{ask}set {policy}: Cluster"
        + ("" if internal else ", which hides the client's address from the pod")
        + f"; or run one of its pods on {step.namespace} too",
        origin=service.origins.get(
            "internal_traffic_policy" if internal else "external_traffic_policy", service.origin
        ),
    )


def _either(nodes: list[str]) -> str:
    return nodes[0] if len(nodes) == 1 else f"{', '.join(nodes[:-1])} or {nodes[-1]}"


def _has(nodes: list[str]) -> str:
    *most, last = nodes
    return f"{', '.join(most)} and {last} have" if most else f"{last} has"
