"""Pods that cannot reach themselves through their own Service: hairpin mode is off.

When kube-proxy picks the client itself as endpoint, the frame has to leave the bridge by the port
it came in by, and that takes hairpin mode (net/bridge/br_forward.c should_deliver).

Asks the bridge ports as they stand on the nodes, modelled or of a dump, and not what made them so.
One finding for all Services. Does not apply to pods on their node's network.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.check.claim import Claim
from k8stui.check.client import pod_source
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground, service_target
from k8stui.cluster.model import Pod, Service

ID = "hairpin"


def look(ground: Ground) -> Iterator[Finding]:
    affected = [
        (service, pod) for service in ground.services for pod in _cut_off(ground, service)[:1]
    ]
    if not affected:
        return
    first, pod = affected[0]
    more = f" (and {len(affected) - 1} more Services)" if len(affected) > 1 else ""
    yield Finding(
        rule=ID,
        severity=Severity.WARNING,
        subject=f"Service {first.key}",
        place=first.origin.place,
        why=f"its pods cannot reach themselves through it{more}: hairpin mode of the bridge ports "
        "is off",
        fix="switch hairpin mode on (hairpinMode: true in the CNI configuration)",
        claim=Claim(pod_source(pod), service_target(first, first.ports[0]), some=True),
    )


def _cut_off(ground: Ground, service: Service) -> list[Pod]:
    """Endpoints of the Service whose bridge port has hairpin mode off."""
    if not (service.cluster_ips and service.ports):
        return []
    usable = {e.pod for e in ground.endpoints(service) if e.ready}
    return [
        pod
        for pod in ground.selected(service)
        if pod.key in usable and ground.is_without_hairpin(pod)
    ]


RULE = CheckRule(
    id=ID,
    summary="Pods cannot reach themselves through their Service",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
