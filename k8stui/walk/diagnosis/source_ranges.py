"""loadBalancerSourceRanges does not let the client in: kube-proxy drops.

pkg/proxy/iptables/proxier.go (KUBE-PROXY-FIREWALL, KUBE-FW-); older ones drop in nat by
KUBE-MARK-DROP. pkg/proxy/nftables/proxier.go (firewall-): before DNAT.
"""

from __future__ import annotations

from k8stui.kernel.step import StepKind
from k8stui.walk.diagnosis.case import Case, Diagnosis
from k8stui.walk.diagnosis.owners import pod_range
from k8stui.walk.rules_met import chain_of, sent_to_be_dropped

_DROPPING = ("KUBE-PROXY-FIREWALL", "firewall-")


def outside_the_source_ranges(case: Case) -> Diagnosis | None:
    """Recognise the drop of what a Service's source ranges do not let in."""
    step, service = case.decided, case.service
    if step is None or service is None or not service.load_balancer_source_ranges:
        return None
    marked = sent_to_be_dropped(case.asked)
    by_mark = marked is not None and chain_of(marked).startswith("KUBE-FW-")
    by_rule = step.kind is StepKind.DROP and chain_of(step).startswith(_DROPPING)
    if not (by_mark or by_rule):
        return None
    client = case.exchange.steps[0].before.src
    ranges = ", ".join(text.strip() for text in service.load_balancer_source_ranges)
    pod = case.client
    port = case.service_port
    inside = f"svc/{service.name}:{port.port}" if port else f"svc/{service.name}"
    if pod is not None and not pod.host_network:
        advice = (
            f"ask the ClusterIP instead ({inside}), or add the pods' range "
            f"{pod_range(case, client)} to loadBalancerSourceRanges: pods do not leave the cluster "
            "for a load balancer's address, so their own addresses count"
        )
    else:
        advice = f"add {client}/{client.bits}, or its network, to loadBalancerSourceRanges"
    return Diagnosis(
        f"loadBalancerSourceRanges of Service {service.key} lets in {ranges or 'nobody'} only, and "
        f"{client}{f' (pod {pod.key})' if pod else ''} is not in it",
        advice,
        service.origins.get("load_balancer_source_ranges", service.origin),
    )
