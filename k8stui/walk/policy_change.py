"""The smallest change of a policy that would allow what it denies.

Of a NetworkPolicy: a port more in a rule that has the peer; a peer more in a rule that has the
port; else a rule more. Of a policy of the cluster: a rule before the one that denies it. Of
Calico's own: such a rule, or one more at the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from k8stui.cluster.controller_marks import is_made
from k8stui.cluster.judgement import Ask
from k8stui.cluster.policy import (
    Action,
    CalicoPolicy,
    ClusterPolicy,
    Direction,
    NetworkPolicy,
    Policy,
    PolicyPeer,
    PolicyPort,
    PolicyRule,
    read_block,
)
from k8stui.cluster.selectors import NAMESPACE_NAME
from k8stui.kernel.exchange import Result
from k8stui.kernel.step import Direction as Way
from k8stui.kernel.step import StepKind
from k8stui.nodes.network import build_network
from k8stui.nodes.policy import NONE
from k8stui.origin import Origin
from k8stui.record import record
from k8stui.walk.policies import Denial, Denied, Policies, most_particular, source_met
from k8stui.walk.walk import walks

if TYPE_CHECKING:
    from k8stui.kernel.packet import Packet
    from k8stui.walk.trace import Request, Trace
    from k8stui.walk.world import World

_MOST = 100
"""Of so many that a name may lead to what keeps a client from them is looked at."""


@record(kw_only=True)
class NewEntry:
    """One list entry more."""

    policy: Policy
    """As it would be."""
    field: str
    """The list that it goes into: ``spec.ingress[0].ports``."""
    entry: str
    """As YAML on one line."""
    origin: Origin
    """Where that list, or what it belongs to, is written."""
    how: str = "add"
    """What is done with the entry, where it is not just one more."""
    more: str = ""
    """What else it lets through, where that is more than was asked for."""


def smallest_change(policies: Policies, denied: Denied) -> NewEntry:
    """The change of the first policy that selects the pod and has a rule near enough.

    Without any: of the one that wants most of the pod's labels.
    """
    ruling, way = denied.ruling, denied.ruling.direction
    if isinstance(ruling.policy, ClusterPolicy):
        return _before(ruling.policy, denied)
    selecting = [one for one in ruling.selecting if isinstance(one, NetworkPolicy)]
    own = [one for one in (ruling.policy, *ruling.selecting) if isinstance(one, CalicoPolicy)]
    if own and not selecting:
        return _of_calico(own[0], denied)
    rules = [
        (policy, place, rule)
        for policy in selecting
        for place, rule in enumerate(policy.rules(way))
    ]
    port = PolicyPort(protocol=denied.ask.protocol.name, port=denied.ask.port)
    for policy, place, rule in rules:
        if policies.allows(policy, replace(rule, ports=()), denied.peer, denied.ask):
            wider = replace(rule, ports=(*rule.ports, port))
            return NewEntry(
                policy=_with(policy, way, place, wider),
                field=f"spec.{way.lower()}[{place}].ports",
                entry=f"- {_port(port)}",
                origin=rule.origin,
            )
    for policy, place, rule in rules:
        if policies.allows(policy, replace(rule, peers=()), denied.peer, denied.ask):
            peer = _peer(policy, denied, rule.origin)
            wider = replace(rule, peers=(*rule.peers, peer))
            return NewEntry(
                policy=_with(policy, way, place, wider),
                field=f"spec.{way.lower()}[{place}].{way.peers}",
                entry=f"- {_words(peer)}",
                origin=rule.origin,
                more=_more(denied, peer),
            )
    policy = most_particular(selecting)
    peer = _peer(policy, denied, policy.origin)
    rule = PolicyRule(peers=(peer,), ports=(port,), origin=policy.origin)
    return NewEntry(
        policy=_with(policy, way, len(policy.rules(way)), rule),
        field=f"spec.{way.lower()}",
        entry=f"- {{{way.peers}: [{_words(peer)}], ports: [{_port(port)}]}}",
        origin=policy.origin,
        more=_more(denied, peer),
    )


def _before(policy: ClusterPolicy, denied: Denied) -> NewEntry:
    """A rule that fits this alone, before the one that denies it."""
    ruling = denied.ruling
    way, place = ruling.direction, ruling.place
    origin = policy.origin if ruling.rule is None else ruling.rule.origin
    peer = _peer(policy, denied, origin)
    port = PolicyPort(protocol=denied.ask.protocol.name, port=denied.ask.port)
    rule = PolicyRule(peers=(peer,), ports=(port,), action=Action.ALLOW, origin=origin)
    if policy.kind == "ClusterNetworkPolicy":
        action = "Accept"
        protocol = port.protocol.lower()
        ports = f"protocols: [{{{protocol}: {{destinationPort: {{number: {port.port}}}}}}}]"
    else:
        action = "Allow"
        ports = f"ports: [{{portNumber: {{port: {port.port}, protocol: {port.protocol}}}}}]"
    if peer.block is not None:
        words = f"{{networks: [{_scalar(peer.block.cidr.written)}]}}"
    else:
        words = f"{{pods: {_words(peer)}}}"
    return NewEntry(
        policy=_with(policy, way, place, rule, instead=False),
        field=f"spec.{way.lower()}",
        how=f"write before entry {place}",
        entry=f"- {{action: {action}, {way.peers}: [{words}], {ports}}}",
        origin=origin,
        more=_more(denied, peer),
    )


def _of_calico(policy: CalicoPolicy, denied: Denied) -> NewEntry:
    """A rule that allows this alone: before the one that denies it, or behind all."""
    from k8stui.cluster.decode.calico_policy import read_rule  # noqa: PLC0415 - rare

    ruling, far = denied.ruling, denied.peer
    way, before = ruling.direction, ruling.rule
    place = ruling.place if before is not None else len(policy.rules(way))
    end: dict[str, object] = {}
    if far.namespace:
        if far.namespace != policy.namespace:
            end["namespaceSelector"] = f"projectcalico.org/name == '{far.namespace}'"
        own = (
            f"{key} == '{value}'" for key, value in sorted(far.labels.items()) if not is_made(key)
        )
        end["selector"] = " && ".join(own) or "all()"
    elif far.address is not None:
        end["nets"] = [f"{far.address}/{far.address.bits}"]
    protocol, ports = denied.ask.protocol.name, {"ports": [denied.ask.port]}
    inward = way is Direction.INGRESS
    rule = {
        "action": "Allow",
        "protocol": protocol,
        **({"source": end} if inward else {}),
        "destination": ports if inward else {**end, **ports},
    }
    origin = before.origin if before is not None else policy.origin
    made = read_rule(rule, way, policy.namespace, (origin, origin))
    return NewEntry(
        policy=_with(policy, way, place, made, instead=False),
        field=f"spec.{way.lower()}",
        how="add" if before is None else f"write before entry {place}",
        entry=f"- {_flow(rule)}",
        origin=origin,
        more=_more(denied, PolicyPeer(pods={}, origin=origin))
        if end.get("selector") == "all()"
        else "",
    )


def _flow(value: object) -> str:
    """As YAML on one line."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_flow(one)}' for key, one in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    return _scalar(value) if isinstance(value, str) else str(value)


def _with(
    policy: Policy, direction: Direction, place: int, rule: PolicyRule, *, instead: bool = True
) -> Policy:
    rules = list(policy.rules(direction))
    rules[place : place + instead] = [rule]
    if direction is Direction.INGRESS:
        return replace(policy, ingress=tuple(rules))
    return replace(policy, egress=tuple(rules))


def _peer(policy: Policy, denied: Denied, origin: Origin) -> PolicyPeer:
    """The other end as narrowly as its own labels say it; an address alone as a block."""
    far = denied.peer
    if not far.namespace:
        address = far.address
        cidr = f"{address}/{address.bits}" if address is not None else "0.0.0.0/0"
        return PolicyPeer(block=read_block(cidr), origin=origin)
    own = {key: value for key, value in far.labels.items() if not is_made(key)}
    spaces = {"matchLabels": {NAMESPACE_NAME: far.namespace}}
    return PolicyPeer(
        pods={"matchLabels": own} if own else {},
        namespaces=None if far.namespace == policy.namespace else spaces,
        origin=origin,
    )


def _more(denied: Denied, peer: PolicyPeer) -> str:
    far = denied.peer
    if peer.pods != {} or far.pod is None:
        return ""
    return (
        f"every pod of namespace {far.namespace} then: pod {far.pod.key} has no label to be "
        "selected by"
    )


def _port(port: PolicyPort) -> str:
    protocol = "" if port.protocol == "TCP" else f", protocol: {port.protocol}"
    return f"{{port: {port.port}{protocol}}}"


def _words(peer: PolicyPeer) -> str:
    if peer.block is not None:
        return f"{{ipBlock: {{cidr: {_scalar(peer.block.cidr.written)}}}}}"
    return f"{{{', '.join(_selectors(peer))}}}"


def _selectors(peer: PolicyPeer) -> Iterator[str]:
    for name, selector in (("namespaceSelector", peer.namespaces), ("podSelector", peer.pods)):
        if isinstance(selector, dict):
            labels = selector.get("matchLabels", {})
            pairs = ", ".join(f"{key}: {_scalar(value)}" for key, value in labels.items())
            yield f"{name}: {{matchLabels: {{{pairs}}}}}" if pairs else f"{name}: {{}}"


def _scalar(value: str) -> str:
    """A string that YAML would not take for anything else, inside of braces."""
    plain = value[:1].isalpha() and all(one.isalnum() or one in "-_./" for one in value)
    words = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}
    return value if plain and value.lower() not in words else f'"{value}"'


def denials_and_changes(world: World, trace: Trace) -> Iterator[tuple[Denial, NewEntry]]:
    """What policies have against a walked request at every place, each with what would mend it.

    What mends two of them is there once.
    """
    policies = Policies(world.network.enforced)
    known = set()
    for denial in _denials(world, policies, trace):
        if denial.denied is None or denial.unsure:
            continue
        change = smallest_change(policies, denial.denied)
        place = change.policy.kind, change.policy.key, change.field, change.entry
        if place not in known:
            known.add(place)
            yield denial, change


def _denials(world: World, policies: Policies, trace: Trace) -> Iterator[Denial]:
    """Judged at what each end's policies meet, also those that the request does not get to."""
    request, connect = trace.request, trace.request.connect
    if connect is None:
        return
    client = world.cluster.pods.get(connect.namespace)
    there = [hop for hop in trace.hops if hop.direction is Way.FORWARD and hop.steps[-1].before]
    if not there:  # not even the name resolved
        yield from _behind_the_name(world, policies, request)
        return
    node = client.node_name if client is not None else None
    left = next((hop for hop in there if hop.namespace == node), there[-1]).steps[-1].before
    last = there[-1].steps[-1]
    assert left is not None
    assert last.before is not None
    peer = policies.judgement.peer_at(left.dst)
    if client is not None and peer.pod is client:
        is_judged = world.network.has_policy_rules(world.cluster.nodes[node or ""])
        if last.kind is StepKind.DELIVER or not is_judged:
            return  # by the API's rules a pod cannot be cut from itself
    yield from policies.outward(request, peer, Ask(left.dport, connect.protocol, peer.pod))
    arrival = _arrival(world, request, last.before)
    server, port, source = peer.pod, last.before.dport, last.before.src
    if arrival is not None:
        server = world.cluster.pods.get(arrival.outcome.server_pod or "")
        port = arrival.outcome.server_port or port
        source = source_met(world.cluster, arrival) or source
    if server is not None:
        yield from policies.inward(request, server, Ask(port, connect.protocol, server), source)


def _behind_the_name(world: World, policies: Policies, request: Request) -> Iterator[Denial]:
    """The question for the name, and what comes behind it."""
    client = world.cluster.pods.get(request.connect.namespace if request.connect else "")
    if client is None:
        return
    arrivals = list(islice(_arrivals(world, request), _MOST))
    for arrival in arrivals:
        done = arrival.outcome
        server = world.cluster.pods.get(done.server_pod or "")
        peer = policies.judgement.peer(server, done.server_address, str(done.server_address))
        ask = Ask(done.server_port or 0, request.protocol, server)
        yield from policies.outward(request, peer, ask)
        if server is not None and server is not client:
            yield from policies.inward(request, server, ask, source_met(world.cluster, arrival))
    if not arrivals and (denial := policies.dns(client, request)) is not None:
        yield denial


def _arrival(world: World, request: Request, packet: Packet) -> Trace | None:
    """How the request would go on from where it stood as this packet, if no policy were enforced.

    None: it would not arrive, or the rules that stop it are those of a dump.
    """
    for trace in _arrivals(world, request):
        if (packet.dst, packet.dport) in (
            (met.dst, met.dport) for step in trace.steps if (met := step.before) is not None
        ):
            return trace
    return None


def _arrivals(world: World, request: Request) -> Iterator[Trace]:
    """The branches that would arrive, if no policy were enforced."""
    options = replace(world.options, policy_engine=NONE)
    opened = replace(world, options=options, network=build_network(world.cluster, options))
    for trace in walks(opened, request):
        if trace.outcome.result is Result.CONNECTED:
            yield trace
