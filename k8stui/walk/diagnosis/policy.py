"""A policy engine turned the packet away: which policies select the pod, what would let it through.

Judged by the API's rules; where those would have allowed it, kube-router departs from them, and
that is said (docs/facts/policy.md).
"""

from __future__ import annotations

import re
from dataclasses import replace

from k8stui.cluster.judgement import Ask
from k8stui.cluster.model import Node, Pod
from k8stui.cluster.policy import Direction, NetworkPolicy
from k8stui.cluster.selection import ruling
from k8stui.kernel.address import Address
from k8stui.kernel.namespace import NetNamespace
from k8stui.kernel.packet import Packet
from k8stui.kernel.step import JudgeCause, RuleCause, Step, StepKind
from k8stui.nodes.clouds import OWNER, lost
from k8stui.walk.diagnosis.case import Case, Diagnosis
from k8stui.walk.policies import Denial, Policies
from k8stui.walk.reason import because, observed_at, origin_of
from k8stui.walk.source_seen import marked_before, why_masqueraded

_CHAIN = "KUBE-POD-FW-"
_OF_DEVICE = re.compile(r"cali-[tf]w-(.+)")
"""The chain of what goes to a pod, and of what comes from it."""
_OF_POLICIES = ("cali-pi-", "cali-po-")
"""Chains of what comes in to pods by a policy, and of what goes out."""
_INWARD = ("cali-tw-", _OF_POLICIES[0])
_POD = re.compile(r'POD name:(\S+) namespace: ([^\s"]+)|--comment "(\S+)/(\S+) reject"')
"""By which comment the rule of a dump names its pod, in either kube-router's words."""


def rejected_by_policy(case: Case) -> Diagnosis | None:
    """Recognise the last rule of a pod's chain: no policy has marked the packet."""
    step, rule = case.decided, case.rule
    if step is None or rule is None or step.kind is not StepKind.REJECT:
        return None
    if not rule.chain.name.startswith(_CHAIN) or rule.rule is None:
        return None
    packet = step.before
    pod = _judged(case, rule)
    if pod is None or not {packet.src, packet.dst} & {*pod.addresses}:
        return _left_over(case, step, rule, "")
    inward = packet.dst in pod.addresses
    direction = Direction.INGRESS if inward else Direction.EGRESS
    denial = _denial(case, pod, packet, inward=inward)
    felt = f"kube-router on {step.namespace} rejects it with an ICMP error, so it is refused"
    if denial is not None:
        return Diagnosis(f"{denial.reason}; {felt}", denial.advice, denial.origin)
    if not any(isinstance(one, NetworkPolicy) for one in ruling(case.cluster, pod)):
        return _left_over(case, step, rule, f"no NetworkPolicy selects pod {pod.key} (any more)")
    return Diagnosis(
        f"{felt}, although by the API's rules {direction.lower()} of pod {pod.key} allows it: "
        f"{_departure(case, pod, step)}",
        f"allow it in {direction.lower()} of a NetworkPolicy that selects pod {pod.key}",
        origin_of(rule),
    )


def denied_by_judge(case: Case) -> Diagnosis | None:
    """An engine that is modelled by the API's rules has judged it, or a cloud's network."""
    step = case.decided
    if step is None or not isinstance(step.cause, JudgeCause):
        return None
    lack = lost(case.cluster, step.before) if step.cause.name == OWNER else None
    if lack is not None:
        return Diagnosis(lack.why, lack.mend, lack.origin)
    pod = case.cluster.pods.get(step.cause.reason.pod or "")
    if pod is None:
        return None
    denial = _denial(case, pod, step.before, inward=step.before.dst in pod.addresses)
    if denial is None:
        return None
    if denial.unsure:
        return Diagnosis(denial.reason, denial.advice, denial.origin)
    felt = f"dropped on {step.namespace} ({step.cause.name}: modelled by the API's rules)"
    return Diagnosis(f"{denial.reason}: {felt}", denial.advice, denial.origin)


def dropped_by_calico(case: Case) -> Diagnosis | None:
    """No policy of Calico's tier has accepted the packet, or no profile: the end of a pod's chain.

    Recognised by the pod's device in the chain's name, so in a real node's rules too. Or a rule of
    a policy of the cluster has denied it, in that policy's own chain.
    """
    step, rule = case.decided, case.rule
    if step is None or rule is None or step.kind is not StepKind.DROP:
        return None
    found, chain = _OF_DEVICE.fullmatch(rule.chain.name), rule.chain.name
    inward = chain.startswith(_INWARD)
    if found is not None:
        there = case.network[step.namespace].interfaces
        far = next((one.peer for one in there if one.name == found[1]), None)
        pod = case.cluster.pods.get(far[0]) if far is not None else None
    elif chain.startswith(_OF_POLICIES):
        pod = case.pod_with(step.before.dst if inward else step.before.src)
    else:
        return None
    denial = _denial(case, pod, step.before, inward=inward) if pod is not None else None
    if denial is None or denial.unsure:
        return None
    return Diagnosis(
        f"{denial.reason}; Calico on {step.namespace} drops it, so the client times out",
        denial.advice,
        denial.origin,
    )


def _denial(case: Case, pod: Pod, packet: Packet, *, inward: bool) -> Denial | None:
    """What the API's rules have against a packet to the pod, or from it."""
    policies = Policies(case.enforced)
    direction = Direction.INGRESS if inward else Direction.EGRESS
    peer = policies.judgement.peer_at(packet.src if inward else packet.dst)
    ask = Ask(packet.dport, packet.protocol, pod if inward else peer.pod)
    denial = policies.denied(direction, pod, peer, ask)
    if denial is None or not inward:
        return denial
    hidden = _hidden(case, denial, packet) or _by_tunnel(case, denial, packet)
    return hidden or policies.seen_as(denial, packet.src, case.request)


def _by_tunnel(case: Case, denial: Denial, packet: Packet) -> Denial | None:
    """A node, or what is on its network, that asks by a tunnel: that device's address counts."""
    name = case.exchange.steps[0].namespace
    node = case.cluster.nodes.get(name)
    if node is None or packet.src in node.addresses or not case.has(name, packet.src):
        return None
    return from_device(denial, node, case.network[name], packet.src)


def from_device(denial: Denial, node: Node, here: NetNamespace, source: Address) -> Denial:
    """The denial of a node that a policy knows by another address than the one that it meets."""
    devices = (one for one in here.interfaces if any(a.address == source for a in one.addresses))
    own, name = node.address(source.version), next((one.name for one in devices), "a device")
    return replace(
        denial,
        reason=f"{denial.reason}: that is the address of {name} on {node.name}, by which it asks "
        f"pods of other nodes, and not its own ({own})",
        advice=f"{denial.advice}, and so of each node that asks",
    )


def _hidden(case: Case, denial: Denial, packet: Packet) -> Denial | None:
    """A rule that somebody wrote hides the pod that asks behind its node: no label counts then."""
    client = case.client
    if client is None or client.host_network or packet.src in client.addresses:
        return None
    for step in case.exchange.steps:
        cause = step.cause
        if step.kind is not StepKind.SNAT or step.after.src != packet.src:
            continue
        taken = _taken_for_a_stranger(case, denial, step)
        if taken is not None:
            return taken
        if not isinstance(cause, RuleCause) or cause.rule is None or observed_at(cause) is None:
            return None
        if cause.chain.policy is None:
            return None  # not in a built-in chain: some program's
        return replace(
            denial,
            reason=f"{denial.reason}: that is pod {client.key}, hidden on {step.namespace} by rule "
            f"{cause.index} of chain {cause.chain.name} (table {cause.table}): {cause.rule.text}",
            advice=f"take that rule away on {step.namespace}, or spare what goes to pods "
            f"(! -d {case.cluster.pod_cidr})",
            origin=origin_of(cause) or denial.origin,
        )
    return None


def _taken_for_a_stranger(case: Case, denial: Denial, snat: Step) -> Denial | None:
    """kube-proxy hides pods that its clusterCIDR does not hold, or all of them (masqueradeAll)."""
    proxy, client = case.cluster.proxy, case.client
    marked = marked_before(case.exchange, snat)
    if client is None or marked is None or not (proxy.cluster_cidr or proxy.masquerade_all):
        return None
    field = "masquerade_all" if proxy.masquerade_all else "cluster_cidr"
    why = why_masqueraded(case.cluster, case.exchange, snat)
    reason = f"{denial.reason}: that is pod {client.key}, masqueraded on {snat.namespace} "
    reason += f"because {why}; none of its labels count"
    service, connect = case.service, case.request.connect
    if service is not None and connect and connect.destination not in service.cluster_ips:
        return replace(
            denial,
            reason=reason,
            advice=f"ask Service {service.name} by its own name from inside (its ClusterIP hides "
            "no pod), or set externalTrafficPolicy: Local in it",
            origin=service.origins.get("external_traffic_policy", service.origin),
        )
    return replace(
        denial,
        reason=reason,
        advice="set masqueradeAll: false in kube-proxy's configuration"
        if proxy.masquerade_all
        else f"set clusterCIDR: {case.cluster.pod_cidr} in kube-proxy's configuration, and restart "
        "its pods",
        origin=proxy.origins.get(field, proxy.origin),
    )


def _judged(case: Case, rule: RuleCause) -> Pod | None:
    """The pod whose chain it is."""
    why = because(rule)
    if why is not None and why.pod is not None:
        return case.cluster.pods.get(why.pod)
    return case.cluster.pods.get(_named(rule))


def _named(rule: RuleCause) -> str:
    """The pod that the rule's comment names; empty where it names none."""
    found = _POD.search(rule.rule.text) if rule.rule is not None else None
    if found is None:
        return ""
    name, namespace, other_namespace, other_name = found.groups()
    return f"{namespace or other_namespace}/{name or other_name}"


def _left_over(case: Case, step: Step, rule: RuleCause, why_not: str) -> Diagnosis:
    """Rules that kube-router wrote for a pod of before: nobody has taken them away."""
    packet, here, named = step.before, step.namespace, _named(rule)
    if not why_not:
        now = case.pod_with(packet.dst) or case.pod_with(packet.src)
        whose = f", and {packet.dst if now and packet.dst in now.addresses else packet.src} is "
        why_not = (
            f"pod {named or 'of that chain'} is gone"
            if now is None
            else (f"it is about pod {named or 'of before'}{whose}now the address of {now.key}")
        )
    return Diagnosis(
        f"rule {rule.index} of chain {rule.chain.name} on {here} rejects it, a rule of "
        f"kube-router's left over from before: {why_not}",
        f"restart kube-router on {here} (in k3s: k3s itself), which writes its rules again; where "
        "it is switched off for good (k3s --disable-network-policy), take them away: "
        "iptables-save | grep -v -e KUBE-ROUTER -e KUBE-POD-FW -e KUBE-NWPLCY | iptables-restore",
        origin_of(rule),
    )


def _departure(case: Case, pod: Pod, step: Step) -> str:
    """In which way the engine departs from the API here."""
    packet = step.before
    if case.node_with(packet.dst) == pod.node_name:
        return "it judges what a pod sends to its own node by the pod's egress rules"
    if packet.src in pod.addresses and packet.dst in pod.addresses:
        return "it judges what a pod sends to itself through a Service by the pod's own policies"
    return (
        "all ipBlocks of one rule are one set there, in which the except of one block shadows "
        "the others, and named ports are looked up once for all pods"
    )
