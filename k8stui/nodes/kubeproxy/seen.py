"""What the rules in a node's dump tell of kube-proxy's configuration, where the input says nothing.

Source: kube-proxy pkg/proxy/iptables/proxier.go writeServiceToEndpointRules (the "cluster IP" rules
that jump to KUBE-MARK-MASQ; up to 1.21 they stand in KUBE-SERVICES), pkg/proxy/util/
localdetector.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from k8stui.cluster.model import Node, ProxyConfiguration
from k8stui.cluster.proxy_configuration import NFTABLES
from k8stui.kernel.compile import compile_rule
from k8stui.kernel.matches.header import AddressTest, DeviceTest, Side
from k8stui.kernel.rules import Rule, Ruleset
from k8stui.nodes.kubeproxy.reasons import OWNER
from k8stui.nodes.observed import SeenNode
from k8stui.origin import Origin, OriginKind

_MASQUERADE = "KUBE-MARK-MASQ"
_CLUSTER_IP = " cluster IP"
"""Ends the comment of a rule about a clusterIP; one about an external address has another end."""
_BALANCERS = ("KUBE-SVC-", "KUBE-SVL-")


def seen_in_dumps(
    proxy: ProxyConfiguration, nodes: Mapping[str, Node], observed: Mapping[str, SeenNode]
) -> ProxyConfiguration:
    """`proxy` with how it tells pods' traffic, as the dumps' rules show it.

    Only where that had to be assumed. Dumps without rules of a Service tell nothing. A table of
    nftables' own tells the mode, where the input does not.
    """
    proxy = _with_mode(proxy, observed)
    here = proxy.origins.get("cluster_cidr", proxy.origin)
    if here.kind is not OriginKind.ASSUMED:
        return proxy
    found: dict[int, ProxyConfiguration] = {}
    for name, dump in observed.items():
        for version, ruleset in dump.rulesets.items():
            if version not in found and (seen := _seen(proxy, nodes.get(name), ruleset)):
                found[version] = seen
        if found:
            break  # all nodes' kube-proxies are set up alike, and a dump costs its reading
    if not found:
        return proxy
    first = next(iter(found.values()))
    cidrs = ",".join(one.cluster_cidr for one in found.values() if one.cluster_cidr)
    return replace(first, cluster_cidr=cidrs)


def _with_mode(proxy: ProxyConfiguration, observed: Mapping[str, SeenNode]) -> ProxyConfiguration:
    """Mode nftables, where a dump has its table (nftables/proxier.go, kubeProxyTable)."""
    said = proxy.origins.get("mode")
    if said is not None and said.kind is not OriginKind.DEFAULTED:
        return proxy
    for dump in observed.values():
        nft = dump.nft
        for table in nft.tables if nft is not None else ():
            rules = table.chains[_DISPATCH].chain.rules if _DISPATCH in table.chains else ()
            if table.name == OWNER and rules:
                why = rules[0].reason
                origin = why.origin if why is not None else Origin(kind=OriginKind.OBSERVED)
                return replace(proxy, mode=NFTABLES, origins={**proxy.origins, "mode": origin})
        if nft is not None:
            break  # all nodes' kube-proxies are set up alike
    return proxy


_DISPATCH = "services"


def _seen(
    proxy: ProxyConfiguration, node: Node | None, ruleset: Ruleset
) -> ProxyConfiguration | None:
    """One dump's answer; None where it has none."""
    first = None
    for rule in _service_rules(ruleset):
        first = first or rule
        if _CLUSTER_IP not in rule.text:
            continue
        compiled = compile_rule(rule.text)
        if str(compiled.target) != _MASQUERADE:
            continue
        for test in compiled.tests:
            if isinstance(test, AddressTest) and test.side is Side.SOURCE and test.negated:
                cidr = ",".join(map(str, test.networks))
                own = node is not None and cidr in map(str, node.pod_cidrs)
                mode = "NodeCIDR" if own else "ClusterCIDR"
                return _as_seen(proxy, rule, detect_local_mode=mode, cluster_cidr=cidr)
            if isinstance(test, DeviceTest) and test.incoming and test.negated:
                name = test.pattern
                if name.endswith("+"):
                    mode, field = "InterfaceNamePrefix", "interface_name_prefix"
                else:
                    mode, field = "BridgeInterface", "bridge_interface"
                return _as_seen(
                    proxy,
                    rule,
                    detect_local_mode=mode,
                    cluster_cidr="",
                    **{field: name.rstrip("+")},
                )
        return _as_seen(proxy, rule, masquerade_all=True)
    return _as_seen(proxy, first, cluster_cidr="") if first else None


def _as_seen(proxy: ProxyConfiguration, rule: Rule, **said: object) -> ProxyConfiguration:
    """`proxy` with what `rule` says; where it stands is the origin of each."""
    origin = rule.reason.origin if rule.reason else Origin(kind=OriginKind.OBSERVED)
    origins = {**proxy.origins, "cluster_cidr": origin, **dict.fromkeys(said, origin)}
    return replace(proxy, origins=origins, **said)  # type: ignore[arg-type]


def _service_rules(ruleset: Ruleset) -> Iterator[Rule]:
    """Rules that name a Service: without any, nothing can be told."""
    nat = ruleset.tables.get("nat")
    if nat is None:
        return
    for name, chain in nat.chains.items():
        if name == "KUBE-SERVICES" or name.startswith(_BALANCERS):
            yield from _about_services(chain.rules)


def _about_services(rules: Iterable[Rule]) -> Iterator[Rule]:
    return (rule for rule in rules if rule.reason is not None and rule.reason.service is not None)
