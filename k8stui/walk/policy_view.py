"""What the NetworkPolicies of the input make of one pod: what may come in and go out.

By the API's rules (networking/v1 NetworkPolicySpec); where the node's engine departs from them for
this pod, that is said in words (docs/facts/policy.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

from k8stui.cluster.model import Pod
from k8stui.cluster.policy import (
    Action,
    CalicoTier,
    Direction,
    Policy,
    PolicyPeer,
    PolicyRule,
    Tier,
    tiers,
)
from k8stui.cluster.selection import Selection, ruling
from k8stui.nodes.policy import KUBE_ROUTER, NONE
from k8stui.origin import Origin
from k8stui.record import record
from k8stui.walk.policy_notes import numbers_of, policy_notes

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
    tier: Tier | CalicoTier | None = None
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
        """Whether what no rule allows is denied: nothing passes that no policy has a say about."""
        return all(one.policy or one.action is Action.DENY for one in self.openings[direction])


def policy_view(world: World, pod: Pod) -> PolicyView:
    """All that can be said of the pod without a request."""
    selection = Selection(world.cluster)
    those = ruling(world.cluster, pod)
    policies = tuple(one for tier in tiers(those) for one in those if one.tier == tier)
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
        notes=tuple(policy_notes(world, pod, policies, engine, selection)),
    )


def _openings(
    policies: tuple[Policy, ...], direction: Direction, pod: Pod, selection: Selection
) -> Iterator[Opening]:
    """What is written, in the order in which it is asked, down to what has the last word."""
    those = [one for one in policies if direction in one.directions]
    closed = False
    for tier, of_tier in groupby(those, attrgetter("tier")):
        rules = [(policy, rule) for policy in of_tier for rule in policy.rules(direction)]
        for policy, rule in rules:
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
        passes = any(rule.action is Action.PASS for _, rule in rules)
        closed = tier.denies and not passes
        if closed:
            break
        if tier.denies:
            end = f"what tier {tier} does not pass"
            yield Opening(who=end, ports=(EVERYTHING,), action=Action.DENY, tier=tier)
    if not closed:
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
            numbers = sorted({number for pod in targets for number in numbers_of(pod, port)})
            has = ", ".join(map(str, numbers)) or "no such port"
            yield f"{port} ({has})"
        else:
            yield f"every port/{port}" if port.port is None else str(port)
