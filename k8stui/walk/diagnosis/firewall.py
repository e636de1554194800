"""A rule or a policy that is none of kube-proxy's drops or rejects the packet: whose it is."""

from __future__ import annotations

from collections.abc import Iterable

from k8stui.kernel.rules import Ruleset
from k8stui.kernel.step import Direction, RuleCause, Step, StepKind
from k8stui.origin import OriginKind
from k8stui.walk.diagnosis.case import Case, Diagnosis
from k8stui.walk.diagnosis.rules import ruleset
from k8stui.walk.reason import because, words

_WRITERS: tuple[tuple[str, str], ...] = (
    ("KUBE-NWPLCY-", "a NetworkPolicy, by kube-router"),
    ("KUBE-POD-FW-", "a NetworkPolicy, by kube-router"),
    ("cali-", "Calico"),
    ("CILIUM_", "Cilium"),
    ("WEAVE-NPC", "a NetworkPolicy, by Weave Net"),
    ("DOCKER", "Docker"),
    ("ufw-", "ufw"),
    ("ufw6-", "ufw"),
    ("IN_", "firewalld"),
    ("FWDI_", "firewalld"),
    ("FWDO_", "firewalld"),
    ("FWD_", "firewalld"),
    ("FORWARD_", "firewalld"),
    ("INPUT_", "firewalld"),
    ("f2b-", "fail2ban"),
    ("LIBVIRT_", "libvirt"),
)
"""Beginnings of the names of chains, and who writes those."""


def dropped_by_rule(case: Case) -> Diagnosis | None:
    """Name the rule or policy that ended the walk, who made it, and how to let the packet by."""
    step, rule = case.decided, case.rule
    if step is None or rule is None or step.kind not in (StepKind.DROP, StepKind.REJECT):
        return None
    why = because(rule)
    origin = why.origin if why else None
    rules = ruleset(case, step.namespace, step.before.src.version)
    done = f"{_what(step)} {'rejected' if step.kind is StepKind.REJECT else 'dropped'}"
    if rule.rule is None:
        docker = any(name.startswith("DOCKER") for name in _names(rules, rule.table))
        usual = "; Docker sets that policy when it starts" if rule.chain.name == "FORWARD" else ""
        return Diagnosis(
            f"{done} on {step.namespace} by the policy {rule.chain.policy} of chain "
            f"{rule.chain.name} (table {rule.table}): no rule accepts the packet"
            + ("; Docker is there and sets that policy" if docker and usual else usual),
            _policy_advice(case, step, rule),
            origin,
        )
    said = words(rule)
    if why is not None and why.origin.kind is OriginKind.OBSERVED and said == why.text:
        said = ""
    writer = _writer(rule)
    whose = said or (f"a rule of {writer}" if writer else "a rule of the host's own firewall")
    return Diagnosis(
        f"{done} on {step.namespace} by rule {rule.index} of chain {rule.chain.name} "
        f"(table {rule.table}), {whose}: {rule.rule.text}",
        _rule_advice(case, step, rule, writer),
        origin,
    )


def _what(step: Step) -> str:
    if step.before.vni is not None:
        return f"the tunnel's outer packet (UDP {step.before.dport}) is"
    return "the answer is" if step.direction is Direction.REPLY else "the packet is"


def _names(rules: Ruleset, table: str) -> Iterable[str]:
    found = rules.tables.get(table)
    return found.chains if found else ()


def _writer(rule: RuleCause) -> str:
    return next((who for start, who in _WRITERS if rule.chain.name.startswith(start)), "")


def _policy_advice(case: Case, step: Step, rule: RuleCause) -> str:
    if rule.chain.name != "FORWARD":
        return _accept(case, step, rule)
    pods = case.cluster.pod_cidr
    return (
        f"on {step.namespace}: iptables -A FORWARD -s {pods} -j ACCEPT and -d {pods} likewise "
        "(flannel does so itself, unless told not to), or iptables -P FORWARD ACCEPT each time "
        "Docker has started"
    )


def _accept(case: Case, step: Step, rule: RuleCause) -> str:
    """A rule for what comes to the node itself, as the firewall that is there takes it."""
    packet, here = step.before, step.namespace
    transport = packet.protocol.name.lower()
    names = list(_names(ruleset(case, here, packet.src.version), rule.table))
    if any(name.startswith(("ufw-", "ufw6-")) for name in names):
        return f"on {here}: ufw allow {packet.dport}/{transport} (ufw set that policy)"
    if any(name.startswith(("IN_", "FWD_", "INPUT_ZONES")) for name in names):
        return f"on {here}: firewall-cmd --permanent --add-port={packet.dport}/{transport}"
    return (
        f"on {here}: iptables -A {rule.chain.name} -p {transport} --dport {packet.dport} -j ACCEPT"
    )


def _rule_advice(case: Case, step: Step, rule: RuleCause, writer: str) -> str:
    if "NetworkPolicy" in writer:
        return "allow it in a NetworkPolicy that selects the pod"
    here, chain, index = step.namespace, rule.chain.name, rule.index
    packet = step.before
    if packet.vni is not None:
        let = f"-p udp --dport {packet.dport} -s {packet.src}"
        also = "and so for every node"
    elif chain == "FORWARD" or rule.chain.name.startswith(("FWD", "DOCKER", "ufw-")):
        pods = case.cluster.pod_cidr
        let, also = f"-s {pods}", f"and -d {pods} likewise"
    else:
        let, also = f"-p {packet.protocol.name.lower()} --dport {packet.dport}", ""
    if writer == "firewalld":
        return (
            f"tell firewalld on {here}: firewall-cmd --permanent --zone=trusted --add-source="
            f"{case.cluster.pod_cidr if packet.vni is None else packet.src}"
        )
    told = f"iptables -I {chain} {index} {let} -j ACCEPT"
    return f"let it by in front of that rule on {here}: {told}" + (f" {also}" if also else "")
