"""NetworkPolicies do not let through what a container is told to ask, or what a Service is for.

Judged by the API's rules (networking/v1 NetworkPolicySpec), whoever enforces them: a pod that a
policy selects for a direction gets, or sends, only what one of its rules allows; the port of the
pod counts, not the Service's; before it asks by name a pod asks cluster DNS.

A warning where the env, command or arguments of a container name the Service: that request is
meant; and where an Ingress does that the input's controller serves. So does what resolves no name,
though it may ask somebody: nearly every egress policy that forgets port 53 is a mistake ("deny-all
kills DNS"). An information where nobody is told to ask, and none of the pods that there are is let
through to the Service; or where nothing may go out at all. One finding for each policy and reason.

A warning, too, where a policy lets in clients outside by their addresses, and the nodes put their
own in place of them (externalTrafficPolicy Cluster); and where a block of the Services' range holds
the API server's ClusterIP alone, and not its own address and port, which policies see.

Does not apply to clients that nobody is known to be, where a rule lets others in; to pods on their
node's network, which policies do not select; and to clients outside the cluster.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import reduce
from operator import or_

from k8stui.check.calls import behind, of_ingresses, told
from k8stui.check.client import pod_source
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.cluster.judgement import Ask, Peer
from k8stui.cluster.kubernetes_service import KEY as API
from k8stui.cluster.model import Pod, Service, ServicePort
from k8stui.cluster.names import DNS_PORT
from k8stui.cluster.policy import Direction, IpBlock, NetworkPolicy
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.packet import Protocol
from k8stui.record import record
from k8stui.walk.error import RequestError
from k8stui.walk.policies import Denial, Policies
from k8stui.walk.request import parse_request

ID = "policy-denial"


@record()
class _Asked:
    """A pod behind a Service, as a policy is asked about it."""

    what: str
    peer: Peer
    ask: Ask
    kept: int
    """Whom their policies keep from it: a set of `check.admission`."""


def look(ground: Ground) -> Iterator[Finding]:
    if not ground.cluster.all_policies:
        return
    known: set[object] = set()
    for severity, who, denial in (
        *_meant(ground),
        *_hidden(ground),
        *_others(ground),
        *_virtual(ground),
        *_api_server(ground),
        *_nameless(ground),
    ):
        place = denial.origin.place
        key = (place.file, place.line) if place is not None else denial.reason
        reason = "no name" if denial.of_names else denial.reason
        if (key in known and severity is Severity.INFO) or (key, reason) in known:
            continue
        known |= {key, (key, reason)}
        yield Finding(
            rule=ID,
            severity=severity,
            subject=denial.policy,
            place=place,
            why=f"{who}: {denial.reason}",
            fix=denial.advice,
        )


def _meant(ground: Ground) -> Iterator[tuple[Severity, str, Denial]]:
    """What containers are told to ask, and the ingress controller for its Ingresses."""
    for one in (*told(ground), *of_ingresses(ground)):
        for denial in _denials(ground, one.client, one.service, one.port, one.host):
            yield Severity.WARNING, one.said, denial


def _nameless(ground: Ground) -> Iterator[tuple[Severity, str, Denial]]:
    """Pods that no name resolves in: one for all that the same policies select."""
    policies = Policies(ground.judgement.cluster, ground.judgement)
    server = policies.dns_server
    is_seen = server.key in ground.cluster.pods
    left = 0  # those that cluster DNS does not let in
    if not is_seen and policies.judgement.selecting(server, Direction.INGRESS):
        left = ~left  # each of them is to be asked
    elif is_seen and not server.host_network:
        ask = Ask(DNS_PORT, Protocol.UDP, server)
        left = ~ground.admission.through(Direction.INGRESS, server, ask)
    seen: set[tuple[str, ...]] = set()
    for pod in ground.cluster.pods.values():
        selecting = policies.judgement.selecting(pod, Direction.EGRESS)
        key = tuple(f"{one.kind} {one.key}" for one in selecting)
        if key in seen or not (key or (left and left & ground.admission.bit(pod))):
            continue
        node = ground.cluster.nodes.get(pod.node_name or "")
        judged = node is not None and ground.world.network.judges_own_node(node)
        denial = policies.nameless(pod, own_node=judged)
        if denial is not None and denial.denied is not None:
            seen.add(key)
            ruling = denial.denied.ruling
            # A pod may well be told to ask nobody; cluster DNS is there to be asked by all.
            opens = any(one.rules(Direction.EGRESS) for one in ruling.selecting)
            meant = not opens if ruling.direction is Direction.EGRESS else not is_seen
            severity = Severity.INFO if meant else Severity.WARNING
            yield severity, f"no name resolves in pod {pod.key}", denial


def _others(ground: Ground) -> Iterator[tuple[Severity, str, Denial]]:
    """What some client asks of each Service: the one that a walk would begin with."""
    for target in ground.targets:
        service, port = target.service, target.port
        claim = ground.ask(service, port)
        client = ground.cluster.pods.get(_key(claim.source)) if claim is not None else None
        if client is not None:
            who = f"port {port.port} of Service {service.key}, asked by {client.name}"
            for denial in _denials(ground, client, service, port, ""):
                yield Severity.INFO, who, denial


def _virtual(ground: Ground) -> Iterator[tuple[Severity, str, Denial]]:
    """Services whose own address a policy names: it is rewritten before any policy looks.

    Of each policy the first, asked by the first pod that it selects. Who is let in is not asked.
    """
    policies = Policies(ground.judgement.cluster, ground.judgement)
    first = _first_clients(ground, policies)
    known: dict[tuple[IpBlock, ...], list[_Asked]] = {}
    kept: dict[tuple[IpBlock, ...], int] = {}
    for policy in ground.cluster.policies:
        client, blocks = first.get(policy.key), _blocks(policy)
        if client is None or not blocks:
            continue
        if blocks not in known:
            known[blocks] = list(_asks(ground, policies, blocks))
            kept[blocks] = reduce(or_, (each.kept for each in known[blocks]), 0)
        own = ground.admission.bit(client)
        for asked_for in known[blocks] if kept[blocks] & own else ():
            if asked_for.kept & own and asked_for.ask.server is not client:
                denial = policies.denied(Direction.EGRESS, client, asked_for.peer, asked_for.ask)
                if denial is not None:
                    yield Severity.INFO, f"{asked_for.what}, asked by {client.name}", denial
                    break


def _api_server(ground: Ground) -> Iterator[tuple[Severity, str, Denial]]:
    """The API server's ClusterIP in a block of a policy: its own address and port are asked.

    Only blocks of the Services' range: a wider one may well be there for others.
    """
    cluster = ground.cluster
    api = cluster.services.get(API)
    if api is None:
        return
    policies = Policies(ground.judgement.cluster, ground.judgement)
    first = _first_clients(ground, policies)
    asked_for = [
        (policies.judgement.peer_at(address), Ask(port.port, port.protocol, None))
        for each in cluster.endpoint_slices.get(API, ())
        for endpoint in each.endpoints
        for address in endpoint.addresses
        for port in each.ports or ()
        if port.port is not None
    ]
    for policy in cluster.policies:
        client = first.get(policy.key)
        blocks = [one for one in _blocks(policy) if any(ip in one for ip in api.cluster_ips)]
        if client is None or not any(_is_of(cluster.service_cidrs, one) for one in blocks):
            continue
        for peer, ask in asked_for:
            denial = policies.denied(Direction.EGRESS, client, peer, ask)
            if denial is not None:
                who = f"the API server (Service {API}), asked by {client.name}"
                yield Severity.WARNING, who, denial


def _hidden(ground: Ground) -> Iterator[tuple[Severity, str, Denial]]:
    """Clients outside whose addresses a policy lets in: nodes put their own in place of them.

    At node ports of Services with externalTrafficPolicy Cluster, but for those to whose pods a load
    balancer leads by itself (target type ip).
    """
    policies = Policies(ground.judgement.cluster, ground.judgement)
    outside = {one.key: _first_outside(ground, one) for one in ground.cluster.policies}
    for service in ground.services if any(outside.values()) else ():
        past = any(
            value == "ip"
            for key, value in service.annotations.items()
            if key.endswith("target-type")
        )
        if past or service.external_traffic_policy == "Local":
            continue
        for port in service.ports:
            for pod, number in behind(ground, service, port) if port.node_port else ():
                ask = Ask(number, port.protocol, pod)
                for policy in policies.judgement.selecting(pod, Direction.INGRESS):
                    client = outside.get(policy.key)
                    if client is not None and policy.kind == "NetworkPolicy":
                        yield from _masqueraded(ground, policies, client, port, ask)


def _first_outside(ground: Ground, policy: NetworkPolicy) -> Address | None:
    """The first address that a policy lets in and that is none of the cluster's own."""
    cluster = ground.cluster
    inside = (*cluster.pod_cidrs, *cluster.service_cidrs)
    for rule in policy.rules(Direction.INGRESS):
        for peer in rule.peers:
            prefix = peer.block.cidr.prefix if peer.block is not None else None
            if prefix is None or not prefix.length or any(prefix.address in one for one in inside):
                continue
            if not any(own in prefix for node in cluster.nodes.values() for own in node.addresses):
                return prefix.address
    return None


def _masqueraded(
    ground: Ground, policies: Policies, client: Address, port: ServicePort, ask: Ask
) -> Iterator[tuple[Severity, str, Denial]]:
    pod, peer_at = ask.server, policies.judgement.peer_at
    if pod is None or policies.denied(Direction.INGRESS, pod, peer_at(client), ask) is not None:
        return
    for node in ground.cluster.nodes.values():
        own = node.address(client.version)
        if node.name == pod.node_name or own is None:
            continue
        denial = policies.denied(Direction.INGRESS, pod, peer_at(own), ask)
        if denial is not None:
            asked = f"node/{node.name}:{port.node_port}"
            request = parse_request(ground.world, str(client), asked)
            who = f"{client}, which comes by node port {port.node_port} of {node.name}"
            yield Severity.WARNING, who, policies.seen_as(denial, own, request)
        return


def _is_of(ranges: Iterable[Prefix], block: IpBlock) -> bool:
    prefix = block.cidr.prefix
    return prefix is not None and any(
        prefix.address in one and prefix.length >= one.length for one in ranges
    )


def _first_clients(ground: Ground, policies: Policies) -> dict[str, Pod]:
    """The first pod that each policy with address blocks selects for what goes out."""
    first: dict[str, Pod] = {}
    for pod in ground.cluster.pods.values() if any(map(_blocks, ground.cluster.policies)) else ():
        for one in policies.judgement.selecting(pod, Direction.EGRESS):
            if isinstance(one, NetworkPolicy):
                first.setdefault(one.key, pod)
    return first


def _asks(ground: Ground, policies: Policies, blocks: tuple[IpBlock, ...]) -> Iterator[_Asked]:
    """What is asked in the end of each Service whose address stands in one of `blocks`."""
    for service in ground.services:
        if any(ip in one for ip in service.cluster_ips for one in blocks):
            for port in service.ports:
                for pod, number in behind(ground, service, port):
                    peer = policies.judgement.peer(pod, None, f"pod {pod.key}")
                    what = f"port {port.port} of Service {service.key}"
                    ask = Ask(number, port.protocol, pod)
                    yield _Asked(what, peer, ask, ground.admission.kept(pod, ask))


def _blocks(policy: NetworkPolicy) -> tuple[IpBlock, ...]:
    rules = policy.rules(Direction.EGRESS)
    return tuple(one.block for rule in rules for one in rule.peers if one.block is not None)


def _key(source: str) -> str:
    name = source.removeprefix("pod/")
    return name if "/" in name else f"default/{name}"


def _denials(
    ground: Ground, client: Pod, service: Service, port: ServicePort, host: str
) -> Iterator[Denial]:
    """Denials of what `client` asks; `host`: as it writes the name, empty for the Service alone."""
    asked_for = (
        f"{host}:{port.port}" if host else f"svc/{service.name}.{service.namespace}:{port.port}"
    )
    try:
        request = parse_request(ground.world, pod_source(client), asked_for)
    except RequestError:
        return
    policies = Policies(ground.judgement.cluster, ground.judgement)
    for pod, number in behind(ground, service, port):
        if denial := policies.against(request, pod.key, number):
            yield denial


RULE = CheckRule(
    id=ID,
    summary="NetworkPolicies keep a request from its Service",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
