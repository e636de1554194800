"""kube-proxy 1.36 in iptables mode: the rules it writes on one node, for one family.

Nothing is built before somebody looks: a chain is made when it is looked up, and looking up one
Service's chain costs no more than the names of the others. Where kube-proxy's order is random
(the six chains that all Services share) ours is by service port name.

Source: kube-proxy pkg/proxy/iptables/proxier.go; docs/facts/kube-proxy.md sections 1 to 7.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial

from k8stui.cluster.model import Cluster, EndpointSlice, Node, Service, ServicePort
from k8stui.kernel.address import Address
from k8stui.kernel.rules import Chain, Rule, Ruleset
from k8stui.nodes.contribution import Contribution, TablePart, compose
from k8stui.nodes.kubeproxy import balance, fixed, portals
from k8stui.nodes.kubeproxy.endpoints import Backend, backends, choose
from k8stui.nodes.kubeproxy.lazy import LazyRules
from k8stui.nodes.kubeproxy.names import chain_suffix
from k8stui.nodes.kubeproxy.port_plan import PortPlan
from k8stui.nodes.kubeproxy.ports import TRANSPORTS, known_ports, port_of
from k8stui.nodes.kubeproxy.reasons import OWNER
from k8stui.nodes.kubeproxy.settings import Settings, settings

LARGE_CLUSTER_ENDPOINTS = 1000
"""More endpoints than this, and the rules of single endpoints lose their comments
(kube-proxy largeClusterEndpointsThreshold)."""


class KubeProxyRules:
    """The rules on `node` for IP `version` 4 or 6.

    `nfacct`: the kernel has netfilter accounting; `local_addresses`: see `settings.settings`.
    """

    def __init__(
        self,
        cluster: Cluster,
        node: Node,
        version: int = 4,
        *,
        nfacct: bool = True,
        local_addresses: Sequence[Address] | None = None,
    ) -> None:
        self._cluster = cluster
        self.settings = settings(
            cluster.proxy, node, version, nfacct=nfacct, local_addresses=local_addresses
        )
        self._plans: dict[str, PortPlan] = {}
        self._endpoint_chains: dict[str, PortPlan] = {}
        self._all_endpoint_chains = False

    @cached_property
    def service_ports(self) -> Mapping[str, tuple[Service, ServicePort, str]]:
        """What is proxied in this family, by service port name, in order of it.

        The third is the hash that the names of the port's chains end in.
        """
        version = self.settings.version
        found = {
            name: (service, port, chain_suffix(name + TRANSPORTS[port.protocol]))
            for name, service, port in known_ports(self._cluster, version)
        }
        return {name: found[name] for name in sorted(found)}

    @cached_property
    def suffixes(self) -> Mapping[str, str]:
        """Hash at the end of a service port's chain names → service port name."""
        return {suffix: name for name, (_, _, suffix) in self.service_ports.items()}

    @cached_property
    def is_large_cluster(self) -> bool:
        """Counts every endpoint of every service port, ready or not, and stops when it knows."""
        slices = self._cluster.endpoint_slices
        count = 0
        for service, port, _ in self.service_ports.values():
            count += len(self._backends(slices.get(service.key, ()), port))
            if count > LARGE_CLUSTER_ENDPOINTS:
                return True
        return False

    @property
    def planned(self) -> int:
        """How many service ports somebody has looked at."""
        return len(self._plans)

    def plan(self, name: str) -> PortPlan:
        """What becomes of the service port `name` on this node.

        Raises:
            KeyError: there is no such service port in this family.

        """
        plan = self._plans.get(name)
        if plan is None:
            here = self.settings
            service, service_port, suffix = self.service_ports[name]
            port = port_of(name, service, service_port, here.version)
            choice = choose(
                self._backends(self._cluster.endpoint_slices.get(service.key, ()), service_port),
                node=here.node_name,
                zone=here.zone,
                uses_cluster=port.uses_cluster,
                uses_local=port.uses_local,
            )
            plan = self._plans[name] = PortPlan(port, suffix, choice)
        return plan

    @cached_property
    def contribution(self) -> Contribution:
        """What kube-proxy writes, to be composed with what others write."""
        here = self.settings
        canary = {fixed.CANARY: Chain(fixed.CANARY)}
        return Contribution(
            OWNER,
            {
                "mangle": TablePart(canary),
                "filter": TablePart(
                    canary
                    | {
                        "KUBE-FIREWALL": Chain("KUBE-FIREWALL", tuple(fixed.firewall(here))),
                        "KUBE-FORWARD": Chain("KUBE-FORWARD", tuple(fixed.forward(here))),
                        "KUBE-SERVICES": self._shared("KUBE-SERVICES", portals.filter_services),
                        "KUBE-EXTERNAL-SERVICES": self._shared(
                            "KUBE-EXTERNAL-SERVICES", portals.filter_external
                        ),
                        "KUBE-NODEPORTS": self._shared("KUBE-NODEPORTS", portals.filter_node_ports),
                        "KUBE-PROXY-FIREWALL": self._shared(
                            "KUBE-PROXY-FIREWALL", portals.filter_firewall
                        ),
                    },
                    fixed.jumps("filter", here),
                ),
                "nat": TablePart(
                    _NatChains(
                        self,
                        canary
                        | {
                            "KUBE-MARK-MASQ": Chain(
                                "KUBE-MARK-MASQ", tuple(fixed.mark_masquerade(here))
                            ),
                            "KUBE-POSTROUTING": Chain(
                                "KUBE-POSTROUTING", tuple(fixed.postrouting(here))
                            ),
                            "KUBE-NODEPORTS": self._shared(
                                "KUBE-NODEPORTS", portals.nat_node_ports
                            ),
                            "KUBE-SERVICES": self._shared(
                                "KUBE-SERVICES", portals.nat_services, fixed.last_services
                            ),
                        },
                    ),
                    fixed.jumps("nat", here),
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
        here = self.settings
        make: Callable[[], Iterator[Rule]]
        match name[:9]:
            case "KUBE-SEP-" if name in plan.endpoints:
                make = partial(self._endpoint, plan, name)
            case "KUBE-SVC-" if plan.choice.cluster:
                make = partial(self._cluster_policy, plan)
            case "KUBE-SVL-" if plan.choice.local:
                make = partial(self._local_policy, plan)
            case "KUBE-EXT-" if plan.has_external_chain:
                make = partial(balance.external_rules, plan, here)
            case _ if name == plan.firewall_chain and plan.has_firewall_chain:
                make = partial(balance.firewall_rules, plan, here)
            case _:
                raise KeyError(name)
        return Chain(name, LazyRules(make))

    def find(self, name: str) -> PortPlan | None:
        """The plan that the nat chain `name` belongs to."""
        if name.startswith("KUBE-SEP-"):
            return self._endpoint_owner(name)
        if name.startswith(_OWN_PREFIXES):
            port = self.suffixes.get(name.rpartition("-")[2])
            return self.plan(port) if port else None
        return None

    def own_chains(self) -> Iterator[tuple[str, PortPlan]]:
        """Every chain that belongs to one service port, with its plan; in no order."""
        for name in self.service_ports:
            plan = self.plan(name)
            for chain in plan.own_chains():
                yield chain, plan

    def _endpoint_owner(self, chain: str) -> PortPlan | None:
        """A chain of a Service somebody looked at is known; else all names must be made."""
        if chain not in self._endpoint_chains and not self._all_endpoint_chains:
            for name in self.service_ports:
                self._remember(self.plan(name))
            self._all_endpoint_chains = True
        return self._endpoint_chains.get(chain)

    def _remember(self, plan: PortPlan) -> None:
        for chain in plan.endpoints:
            self._endpoint_chains[chain] = plan

    def _cluster_policy(self, plan: PortPlan) -> Iterator[Rule]:
        self._remember(plan)
        return balance.cluster_rules(plan, self.settings, comments=not self.is_large_cluster)

    def _local_policy(self, plan: PortPlan) -> Iterator[Rule]:
        self._remember(plan)
        return balance.local_rules(plan, self.settings, comments=not self.is_large_cluster)

    def _endpoint(self, plan: PortPlan, chain: str) -> Iterator[Rule]:
        return balance.endpoint_rules(
            plan, chain, self.settings, comments=not self.is_large_cluster
        )

    def _shared(
        self,
        name: str,
        block: Callable[[PortPlan, Settings], Iterator[Rule]],
        last: Callable[[Settings], Iterator[Rule]] | None = None,
    ) -> Chain:
        """A chain that holds one block per service port."""

        def rules() -> Iterator[Rule]:
            for port in self.service_ports:
                yield from block(self.plan(port), self.settings)
            if last:
                yield from last(self.settings)

        return Chain(name, LazyRules(rules))

    def _backends(self, slices: Sequence[EndpointSlice], port: ServicePort) -> list[Backend]:
        return backends(slices, port.name, port.protocol, self.settings.version)


_OWN_PREFIXES = ("KUBE-SVC-", "KUBE-SVL-", "KUBE-EXT-", "KUBE-FW-")


class _NatChains(Mapping[str, Chain]):
    """kube-proxy's chains in nat: a few fixed ones, and several for each service port."""

    def __init__(self, rules: KubeProxyRules, shared: Mapping[str, Chain]) -> None:
        self._rules = rules
        self._shared = shared
        self._owners: dict[str, PortPlan] = {}
        """Every chain name, once somebody has asked for all of them."""

    def __getitem__(self, name: str) -> Chain:
        found = self._shared.get(name)
        if found:
            return found
        plan = self._owners.get(name) or self._rules.find(name)
        if plan is None:
            raise KeyError(name)
        return self._rules.own_chain(plan, name)

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str):
            return False
        if name in self._shared:
            return True
        plan = self._rules.find(name)
        return plan is not None and plan.owns(name)

    def __iter__(self) -> Iterator[str]:
        if not self._owners:
            self._owners = dict(self._rules.own_chains())
        yield from self._shared
        yield from self._owners

    def __len__(self) -> int:
        return sum(1 for _ in self)
