"""The rules that lead into a Service: its part of the chains that all Services share.

Each function gives one service port's block in one of the six chains. Source: kube-proxy
pkg/proxy/iptables/proxier.go syncProxyRules; docs/facts/kube-proxy.md sections 5 and 7.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.because import Because
from k8stui.kernel.rules import Rule
from k8stui.nodes.kubeproxy.asked import at_address, at_node_port, refused
from k8stui.nodes.kubeproxy.port_plan import PortPlan
from k8stui.nodes.kubeproxy.reasons import (
    for_cluster_ip,
    for_external_ip,
    for_load_balancer,
    for_nobody,
    for_nobody_here,
    for_node_port,
    for_service,
    for_source_ranges,
)
from k8stui.nodes.kubeproxy.settings import ProxySettings


def nat_services(plan: PortPlan, settings: ProxySettings) -> Iterator[Rule]:  # noqa: ARG001
    """Cluster IP, external IPs and load balancer addresses that have endpoints."""
    port = plan.port
    if plan.has_internal:
        asked = at_address(port, port.cluster_ip, f"{port.name} cluster IP")
        yield Rule(f"-A KUBE-SERVICES {asked} -j {plan.internal_chain}", for_cluster_ip(port))
    if not plan.choice.any_endpoints:
        return
    for address in port.external_ips:
        asked = at_address(port, address, f"{port.name} external IP")
        yield Rule(f"-A KUBE-SERVICES {asked} -j {plan.external_chain}", for_external_ip(port))
    for address in port.vips:
        asked = at_address(port, address, f"{port.name} loadbalancer IP")
        yield Rule(f"-A KUBE-SERVICES {asked} -j {plan.vip_chain}", for_load_balancer(port))


def nat_node_ports(plan: PortPlan, settings: ProxySettings) -> Iterator[Rule]:
    """The node port, counted apart for 127.0.0.1 where the kernel can count."""
    port = plan.port
    if not port.node_port or not plan.choice.any_endpoints:
        return
    asked = at_node_port(port, port.name)
    if settings.localhost_node_ports and settings.nfacct:
        yield Rule(
            f"-A KUBE-NODEPORTS -d 127.0.0.0/8 {asked} -m nfacct --nfacct-name  "
            f"localhost_nps_accepted_pkts -j {plan.external_chain}",
            for_node_port(port, ", from the node itself to 127.0.0.1 (counted)"),
        )
    yield Rule(f"-A KUBE-NODEPORTS {asked} -j {plan.external_chain}", for_node_port(port))


def filter_services(plan: PortPlan, settings: ProxySettings) -> Iterator[Rule]:
    """The cluster IP of a Service that has nothing to offer here."""
    if not plan.has_internal:
        port = plan.port
        said, target, reason = _refusal(plan, settings, "internalTrafficPolicy")
        asked = at_address(port, port.cluster_ip, said)
        yield Rule(f"-A KUBE-SERVICES {asked} -j {target}", reason)


def filter_external(plan: PortPlan, settings: ProxySettings) -> Iterator[Rule]:
    """What comes from outside for a Service that has nothing to offer here."""
    port = plan.port
    if not port.accessible or plan.has_external:
        return
    said, target, reason = _refusal(plan, settings, "externalTrafficPolicy")
    for address in (*port.external_ips, *port.vips):
        asked = at_address(port, address, said)
        yield Rule(f"-A KUBE-EXTERNAL-SERVICES {asked} -j {target}", reason)
    if port.node_port:
        asked = at_node_port(port, said, "-m addrtype --dst-type LOCAL ")
        yield Rule(f"-A KUBE-EXTERNAL-SERVICES {asked} -j {target}", reason)


def filter_node_ports(plan: PortPlan, settings: ProxySettings) -> Iterator[Rule]:  # noqa: ARG001
    """The health check port that a load balancer asks; once for each port of the Service."""
    port = plan.port
    if port.health_check_node_port:
        yield Rule(
            f'-A KUBE-NODEPORTS -p tcp -m comment --comment "{port.name} health check node '
            f'port" -m tcp --dport {port.health_check_node_port} -j ACCEPT',
            for_service(
                port,
                "health_check_node_port",
                f"health check port of Service {port.service_key}: kube-proxy itself answers "
                "whether this node has endpoints",
                "externalTrafficPolicy: Local",
            ),
        )


def filter_firewall(plan: PortPlan, settings: ProxySettings) -> Iterator[Rule]:  # noqa: ARG001
    """What KUBE-FW did not let through to the load balancer's addresses."""
    port = plan.port
    if not port.source_ranges or not plan.choice.any_endpoints:
        return
    said = f"{port.name} traffic not accepted by {plan.firewall_chain}"
    for address in port.vips:
        asked = at_address(port, address, said)
        yield Rule(f"-A KUBE-PROXY-FIREWALL {asked} -j DROP", for_source_ranges(port))


def _refusal(plan: PortPlan, settings: ProxySettings, policy: str) -> tuple[str, str, Because]:
    """Comment and target of a rule that refuses, and why."""
    port = plan.port
    if plan.choice.any_endpoints:
        return f"{port.name} has no local endpoints", "DROP", for_nobody_here(port, policy)
    return f"{port.name} has no endpoints", refused(settings), for_nobody(port)
