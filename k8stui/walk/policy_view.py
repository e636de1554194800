"""What the NetworkPolicies of the input make of one pod: what may come in and go out.

By the API's rules (networking/v1 NetworkPolicySpec); where the node's engine departs from them for
this pod, that is said in words (docs/facts/policy.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from k8stui.cluster.model import Pod
from k8stui.cluster.policy import (
    Action,
    ClusterPolicy,
    Direction,
    NetworkPolicy,
    Policy,
    PolicyPeer,
    PolicyPort,
    PolicyRule,
    Tier,
)
from k8stui.cluster.selection import Selection, selects
from k8stui.nodes.policy import KUBE_ROUTER, NONE
from k8stui.origin import Origin
from k8stui.record import record
from k8stui.walk.policies import nobody_enforces

if TYPE_CHECKING:
    from k8stui.walk.world import World

EVERYTHING = "every port"
_SHOWN = 3


@record(kw_only=True)
class Opening:
    """One thing that may pass: who at the other end, at which ports of the one that is asked."""

    who: str
    ports: tuple[str, ...]
    policy: str = ""
    """``namespace/name`` of the policy whose rule it is; empty: no policy has a say."""
    action: Action = Action.ALLOW
    tier: Tier | None = None
    origin: Origin | None = None
    """Of the peer, or of the rule that names none."""


@record(kw_only=True)
class PolicyView:
    """One pod under policies."""

    pod: Pod
    policies: tuple[Policy, ...]
    """Those that select it, in the order of their tiers."""
    engine: str
    """What enforces them on the pod's node, as ``--policy-engine`` has it."""
    openings: Mapping[Direction, tuple[Opening, ...]]
    """In the order in which they are asked. Empty for a direction: nothing may pass that way."""
    notes: tuple[str, ...]
    """In sentences: what is not in the policies, or comes out otherwise than they say."""

    def ruling(self, direction: Direction) -> tuple[Policy, ...]:
        """The policies that have a say about that way."""
        return tuple(one for one in self.policies if direction in one.directions)

    def isolates(self, direction: Direction) -> bool:
        """Whether what no rule allows is denied: a NetworkPolicy selects the pod."""
        return any(one.tier is Tier.NETWORK_POLICY for one in self.ruling(direction))


def policy_view(world: World, pod: Pod) -> PolicyView:
    """All that can be said of the pod without a request."""
    selection = Selection(world.cluster)
    labels = world.cluster.namespace_labels
    policies = tuple(
        one
        for tier in Tier
        for one in world.cluster.all_policies
        if one.tier is tier and not pod.host_network and selects(one, pod, None, labels)
    )
    node = world.cluster.nodes.get(pod.node_name or "")
    engine = world.network.policy_engine_of(node) if node is not None else NONE
    return PolicyView(
        pod=pod,
        policies=policies,
        engine=KUBE_ROUTER if engine.startswith(KUBE_ROUTER) else engine,
        openings={
            direction: tuple(_openings(policies, direction, pod, selection))
            for direction in Direction
        },
        notes=tuple(_notes(world, pod, policies, engine, selection)),
    )


def _openings(
    policies: tuple[Policy, ...], direction: Direction, pod: Pod, selection: Selection
) -> Iterator[Opening]:
    """What is written, in the order in which it is asked, down to what has the last word."""
    ruling = [one for one in policies if direction in one.directions]
    isolated = any(one.tier is Tier.NETWORK_POLICY for one in ruling)
    for policy in ruling:
        if isolated and policy.tier is Tier.BASELINE:
            continue
        for rule in policy.rules(direction):
            targets = (pod,) if direction is Direction.INGRESS else None
            opening = Opening(
                who="anybody",
                ports=tuple(_port_words(rule, targets)) or (EVERYTHING,),
                policy=policy.key,
                action=rule.action,
                tier=policy.tier,
                origin=rule.origin,
            )
            if not rule.peers:
                yield opening
            for peer in rule.peers:
                who = _peer_words(policy, peer, selection)
                yield replace(opening, who=who, origin=peer.origin)
    if not isolated:
        yield Opening(who="anybody", ports=(EVERYTHING,))


def _peer_words(policy: Policy, peer: PolicyPeer, selection: Selection) -> str:
    """The peer as written, with those that it means here."""
    if not peer.selects_pods:
        return str(peer)
    found = [
        one.name if one.namespace == policy.namespace else one.key
        for one in selection.peer(policy, peer)
        if not one.host_network
    ]
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return f"{peer} ({', '.join(found[:_SHOWN]) or 'nobody here'}{more})"


def _port_words(rule: PolicyRule, targets: tuple[Pod, ...] | None) -> Iterator[str]:
    """Ports as ``80/TCP``; a name with the number that it has in the pod."""
    for port in rule.ports:
        if isinstance(port.port, str) and targets is not None:
            numbers = sorted({number for pod in targets for number in _numbers(pod, port)})
            has = ", ".join(map(str, numbers)) or "no such port"
            yield f"{port} ({has})"
        else:
            yield f"every port/{port}" if port.port is None else str(port)


def _numbers(pod: Pod, port: PolicyPort) -> Iterator[int]:
    for container in pod.containers:
        for one in container.ports:
            if one.name == port.port and one.protocol.name == port.protocol:
                yield one.number


def _notes(
    world: World, pod: Pod, policies: tuple[Policy, ...], engine: str, selection: Selection
) -> Iterator[str]:
    if pod.host_network:
        yield "the pod is on its node's network: no policy selects it, and it is no peer of one"
        return
    if engine == NONE:
        if policies:
            yield f"not enforced: {nobody_enforces(world)}, so everything passes all the same"
        return
    if policies:
        yield "answers to what was let through always pass; so does what the pod's own node sends"
    if not engine.startswith(KUBE_ROUTER) or not policies:
        return
    yield (
        "what is not allowed kube-router rejects with an ICMP error: the client is refused at once "
        "(TCP too); it lets every ping through"
    )
    ways = {direction for one in policies for direction in one.directions}
    if Direction.EGRESS in ways:
        yield (
            "unlike the API, kube-router judges what the pod sends to its own node by these egress "
            "rules"
        )
    for policy in policies:
        if isinstance(policy, ClusterPolicy):
            continue
        if len(policy.directions) == len(Direction) and policy.ingress and policy.egress:
            yield (
                f"unlike the API, a rule of {policy.key} for one way opens the other way too "
                "between pods that it selects: kube-router judges both with one mark"
            )
        for direction in policy.directions:
            for _, names in unheard_names(policy, direction, selection):
                yield (
                    f"unlike the API, {policy.key} opens every port to the pods of one rule: "
                    f"nobody has a port named {names}, and kube-router then leaves the port out"
                )


def unheard_names(
    policy: NetworkPolicy, direction: Direction, selection: Selection
) -> Iterator[tuple[PolicyRule, str]]:
    """Rules by names of ports alone that nobody has, with the names, for pods that are there.

    kube-router finds no number for the name, and then leaves out the port, not the rule: all ports
    of all protocols are open to those pods (docs/facts/policy.md row 3).
    """
    for rule in policy.rules(direction):
        names = [port for port in rule.ports if isinstance(port.port, str)]
        peers = [one for peer in rule.peers for one in selection.peer(policy, peer)]
        if not names or len(names) < len(rule.ports) or not peers:
            continue
        asked = peers
        if direction is Direction.INGRESS:
            asked = list(selection.pods(policy.namespace, policy.pods))
        if not any(True for port in names for pod in asked for _ in _numbers(pod, port)):
            yield rule, ", ".join(str(port.port) for port in names)
