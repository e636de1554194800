"""A rule of a real node rewrote the packet, and where it sent it to is no use."""

from __future__ import annotations

from k8stui.walk.diagnosis.case import Case, Diagnosis
from k8stui.walk.reason import observed_at, origin_of
from k8stui.walk.rules_met import chain_of


def old_target(case: Case) -> Diagnosis | None:
    """Recognise kube-proxy's rule for an endpoint that its Service has no more."""
    rewriting, service = case.rewritten, case.service
    if rewriting is None or service is None or not chain_of(rewriting).startswith("KUBE-SEP-"):
        return None
    origin = observed_at(rewriting.cause)
    if origin is None:
        return None
    target, node = rewriting.after.dst, rewriting.namespace
    ready = [a for e in case.endpoints if e.ready for a in e.addresses]
    if target in ready:
        return None
    has = ", ".join(map(str, ready[:3])) or "none"
    return Diagnosis(
        f"{chain_of(rewriting)} on {node} sends it to "
        f"{target.with_port(rewriting.after.dport)}, which is no endpoint of Service "
        f"{service.key} (any more): its endpoints are {has}. kube-proxy's rules on {node} are old",
        f"look whether kube-proxy runs on {node} and what its log says, and restart it: then it "
        "writes its rules again. If it does run, it writes with iptables' other backend (legacy, "
        f"nft), and these are left over: restart {node}",
        origin,
    )


def left_mapping(case: Case) -> Diagnosis | None:
    """Recognise portmap's rule for a pod that is gone, which stands in front of the new one's.

    plugins meta/portmap/portmap.go (unforwardPorts): a pod's chain goes when its sandbox is torn
    down, which a node that was switched off, or another plug-in list, never did.
    """
    rewriting = case.rewritten
    if rewriting is None or not chain_of(rewriting).startswith("CNI-DN-"):
        return None
    target, node, name = rewriting.after.dst, rewriting.namespace, chain_of(rewriting)
    if case.pod_with(target) is not None:
        return None
    asked = rewriting.before.dport
    now = [
        pod.key
        for pod in case.cluster.pods.values()
        if pod.node_name == node and not pod.phase.is_final
        for container in pod.containers
        if any(port.host_port == asked for port in container.ports)
    ]
    meant = f", while hostPort {asked} is now {now[0]}'s" if now else ""
    return Diagnosis(
        f"chain {name} on {node} sends hostPort {asked} to "
        f"{target.with_port(rewriting.after.dport)}, which no pod has (any more){meant}: the "
        "portmap plug-in left it behind, and the first rule of CNI-HOSTPORT-DNAT that matches wins",
        f"on {node}, take the rule that jumps to {name} out of CNI-HOSTPORT-DNAT (iptables -t nat "
        f"-S CNI-HOSTPORT-DNAT shows it, -D deletes it), then iptables -t nat -F {name} and -X "
        f"{name}",
        origin_of(rewriting.cause),
    )
