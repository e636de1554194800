"""The rules of one service port as kube-proxy up to 1.23 wrote them: KUBE-XLB, no KUBE-EXT.

Until 1.21 what is to be masqueraded is marked in the shared chains, since 1.22 in the Service's
own; external IPs asked bridges (physdev) until 1.20. Sources: kube-proxy
pkg/proxy/iptables/proxier.go of 1.20 and 1.22 (syncProxyRules); CHANGELOG-1.21 (96296: external
IPs), CHANGELOG-1.22 (96959: marks), 106269 (1.23: comments); recorded: 1.20.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from k8stui.because import Because
from k8stui.kernel.rules import Rule
from k8stui.nodes.kubeproxy.balance import balancing
from k8stui.nodes.kubeproxy.endpoints import Backend
from k8stui.nodes.kubeproxy.port_plan import PortPlan
from k8stui.nodes.kubeproxy.reasons import for_port, for_port_setting, for_service
from k8stui.nodes.kubeproxy.settings import ProxySettings

Maker = Callable[[], Iterator[Rule]]
_MARK = "-j KUBE-MARK-MASQ"
_OWN_MARKS_SINCE, _EXTERNAL_SINCE, _BARE_BALANCING_SINCE = 22, 21, 23


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
    port, key = plan.port, plan.port.service_key
    own = settings.before(_OWN_MARKS_SINCE)
    to_cluster = _asked(plan, settings, port.cluster_ip, "cluster IP")
    because = for_service(port, "cluster_ips", f"cluster IP of Service {key}, port {port.number}")
    if own:
        yield from _outsiders(plan, settings, "KUBE-SERVICES", port.cluster_ip, "cluster IP")
    yield Rule(f"-A KUBE-SERVICES {to_cluster} -j {plan.cluster_chain}", because)
    for address in port.external_ips:
        asked = _asked(plan, settings, address, "external IP")
        because = for_service(
            port, "external_ips", f"external IP of Service {key}, port {port.number}"
        )
        target = _beyond(plan)
        if settings.before(_EXTERNAL_SINCE):
            if not port.external_local:
                yield Rule(f"-A KUBE-SERVICES {asked} {_MARK}", because)
            yield Rule(
                f"-A KUBE-SERVICES {asked} -m physdev ! --physdev-is-in -m addrtype ! --src-type "
                f"LOCAL -j {target}",
                because,
            )
            yield Rule(
                f"-A KUBE-SERVICES {asked} -m addrtype --dst-type LOCAL -j {target}", because
            )
            continue
        if own and not port.external_local:
            yield from _outsiders(plan, settings, "KUBE-SERVICES", address, "external IP")
        yield Rule(f"-A KUBE-SERVICES {asked} -j {target}", because)
    for address in port.vips:
        asked = _asked(plan, settings, address, "loadbalancer IP")
        yield Rule(
            f"-A KUBE-SERVICES {asked} -j {plan.firewall_chain}",
            for_service(
                port,
                "load_balancer_ingress",
                f"load balancer address of Service {key}, port {port.number}",
            ),
        )


def nat_node_ports(plan: PortPlan, settings: ProxySettings) -> Iterator[Rule]:
    """The node port, and until 1.21 the mark for what comes by it."""
    port = plan.port
    if not port.node_port or not plan.choice.any_endpoints:
        return
    if settings.before(_OWN_MARKS_SINCE):
        yield _marked_node_port(plan, settings, "KUBE-NODEPORTS")
    yield Rule(f"-A KUBE-NODEPORTS {_at_node_port(plan)} -j {_beyond(plan)}", _for_node_port(plan))


def filter_services(plan: PortPlan, settings: ProxySettings) -> Iterator[Rule]:
    """The cluster IP of a Service without endpoints."""
    if not plan.choice.any_endpoints:
        asked = _asked(plan, settings, plan.port.cluster_ip, "has no endpoints")
        yield Rule(f"-A KUBE-SERVICES {asked} -j {_rejected(settings)}", _nobody(plan))


def filter_external(plan: PortPlan, settings: ProxySettings) -> Iterator[Rule]:
    """What comes from outside for a Service without endpoints."""
    port = plan.port
    if plan.choice.any_endpoints:
        return
    for address in (*port.external_ips, *port.vips):
        asked = _asked(plan, settings, address, "has no endpoints")
        yield Rule(f"-A KUBE-EXTERNAL-SERVICES {asked} -j {_rejected(settings)}", _nobody(plan))
    if port.node_port:
        yield Rule(
            f'-A KUBE-EXTERNAL-SERVICES -p {port.protocol} -m comment --comment "{port.name} has '
            f'no endpoints" -m addrtype --dst-type LOCAL -m {port.protocol} --dport '
            f"{port.node_port} -j {_rejected(settings)}",
            _nobody(plan),
        )


def _cluster(plan: PortPlan, settings: ProxySettings) -> Iterator[Rule]:
    """KUBE-SVC: since 1.22 the marks, then all endpoints."""
    port, chain = plan.port, plan.cluster_chain
    if not settings.before(_OWN_MARKS_SINCE):
        yield from _outsiders(plan, settings, chain, port.cluster_ip, "cluster IP")
        if not port.external_local:
            for address in port.external_ips:
                yield from _outsiders(plan, settings, chain, address, "external IP")
            if port.node_port:
                yield _marked_node_port(plan, settings, chain)
    yield from _spread(plan, settings, chain, plan.choice.cluster)


def _local(plan: PortPlan, settings: ProxySettings) -> Iterator[Rule]:
    """KUBE-XLB: what came from outside to a Service of the policy Local."""
    port, chain = plan.port, f"-A {_xlb(plan)}"
    setting = "externalTrafficPolicy: Local"
    because = for_service(
        port, "external_traffic_policy", "from inside: the policy Local does not hold", setting
    )
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
            for_service(
                port,
                "external_traffic_policy",
                f"Service {port.service_key} has endpoints, but none on this node, and "
                "externalTrafficPolicy is Local",
                setting,
            ),
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


def _outsiders(
    plan: PortPlan, settings: ProxySettings, chain: str, address: object, what: str
) -> Iterator[Rule]:
    """What does not come from a pod gets the node's address."""
    port, detector = plan.port, settings.detector
    everybody = settings.masquerade_all if what == "cluster IP" else not detector
    if not everybody and not detector:
        return
    before = behind = ""
    if not everybody:
        before = detector.source and f"! {detector.source}"
        behind = detector.interface and f"! {detector.interface}"
    asked = _asked(plan, settings, address, what, behind)
    text = "not from a pod: gets this node's address, so that the answer comes back here"
    yield Rule(
        f"-A {chain} {before}{asked} {_MARK}",
        for_port_setting(
            port,
            settings.origin,
            text,
            "iptables.masqueradeAll: true" if everybody else detector.setting,
        ),
    )


def _marked_node_port(plan: PortPlan, settings: ProxySettings, chain: str) -> Rule:
    """All that comes by it; with the policy Local what the node itself sends from 127.0.0.1."""
    source = ""
    if plan.port.external_local:
        source = "-s 127.0.0.0/8 " if settings.version == 4 else "-s ::1/128 "
    return Rule(f"-A {chain} {source}{_at_node_port(plan)} {_MARK}", _for_node_port(plan))


def _at_node_port(plan: PortPlan) -> str:
    port = plan.port
    return (
        f'-p {port.protocol} -m comment --comment "{port.name}" -m {port.protocol} '
        f"--dport {port.node_port}"
    )


def _for_node_port(plan: PortPlan) -> Because:
    port = plan.port
    text = f"node port {port.node_port} of Service {port.service_key}, port {port.number}"
    return for_port(port, "node_port", text)


def _asked(
    plan: PortPlan, settings: ProxySettings, address: object, what: str, behind: str = ""
) -> str:
    port = plan.port
    width = 32 if settings.version == 4 else 128
    return (
        f"-d {address}/{width} {behind}-p {port.protocol} "
        f'-m comment --comment "{port.name} {what}" -m {port.protocol} --dport {port.number}'
    )


def _beyond(plan: PortPlan) -> str:
    """Where goes what came from outside."""
    return _xlb(plan) if plan.port.external_local else plan.cluster_chain


def _xlb(plan: PortPlan) -> str:
    return f"KUBE-XLB-{plan.suffix}"


def _rejected(settings: ProxySettings) -> str:
    icmp = "icmp-port-unreachable" if settings.version == 4 else "icmp6-port-unreachable"
    return f"REJECT --reject-with {icmp}"


def _nobody(plan: PortPlan) -> Because:
    port = plan.port
    return for_port(
        port, "", f"Service {port.service_key}, port {port.number}: no endpoint is ready"
    )
