"""A node's own rules do not lead to what the Service says: at which link the chain is broken.

pkg/proxy/iptables/proxier.go (syncProxyRules): PREROUTING and OUTPUT → KUBE-SERVICES → KUBE-SVC-
(or KUBE-EXT-, KUBE-NODEPORTS) → KUBE-SEP-.
"""

from __future__ import annotations

from k8stui.cluster.model import Service
from k8stui.kernel.compile import compile_rule
from k8stui.kernel.exchange import Connect
from k8stui.kernel.rules import Chain, Table
from k8stui.kernel.step import DeviceCause, RuleCause, SocketCause
from k8stui.kernel.targets.base import Jump, Untrack
from k8stui.origin import Origin
from k8stui.walk.diagnosis.case import Case, Diagnosis
from k8stui.walk.diagnosis.missing_elements import missing_elements
from k8stui.walk.diagnosis.rules import ruleset
from k8stui.walk.reason import observed_at, origin_of
from k8stui.walk.rules_met import jumps_to

_SERVICES = "KUBE-SERVICES"
_WRITES_AGAIN = "restart kube-proxy on {}, which writes its rules again, and find out who {}"


def missing_rules(case: Case, what: str) -> Diagnosis | None:
    """The rules of a node on the way are a dump's, and they lead nowhere for `what`."""
    for name in dict.fromkeys(step.namespace for step in case.exchange.steps):
        if name not in case.cluster.nodes:
            continue
        version = case.exchange.steps[0].before.src.version
        by_nft = missing_elements(case, name, version, what)
        if by_nft is not None:
            return by_nft
        table = ruleset(case, name, version).tables.get("nat")
        cut = case.network[name].rules_cut
        if table is None and cut is not None and "nat" in cut.tables:
            return Diagnosis(
                f"nothing rewrites {what} on {name}: its dump has no table nat, where kube-proxy's "
                "rules stand, so what becomes of it there cannot be told",
                f"give k8stui all tables of {name} (iptables-save without -t)",
            )
        untracked = _untracked(case, name, what)
        if untracked is not None:
            return untracked
        first = table.chains.get("PREROUTING") if table is not None else None
        origin = _origin(first)
        if table is None or first is None or origin is None:
            continue
        return _link(case, name, table, what, origin)
    return None


def _untracked(case: Case, node: str, what: str) -> Diagnosis | None:
    """A rule of table raw takes the packet out of conntrack: NAT then never sees it.

    net/netfilter/nf_nat_core.c nf_nat_inet_fn: without an entry the packet is let by as it is.
    """
    for step in case.asked:
        cause = step.cause
        if step.namespace != node or not isinstance(cause, RuleCause) or cause.rule is None:
            continue
        if isinstance(compile_rule(cause.rule.text).target, Untrack):
            return Diagnosis(
                f"nothing rewrites {what} on {node}: rule {cause.index} of chain "
                f"{cause.chain.name} (table {cause.table}) takes the packet out of conntrack, and "
                f"NAT is for tracked connections alone: {cause.rule.text}",
                "take that rule off, or let it spare what goes to Services (! -d "
                f"{case.cluster.service_cidr})",
                observed_at(cause),
            )
    return None


def kept_by_the_node(case: Case, service: Service, connect: Connect) -> Diagnosis | None:
    """A device of the node has the Service's address, as node-local-dns arranges, and no more.

    kubernetes/dns cmd/node-cache: nodelocaldns has the ClusterIP of cluster DNS, and raw's NOTRACK
    keeps kube-proxy's rules from rewriting what is for it.
    """
    step = case.decided
    if step is None or step.cause != SocketCause(socket=None):
        return None
    here = case.network.get(step.namespace)
    for device in here.devices_with((connect.destination,)) if here is not None else ():
        is_cache = device.name.startswith("nodelocaldns")
        who = (
            "node-local-dns, which is to listen there, does not run on it"
            if is_cache
            else ("nothing on it is known to listen there")
        )
        mend = (
            f"let node-local-dns run on {step.namespace} (its DaemonSet, tolerations); or, where "
            f"it is not wanted any more, ip link delete {device.name} and take its NOTRACK rules "
            "(table raw) away"
            if is_cache
            else f"take {connect.destination} off {device.name} of {step.namespace} (ip addr del)"
        )
        return Diagnosis(
            f"{device.name} of {step.namespace} has {connect.destination}, the ClusterIP of "
            f"Service {service.key}, so {step.namespace} takes the packet for itself instead of "
            f"sending it on, and {who}",
            mend,
            origin_of(DeviceCause(interface=device)),
        )
    return None


def _link(case: Case, node: str, table: Table, what: str, origin: Origin) -> Diagnosis:
    """The first link that is missing, from the hooks on."""
    services, cut = table.chains.get(_SERVICES), case.network[node].rules_cut
    if services is None and cut is not None and cut.legacy:
        return Diagnosis(
            f"no rule of {node}'s dump knows {what}: the dump is that of iptables-nft, and "
            "kube-proxy may have written to the legacy tables that are beside it",
            f"give k8stui what iptables-legacy-save prints on {node} as well; where kube-proxy's "
            "rules are in neither, look whether it runs there",
            origin,
        )
    hook = "OUTPUT" if case.exchange.steps[0].namespace == node else "PREROUTING"
    entrance = table.chains.get(hook)
    if services is not None and services.rules and not _leads(entrance, _SERVICES):
        return Diagnosis(
            f"no rule of {node}'s dump knows {what}: {_SERVICES} is there, but {hook} (table nat) "
            "does not jump to it: somebody has emptied that chain",
            _WRITES_AGAIN.format(node, f"flushes {hook}"),
            _origin(entrance) or origin,
        )
    last = _last(case, node, table)
    if last is not None:
        has, does = ("no rule there leads", "changes") if last.rules else (
            "that chain is empty: nothing there leads", "empties",
        )  # fmt: skip
        return Diagnosis(
            f"{node}'s rules send {what} to chain {last.name}, and {has} on to an endpoint",
            _WRITES_AGAIN.format(node, f"{does} {last.name}"),
            _origin(last) or origin,
        )
    other = (
        f"; where {node} has iptables-nft and iptables-legacy beside each other, what kube-proxy "
        "wrote may be in the other one's dump (iptables-legacy-save, iptables-nft-save)"
        if services is None
        else ""
    )
    return Diagnosis(
        f"no rule of {node}'s dump knows {what}: kube-proxy has not written it there",
        f"look whether kube-proxy runs on {node} and what its log says; k8stui rules --diff "
        f"shows what is missing{other}",
        origin,
    )


def _leads(chain: Chain | None, to: str) -> bool:
    targets = (compile_rule(rule.text).target for rule in (chain.rules if chain else ()))
    return any(isinstance(target, Jump) and target.chain == to for target in targets)


def _last(case: Case, node: str, table: Table) -> Chain | None:
    """The last chain of kube-proxy's that the packet was sent to on its way to an endpoint."""
    names = [jumps_to(step) for step in case.asked if step.namespace == node]
    kubes = [one for one in names if one.startswith(("KUBE-SVC-", "KUBE-EXT-", "KUBE-SEP-"))]
    return table.chains.get(kubes[-1]) if kubes else None


def _origin(chain: Chain | None) -> Origin | None:
    """The chain's line of a dump; None where it is none of a dump."""
    return observed_at(RuleCause(table="nat", chain=chain, index=0, rule=None)) if chain else None
