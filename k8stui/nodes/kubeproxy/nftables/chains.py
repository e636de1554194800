"""The chains that one service port has for itself: who may ask, which endpoint, and its affinity.

Source: kube-proxy pkg/proxy/nftables/proxier.go syncProxyRules, writeServiceToEndpointRules;
docs/facts/kube-proxy.md section 8.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from k8stui.kernel.address import Prefix
from k8stui.kernel.nft import times
from k8stui.kernel.nft_ruleset import NftSet
from k8stui.kernel.rules import Rule
from k8stui.nodes.kubeproxy.endpoints import Backend
from k8stui.nodes.kubeproxy.nftables import names
from k8stui.nodes.kubeproxy.nftables.fixed import mark, pods
from k8stui.nodes.kubeproxy.nftables.intervals import one_of
from k8stui.nodes.kubeproxy.port_plan import PortPlan
from k8stui.nodes.kubeproxy.ports import Port
from k8stui.nodes.kubeproxy.reasons import (
    FROM_A_POD,
    FROM_OUTSIDE,
    MARKED_OF_THE_NODE,
    OF_THE_NODE,
    for_endpoint,
    for_policy,
    for_port_setting,
    for_service,
    for_source_ranges,
)
from k8stui.nodes.kubeproxy.settings import ProxySettings

_AFFINITY_SIZE = 65535
"""proxier.go: what nft gives a dynamic set on most systems."""


class Own:
    """What a service port has for itself: its chains and affinity sets, as they are made.

    An endpoint's name is a hash of it: made once here, however often it is asked for.
    """

    def __init__(self, plan: PortPlan) -> None:
        self.plan = plan
        port, choice = plan.port, plan.choice
        base = names.port_base(port)
        remembered = choice.reachable if port.affinity_seconds is not None else ()
        endpoints = {names.endpoint_base(port, backend): backend for backend in remembered}
        shared = (
            (names.SERVICE, bool(choice.cluster)),
            (names.LOCAL, bool(choice.local)),
            (names.EXTERNAL, plan.has_external_chain),
            (names.FIREWALL, bool(port.vips and port.source_ranges)),
        )
        self.chains: Mapping[str, Backend | None] = {
            **{names.ENDPOINT + name: backend for name, backend in endpoints.items()},
            **{prefix + base: None for prefix, is_there in shared if is_there},
        }
        """Each with the endpoint that it is of, if it is of one."""
        self.sets: Mapping[str, Backend] = {
            names.AFFINITY + name: backend for name, backend in endpoints.items()
        }


def rules_of(own: Own, name: str, settings: ProxySettings) -> Iterator[Rule]:
    """The rules of one of its chains."""
    plan, backend = own.plan, own.chains[name]
    port, choice = plan.port, plan.choice
    if backend is not None:
        return _endpoint(port, backend, settings)
    if name.startswith(names.SERVICE):
        return _balanced(port, choice.cluster, settings, "")
    if name.startswith(names.LOCAL):
        return _balanced(port, choice.local, settings, " on this node")
    if name.startswith(names.EXTERNAL):
        return _external(plan, settings)
    return _firewall(port, settings)


def affinity_set(own: Own, name: str, settings: ProxySettings) -> NftSet:
    """The clients that an endpoint has answered, for as long as they are remembered."""
    port = own.plan.port
    seconds = port.affinity_seconds or 0
    text = f"clients of this endpoint of Service {port.service_key}, for {seconds} s"
    return NftSet(
        name=name,
        key=f"ipv{settings.version}_addr",
        size=_AFFINITY_SIZE,
        flags=("dynamic", "timeout"),
        timeout=times.written(seconds),
        reason=for_endpoint(port, own.sets[name], text),
    )


def _balanced(
    port: Port, backends: Sequence[Backend], settings: ProxySettings, where: str
) -> Iterator[Rule]:
    """One of the endpoints by chance; a known client's first."""
    count = len(backends)
    if port.affinity_seconds is None:
        yield Rule(
            f"meta l4proto {port.protocol} dnat {settings.ip} to numgen random mod {count} "
            f"map {{ {', '.join(_numbered(_to(one)[0] for one in backends))} }}",
            replace(
                for_service(port, "", _chance(port, count, where)),
                among=tuple((one.text, one.endpoint.pod) for one in backends),
            ),
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


def _endpoint(port: Port, backend: Backend, settings: ProxySettings) -> Iterator[Rule]:
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
    if not port.external_local:
        yield Rule(f'{marking} comment "masquerade"', for_policy(port, FROM_OUTSIDE))
        text = f"on to all endpoints of Service {port.service_key}"
        yield Rule(everywhere, for_policy(port, text))
        return
    if settings.detector:
        yield Rule(
            f'{pods(settings)} {everywhere} comment "short-circuit pod traffic"',
            for_port_setting(port, settings.origin, FROM_A_POD, settings.detector.setting),
        )
    yield Rule(
        f'fib saddr type local {marking} comment "masquerade local traffic"',
        for_policy(port, MARKED_OF_THE_NODE),
    )
    yield Rule(
        f'fib saddr type local {everywhere} comment "short-circuit local traffic"',
        for_policy(port, OF_THE_NODE),
    )
    if plan.choice.local:
        text = f"on to the endpoints of Service {port.service_key} on this node"
        yield Rule(f"goto {names.LOCAL}{base}", for_policy(port, text))


def _firewall(port: Port, settings: ProxySettings) -> Iterator[Rule]:
    """Drop whoever is in none of the ranges, before DNAT changes the address."""
    allowed = list(port.source_ranges)
    if settings.node_address and any(settings.node_address in one for one in allowed):
        # What the node sends to the load balancer may leave with the balancer's own address.
        allowed += [Prefix(address, address.bits) for address in port.vips]
    yield Rule(f"{settings.ip} saddr != {one_of(allowed)} drop", for_source_ranges(port))
