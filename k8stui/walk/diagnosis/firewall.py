"""A rule or a policy that is none of kube-proxy's drops or rejects the packet: whose it is."""

from __future__ import annotations

import re
from collections.abc import Collection

from k8stui.kernel.address import Prefix
from k8stui.kernel.compile import compile_rule
from k8stui.kernel.header import ECHO, WITH_PORTS
from k8stui.kernel.nft_ruleset import BOUND, FAMILY_OF
from k8stui.kernel.packet import Packet, Protocol
from k8stui.kernel.step import Direction, Hook, RuleCause, Step, StepKind
from k8stui.nodes.writers import writer_of
from k8stui.origin import OriginKind
from k8stui.walk.diagnosis.case import Case, Diagnosis
from k8stui.walk.diagnosis.owners import pod_range
from k8stui.walk.diagnosis.reverse_path import wrong_way_back
from k8stui.walk.diagnosis.rules import ruleset
from k8stui.walk.reason import because, words

_POLICIES: tuple[tuple[str, str], ...] = (
    ("KUBE-NWPLCY-", "a NetworkPolicy, by kube-router"),
    ("KUBE-POD-FW-", "a NetworkPolicy, by kube-router"),
    ("cali-", "Calico"),
    ("WEAVE-NPC", "a NetworkPolicy, by Weave Net"),
)
"""Beginnings of the names of chains that are a policy's; all others are their writers'."""


_OF_TABLE = ("ufw", "firewalld")
"""Who has rules in the built-in chains too, where chains of theirs stand in the table."""


def dropped_by_rule(case: Case) -> Diagnosis | None:
    """Name the rule or policy that ended the walk, who made it, and how to let the packet by."""
    step, rule = case.decided, case.rule
    if step is None or rule is None or step.kind not in (StepKind.DROP, StepKind.REJECT):
        return None
    why = because(rule)
    origin = why.origin if why else None
    done = f"{_what(step)} {'rejected' if step.kind is StepKind.REJECT else 'dropped'}"
    if rule.rule is None:
        return Diagnosis(
            f"{done} on {step.namespace} by the policy {rule.chain.policy} of chain "
            f"{rule.chain.name} (table {rule.table}): no rule accepts the packet"
            f"{_who_sets_it(case, step, rule)}",
            _policy_advice(case, step, rule),
            origin,
        )
    said = words(rule)
    if why is not None and why.origin.kind is OriginKind.OBSERVED and said == why.text:
        said = ""
    writer = _writer(case, step, rule)
    whose = said or (f"a rule of {writer}" if writer else "a rule of the host's own firewall")
    found = wrong_way_back(case, step, rule)
    reason = (
        f"{done} on {step.namespace} by rule {rule.index} of chain {rule.chain.name} "
        f"(table {rule.table}), {whose}: {rule.rule.text}"
    )
    if found is not None:
        return Diagnosis(f"{reason}. {found.reason}", found.advice, origin)
    if compile_rule(rule.rule.text).target_name == "MASQUERADE":  # nf_nat_masquerade_ipv4
        device = step.device or "the device that it leaves by"
        return Diagnosis(
            f"{reason}: {device} has no address to put in",
            f"give {device} of {step.namespace} its address again",
            origin,
        )
    return Diagnosis(reason, _rule_advice(case, step, rule, writer), origin)


def _what(step: Step) -> str:
    if step.before.vni is not None:
        return f"the tunnel's outer packet (UDP {step.before.dport}) is"
    if step.before.carried is not None:
        return "the tunnel's outer packet (IPIP, protocol 4) is"
    packet = step.before
    if packet.protocol in ECHO and packet.inner is not None:
        long = (
            f"{packet.inner.length_bytes} bytes do not fit through the way (MTU "
            f"{packet.mtu_bytes}), and "
            if packet.mtu_bytes
            else ""
        )
        return f"{long}the ICMP error that tells {packet.dst} so is"
    return "the answer is" if step.direction is Direction.REPLY else "the packet is"


def _names(case: Case, step: Step, table: str) -> Collection[str]:
    found = ruleset(case, step.namespace, step.before.src.version).tables.get(table)
    return found.chains if found else ()


def _by_chain(name: str) -> str:
    policy = next((said for start, said in _POLICIES if name.startswith(start)), "")
    return policy or writer_of(name)


def _writer(case: Case, step: Step, rule: RuleCause) -> str:
    """By the chain's own name; a built-in one is anybody's, so by who else is in the table."""
    if rule.rule is not None and _guards_a_container(rule, rule.rule.text):
        return "Docker"
    if rule.is_nft:
        return rule.table.split()[-1]  # programs call their tables after themselves
    own = _by_chain(rule.chain.name)
    if own or rule.chain.policy is None:
        return own
    if rule.rule is not None and "-o weave " in rule.rule.text:
        return "Weave Net"
    return _manager(case, step, rule)


def _guards_a_container(rule: RuleCause, text: str) -> bool:
    """Whether it drops what comes for a container from elsewhere than the container's bridge.

    Source: moby daemon/libnetwork/drivers/bridge (iptabler, nftabler: "direct access"), since 28.
    """
    return rule.table.split()[-1] == "raw" and _GUARD.search(text) is not None


_GUARD = re.compile(r"""(?:! -i |iifname != ")(?:docker0|br-[0-9a-f]{12})\b""")


def _manager(case: Case, step: Step, rule: RuleCause) -> str:
    """Ufw or firewalld, where one of them keeps the table."""
    there = {_by_chain(name) for name in _names(case, step, rule.table)}
    return next((who for who in _OF_TABLE if who in there), "")


def _who_sets_it(case: Case, step: Step, rule: RuleCause) -> str:
    manager = _manager(case, step, rule)
    if manager:
        return f"; {manager} is there and sets that policy"
    if rule.chain.name != "FORWARD":
        return ""
    if any(name.startswith("DOCKER") for name in _names(case, step, rule.table)):
        return "; Docker is there and sets that policy"
    if _lets_no_answers(case, step, rule):
        return (
            "; kube-proxy's KUBE-FORWARD is there and has no rule for answers: its clusterCIDR is "
            "not set (before 1.24 it wrote one for that range alone)"
        )
    return "; Docker sets it when it starts"


def _lets_no_answers(case: Case, step: Step, rule: RuleCause) -> bool:
    """Whether kube-proxy's own chain for what is forwarded is there without its second half."""
    table = ruleset(case, step.namespace, step.before.src.version).tables.get(rule.table)
    chain = table.chains.get("KUBE-FORWARD") if table is not None else None
    return (
        step.direction is Direction.REPLY
        and chain is not None
        and bool(chain.rules)
        and not any("ESTABLISHED" in one.text for one in chain.rules)
    )


def _policy_advice(case: Case, step: Step, rule: RuleCause) -> str:
    here, packet, pods = step.namespace, step.before, pod_range(case, step.before.src)
    if rule.is_nft:
        family = FAMILY_OF[packet.src.version]
        let, also = _is_it_for_nft(packet), ""
        if step.hook is Hook.FORWARD:
            let, also = f"{family} saddr {pods}", f" and {family} daddr {pods} likewise"
        return f"on {here}: nft add rule {rule.table} {rule.chain.name} {let} accept{also}"
    manager = _manager(case, step, rule)
    transport = packet.protocol.name.lower()
    if _lets_no_answers(case, step, rule):
        return (
            f"set clusterCIDR: {pods} in kube-proxy's configuration (--cluster-cidr) and restart "
            f"it, or on {here}: iptables -P FORWARD ACCEPT"
        )
    if rule.chain.name != "FORWARD":
        told = {
            "ufw": f"ufw allow {_ufw_words(packet, pods, step.hook)} (ufw set that policy)",
            "firewalld": f"firewall-cmd --permanent --add-port={packet.dport}/{transport}",
        }
        let = _is_it(packet, step.direction)
        usual = f"{_tool(step, rule)} -A {rule.chain.name} {let} -j ACCEPT"
        is_plain = packet.protocol in ECHO or "ESTABLISHED" in let
        return f"on {here}: {usual if is_plain else told.get(manager, usual)}"
    if manager == "ufw":
        return (
            f"on {here}: ufw route allow from {pods}, and ufw route allow to {pods} (or "
            'DEFAULT_FORWARD_POLICY="ACCEPT" in /etc/default/ufw)'
        )
    if manager == "firewalld":
        return _trusted(here, str(pods))
    tool = _tool(step, rule)
    return (
        f"on {here}: {tool} -A FORWARD -s {pods} -j ACCEPT and -d {pods} likewise "
        f"(flannel does so itself, unless told not to), or {tool} -P FORWARD ACCEPT each time "
        "Docker has started"
    )


def _ufw_words(packet: Packet, pods: Prefix, hook: Hook | None) -> str:
    """What ufw is to allow: `ufw(8)` takes rules for what comes in, unless they say ``out``."""
    service = f"{packet.dport}/{packet.protocol.name.lower()}"
    if hook is not Hook.OUTPUT:
        return service
    return f"out to {pods}" if packet.dst in pods else f"out {service}"


def _nft_advice(case: Case, step: Step, rule: RuleCause, pods: Prefix, *, is_pods: bool) -> str:
    packet, chain = step.before, f"{rule.table} {_named(case, rule)}"
    family = FAMILY_OF[packet.src.version]
    let = f"{family} saddr {pods}" if is_pods else _is_it_for_nft(packet)
    also = f" and {family} daddr {pods} likewise" if is_pods else ""
    return (
        f"let it by in front of that rule on {step.namespace}: nft insert rule {chain} {let} "
        f"accept{also}; and write that into what loads table {rule.table} (often "
        "/etc/nftables.conf), so that it stays"
    )


def _named(case: Case, rule: RuleCause) -> str:
    """The rule's chain; of one without a name, the chain in which it stands."""
    name = rule.chain.name
    for step in reversed(case.exchange.steps):
        cause = step.cause
        if not name.startswith(BOUND):
            break
        if isinstance(cause, RuleCause) and (cause.table, cause.leads) == (rule.table, name):
            name = cause.chain.name
    return name


def _tool(step: Step, rule: RuleCause) -> str:
    name = "iptables" if step.before.src.version == 4 else "ip6tables"
    return name if rule.table == "filter" else f"{name} -t {rule.table}"


def _is_it(packet: Packet, direction: Direction = Direction.FORWARD) -> str:
    """The match for a packet by its protocol, and by its port where that has ports.

    An answer's port is the client's own, another one each time.
    """
    if direction is Direction.REPLY and packet.carried is None and packet.protocol not in ECHO:
        return "-m conntrack --ctstate RELATED,ESTABLISHED"
    if packet.protocol in ECHO:
        return f"-p {'icmp' if packet.src.version == 4 else 'ipv6-icmp'}"
    if packet.protocol is Protocol.IPIP:
        return f"-p {packet.protocol:d}"
    return f"-p {packet.protocol.name.lower()} --dport {packet.dport}"


def _is_it_for_nft(packet: Packet) -> str:
    """The same in nft's words."""
    if packet.protocol in WITH_PORTS:
        return f"{packet.protocol.name.lower()} dport {packet.dport}"
    return f"meta l4proto {packet.protocol:d}"


def _trusted(here: str, source: str) -> str:
    return (
        f"tell firewalld on {here}: firewall-cmd --permanent --zone=trusted --add-source={source}, "
        "then firewall-cmd --reload"
    )


def _felix_advice(rule: RuleCause) -> str:
    """Felix takes away what others write into its chains: what it is told has to change."""
    if rule.chain.name == "cali-wl-to-host":
        return (
            "set defaultEndpointToHostAction: Accept in FelixConfiguration default "
            '(FELIX_DEFAULTENDPOINTTOHOSTACTION: "ACCEPT" in calico-node\'s env): Felix keeps pods '
            "from their own node else"
        )
    return (
        "change what Felix makes that chain of (a policy, FelixConfiguration): a rule written into "
        "it by hand does not stay"
    )


def _rule_advice(case: Case, step: Step, rule: RuleCause, writer: str) -> str:
    if "NetworkPolicy" in writer:
        return "allow it in a NetworkPolicy that selects the pod"
    if writer == "Calico":
        return _felix_advice(rule)
    here, packet, pods = step.namespace, step.before, pod_range(case, step.before.src)
    if writer == "firewalld" and step.hook is not Hook.OUTPUT:
        if packet.carried is not None and packet.vni is None:
            return f"{_trusted(here, str(packet.src))}, and so for every other node"
        own = step.hook is Hook.INPUT and packet.protocol in WITH_PORTS
        if packet.vni is not None or (own and packet.src not in pods):
            return (
                f"tell firewalld on {here}: firewall-cmd --permanent --add-port={packet.dport}/"
                f"{packet.protocol.name.lower()}, then firewall-cmd --reload"
            )
        return _trusted(here, str(pods))
    if writer == "Weave Net":
        return (
            f"look at weave-npc's log on {here} and restart it: its chain WEAVE-NPC lets in what "
            "no NetworkPolicy forbids, and has not let in this; or allow it in a NetworkPolicy "
            "that selects the pod"
        )
    if writer == "Docker" and rule.table.split()[-1] == "raw":
        return (
            f"on {here}: make the container's network with -o com.docker.network.bridge."
            f'trusted_host_interfaces={step.device}, or write "allow-direct-routing": true into '
            "daemon.json and restart Docker: it writes the rule again at every start"
        )
    if rule.is_nft:
        # Whose rule it is, and whether it comes back, its text does not tell.
        is_pods = step.hook is Hook.FORWARD and (packet.src in pods or packet.dst in pods)
        return (
            "" if writer == "kube-proxy" else _nft_advice(case, step, rule, pods, is_pods=is_pods)
        )
    if writer == "fail2ban":
        jail = rule.chain.name.removeprefix("f2b-")
        return (
            f"on {here}: fail2ban-client set {jail} unbanip {packet.src}, and put the nodes' "
            "network into ignoreip; the rule itself comes and goes with fail2ban"
        )
    let, also = _is_it(packet, step.direction), ""
    if packet.protocol in ECHO:
        if packet.mtu_bytes:
            also = f"; or give the pods' devices an MTU of {packet.mtu_bytes} (the plug-in's mtu)"
    elif packet.carried is not None:
        let, also = f"{let} -s {packet.src}", " and so for every node"
    elif step.hook not in (Hook.INPUT, Hook.OUTPUT) and (packet.src in pods or packet.dst in pods):
        let, also = f"-s {pods}", f" and -d {pods} likewise"
    told = f"{_tool(step, rule)} -I {rule.chain.name} {rule.index} {let} -j ACCEPT"
    return f"let it by in front of that rule on {here}: {told}{also}"
