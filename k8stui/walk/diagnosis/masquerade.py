"""Who should have given the packet a source that the answer finds its way back to, and why not.

kube-proxy: pkg/proxy/iptables/proxier.go (KUBE-MARK-MASQ, KUBE-POSTROUTING); portmap: plugins
meta/portmap/portmap.go (CNI-HOSTPORT-SETMARK); flannel: --ip-masq.
"""

from __future__ import annotations

from k8stui.kernel.address import Prefix
from k8stui.kernel.compile import compile_rule
from k8stui.kernel.step import Step, StepKind
from k8stui.kernel.targets.base import Jump
from k8stui.nodes.writers import writer_of
from k8stui.origin import Origin
from k8stui.record import record
from k8stui.walk.diagnosis.case import Case
from k8stui.walk.diagnosis.rules import chain, ruleset
from k8stui.walk.reason import origin_of
from k8stui.walk.rules_met import chain_of, jumps_to, marked_by, marks, sent_to_be_marked

_PORTMAP = ("CNI-DN-", "CNI-HOSTPORT-")


@record()
class Omission:
    """Why nobody masqueraded a packet, and what would make somebody."""

    reason: str
    advice: str
    origin: Origin | None = None


def not_masqueraded(case: Case, rewriting: Step) -> Omission | None:
    """Why the node that rewrote the destination left the source; None where it did not."""
    node = rewriting.namespace
    steps = [step for step in case.asked if step.namespace == node]
    if any(step.kind is StepKind.SNAT for step in steps):
        return None
    jump = sent_to_be_marked(steps)
    if jump is not None:
        return _mark_lost(case, jump, marked_by(steps))
    name = chain_of(rewriting)
    if name.startswith(_PORTMAP):
        return _portmap(case, rewriting, name)
    if name.startswith("KUBE-"):
        return _kube_proxy(case, rewriting, steps)
    return Omission(
        f"the rule of chain {name} on {node} rewrites the destination, and no rule of POSTROUTING "
        "rewrites the source",
        f"masquerade on {node} what that rule sends on",
        origin_of(rewriting.cause),
    )


def unreached(case: Case, node: str, version: int) -> Omission | None:
    """A chain of a node's dump that masquerades what pods send, and that nothing leads to."""
    table = ruleset(case, node, version).tables.get("nat")
    if table is None:
        return None
    names = (name for name in table.chains if not name.startswith("KUBE-"))
    rules = {name: [compile_rule(one.text) for one in table.chains[name].rules] for name in names}
    left, met = ["POSTROUTING"], set[str]()
    while left:
        name = left.pop()
        if name not in met:
            met.add(name)
            targets = (one.target for one in rules.get(name, ()))
            left += (target.chain for target in targets if isinstance(target, Jump))
    for name, found in rules.items():
        if name not in met and any(one.target_name == "MASQUERADE" for one in found):
            reason, writer = table.chains[name].reason, writer_of(name) or "its writer"
            return Omission(
                f"chain {name} is there on {node}, which masquerades what pods send, and "
                "POSTROUTING (table nat) does not lead to it: somebody has emptied a chain",
                f"restart what writes it on {node} ({writer}), and find out who flushes chains",
                reason.origin if reason is not None else None,
            )
    return None


def _mark_lost(case: Case, jump: Step, marked: Step | None) -> Omission:
    """A rule asked for the mark: the marking chain, or the one that looks for it, is at fault."""
    node, marking = jump.namespace, jumps_to(jump)
    by_nft = marks(jump)
    if by_nft:  # kube-proxy in mode nftables marks on the spot
        marking = chain_of(jump)
    kubes = by_nft or marking.startswith("KUBE-")
    writer = "kube-proxy" if kubes else "the portmap plug-in"
    again = _write_again(node) if kubes else f"let the portmap plug-in of {node} write it again"
    origin = origin_of(jump.cause)
    if marked is None:
        found = chain(case, jump, "nat", marking)
        state = "is empty" if found is not None and not found.rules else "does not mark it"
        return Omission(
            f"{writer} sends it to {marking} on {node} to be marked for masquerading, but that "
            f"chain {state}",
            f"{again}, and find out who empties {marking}",
            found.reason.origin if found is not None and found.reason is not None else origin,
        )
    by_mode = "masquerading" if by_nft else "KUBE-POSTROUTING"
    acting = by_mode if kubes else "CNI-HOSTPORT-MASQ"
    return Omission(
        f"{marking} marks it on {node}, but {acting} masquerades nothing there: its rule or the "
        "jump to it is gone, or somebody clears the mark",
        f"{again}, and find out who changes {acting}",
        origin,
    )


def _write_again(node: str) -> str:
    return (
        f"restart kube-proxy on {node}, which writes its rules again (kubectl -n kube-system "
        f"delete pod -l k8s-app=kube-proxy --field-selector spec.nodeName={node})"
    )


def _portmap(case: Case, rewriting: Step, name: str) -> Omission:
    node, target = rewriting.namespace, rewriting.after
    known = chain(case, rewriting, "nat", "CNI-HOSTPORT-SETMARK")
    state = "has no rule for this client" if known else "is an old portmap's, which never does"
    return Omission(
        f"hostPort {rewriting.before.dport} is portmap's, which has to masquerade what the pods of "
        f"{node} themselves ask (CNI-HOSTPORT-SETMARK); chain {name} {state}",
        f"update the CNI plug-ins on {node} (portmap with snat: true) and start the pod again; or "
        f"ask the pod itself, {target.dst.with_port(target.dport)}",
        origin_of(rewriting.cause),
    )


def _kube_proxy(case: Case, rewriting: Step, steps: list[Step]) -> Omission:
    """kube-proxy did not want it marked: it took the client for a pod, or knows of no pods."""
    proxy, client = case.cluster.proxy, rewriting.before.src
    node = rewriting.namespace
    origin = proxy.origins.get("cluster_cidr", proxy.origin)
    if client == rewriting.after.dst:
        return Omission(
            f"chain {chain_of(rewriting)} on {node} has no rule that marks what the pod asks "
            "itself",
            _write_again(node),
            origin_of(rewriting.cause),
        )
    outward = next((step for step in steps if chain_of(step).startswith("KUBE-EXT-")), None)
    by_cluster_ip = outward is None
    if outward is not None and not _is_local(case):
        name = chain_of(outward)
        return Omission(
            f"chain {name} on {node} has no rule that marks what comes from outside for "
            "masquerading, which kube-proxy writes first there",
            f"{_write_again(node)}, and find out who changes {name}",
            origin_of(outward.cause),
        )
    detection = proxy.detect_local_mode or "ClusterCIDR"
    pods = case.cluster.pod_cidr
    to_pods = f": {pods}" if rewriting.after.dst in pods else " to the pods' range"
    if by_cluster_ip and detection == "ClusterCIDR":
        holding = [text for text in proxy.cluster_cidr.split(",") if _holds(text, client)]
        if holding:
            return Omission(
                f"kube-proxy's clusterCIDR {holding[0]} holds {client}, so it takes the client for "
                "a pod and does not masquerade it",
                f"set clusterCIDR to the pods' own range, {pods}",
                origin,
            )
        return Omission(
            "kube-proxy does not know which addresses are pods' (no clusterCIDR), so it "
            "masquerades nobody who asks a ClusterIP",
            f"set clusterCIDR{to_pods} in kube-proxy's configuration and restart kube-proxy",
            origin,
        )
    return Omission(
        f"kube-proxy on {node} (detectLocalMode {detection}) does not masquerade {client}",
        "set masqueradeAll: true in kube-proxy's configuration, or mend what tells it who is a pod",
        proxy.origins.get("detect_local_mode", origin_of(rewriting.cause) or origin),
    )


def _is_local(case: Case) -> bool:
    return case.service is not None and case.service.external_traffic_policy == "Local"


def _holds(text: str, address: object) -> bool:
    try:
        return address in Prefix.parse(text.strip())
    except ValueError:
        return False
