"""The rules of one service port as kube-proxy up to 1.23 wrote them: KUBE-XLB, no KUBE-EXT.

Until 1.21 what is to be masqueraded is marked in the shared chains, since 1.22 in the Service's
own; external IPs asked bridges (physdev) until 1.20. Sources: kube-proxy
pkg/proxy/iptables/proxier.go of 1.20 and 1.22 (syncProxyRules); CHANGELOG-1.21 (96296: external
IPs), CHANGELOG-1.22 (96959: marks), 106269 (1.23: comments); recorded: 1.20.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from k8stui.kernel.address import Address
from k8stui.kernel.rules import Rule
from k8stui.nodes.kubeproxy.asked import at_address, at_node_port, refused
from k8stui.nodes.kubeproxy.balance import balancing, mark_for_cluster_ip, mark_outsiders
from k8stui.nodes.kubeproxy.endpoints import Backend
from k8stui.nodes.kubeproxy.port_plan import PortPlan
from k8stui.nodes.kubeproxy.reasons import (
    for_cluster_ip,
    for_external_ip,
    for_load_balancer,
    for_nobody,
    for_nobody_here,
    for_node_port,
    for_policy,
    for_service,
)
from k8stui.nodes.kubeproxy.settings import ProxySettings

Maker = Callable[[], Iterator[Rule]]
_MARK = "-j KUBE-MARK-MASQ"
_OWN_MARKS_SINCE, _EXTERNAL_SINCE, _BARE_BALANCING_SINCE = 22, 21, 23
_EXTERNAL, _NOBODY = "external IP", "has no endpoints"


def own_chains(plan: PortPlan, settings: ProxySettings) -> dict[str, Maker]:
    """The chains that the port has for itself but those of its endpoints, and their rules."""
    port = plan.port
    made: dict[str, Maker] = {}
    if port.external_local:
        made[_xlb(plan)] = lambda: _local(plan, settings)
    if plan.choice.any_endpoints and port.vips:
        made[plan.firewall_chain] = lambda: _firewall(plan, settings)
    if plan.choice.any_endpoints:
        made[plan.cluster_chain] = lambda: _cluster(plan, settings)
    return made


def nat_services(plan: PortPlan, settings: ProxySettings) -> Iterator[Rule]:
    """Cluster IP, external IPs and load balancer addresses."""
    if not plan.choice.any_endpoints:
        return
    port, services = plan.port, "KUBE-SERVICES"
    own = settings.before(_OWN_MARKS_SINCE)
    if own:
        yield from mark_for_cluster_ip(plan, services, settings)
    asked = at_address(port, port.cluster_ip, f"{port.name} cluster IP")
    yield Rule(f"-A {services} {asked} -j {plan.cluster_chain}", for_cluster_ip(port))
    for address in port.external_ips:
        asked = f"-A {services} {at_address(port, address, f'{port.name} {_EXTERNAL}')}"
        because, target = for_external_ip(port), _beyond(plan)
        if settings.before(_EXTERNAL_SINCE):
            if not port.external_local:
                yield Rule(f"{asked} {_MARK}", because)
            yield Rule(
                f"{asked} -m physdev ! --physdev-is-in -m addrtype ! --src-type LOCAL -j {target}",
                because,
            )
            yield Rule(f"{asked} -m addrtype --dst-type LOCAL -j {target}", because)
            continue
        if own and not port.external_local:
            yield _external_mark(plan, services, settings, address)
        yield Rule(f"{asked} -j {target}", because)
    for address in port.vips:
        asked = at_address(port, address, f"{port.name} loadbalancer IP")
        yield Rule(f"-A {services} {asked} -j {plan.firewall_chain}", for_load_balancer(port))


def nat_node_ports(plan: PortPlan, settings: ProxySettings) -> Iterator[Rule]:
    """The node port, and until 1.21 the mark for what comes by it."""
    port, chain = plan.port, "KUBE-NODEPORTS"
    if not port.node_port or not plan.choice.any_endpoints:
        return
    if settings.before(_OWN_MARKS_SINCE):
        yield _marked_node_port(plan, settings, chain)
    asked = at_node_port(port, port.name)
    yield Rule(f"-A {chain} {asked} -j {_beyond(plan)}", for_node_port(port))


def filter_services(plan: PortPlan, settings: ProxySettings) -> Iterator[Rule]:
    """The cluster IP of a Service without endpoints."""
    port = plan.port
    if not plan.choice.any_endpoints:
        asked = at_address(port, port.cluster_ip, f"{port.name} {_NOBODY}")
        yield Rule(f"-A KUBE-SERVICES {asked} -j {refused(settings)}", for_nobody(port))


def filter_external(plan: PortPlan, settings: ProxySettings) -> Iterator[Rule]:
    """What comes from outside for a Service without endpoints."""
    port = plan.port
    chain, said = "-A KUBE-EXTERNAL-SERVICES", f"{port.name} {_NOBODY}"
    if plan.choice.any_endpoints:
        return
    for address in (*port.external_ips, *port.vips):
        asked = at_address(port, address, said)
        yield Rule(f"{chain} {asked} -j {refused(settings)}", for_nobody(port))
    if port.node_port:
        asked = at_node_port(port, said, "-m addrtype --dst-type LOCAL ")
        yield Rule(f"{chain} {asked} -j {refused(settings)}", for_nobody(port))


def _cluster(plan: PortPlan, settings: ProxySettings) -> Iterator[Rule]:
    """KUBE-SVC: since 1.22 the marks, then all endpoints."""
    port, chain = plan.port, plan.cluster_chain
    if not settings.before(_OWN_MARKS_SINCE):
        yield from mark_for_cluster_ip(plan, chain, settings)
        if not port.external_local:
            for address in port.external_ips:
                yield _external_mark(plan, chain, settings, address)
            if port.node_port:
                yield _marked_node_port(plan, settings, chain)
    yield from _spread(plan, settings, chain, plan.choice.cluster)


def _local(plan: PortPlan, settings: ProxySettings) -> Iterator[Rule]:
    """KUBE-XLB: what came from outside to a Service of the policy Local."""
    port, chain = plan.port, f"-A {_xlb(plan)}"
    because = for_policy(port, "from inside: the policy Local does not hold")
    if not plan.choice.any_endpoints:
        return
    if port.node_port and not settings.before(_OWN_MARKS_SINCE):
        yield _marked_node_port(plan, settings, _xlb(plan))
    if settings.detector:
        yield Rule(
            f'{chain} {settings.detector.local}-m comment --comment "Redirect pods trying to reach '
            f'external loadbalancer VIP to clusterIP" -j {plan.cluster_chain}',
            because,
        )
    here = "-m addrtype --src-type LOCAL"
    yield Rule(
        f'{chain} -m comment --comment "masquerade LOCAL traffic for {port.name} LB IP" {here} '
        f"{_MARK}",
        because,
    )
    yield Rule(
        f'{chain} -m comment --comment "route LOCAL traffic for {port.name} LB IP to service '
        f'chain" {here} -j {plan.cluster_chain}',
        because,
    )
    local = plan.choice.local
    if not local:
        yield Rule(
            f'{chain} -m comment --comment "{port.name} has no local endpoints" -j KUBE-MARK-DROP',
            for_nobody_here(port, "externalTrafficPolicy"),
        )
        return
    yield from _spread(plan, settings, _xlb(plan), local)


def _firewall(plan: PortPlan, settings: ProxySettings) -> Iterator[Rule]:
    """KUBE-FW, once for each address of the load balancer."""
    port = plan.port
    fact, setting = "load_balancer_source_ranges", "loadBalancerSourceRanges"
    comment = f'-m comment --comment "{port.name} loadbalancer IP"'
    chain = f"-A {plan.firewall_chain}"
    because = for_service(port, fact, f"who may use the load balancer of {port.service_key}")
    for address in port.vips:
        if not port.external_local:
            yield Rule(f"{chain} {comment} {_MARK}", because)
        if not port.source_ranges:
            yield Rule(f"{chain} {comment} -j {_beyond(plan)}", because)
        for prefix in port.source_ranges:
            yield Rule(f"{chain} -s {prefix} {comment} -j {_beyond(plan)}", because)
        node = settings.node_address
        if node is not None and any(node in one for one in port.source_ranges):
            yield Rule(f"{chain} -s {address}/{address.bits} {comment} -j {_beyond(plan)}", because)
        yield Rule(
            f"{chain} {comment} -j KUBE-MARK-DROP",
            for_service(port, fact, "every other source is marked, and dropped in filter", setting),
        )


def _spread(
    plan: PortPlan, settings: ProxySettings, chain: str, backends: Sequence[Backend]
) -> Iterator[Rule]:
    """Affinity, then chance. Up to 1.22 KUBE-XLB counts its rules."""
    name = plan.port.name
    plain = f'-m comment --comment "{name}" '
    counts = chain == _xlb(plan) and settings.before(_BARE_BALANCING_SINCE)
    said = (
        f'-m comment --comment "Balancing rule {n} for {name}" ' if counts else plain
        for n in range(len(backends))
    )
    both = [(one, plain, counted) for one, counted in zip(backends, said, strict=True)]
    yield from balancing(plan, chain, settings, both)


def _external_mark(plan: PortPlan, chain: str, settings: ProxySettings, address: Address) -> Rule:
    """Where nothing tells pods from others all are marked."""
    return mark_outsiders(plan, chain, settings, address, _EXTERNAL, detector=settings.detector)


def _marked_node_port(plan: PortPlan, settings: ProxySettings, chain: str) -> Rule:
    """All that comes by it; with the policy Local what the node itself sends from 127.0.0.1."""
    source = ""
    if plan.port.external_local:
        source = "-s 127.0.0.0/8 " if settings.version == 4 else "-s ::1/128 "
    asked = at_node_port(plan.port, plan.port.name)
    return Rule(f"-A {chain} {source}{asked} {_MARK}", for_node_port(plan.port))


def _beyond(plan: PortPlan) -> str:
    """Where goes what came from outside."""
    return _xlb(plan) if plan.port.external_local else plan.cluster_chain


def _xlb(plan: PortPlan) -> str:
    return f"KUBE-XLB-{plan.suffix}"
