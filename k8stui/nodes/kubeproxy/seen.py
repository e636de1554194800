"""What the rules in a node's dump tell of kube-proxy's configuration, where the input says nothing.

Source: kube-proxy pkg/proxy/iptables/proxier.go writeServiceToEndpointRules (the "cluster IP" rules
that jump to KUBE-MARK-MASQ; up to 1.21 they stand in KUBE-SERVICES), pkg/proxy/util/
localdetector.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from k8stui.cluster.model import Node, ProxyConfiguration, Service
from k8stui.cluster.proxy_configuration import NFTABLES
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.compile import compile_rule
from k8stui.kernel.matches.header import AddressTest, DeviceTest, Side
from k8stui.kernel.nft_ruleset import NftTable
from k8stui.kernel.rules import Rule, Ruleset
from k8stui.nodes.kubeproxy.outsiders import Outsiders
from k8stui.nodes.kubeproxy.reasons import OWNER
from k8stui.nodes.observed import SeenNode
from k8stui.origin import Origin, OriginKind

_MASQUERADE = "KUBE-MARK-MASQ"
_CLUSTER_IP = " cluster IP"
"""Ends the comment of a rule about a clusterIP; one about an external address has another end."""
_BALANCERS = ("KUBE-SVC-", "KUBE-SVL-")
_CLUSTER_IPS_CHECK = "cluster-ips-check"


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
        for version, told in _outsiders(dump, proxy.mode):
            if told is not None and version not in found:
                found[version] = _configured(proxy, nodes.get(name), told)
        if found:
            break  # all nodes' kube-proxies are set up alike, and a dump costs its reading
    if not found:
        return proxy
    first = next(iter(found.values()))
    cidrs = ",".join(one.cluster_cidr for one in found.values() if one.cluster_cidr)
    return replace(first, cluster_cidr=cidrs)


def _outsiders(dump: SeenNode, mode: str) -> Iterator[tuple[int, Outsiders | None]]:
    for version, ruleset in dump.rulesets.items():
        yield version, _in_iptables(ruleset)
    for table in _tables(dump) if mode == NFTABLES else ():
        from k8stui.nodes.kubeproxy.nftables import seen  # noqa: PLC0415 - with its language

        yield table.versions[0], seen.outsiders(table, _dispatch(table))


def _with_mode(proxy: ProxyConfiguration, observed: Mapping[str, SeenNode]) -> ProxyConfiguration:
    """Mode nftables, where a dump has its table (nftables/proxier.go, kubeProxyTable)."""
    said = proxy.origins.get("mode")
    if said is not None and said.kind is not OriginKind.DEFAULTED:
        return proxy
    for dump in observed.values():
        for table in _tables(dump):
            at = _where(_dispatch(table)[0])
            return replace(proxy, mode=NFTABLES, origins={**proxy.origins, "mode": at})
        if dump.nft is not None or dump.rulesets:
            break  # all nodes' kube-proxies are set up alike, and a dump costs its reading
    return proxy


def with_seen_addresses(
    services: Mapping[str, Service], observed: Mapping[str, SeenNode]
) -> Mapping[str, Service]:
    """`services` with the ClusterIPs that a dump's rules know, where they had to be assumed."""
    found: dict[str, Service] = {}
    if not any(map(_is_assumed, services.values())):
        return services
    for dump in observed.values():
        for ruleset in dump.rulesets.values():
            for rule in _service_rules(ruleset):
                service = services.get((rule.reason and rule.reason.service) or "")
                address = _cluster_ip(rule) if service is not None else None
                if service is None or address is None or not _is_assumed(service):
                    continue
                kept = found.get(service.key, service)
                same = {one.version: one for one in kept.cluster_ips} | {address.version: address}
                found[service.key] = replace(
                    kept,
                    cluster_ips=tuple(same[one.version] for one in kept.cluster_ips),
                    origins={**kept.origins, "cluster_ips": _where(rule)},
                )
        if found:
            break  # all nodes have them, and a dump costs its reading
    return {**services, **found} if found else services


def _is_assumed(service: Service) -> bool:
    origin = service.origins.get("cluster_ips", service.origin)
    return bool(service.cluster_ips) and origin.kind is OriginKind.ASSUMED


def _cluster_ip(rule: Rule) -> Address | None:
    """The one address that the rule is about, where it is about a ClusterIP."""
    if _CLUSTER_IP not in rule.text:
        return None
    for test in compile_rule(rule.text).tests:
        if isinstance(test, AddressTest) and test.side is Side.DESTINATION and not test.negated:
            version, value, mask = test.networks[0]
            found = Address(version, value)
            return found if mask == (1 << found.bits) - 1 else None
    return None


def seen_ranges(observed: Mapping[str, SeenNode]) -> Mapping[Prefix, Origin]:
    """The ranges of the Services, as the first dump's tables of nftables' own have them."""
    found: dict[Prefix, Origin] = {}
    for dump in observed.values():
        for table in _tables(dump):
            from k8stui.nodes.kubeproxy.nftables import seen  # noqa: PLC0415 - as above

            ranges = seen.service_ranges(_rules(table, _CLUSTER_IPS_CHECK))
            found |= {network: _where(rule) for network, rule in ranges.items()}
        if found:
            break
    return found


def _tables(dump: SeenNode) -> Iterator[NftTable]:
    """kube-proxy's, where it has written something there."""
    for table in dump.nft.tables if dump.nft is not None else ():
        if table.name == OWNER and table.versions and _dispatch(table):
            yield table


def _dispatch(table: NftTable) -> Sequence[Rule]:
    return _rules(table, "services")


def _rules(table: NftTable, chain: str) -> Sequence[Rule]:
    return table.chains[chain].chain.rules if chain in table.chains else ()


def _where(rule: Rule) -> Origin:
    return rule.reason.origin if rule.reason else Origin(kind=OriginKind.OBSERVED)


def _in_iptables(ruleset: Ruleset) -> Outsiders | None:
    """What the rules about clusterIPs say; None where there are none of a Service."""
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
                return Outsiders(rule=rule, beyond=",".join(map(str, test.networks)))
            if isinstance(test, DeviceTest) and test.incoming and test.negated:
                name = test.pattern
                is_start = name.endswith("+")
                return Outsiders(rule=rule, not_by=name.rstrip("+"), is_start=is_start)
        return Outsiders(rule=rule)
    return Outsiders(rule=first, are_none=True) if first else None


def _configured(
    proxy: ProxyConfiguration, node: Node | None, told: Outsiders
) -> ProxyConfiguration:
    """`proxy` as the rule of the node has it, whose place is the origin of each setting."""
    said: dict[str, object] = {"cluster_cidr": ""}
    if told.beyond:
        own = node is not None and told.beyond in map(str, node.pod_cidrs)
        mode = "NodeCIDR" if own else "ClusterCIDR"
        said = {"detect_local_mode": mode, "cluster_cidr": told.beyond}
    elif told.not_by and told.is_start:
        said |= {"detect_local_mode": "InterfaceNamePrefix", "interface_name_prefix": told.not_by}
    elif told.not_by:
        said |= {"detect_local_mode": "BridgeInterface", "bridge_interface": told.not_by}
    elif not told.are_none:
        said = {"masquerade_all": True}
    origins = dict.fromkeys(("cluster_cidr", *said), _where(told.rule))
    return replace(proxy, origins={**proxy.origins, **origins}, **said)  # type: ignore[arg-type]


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
