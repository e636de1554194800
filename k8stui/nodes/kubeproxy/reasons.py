"""Why kube-proxy wrote a rule, in words."""

from __future__ import annotations

from k8stui.because import Because
from k8stui.nodes.kubeproxy.endpoints import Backend
from k8stui.nodes.kubeproxy.ports import Port
from k8stui.nodes.kubeproxy.settings import ProxySettings
from k8stui.origin import Origin

OWNER = "kube-proxy"

FROM_OUTSIDE = (
    "externalTrafficPolicy: Cluster: the endpoint may be on another node, so the packet gets this "
    "node's address and the answer comes back here"
)
FROM_A_POD = "from a pod: inside the cluster the policy Local does not hold"
MARKED_OF_THE_NODE = "from the node itself, to any endpoint: gets this node's address"
OF_THE_NODE = "from the node itself: the policy Local does not hold"
"""What policies say in either engine."""


def for_service(port: Port, fact: str, text: str, setting: str | None = None) -> Because:
    """A rule caused by a fact of the Service: `fact` is the attribute, such as ``cluster_ips``."""
    service = port.service
    return Because(
        text=text,
        origin=service.origins.get(fact, service.origin),
        owner=OWNER,
        service=port.service_key,
        service_port=port.name,
        setting=setting,
    )


def for_port(port: Port, fact: str, text: str) -> Because:
    """A rule caused by a fact of one of the Service's ports."""
    declared = port.service_port
    return Because(
        text=text,
        origin=declared.origins.get(fact, declared.origin),
        owner=OWNER,
        service=port.service_key,
        service_port=port.name,
    )


def for_endpoint(port: Port, backend: Backend, text: str) -> Because:
    """A rule caused by one endpoint."""
    return Because(
        text=text,
        origin=backend.endpoint.origin,
        owner=OWNER,
        service=port.service_key,
        service_port=port.name,
        endpoint=backend.text,
        pod=backend.endpoint.pod,
    )


def for_setting(settings: ProxySettings, text: str, setting: str | None = None) -> Because:
    """A rule caused by kube-proxy's configuration, or by kube-proxy itself."""
    return Because(text=text, origin=settings.origin, owner=OWNER, setting=setting)


def for_port_setting(port: Port, origin: Origin, text: str, setting: str) -> Because:
    """A rule of one service port that a setting of kube-proxy causes."""
    return Because(
        text=text,
        origin=origin,
        owner=OWNER,
        service=port.service_key,
        service_port=port.name,
        setting=setting,
    )


def for_cluster_ip(port: Port) -> Because:
    """What leads to a Service by its cluster IP."""
    return for_service(port, "cluster_ips", f"cluster IP of {_which(port)}")


def for_external_ip(port: Port) -> Because:
    """What leads to a Service by one of its external IPs."""
    return for_service(port, "external_ips", f"external IP of {_which(port)}")


def for_load_balancer(port: Port) -> Because:
    """What leads to a Service by an address of its load balancer."""
    return for_service(port, "load_balancer_ingress", f"load balancer address of {_which(port)}")


def for_node_port(port: Port, more: str = "") -> Because:
    """What leads to a Service by its node port; `more` stands behind the words."""
    return for_port(port, "node_port", f"node port {port.node_port} of {_which(port)}{more}")


def for_nobody(port: Port) -> Because:
    """What refuses because no endpoint is ready anywhere."""
    return for_port(port, "", f"{_which(port)}: no endpoint is ready")


def for_nobody_here(port: Port, policy: str) -> Because:
    """What drops because of a `policy` such as ``externalTrafficPolicy``, which is Local."""
    return for_service(
        port,
        "internal_traffic_policy" if policy.startswith("i") else "external_traffic_policy",
        f"Service {port.service_key} has endpoints, but none on this node, and {policy} is Local",
        f"{policy}: Local",
    )


def for_source_ranges(port: Port) -> Because:
    """What drops because the source may not use the load balancer."""
    return for_service(
        port,
        "load_balancer_source_ranges",
        f"the source is in none of the loadBalancerSourceRanges of Service {port.service_key}",
        "loadBalancerSourceRanges",
    )


def for_policy(port: Port, text: str) -> Because:
    """What becomes of a request from outside, by the Service's externalTrafficPolicy."""
    policy = "Local" if port.external_local else "Cluster"
    return for_service(port, "external_traffic_policy", text, f"externalTrafficPolicy: {policy}")


def _which(port: Port) -> str:
    return f"Service {port.service_key}, port {port.number}"
