"""kube-proxy 1.20 to 1.36 in iptables mode: the rules it writes on one node, for one family.

Nothing is built before somebody looks: a chain is made when it is looked up, and looking up one
Service's chain costs no more than the names of the others. Where kube-proxy's order is random
(the six chains that all Services share) ours is by service port name.

Source: kube-proxy pkg/proxy/iptables/proxier.go; docs/facts/kube-proxy.md sections 1 to 7 and 12.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import NamedTuple

from k8stui.cluster.model import Cluster, Node
from k8stui.cluster.versions import minor
from k8stui.kernel.address import Address
from k8stui.kernel.rules import Chain, Rule, Ruleset
from k8stui.nodes.apart import ComparedChains, ComparedRules, Pair
from k8stui.nodes.contribution import Contribution, TablePart, compose
from k8stui.nodes.kubeproxy import balance, before_ext, fixed, portals
from k8stui.nodes.kubeproxy.around import Around
from k8stui.nodes.kubeproxy.everywhere import Everywhere
from k8stui.nodes.kubeproxy.lazy import LazyRows
from k8stui.nodes.kubeproxy.plans import Plans
from k8stui.nodes.kubeproxy.port_plan import PortPlan
from k8stui.nodes.kubeproxy.program import version_said
from k8stui.nodes.kubeproxy.reasons import OWNER
from k8stui.nodes.kubeproxy.settings import ProxySettings, settings

_Block = Callable[[PortPlan, ProxySettings], Iterator[Rule]]
_EXT_SINCE = 24
"""KUBE-EXT and KUBE-SVL, and comments that name endpoints (pull request 109060)."""


class _SharedBlocks(NamedTuple):
    """One service port's part of the chains that all share."""

    nat_services: _Block
    nat_node_ports: _Block
    filter_services: _Block
    filter_external: _Block


_TODAY = _SharedBlocks(
    portals.nat_services,
    portals.nat_node_ports,
    portals.filter_services,
    portals.filter_external,
)
_OLD = _SharedBlocks(
    before_ext.nat_services,
    before_ext.nat_node_ports,
    before_ext.filter_services,
    before_ext.filter_external,
)


def iptables_contribution(
    cluster: Cluster, node: Node, version: int, around: Around
) -> Contribution:
    """What kube-proxy writes on `node`."""
    rules = KubeProxyRules(
        cluster,
        node,
        version,
        nfacct=around.nfacct,
        local_addresses=around.local_addresses,
        everywhere=around.everywhere,
    )
    return rules.everywhere.written(rules.settings, lambda: rules.contribution)


class KubeProxyRules(Plans):
    """The rules on `node` for IP `version` 4 or 6.

    `nfacct`: the kernel has netfilter accounting; `local_addresses`: see `settings.settings`;
    `everywhere`: what other nodes of the cluster have worked out.
    """

    def __init__(
        self,
        cluster: Cluster,
        node: Node,
        version: int = 4,
        *,
        nfacct: bool = True,
        local_addresses: Sequence[Address] | None = None,
        everywhere: Everywhere | None = None,
    ) -> None:
        super().__init__(
            everywhere or Everywhere(cluster, version),
            settings(
                cluster.proxy,
                node,
                version,
                nfacct=nfacct,
                local_addresses=local_addresses,
                minor=minor(version_said(cluster, node)[1]),
            ),
        )

    @cached_property
    def contribution(self) -> Contribution:
        """What kube-proxy writes, to be composed with what others write."""
        here = self.settings
        fixed_ones = self.everywhere.fixed.get(here)
        if fixed_ones is None:
            fixed_ones = self.everywhere.fixed[here] = _fixed(here)
        blocks = _OLD if here.before(_EXT_SINCE) else _TODAY
        shared = {
            "KUBE-SERVICES": blocks.filter_services,
            "KUBE-EXTERNAL-SERVICES": blocks.filter_external,
            "KUBE-NODEPORTS": portals.filter_node_ports,
            "KUBE-PROXY-FIREWALL": portals.filter_firewall,
        }
        in_filter = {
            name: self._shared(name, block)
            for name, block in shared.items()
            if fixed.is_there("filter", name, here)
        }
        in_nat = {
            "KUBE-NODEPORTS": self._shared("KUBE-NODEPORTS", blocks.nat_node_ports),
            "KUBE-SERVICES": self._shared(
                "KUBE-SERVICES", blocks.nat_services, fixed.last_services
            ),
        }
        filtered, translated = fixed_ones["filter"], fixed_ones["nat"]
        return Contribution(
            OWNER,
            {
                "mangle": fixed_ones["mangle"],
                "filter": TablePart({**filtered.chains, **in_filter}, filtered.jumps),
                "nat": TablePart(
                    _NatChains(self, {**translated.chains, **in_nat}), translated.jumps
                ),
            },
        )

    @cached_property
    def ruleset(self) -> Ruleset:
        """What iptables-save prints where nobody but kube-proxy wrote."""
        return compose([self.contribution])

    def own_chain(self, plan: PortPlan, name: str) -> Chain:
        """One of the chains that `plan` has for itself; its rules are made when looked at.

        Raises:
            KeyError: the plan has no such chain.

        """
        shared = self.everywhere.is_shared(plan) and name != plan.firewall_chain
        key = (name, self.settings.detector, self.settings.minor)
        found = self.everywhere.chains.get(key) if shared else None
        if found is None:
            found = Chain(name, LazyRows(self._maker(plan, name)))
            if shared:
                self.everywhere.chains[key] = found
        return found

    def _maker(self, plan: PortPlan, name: str) -> Callable[[], Iterator[Rule]]:
        """What makes the rules of one of the plan's own chains.

        Of a node only how it tells pods' traffic matters here, but for KUBE-FW.

        Raises:
            KeyError: the plan has no such chain.

        """
        here = self.settings
        comments = not self.everywhere.is_large_cluster
        if here.before(_EXT_SINCE) and not name.startswith("KUBE-SEP-"):
            return before_ext.own_chains(plan, here)[name]
        match name[:9]:
            case "KUBE-SEP-" if name in plan.endpoints:
                return partial(balance.endpoint_rules, plan, name, here, comments=comments)
            case "KUBE-SVC-" if plan.choice.cluster:
                return partial(balance.cluster_rules, plan, here, comments=comments)
            case "KUBE-SVL-" if plan.choice.local:
                return partial(balance.local_rules, plan, here, comments=comments)
            case "KUBE-EXT-" if plan.has_external_chain:
                return partial(balance.external_rules, plan, here)
            case _ if name == plan.firewall_chain and plan.has_firewall_chain:
                return partial(balance.firewall_rules, plan, here)
        raise KeyError(name)

    def find(self, name: str) -> PortPlan | None:
        """The plan that the nat chain `name` belongs to."""
        if name.startswith("KUBE-SEP-"):
            port = self.everywhere.owner(name)
        elif name.startswith(_OWN_PREFIXES):
            port = self.everywhere.suffixes.get(name.rpartition("-")[2])
        else:
            return None
        plan = self.plan(port) if port else None
        return plan if plan is not None and self._has(plan, name) else None

    def _has(self, plan: PortPlan, name: str) -> bool:
        if self.settings.before(_EXT_SINCE):
            return name in plan.endpoints or name in before_ext.own_chains(plan, self.settings)
        return plan.owns(name)

    def chains_of(self, plan: PortPlan) -> Iterator[str]:
        """Names of the chains that exist for this port alone, those of its endpoints last."""
        if not self.settings.before(_EXT_SINCE):
            yield from plan.own_chains()
            return
        yield from before_ext.own_chains(plan, self.settings)
        yield from plan.endpoints

    def ports_apart(self, earlier: KubeProxyRules) -> Collection[str]:
        """Service ports of which some rule may not be as it was; both have the same settings."""
        return self.everywhere.ports_apart(earlier.everywhere)

    def has(self, port: str) -> bool:
        """Whether there is such a service port in this family."""
        return port in self.everywhere.service_ports

    def own_chains(self) -> Iterator[tuple[str, PortPlan]]:
        """Every chain that belongs to one service port, with its plan; in no order."""
        for name in self.everywhere.service_ports:
            plan = self.plan(name)
            for chain in self.chains_of(plan):
                yield chain, plan

    def _shared(
        self,
        name: str,
        block: Callable[[PortPlan, ProxySettings], Iterator[Rule]],
        last: Callable[[ProxySettings], Iterator[Rule]] | None = None,
    ) -> Chain:
        """A chain that holds one block per service port."""

        def rules() -> Iterator[Rule]:
            yield from _Blocks.of(self, block, self.everywhere.service_ports)
            if last:
                yield from last(self.settings)

        return Chain(name, _Blocks(rules, self, block))


def _fixed(here: ProxySettings) -> Mapping[str, TablePart]:
    """By table, what it writes whatever the Services are."""
    canary = {fixed.CANARY: Chain(fixed.CANARY)}
    in_filter = {
        "KUBE-FIREWALL": Chain("KUBE-FIREWALL", tuple(fixed.firewall(here))),
        "KUBE-FORWARD": Chain("KUBE-FORWARD", tuple(fixed.forward(here))),
    }
    there = {n: chain for n, chain in in_filter.items() if fixed.is_there("filter", n, here)}
    in_nat = {
        "KUBE-MARK-MASQ": Chain("KUBE-MARK-MASQ", tuple(fixed.mark_masquerade(here))),
        "KUBE-POSTROUTING": Chain("KUBE-POSTROUTING", tuple(fixed.postrouting(here))),
    }
    if here.before(25):
        in_nat["KUBE-MARK-DROP"] = Chain("KUBE-MARK-DROP")
    return {
        "mangle": TablePart(canary),
        "filter": TablePart(canary | there, fixed.jumps("filter", here)),
        "nat": TablePart(canary | in_nat, fixed.jumps("nat", here)),
    }


class _Blocks(LazyRows[Rule], ComparedRules):
    """The rules of a chain that all service ports share: a block for each, by their names."""

    __slots__ = ("block", "proxy")

    def __init__(
        self,
        make: Callable[[], Iterable[Rule]],
        proxy: KubeProxyRules,
        block: Callable[[PortPlan, ProxySettings], Iterator[Rule]],
    ) -> None:
        super().__init__(make)
        self.proxy, self.block = proxy, block

    def apart(self, earlier: Sequence[Rule]) -> Pair:
        """The blocks of those service ports that are not as they were."""
        if not isinstance(earlier, _Blocks) or earlier.proxy.settings != self.proxy.settings:
            return earlier, self
        ports = sorted(self.proxy.ports_apart(earlier.proxy))
        before, after = (self.of(each.proxy, each.block, ports) for each in (earlier, self))
        return before, after

    @staticmethod
    def of(
        proxy: KubeProxyRules,
        block: Callable[[PortPlan, ProxySettings], Iterator[Rule]],
        ports: Iterable[str],
    ) -> Iterator[Rule]:
        """The blocks of some ports; one that is not there has none."""
        for port in ports:
            if proxy.has(port):
                yield from block(proxy.plan(port), proxy.settings)


_OWN_PREFIXES = ("KUBE-SVC-", "KUBE-SVL-", "KUBE-EXT-", "KUBE-FW-", "KUBE-XLB-")


class _NatChains(ComparedChains):
    """kube-proxy's chains in nat: a few fixed ones, and several for each service port."""

    def __init__(self, rules: KubeProxyRules, shared: Mapping[str, Chain]) -> None:
        self.rules = rules
        self.shared = shared
        self._owners: dict[str, PortPlan] = {}
        """Every chain name, once somebody has asked for all of them."""

    def __getitem__(self, name: str) -> Chain:
        found = self.shared.get(name)
        if found:
            return found
        plan = self._owners.get(name) or self.rules.find(name)
        if plan is None:
            raise KeyError(name)
        return self.rules.own_chain(plan, name)

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str):
            return False
        if name in self.shared:
            return True
        return self.rules.find(name) is not None

    def __iter__(self) -> Iterator[str]:
        if not self._owners:
            self._owners = dict(self.rules.own_chains())
        yield from self.shared
        yield from self._owners

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def apart(self, earlier: Mapping[str, Chain]) -> Collection[str]:
        """The few fixed ones, and those of service ports that are not as they were."""
        now = self.rules
        if not isinstance(earlier, _NatChains) or earlier.rules.settings != now.settings:
            return {*self, *earlier}
        ports = now.ports_apart(earlier.rules)
        own = (
            name
            for rules in (earlier.rules, now)
            for port in ports
            if rules.has(port)
            for name in rules.chains_of(rules.plan(port))
        )
        then = earlier.shared
        fixed = (n for n in {**self.shared, **then} if self.shared.get(n) is not then.get(n))
        return {*fixed, *own}
