"""What the rules in a node's dump tell of kube-proxy's configuration, where the input says nothing.

Source: kube-proxy pkg/proxy/iptables/proxier.go writeServiceToEndpointRules (the "cluster IP" rules
that jump to KUBE-MARK-MASQ; up to 1.21 they stand in KUBE-SERVICES), pkg/proxy/nftables/proxier.go
(syncProxyRules: the rules about @cluster-ips; setupNFTables), pkg/proxy/util/localdetector.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from k8stui.cluster.fields import prefixes
from k8stui.cluster.model import Node, ProxyConfiguration
from k8stui.cluster.proxy_configuration import NFTABLES
from k8stui.kernel.address import Prefix
from k8stui.kernel.compile import compile_rule
from k8stui.kernel.matches.header import AddressTest, DeviceTest, Side
from k8stui.kernel.nft_ruleset import NftTable
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
        node = nodes.get(name)
        for version, ruleset in dump.rulesets.items():
            if version not in found and (seen := _seen(proxy, node, ruleset)):
                found[version] = seen
        for table in _tables(dump):
            if proxy.mode == NFTABLES and (seen := _seen_in_nft(proxy, node, table)):
                found.setdefault(table.versions[0], seen)
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
        for table in _tables(dump):
            return replace(proxy, mode=NFTABLES, origins={**proxy.origins, "mode": _at(table)})
        if dump.nft is not None:
            break  # all nodes' kube-proxies are set up alike
    return proxy


def seen_ranges(observed: Mapping[str, SeenNode]) -> Mapping[Prefix, Origin]:
    """The ranges of the Services, as the first dump's tables of nftables' own have them."""
    found: dict[Prefix, Origin] = {}
    for dump in observed.values():
        for table in _tables(dump):
            chain = table.chains.get("cluster-ips-check")
            for rule in chain.chain.rules if chain is not None else ():
                if _UNALLOCATED in rule.text:
                    origin = rule.reason.origin if rule.reason else _at(table)
                    found |= dict.fromkeys(prefixes(_NETWORK.findall(rule.text)), origin)
        if found:
            break
    return found


def _tables(dump: SeenNode) -> Iterator[NftTable]:
    """kube-proxy's, where it has written something there."""
    for table in dump.nft.tables if dump.nft is not None else ():
        if table.name == OWNER and table.versions and _dispatch(table):
            yield table


def _dispatch(table: NftTable) -> Sequence[Rule]:
    return table.chains[_DISPATCH].chain.rules if _DISPATCH in table.chains else ()


def _at(table: NftTable) -> Origin:
    why = _dispatch(table)[0].reason
    return why.origin if why is not None else Origin(kind=OriginKind.OBSERVED)


def _seen_in_nft(
    proxy: ProxyConfiguration, node: Node | None, table: NftTable
) -> ProxyConfiguration | None:
    """What the table says; None where it knows no Service."""
    ips = table.sets.get("cluster-ips")
    if ips is None or not ips.elements:
        return None
    for rule in _dispatch(table):
        network, device = _FOREIGN.search(rule.text), _FOREIGN_DEVICE.search(rule.text)
        if network and prefixes((network[1],)):
            return _by_network(proxy, rule, node, network[1])
        if device:
            return _by_device(proxy, rule, device[1], is_start=bool(device[2]))
        if "@cluster-ips" in rule.text:
            return _as_seen(proxy, rule, masquerade_all=True)
    return _as_seen(proxy, _dispatch(table)[0], cluster_cidr="")


def _by_network(
    proxy: ProxyConfiguration, rule: Rule, node: Node | None, cidr: str
) -> ProxyConfiguration:
    own = node is not None and cidr in map(str, node.pod_cidrs)
    mode = "NodeCIDR" if own else "ClusterCIDR"
    return _as_seen(proxy, rule, detect_local_mode=mode, cluster_cidr=cidr)


def _by_device(
    proxy: ProxyConfiguration, rule: Rule, name: str, *, is_start: bool
) -> ProxyConfiguration:
    mode, field = (
        ("InterfaceNamePrefix", "interface_name_prefix")
        if is_start
        else ("BridgeInterface", "bridge_interface")
    )
    return _as_seen(proxy, rule, detect_local_mode=mode, cluster_cidr="", **{field: name})


_UNALLOCATED = 'drop comment "Drop traffic to unallocated ClusterIPs"'
_NETWORK = re.compile(r"(?<=[ {])[0-9a-f.:]+/[0-9]{1,3}(?=[ ,}])")
_FOREIGN = re.compile(r"^ip6? daddr @cluster-ips ip6? saddr != (\S+/\d+) ")
_FOREIGN_DEVICE = re.compile(r'^ip6? daddr @cluster-ips iifname != "([^"*]+)(\*?)" ')
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
                return _by_network(proxy, rule, node, ",".join(map(str, test.networks)))
            if isinstance(test, DeviceTest) and test.incoming and test.negated:
                name = test.pattern
                is_start = name.endswith("+")
                return _by_device(proxy, rule, name.rstrip("+"), is_start=is_start)
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
