"""The rules that lead into a Service: its part of the chains that all Services share.

Each function gives one service port's block in one of the six chains. Source: kube-proxy
pkg/proxy/iptables/proxier.go syncProxyRules; docs/facts/kube-proxy.md sections 5 and 7.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.because import Because
from k8stui.kernel.rules import Rule
from k8stui.nodes.kubeproxy.port_plan import PortPlan
from k8stui.nodes.kubeproxy.reasons import for_port, for_service
from k8stui.nodes.kubeproxy.settings import ProxySettings


def nat_services(plan: PortPlan, settings: ProxySettings) -> Iterator[Rule]:
    """Cluster IP, external IPs and load balancer addresses that have endpoints."""
    port = plan.port
    key = port.service_key
    transport = port.protocol
    width = 32 if settings.version == 4 else 128
    if plan.has_internal:
        yield Rule(
            f"-A KUBE-SERVICES -d {port.cluster_ip}/{width} -p {transport} -m comment "
            f'--comment "{port.name} cluster IP" -m {transport} --dport {port.number} '
            f"-j {plan.internal_chain}",
            for_service(port, "cluster_ips", f"cluster IP of Service {key}, port {port.number}"),
        )
    if not plan.choice.any_endpoints:
        return
    for address in port.external_ips:
        yield Rule(
            f"-A KUBE-SERVICES -d {address}/{width} -p {transport} -m comment "
            f'--comment "{port.name} external IP" -m {transport} --dport {port.number} '
            f"-j {plan.external_chain}",
            for_service(port, "external_ips", f"external IP of Service {key}, port {port.number}"),
        )
    for address in port.vips:
        yield Rule(
            f"-A KUBE-SERVICES -d {address}/{width} -p {transport} -m comment "
            f'--comment "{port.name} loadbalancer IP" -m {transport} --dport {port.number} '
            f"-j {plan.vip_chain}",
            for_service(
                port,
                "load_balancer_ingress",
                f"load balancer address of Service {key}, port {port.number}",
            ),
        )


def nat_node_ports(plan: PortPlan, settings: ProxySettings) -> Iterator[Rule]:
    """The node port, counted apart for 127.0.0.1 where the kernel can count."""
    port = plan.port
    if not port.node_port or not plan.choice.any_endpoints:
        return
    transport = port.protocol
    match = (
        f'-p {transport} -m comment --comment "{port.name}" -m {transport} --dport {port.node_port}'
    )
    text = f"node port {port.node_port} of Service {port.service_key}, port {port.number}"
    if settings.localhost_node_ports and settings.nfacct:
        yield Rule(
            f"-A KUBE-NODEPORTS -d 127.0.0.0/8 {match} -m nfacct --nfacct-name  "
            f"localhost_nps_accepted_pkts -j {plan.external_chain}",
            for_port(port, "node_port", f"{text}, from the node itself to 127.0.0.1 (counted)"),
        )
    yield Rule(
        f"-A KUBE-NODEPORTS {match} -j {plan.external_chain}", for_port(port, "node_port", text)
    )


def filter_services(plan: PortPlan, settings: ProxySettings) -> Iterator[Rule]:
    """The cluster IP of a Service that has nothing to offer here."""
    if not plan.has_internal:
        port = plan.port
        verdict, reason = _refusal(plan, settings, "internalTrafficPolicy")
        yield Rule(
            f"-A KUBE-SERVICES -d {port.cluster_ip}/{32 if settings.version == 4 else 128} "
            f"-p {port.protocol} -m comment --comment {verdict[0]} -m {port.protocol} "
            f"--dport {port.number} -j {verdict[1]}",
            reason,
        )


def filter_external(plan: PortPlan, settings: ProxySettings) -> Iterator[Rule]:
    """What comes from outside for a Service that has nothing to offer here."""
    port = plan.port
    if not port.accessible or plan.has_external:
        return
    transport = port.protocol
    width = 32 if settings.version == 4 else 128
    (comment, target), reason = _refusal(plan, settings, "externalTrafficPolicy")
    for address in (*port.external_ips, *port.vips):
        yield Rule(
            f"-A KUBE-EXTERNAL-SERVICES -d {address}/{width} -p {transport} -m comment "
            f"--comment {comment} -m {transport} --dport {port.number} -j {target}",
            reason,
        )
    if port.node_port:
        yield Rule(
            f"-A KUBE-EXTERNAL-SERVICES -p {transport} -m comment --comment {comment} "
            f"-m addrtype --dst-type LOCAL -m {transport} --dport {port.node_port} -j {target}",
            reason,
        )


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


def filter_firewall(plan: PortPlan, settings: ProxySettings) -> Iterator[Rule]:
    """What KUBE-FW did not let through to the load balancer's addresses."""
    port = plan.port
    if not port.source_ranges or not plan.choice.any_endpoints:
        return
    for address in port.vips:
        yield Rule(
            f"-A KUBE-PROXY-FIREWALL -d {address}/{32 if settings.version == 4 else 128} "
            f'-p {port.protocol} -m comment --comment "{port.name} traffic not accepted by '
            f'{plan.firewall_chain}" -m {port.protocol} --dport {port.number} -j DROP',
            for_service(
                port,
                "load_balancer_source_ranges",
                f"the source is in none of the loadBalancerSourceRanges of Service "
                f"{port.service_key}",
                "loadBalancerSourceRanges",
            ),
        )


def _refusal(
    plan: PortPlan, settings: ProxySettings, policy: str
) -> tuple[tuple[str, str], Because]:
    """Comment and target of a rule that refuses, and why."""
    port = plan.port
    key = port.service_key
    if plan.choice.any_endpoints:
        return (f'"{port.name} has no local endpoints"', "DROP"), for_service(
            port,
            "internal_traffic_policy" if policy.startswith("i") else "external_traffic_policy",
            f"Service {key} has endpoints, but none on this node, and {policy} is Local",
            f"{policy}: Local",
        )
    icmp = "icmp-port-unreachable" if settings.version == 4 else "icmp6-port-unreachable"
    return (f'"{port.name} has no endpoints"', f"REJECT --reject-with {icmp}"), for_port(
        port, "", f"Service {key}, port {port.number}: no endpoint is ready"
    )
