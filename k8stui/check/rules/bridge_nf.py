"""With bridge-nf-call-iptables off, pods do not reach Services whose pods are beside them.

The answer of a pod on the same bridge crosses it without netfilter, with the pod's own address,
which the client never asked (net/bridge/br_netfilter_hooks.c). From every other node the Service
works, so it is found late.

Asks the nodes as they are: a pod of the input that sets it (``sysctl -w``), or an option. One
finding for all Services. Does not apply where no pod asks from the node of an endpoint, nor where a
node's own ``sysctl -a`` says so: node-state tells that, with its line.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.check.claim import Claim
from k8stui.check.client import pod_source
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground, service_target
from k8stui.cluster.model import Pod, Service
from k8stui.nodes.sysctl import BRIDGE_NF, writer

ID = "bridge-nf"


def look(ground: Ground) -> Iterator[Finding]:
    network = ground.world.network
    if network.bridge_nf():
        return
    off = {
        name
        for name in ground.cluster.nodes
        if not network[name].sysctls.bridge_nf_call_iptables
        and BRIDGE_NF not in network[name].sysctls.reasons
    }
    beside = _beside(ground, off)
    if not beside:
        return
    service, client = beside[0]
    node = client.node_name or ""
    found = writer(ground.cluster.pods.values(), node, BRIDGE_NF)
    origin = found.container.origin if found is not None else None
    more = f" (and {len(beside) - 1} more Services)" if len(beside) > 1 else ""
    by = (
        f": pod {found.pod.key} sets {BRIDGE_NF} to 0 there"
        if found is not None
        else (f": {BRIDGE_NF} is 0 there")
    )
    yield Finding(
        rule=ID,
        severity=Severity.ERROR if found is not None else Severity.WARNING,
        subject=f"Service {service.key}",
        place=origin.place if origin is not None else service.origin.place,
        why=f"pods of {node} do not reach it where its pod is on {node} too{more}{by}",
        fix=f"set {BRIDGE_NF} = 1 on the nodes (modprobe br_netfilter first)",
        claim=Claim(pod_source(client), service_target(service, service.ports[0]), some=True),
    )


def _beside(ground: Ground, off: set[str]) -> list[tuple[Service, Pod]]:
    """Services, each with a client on the node of one of its endpoints."""
    here: dict[str, list[Pod]] = {}
    for pods in ground.senders.values():
        for pod in pods:
            if pod.node_name in off:
                here.setdefault(pod.node_name, []).append(pod)
    found = []
    for service in ground.services if here else ():
        client = _client(ground, service, here)
        if client is not None:
            found.append((service, client))
    return found


def _client(ground: Ground, service: Service, here: dict[str, list[Pod]]) -> Pod | None:
    if not (service.cluster_ips and service.ports):
        return None
    for endpoint in ground.endpoints(service):
        pod = ground.cluster.pods.get(endpoint.pod or "")
        if pod is None or pod.host_network or not endpoint.ready:
            continue
        for client in here.get(pod.node_name or "", ())[:2]:
            if client.key != pod.key:
                return client
    return None


RULE = CheckRule(
    id=ID,
    summary="Pods do not reach Services whose pods are on the same bridge",
    help=__doc__ or "",
    severity=Severity.ERROR,
    look=look,
)
