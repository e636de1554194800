"""The chains that one service port has for itself: who may ask, which endpoint, and its affinity.

Source: kube-proxy pkg/proxy/nftables/proxier.go syncProxyRules, writeServiceToEndpointRules;
docs/facts/kube-proxy.md section 8.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from k8stui.kernel.address import Prefix
from k8stui.kernel.nft_ruleset import NftSet
from k8stui.kernel.rules import Rule
from k8stui.nodes.kubeproxy.endpoints import Backend
from k8stui.nodes.kubeproxy.nftables import names
from k8stui.nodes.kubeproxy.nftables.fixed import mark, pods
from k8stui.nodes.kubeproxy.nftables.intervals import one_of
from k8stui.nodes.kubeproxy.port_plan import PortPlan
from k8stui.nodes.kubeproxy.ports import Port
from k8stui.nodes.kubeproxy.reasons import for_endpoint, for_port_setting, for_service
from k8stui.nodes.kubeproxy.settings import ProxySettings

_AFFINITY_SIZE = 65535
"""proxier.go: what nft gives a dynamic set on most systems."""


def own_chains(plan: PortPlan) -> Iterator[str]:
    """The names of a service port's chains, in the order in which they are made."""
    port, choice = plan.port, plan.choice
    base = names.port_base(port)
    if port.affinity_seconds is not None:
        for backend in choice.reachable:
            yield names.ENDPOINT + names.endpoint_base(port, backend)
    if choice.cluster:
        yield names.SERVICE + base
    if choice.local:
        yield names.LOCAL + base
    if plan.has_external_chain:
        yield names.EXTERNAL + base
    if port.vips and port.source_ranges:
        yield names.FIREWALL + base


def own_sets(plan: PortPlan) -> Iterator[str]:
    """The names of its affinity sets."""
    if plan.port.affinity_seconds is not None:
        for backend in plan.choice.reachable:
            yield names.AFFINITY + names.endpoint_base(plan.port, backend)


def rules_of(plan: PortPlan, name: str, settings: ProxySettings) -> Iterator[Rule]:
    """The rules of one of its chains."""
    port, choice = plan.port, plan.choice
    if name.startswith(names.SERVICE):
        return _balanced(port, choice.cluster, settings, "")
    if name.startswith(names.LOCAL):
        return _balanced(port, choice.local, settings, " on this node")
    if name.startswith(names.EXTERNAL):
        return _external(plan, settings)
    if name.startswith(names.FIREWALL):
        return _firewall(port, settings)
    return _endpoint(plan, _backend(plan, name), settings)


def affinity_set(plan: PortPlan, name: str, settings: ProxySettings) -> NftSet:
    """The clients that an endpoint has answered, for as long as they are remembered."""
    port = plan.port
    seconds = port.affinity_seconds or 0
    text = f"clients of this endpoint of Service {port.service_key}, for {seconds} s"
    return NftSet(
        name=name,
        key=f"ipv{settings.version}_addr",
        size=_AFFINITY_SIZE,
        flags=("dynamic", "timeout"),
        timeout=_duration(seconds),
        reason=for_endpoint(port, _backend(plan, name), text),
    )


def _backend(plan: PortPlan, name: str) -> Backend:
    """The endpoint that a chain or a set is of."""
    base = name.partition("-")[2]
    reachable = plan.choice.reachable
    return next(one for one in reachable if names.endpoint_base(plan.port, one) == base)


def _duration(seconds: int) -> str:
    """As nft prints times (src/datatype.c time_print): ``3h``, ``1m30s``."""
    days, rest = divmod(seconds, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    parts = ((days, "d"), (hours, "h"), (minutes, "m"), (rest, "s"))
    return "".join(f"{number}{unit}" for number, unit in parts if number)


def _balanced(
    port: Port, backends: Sequence[Backend], settings: ProxySettings, where: str
) -> Iterator[Rule]:
    """One of the endpoints by chance; a known client's first."""
    count = len(backends)
    if port.affinity_seconds is None:
        yield Rule(
            f"meta l4proto {port.protocol} dnat {settings.ip} to numgen random mod {count} "
            f"map {{ {', '.join(_numbered(_to(one)[0] for one in backends))} }}",
            for_service(port, "", _chance(port, count, where)),
        )
        return
    seconds = port.affinity_seconds
    chains = [names.endpoint_base(port, backend) for backend in backends]
    for number, (backend, base) in enumerate(zip(backends, chains, strict=True), 1):
        text = (
            f"sessionAffinity ClientIP: this client got endpoint {number} of {count} of "
            f"Service {port.service_key} within the last {seconds} s"
        )
        yield Rule(
            f"{settings.ip} saddr @{names.AFFINITY}{base} goto {names.ENDPOINT}{base}",
            for_endpoint(port, backend, text),
        )
    gotos = _numbered(f"goto {names.ENDPOINT}{base}" for base in chains)
    yield Rule(
        f"numgen random mod {count} vmap {{ {', '.join(gotos)} }}",
        for_service(port, "", f"no endpoint knows the client: {_chance(port, count, where)}"),
    )


def _chance(port: Port, count: int, where: str) -> str:
    if count == 1:
        return f"the only endpoint{where} of Service {port.service_key}"
    return f"one of {count} endpoints{where} of Service {port.service_key}, p = 1/{count} each"


def _numbered(texts: Iterator[str]) -> Iterator[str]:
    return (f"{number} : {text}" for number, text in enumerate(texts))


def _to(backend: Backend) -> tuple[str, str]:
    """The endpoint as a concatenation, and as dnat prints it."""
    address, port = backend.address, backend.text.rpartition(":")[2]
    return f"{address} . {port}", backend.text


def _endpoint(plan: PortPlan, backend: Backend, settings: ProxySettings) -> Iterator[Rule]:
    port = plan.port
    which = f"endpoint of Service {port.service_key}"
    name = names.AFFINITY + names.endpoint_base(port, backend)
    text = f"{which}: remember that this client got it, for {port.affinity_seconds} s"
    yield Rule(
        f"update @{name} {{ {settings.ip} saddr }}",
        for_service(port, "session_affinity", text, "sessionAffinity: ClientIP"),
    )
    yield Rule(
        f"meta l4proto {port.protocol} dnat to {backend.text}", for_endpoint(port, backend, which)
    )


def _external(plan: PortPlan, settings: ProxySettings) -> Iterator[Rule]:
    """What came by node port, load balancer address or external IP."""
    port = plan.port
    base = names.port_base(port)
    marking = f"meta mark set meta mark | {mark(settings)}"
    everywhere = f"goto {names.SERVICE}{base}"
    fact = "external_traffic_policy"
    if not port.external_local:
        setting = "externalTrafficPolicy: Cluster"
        yield Rule(
            f'{marking} comment "masquerade"',
            for_service(
                port,
                fact,
                f"{setting}: the endpoint may be on another node, so the packet gets this node's "
                "address and the answer comes back here",
                setting,
            ),
        )
        text = f"on to all endpoints of Service {port.service_key}"
        yield Rule(everywhere, for_service(port, fact, text, setting))
        return
    setting = "externalTrafficPolicy: Local"
    if settings.detector:
        yield Rule(
            f'{pods(settings)} {everywhere} comment "short-circuit pod traffic"',
            for_port_setting(
                port,
                settings.origin,
                "from a pod: inside the cluster the policy Local does not hold",
                settings.detector.setting,
            ),
        )
    yield Rule(
        f'fib saddr type local {marking} comment "masquerade local traffic"',
        for_service(
            port,
            fact,
            "from the node itself, to any endpoint: gets this node's address",
            setting,
        ),
    )
    yield Rule(
        f'fib saddr type local {everywhere} comment "short-circuit local traffic"',
        for_service(port, fact, "from the node itself: the policy Local does not hold", setting),
    )
    if plan.choice.local:
        text = f"on to the endpoints of Service {port.service_key} on this node"
        yield Rule(f"goto {names.LOCAL}{base}", for_service(port, fact, text, setting))


def _firewall(port: Port, settings: ProxySettings) -> Iterator[Rule]:
    """Drop whoever is in none of the ranges, before DNAT changes the address."""
    allowed = list(port.source_ranges)
    if settings.node_address and any(settings.node_address in one for one in allowed):
        # What the node sends to the load balancer may leave with the balancer's own address.
        allowed += [Prefix(address, address.bits) for address in port.vips]
    yield Rule(
        f"{settings.ip} saddr != {one_of(allowed)} drop",
        for_service(
            port,
            "load_balancer_source_ranges",
            f"the source is in none of the loadBalancerSourceRanges of Service {port.service_key}",
            "loadBalancerSourceRanges",
        ),
    )
