"""Pods that cannot reach themselves through their own Service: hairpin mode is off.

When kube-proxy picks the client itself as endpoint, the frame has to leave the bridge by the port
it came in by, and that takes hairpin mode (net/bridge/br_forward.c should_deliver).

Applies only where the nodes have it off: ``--cni docker0`` or ``--no-hairpin``. One finding for all
Services. Does not apply to pods on their node's network.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.check.claim import Claim
from k8stui.check.client import pod_source
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground, service_target
from k8stui.cluster.model import Service

ID = "hairpin"


def look(ground: Ground) -> Iterator[Finding]:
    options = ground.world.options
    off = options.hairpin is False or (options.hairpin is None and options.cni == "docker0")
    if not off:
        return
    affected = [service for service in ground.services if _reaches_itself(ground, service)]
    if not affected:
        return
    first = affected[0]
    pod = next(p for p in ground.selected(first) if not p.host_network and p.addresses)
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


def _reaches_itself(ground: Ground, service: Service) -> bool:
    usable = {e.pod for e in ground.endpoints(service) if e.ready}
    return bool(service.cluster_ips and service.ports) and any(
        pod.key in usable and not pod.host_network for pod in ground.selected(service)
    )


RULE = CheckRule(
    id=ID,
    summary="Pods cannot reach themselves through their Service",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
