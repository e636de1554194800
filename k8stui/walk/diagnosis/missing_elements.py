"""A node's table of nftables does not lead to what the Service says: which link is broken.

pkg/proxy/nftables/proxier.go (setupNFTables, syncProxyRules): nat-prerouting and nat-output →
services → service-ips or service-nodeports → external-… → service-….
"""

from __future__ import annotations

from k8stui.kernel.exchange import Connect
from k8stui.kernel.nft_ruleset import NftChain, NftSet, NftTable
from k8stui.origin import Origin
from k8stui.walk.diagnosis.case import Case, Diagnosis
from k8stui.walk.reason import shown
from k8stui.walk.rules_met import jumps_to, leads_to

_SERVICES, _OWN = "services", "nodeport-ips"


def missing_elements(case: Case, node: str, version: int, what: str) -> Diagnosis | None:
    """The first link that is missing for `what`; None: no dump shows kube-proxy's table there."""
    rules, connect = case.network[node].nft, case.request.connect
    ours = (one for one in (rules.tables if rules is not None else ()) if one.name == "kube-proxy")
    table = next((one for one in ours if version in one.versions), None)
    if table is None or connect is None:
        return None
    by_node = case.node_with(connect.destination) is not None
    name = "service-nodeports" if by_node else "service-ips"
    services, found = table.chains.get(_SERVICES), table.sets.get(name)
    origin = shown(found.reason) if found is not None else None
    if services is None or found is None or origin is None:
        return None
    met = [jumps_to(step) for step in case.asked if step.namespace == node]
    hook = "nat-output" if case.exchange.steps[0].namespace == node else "nat-prerouting"
    if _SERVICES not in met:
        said = f"chain {_SERVICES} is there, but {hook} does not jump to it"
        return _changed(node, what, said, hook, _of_rules(services) or origin)
    if f"@{name}" not in {leads_to(table.called, rule) for rule in services.chain.rules}:
        said = f"chain {_SERVICES} does not look into map {name}"
        return _changed(node, what, said, _SERVICES, _of_rules(services) or origin)
    own = table.sets.get(_OWN) if by_node else None
    if own is not None and str(connect.destination) not in {one.text for one in own.elements}:
        return _not_written(node, table, what, own, origin)
    last = _sent_to(table, found, connect, by_node=by_node)
    if last is None:
        return _not_written(node, table, what, found, origin)
    said = f"chain {last}, to which it is sent, leads on to no endpoint"
    return _changed(node, what, said, last, _of_rules(table.chains.get(last)) or origin)


def _changed(node: str, what: str, said: str, chain: str, origin: Origin) -> Diagnosis:
    return Diagnosis(
        f"no rule of {node}'s table kube-proxy rewrites {what}: {said}: somebody has changed it",
        f"restart kube-proxy on {node}, which writes its rules again, and find out who changes "
        f"{chain}",
        origin,
    )


def _not_written(node: str, table: NftTable, what: str, found: NftSet, origin: Origin) -> Diagnosis:
    return Diagnosis(
        f"{found.kind} {found.name} of {node}'s table {table.called} has no element for {what}: "
        "kube-proxy has not written it there",
        f"look whether kube-proxy runs on {node} and what its log says; k8stui rules --diff shows "
        "what is missing",
        shown(found.reason) or origin,
    )


def _sent_to(table: NftTable, found: NftSet, connect: Connect, *, by_node: bool) -> str | None:
    """The last chain that kube-proxy's map, and the chains behind it, send a connection to."""
    key = f"{connect.protocol.name.lower()} . {connect.port} : "
    key = key if by_node else f"{connect.destination} . {key}"
    element = next((one.text for one in found.elements if one.text.startswith(key)), None)
    if element is None:
        return None
    met = [element.rpartition(" ")[2]]
    while (chain := table.chains.get(met[-1])) is not None:
        further = (leads_to(table.called, rule) for rule in chain.chain.rules)
        onward = next((one for one in further if one.startswith("service-")), None)
        if onward is None or onward in met:
            break
        met.append(onward)
    return met[-1]


def _of_rules(chain: NftChain | None) -> Origin | None:
    """Where the first of them is shown."""
    return next((shown(rule.reason) for rule in chain.chain.rules), None) if chain else None
