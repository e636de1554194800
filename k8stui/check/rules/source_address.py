"""Servers do not see which pod asks, because of how this cluster is set up.

kube-proxy with ``masqueradeAll``, or in userspace mode (the proxy's own socket asks on), hides
every client behind a node. Allow lists, access logs and rate limits then see nodes. A warning where
NetworkPolicies are enforced, and drop the node's address though they let the pod in.

Applies only where a walk from pod to Service shows another source address than the client's and
one of these settings is on. Does not apply to node ports: there the node's address is the rule.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.check.finding import CheckRule, Finding, Proof, Severity
from k8stui.check.ground import Ground
from k8stui.check.proof import command
from k8stui.kernel.exchange import Result
from k8stui.nodes.kubeproxy import relays
from k8stui.origin import OriginKind
from k8stui.walk.error import RequestError
from k8stui.walk.request import parse_request
from k8stui.walk.walk import walk

ID = "source-address"


def look(ground: Ground) -> Iterator[Finding]:
    proxy = ground.cluster.proxy
    if not relays(ground.cluster) and not proxy.masquerade_all:
        return
    setting = f"mode: {proxy.mode}" if relays(ground.cluster) else "masqueradeAll: true"
    for service in ground.services:
        claim = ground.ask(service, service.ports[0]) if service.ports else None
        if claim is None or not claim.source.startswith("pod/"):
            continue
        try:
            request = parse_request(ground.world, claim.source, claim.destination)
        except RequestError:
            continue
        outcome = walk(ground.world, request).outcome
        client = ground.cluster.pods.get(request.source.removeprefix("pod/"))
        seen = outcome.source_seen_by_server
        told = proxy.origins.get("masquerade_all")
        denied = told is not None and outcome.origin == told
        arrived = outcome.result is Result.CONNECTED and seen is not None
        if client is None or not (denied or (arrived and seen not in client.addresses)):
            continue
        declared = proxy.origin.kind in (OriginKind.DECLARED, OriginKind.OBSERVED)
        said = told if denied and told is not None else proxy.origin
        yield Finding(
            rule=ID,
            severity=Severity.WARNING if denied else Severity.INFO,
            subject=f"Service {service.key}",
            place=said.place if declared else service.origin.place,
            why=outcome.reason
            if denied
            else f"with kube-proxy's {setting} the pods of all Services see a node ({seen}) and "
            f"not the client ({client.addresses[0]})",
            fix=outcome.advice
            if denied
            else "use the iptables mode without masqueradeAll where servers need the client's "
            "address",
            proof=Proof(
                command=command(ground.world, ground.paths, claim),
                result=outcome.result,
                where=outcome.decided_at,
                step=None,
                text=outcome.reason,
            ),
        )
        return


RULE = CheckRule(
    id=ID,
    summary="Servers do not see the client's address",
    help=__doc__ or "",
    severity=Severity.INFO,
    look=look,
)
