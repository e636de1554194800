"""The chains that one service port has for itself: from the first jump to the DNAT.

Source: kube-proxy pkg/proxy/iptables/proxier.go syncProxyRules, writeServiceToEndpointRules;
docs/facts/kube-proxy.md sections 5 and 7.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from k8stui.kernel.address import Address
from k8stui.kernel.rules import Rule
from k8stui.nodes.kubeproxy.asked import at_address
from k8stui.nodes.kubeproxy.endpoints import Backend
from k8stui.nodes.kubeproxy.port_plan import PortPlan
from k8stui.nodes.kubeproxy.reasons import (
    FROM_A_POD,
    FROM_OUTSIDE,
    MARKED_OF_THE_NODE,
    OF_THE_NODE,
    for_endpoint,
    for_policy,
    for_port_setting,
    for_service,
)
from k8stui.nodes.kubeproxy.settings import LocalDetector, ProxySettings

_MASK = {4: "255.255.255.255", 6: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}


@lru_cache(maxsize=1024)
def probability(endpoints: int) -> str:
    """1/`endpoints` as iptables-save prints it.

    kube-proxy sends ten decimals, the kernel keeps 31 bits of them, iptables-save prints eleven
    (kube-proxy computeProbability; iptables libxt_statistic.c).

    >>> probability(3)
    '0.33333333349'
    """
    sent = float(f"{1 / endpoints:.10f}")
    return f"{round(sent * 2**31) / 2**31:.11f}"


def cluster_rules(plan: PortPlan, settings: ProxySettings, *, comments: bool) -> Iterator[Rule]:
    """KUBE-SVC: balance over the cluster list."""
    return _balanced(plan, plan.cluster_chain, plan.choice.cluster, settings, comments)


def local_rules(plan: PortPlan, settings: ProxySettings, *, comments: bool) -> Iterator[Rule]:
    """KUBE-SVL: balance over the endpoints of this node."""
    return _balanced(plan, plan.local_chain, plan.choice.local, settings, comments)


def _balanced(
    plan: PortPlan, chain: str, backends: Sequence[Backend], settings: ProxySettings, comments: bool
) -> Iterator[Rule]:
    if chain == plan.internal_chain:
        yield from mark_for_cluster_ip(plan, chain, settings)
    said = []
    for backend in backends:
        comment = f'-m comment --comment "{plan.port.name} -> {backend.text}" ' if comments else ""
        said.append((backend, comment, comment))
    yield from balancing(plan, chain, settings, said)


def balancing(
    plan: PortPlan, chain: str, settings: ProxySettings, said: Sequence[tuple[Backend, str, str]]
) -> Iterator[Rule]:
    """First who was here before, then chance.

    `said`: of each endpoint the comments of both rules, with a blank behind them.
    """
    port = plan.port
    key = port.service_key
    names = plan.endpoint_chains
    count = len(said)
    where = " on this node" if chain.startswith(("KUBE-SVL-", "KUBE-XLB-")) else ""
    if port.affinity_seconds is not None:
        for number, (backend, comment, _) in enumerate(said, 1):
            target = names[backend.text]
            yield Rule(
                f"-A {chain} {comment}-m recent --rcheck --seconds {port.affinity_seconds} "
                f"--reap --name {target} --mask {_MASK[settings.version]} --rsource -j {target}",
                for_endpoint(
                    port,
                    backend,
                    f"sessionAffinity ClientIP: this client got endpoint {number} of {count} of "
                    f"Service {key} within the last {port.affinity_seconds} s",
                ),
            )
    for number, (backend, _, comment) in enumerate(said, 1):
        left = count + 1 - number
        if left > 1:
            chance = f"-m statistic --mode random --probability {probability(left)} "
            takes = f" (1/{left} of what gets to this rule)" if number > 1 else ""
        else:
            chance = ""
            takes = " (whatever gets to this rule)" if number > 1 else ""
        pod = backend.endpoint.pod
        who = pod.rpartition("/")[2] if pod else backend.text
        text = (
            f"endpoint {number} of {count}{where} of Service {key}, p = 1/{count}: {who}{takes}"
            if count > 1
            else f"the only endpoint{where} of Service {key}: {who}"
        )
        yield Rule(
            f"-A {chain} {comment}{chance}-j {names[backend.text]}",
            for_endpoint(port, backend, text),
        )


def mark_for_cluster_ip(plan: PortPlan, chain: str, settings: ProxySettings) -> Iterator[Rule]:
    """What goes to the cluster IP without coming from a pod gets the node's address."""
    if settings.masquerade_all or settings.detector:
        detector = None if settings.masquerade_all else settings.detector
        yield mark_outsiders(
            plan, chain, settings, plan.port.cluster_ip, "cluster IP", detector=detector
        )


def mark_outsiders(
    plan: PortPlan,
    chain: str,
    settings: ProxySettings,
    address: Address,
    what: str,
    *,
    detector: LocalDetector | None,
) -> Rule:
    """The mark for what goes to an address and comes from no pod.

    `what`: of which kind the address is; `detector`: how pods are told, None: all are marked.
    """
    port = plan.port
    before = behind = ""
    if detector is None:
        setting = "iptables.masqueradeAll: true"
        text = "masqueradeAll: whatever goes to a cluster IP gets this node's address"
    else:
        before = detector.source and f"! {detector.source}"
        behind = detector.interface and f"! {detector.interface}"
        setting = detector.setting
        text = "not from a pod: gets this node's address, so that the answer comes back here"
    asked = at_address(port, address, f"{port.name} {what}", behind)
    return Rule(
        f"-A {chain} {before}{asked} -j KUBE-MARK-MASQ",
        for_port_setting(port, settings.origin, text, setting),
    )


def external_rules(plan: PortPlan, settings: ProxySettings) -> Iterator[Rule]:
    """KUBE-EXT: what came by node port, load balancer address or external IP."""
    port = plan.port
    chain = f"-A {plan.external_chain}"
    outside = f"{port.name} external destinations"
    if not port.external_local:
        yield Rule(
            f'{chain} -m comment --comment "masquerade traffic for {outside}" -j KUBE-MARK-MASQ',
            for_policy(port, FROM_OUTSIDE),
        )
        text = f"on to all endpoints of Service {port.service_key}"
        yield Rule(f"{chain} -j {plan.cluster_chain}", for_policy(port, text))
        return
    if settings.detector:
        yield Rule(
            f'{chain} {settings.detector.local}-m comment --comment "pod traffic for {outside}" '
            f"-j {plan.cluster_chain}",
            for_port_setting(port, settings.origin, FROM_A_POD, settings.detector.setting),
        )
    yield Rule(
        f'{chain} -m comment --comment "masquerade LOCAL traffic for {outside}" -m addrtype '
        "--src-type LOCAL -j KUBE-MARK-MASQ",
        for_policy(port, MARKED_OF_THE_NODE),
    )
    yield Rule(
        f'{chain} -m comment --comment "route LOCAL traffic for {outside}" -m addrtype '
        f"--src-type LOCAL -j {plan.cluster_chain}",
        for_policy(port, OF_THE_NODE),
    )
    if plan.choice.local:
        text = (
            f"on to the endpoints of Service {port.service_key} on this node; the client's "
            "address stays"
        )
        yield Rule(f"{chain} -j {plan.local_chain}", for_policy(port, text))


def firewall_rules(plan: PortPlan, settings: ProxySettings) -> Iterator[Rule]:
    """KUBE-FW: the sources that may use the load balancer's addresses."""
    port = plan.port
    key = port.service_key
    chain = f"-A {plan.firewall_chain}"
    accept = f'-m comment --comment "{port.name} loadbalancer IP" -j {plan.external_chain}'
    fact, setting = "load_balancer_source_ranges", "loadBalancerSourceRanges"
    for prefix in port.source_ranges:
        yield Rule(
            f"{chain} -s {prefix} {accept}",
            for_service(port, fact, f"{prefix} may use the load balancer of {key}", setting),
        )
    if settings.node_address and any(settings.node_address in p for p in port.source_ranges):
        for address in port.vips:
            yield Rule(
                f"{chain} -s {address}/{address.bits} {accept}",
                for_service(
                    port,
                    fact,
                    "this node may use the load balancer, and what it sends there may leave "
                    "with the load balancer's own address",
                    setting,
                ),
            )
    if settings.before(25):  # pull request 110289
        yield Rule(
            f'{chain} -m comment --comment "{port.name} loadbalancer IP" -j KUBE-MARK-DROP',
            for_service(port, fact, "every other source is marked, and dropped in filter", setting),
        )
        return
    yield Rule(
        f'{chain} -m comment --comment "other traffic to {port.name} will be dropped by '
        'KUBE-PROXY-FIREWALL"',
        for_service(
            port,
            fact,
            f"every other source falls through and is dropped in filter ({key})",
            setting,
        ),
    )


def endpoint_rules(
    plan: PortPlan, chain: str, settings: ProxySettings, *, comments: bool
) -> Iterator[Rule]:
    """KUBE-SEP: masquerade what an endpoint sends to itself, then DNAT."""
    port = plan.port
    comment = f'-m comment --comment "{port.name}" ' if comments else ""
    number, backend = plan.endpoints[chain]
    which = f"endpoint {number} of {len(plan.endpoints)} of Service {port.service_key}"
    yield Rule(
        f"-A {chain} -s {backend.address}/{32 if settings.version == 4 else 128} {comment}"
        "-j KUBE-MARK-MASQ",
        for_endpoint(
            port, backend, f"hairpin: {which} asks its own Service and gets the node's address"
        ),
    )
    recent = (
        f"-m recent --set --name {chain} --mask {_MASK[settings.version]} --rsource "
        if port.affinity_seconds is not None
        else ""
    )
    yield Rule(
        f"-A {chain} -p {port.protocol} {comment}{recent}-m {port.protocol} -j DNAT "
        f"--to-destination {backend.text}",
        for_endpoint(port, backend, which),
    )
