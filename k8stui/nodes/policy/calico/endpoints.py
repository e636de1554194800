"""The chains of a node's pods, and those that lead to them by the pods' devices.

A pod's chain judges what belongs to a known connection, then each tier's policies one after the
other (each marks what it accepts, or leaves to the next tier), then the profiles of the namespace
and the service account, which decide for pods that no policy selects; the rest is dropped. Source:
Calico v3.30 felix/rules/dispatch.go, endpoints.go endpointIptablesChain,
PolicyGroupToIptablesChains; felix/dataplane/linux/endpoint_mgr.go groupPolicies.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from os.path import commonprefix

from k8stui.because import Because
from k8stui.cluster.model import Pod
from k8stui.cluster.policy import Direction, Policy
from k8stui.nodes.policy.calico import rule as felix
from k8stui.nodes.policy.calico.names import (
    group_chain,
    limited,
    policy_chain,
    policy_selector,
    tier_of,
)
from k8stui.nodes.policy.calico.rule import ACCEPT, PASS, FelixRule, jump, rule
from k8stui.nodes.policy.calico.static import FROM_DISPATCH, TO_DISPATCH

_VXLAN_PORT = "4789"
_STRIDE = 5
"""So many policies of a group are asked before their verdict is looked at."""
PREFIXES = {Direction.INGRESS: "cali-pi-", Direction.EGRESS: "cali-po-"}
_GROUPS = {Direction.INGRESS: "cali-gi-", Direction.EGRESS: "cali-go-"}
_PROFILES = {Direction.INGRESS: "cali-pri-", Direction.EGRESS: "cali-pro-"}
_PODS = {Direction.INGRESS: "cali-tw-", Direction.EGRESS: "cali-fw-"}
_WAYS = {Direction.INGRESS: "inbound", Direction.EGRESS: "outbound"}


def profiles(pod: Pod) -> tuple[str, ...]:
    """Calico's own names for a pod's namespace and its service account."""
    account = pod.service_account or "default"
    return f"kns.{pod.namespace}", f"ksa.{pod.namespace}.{account}"


def pod_chain(way: Direction, device: str) -> str:
    return limited(_PODS[way], device)


def dispatch(by_device: Mapping[str, Pod]) -> Iterator[tuple[str, list[FelixRule]]]:
    """By the device that a packet comes in by, or leaves by, to the pod's chain.

    Several devices whose names go on alike behind what all have in common share a chain.
    """
    names = sorted(by_device)
    common = len(commonprefix(names))  # noqa: RUF071 - of characters
    bins = {key: list(those) for key, those in groupby(names, lambda name: name[: common + 1])}
    unknown = rule(then=felix.DROP, say="Unknown interface")
    for way, root, on in (
        (Direction.EGRESS, FROM_DISPATCH, felix.coming_in),
        (Direction.INGRESS, TO_DISPATCH, felix.going_out),
    ):
        rules = []
        for key, those in bins.items():
            own = [
                rule(
                    on(name),
                    then=felix.go_to(pod_chain(way, name)),
                    reason=_of_pod(pod, way),
                )
                for name, pod in ((name, by_device[name]) for name in those)
            ]
            if len(own) == 1:
                rules += own
                continue
            child = f"{root}-{key[common:]}"
            rules.append(rule(on(f"{key}+"), then=felix.go_to(child)))
            yield child, [*own, unknown]
        yield root, [*rules, unknown]


def pod_rules(way: Direction, pod: Pod, policies: Sequence[Policy]) -> list[FelixRule]:
    """The chain of one way of a pod; `policies`: those that select it for that way, in order."""
    judged = _of_pod(pod, way)
    rules = [
        rule(felix.in_state("RELATED,ESTABLISHED"), then=felix.ALLOW),
        rule(felix.in_state("INVALID"), then=felix.DROP),
        rule(then=felix.clear_mark(ACCEPT | PASS)),
    ]
    if way is Direction.EGRESS:
        rules += _no_tunnels()
    accepted = felix.marked(ACCEPT)
    for tier, group in groupby(policies, tier_of):
        those = list(group)
        rules.append(rule(then=felix.clear_mark(PASS), say=f"Start of tier {tier}"))
        for name, reason in _asked(way, those):
            rules += [
                rule(felix.unmarked(PASS), then=jump(name), reason=reason),
                rule(accepted, then=felix.RETURN, say="Return if policy accepted"),
            ]
        if those[0].tier.denies:  # of the others defaultAction is Pass
            rules.append(
                rule(
                    felix.unmarked(PASS),
                    then=felix.DROP,
                    say=f"End of tier {tier}. Drop if no policies passed packet",
                    reason=_denied(pod, way, those),
                )
            )
    for name in profiles(pod):
        rules += [
            rule(then=jump(limited(_PROFILES[way], name))),
            rule(accepted, then=felix.RETURN, say="Return if profile accepted"),
        ]
    rules.append(rule(then=felix.DROP, say="Drop if no profiles matched", reason=judged))
    return rules


def _no_tunnels() -> list[FelixRule]:
    said = "encapped packets originating in workloads"
    return [
        rule(
            felix.protocol(17),
            felix.to_ports(_VXLAN_PORT),
            then=felix.DROP,
            say=f"Drop VXLAN {said}",
        ),
        rule(felix.protocol(4), then=felix.DROP, say=f"Drop IPinIP {said}"),
    ]


def _grouped(policies: Sequence[Policy]) -> Iterator[tuple[str, list[Policy]]]:
    """Those of one tier with one selector, of which none of another stands between them."""
    for (_, selector), those in groupby(policies, lambda one: (tier_of(one), policy_selector(one))):
        yield selector, list(those)


def _asked(way: Direction, policies: Sequence[Policy]) -> Iterator[tuple[str, Because]]:
    for selector, those in _grouped(policies):
        if len(those) == 1:
            yield policy_chain(PREFIXES[way], those[0]), _of_policy(those[0], way)
        else:
            name = group_chain(_GROUPS[way], _WAYS[way], selector, those)
            yield name, _of_policy(those[0], way)


def groups(way: Direction, policies: Sequence[Policy]) -> Iterator[tuple[str, list[FelixRule]]]:
    """The chains of policies that have one selector."""
    for selector, those in _grouped(policies):
        if len(those) > 1:
            yield group_chain(_GROUPS[way], _WAYS[way], selector, those), _group(way, those)


def _group(way: Direction, policies: Sequence[Policy]) -> list[FelixRule]:
    rules = []
    for count, policy in enumerate(policies):
        if count and count % _STRIDE == 0:
            verdict = felix.any_marked(PASS | ACCEPT)
            rules.append(rule(verdict, then=felix.RETURN, say="Return on verdict"))
        first = () if count % _STRIDE == 0 else (felix.unmarked(PASS | ACCEPT),)
        name = policy_chain(PREFIXES[way], policy)
        rules.append(rule(*first, then=jump(name), reason=_of_policy(policy, way)))
    return rules


def profile_rules(pods: Sequence[Pod]) -> Mapping[str, list[FelixRule]]:
    """A namespace's profile lets everything through, a service account's says nothing."""
    found = {}
    for name in dict.fromkeys(name for pod in pods for name in profiles(pod)):
        for way in Direction:
            said = (f"Profile {name} {way.lower()}",)
            rules = [FelixRule(comments=said)]
            if name.startswith("kns."):
                rules = [FelixRule(comments=said, action=felix.set_mark(ACCEPT))]
            found[limited(_PROFILES[way], name)] = rules
    return found


def _of_pod(pod: Pod, way: Direction) -> Because:
    side = "to" if way is Direction.INGRESS else "from"
    return Because(
        text=f"{side} pod {pod.key}: its policies and profiles judge it",
        origin=pod.origin,
        owner="calico",
        pod=pod.key,
    )


def _of_policy(policy: Policy, way: Direction) -> Because:
    return Because(
        text=f"{policy.kind} {policy.key}, {way.lower()}", origin=policy.origin, owner="calico"
    )


def _denied(pod: Pod, way: Direction, policies: Sequence[Policy]) -> Because:
    names = ", ".join(policy.key for policy in policies)
    return Because(
        text=f"no rule of {names} allows it in {way.lower()} of pod {pod.key}",
        origin=policies[0].origin,
        owner="calico",
        pod=pod.key,
    )
