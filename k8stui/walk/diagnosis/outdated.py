"""kube-proxy's rules in a dump say something else of a Service than the cluster does."""

from __future__ import annotations

from k8stui.kernel.step import StepKind
from k8stui.walk.diagnosis.case import Case, Diagnosis
from k8stui.walk.reason import origin_of

_KUBE_PROXYS = ("KUBE-SERVICES", "KUBE-EXTERNAL-SERVICES", "KUBE-NODEPORTS", "KUBE-SVL", "KUBE-SVC")
"""Where kube-proxy rejects or drops for want of endpoints; KUBE-ROUTER- and KUBE-POD-FW- are not
its own."""
_KUBE_PROXYS_NFT = ("service-endpoints-check", "nodeport-endpoints-check", "reject-chain")
"""The same in mode nftables."""


def outdated_rules(case: Case) -> Diagnosis | None:
    """Recognise a rule of kube-proxy's that turns a Service's packets away for no reason left."""
    step, rule, service = case.decided, case.rule, case.service
    if step is None or rule is None or rule.rule is None or service is None:
        return None
    writes = _KUBE_PROXYS_NFT if rule.is_nft else _KUBE_PROXYS
    kubes = rule.chain.name.startswith(writes) and step.kind in (
        StepKind.DROP,
        StepKind.REJECT,
    )
    ready = [endpoint for endpoint in case.endpoints if endpoint.ready and endpoint.addresses]
    if not kubes or not ready:
        return None
    names = ", ".join(dict.fromkeys(e.pod or str(e.addresses[0]) for e in ready[:3]))
    return Diagnosis(
        f"kube-proxy's rule {rule.index} of chain {rule.chain.name} on {step.namespace} turns away "
        f"what asks Service {service.key}, which has endpoints ({names}): its rules there are "
        "older than the endpoints",
        f"look whether kube-proxy runs on {step.namespace} and what its log says, and take the "
        "dump again",
        origin_of(rule),
    )
