"""Policy engines: what enforces NetworkPolicies on a node. What each is, stands in `known`.

The network plug-in decides whether there is one: flannel, bridge, docker0 and ptp alone know no
policies. k3s runs kube-router's controller beside flannel. An engine whose rules stand in Linux'
tables is walked; any other is modelled by the API's rules, at the place where it decides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from k8stui.cluster.model import Cluster, Node
from k8stui.kernel.namespace import Judge
from k8stui.nodes.cni import chosen, is_shown
from k8stui.nodes.errors import NodeOptionError
from k8stui.nodes.observed import ObservedNode
from k8stui.nodes.policy import calico
from k8stui.nodes.policy.engine import Engine
from k8stui.nodes.policy.known import API, CALICO, KNOWN, KUBE_ROUTER, NONE, KnownEngine, of_plugin
from k8stui.nodes.site import Site
from k8stui.settings import POLICY_ENGINE

if TYPE_CHECKING:
    from k8stui.nodes.policy.by_api import ByTheApi

__all__ = ["CALICO", "CHOICES", "KNOWN", "KUBE_ROUTER", "NONE", "Engines", "KnownEngine"]

CHOICES = (*KNOWN, NONE)
"""Values of ``--policy-engine``."""
_CHAINS = {
    "KUBE-NWPLCY-TAIL": "kube-router-v2.11",
    "KUBE-ROUTER-FORWARD": KUBE_ROUTER,
    "cali-FORWARD": CALICO,
    "WEAVE-NPC": "weave",
}
"""By which chain of a dump's filter table an engine is known; the first that is there counts."""


class Engines:
    """Which policy engine each node of a cluster has."""

    def __init__(self, site: Site, plugin_of: Callable[[Node], str]) -> None:
        """Find out by the option, else by what the input shows.

        `plugin_of`: the network plug-in of a node, as ``--cni`` has it.

        Raises:
            NodeOptionError: there is no such engine.

        """
        asked = site.options.policy_engine
        if asked is not None and asked not in CHOICES:
            raise NodeOptionError(POLICY_ENGINE.flag, asked, CHOICES)
        self._site = site
        self._plugin_of = plugin_of
        shown = asked or _shown(site)
        self.is_assumed = shown is None
        """Whether only the policies themselves say that somebody enforces them."""
        self.usual = shown or API
        """The engine of the nodes whose dumps do not show another one's rules."""
        self._routers: dict[str, Engine | None] = {}

    def of(self, node: Node) -> Engine | None:
        """The engine whose rules and sets stand on the node; None: there are no such rules.

        Kube-router's a dump shows even where the input does not say that it runs.
        """
        if self._has_rules(node):
            return self._usual
        seen = self._seen(node)
        if seen is not None and seen.startswith(KUBE_ROUTER):
            return self._kube_router(seen)
        # Calico's plug-in does not go without Felix.
        return self._felix if self._plugin_of(node) in KNOWN[CALICO].cni else None

    def judges(self, node: Node) -> tuple[Judge, ...]:
        """What judges packets on the node by rules that are not netfilter's."""
        if not self.enforced.all_policies or self.in_rules(node) or self.name_of(node) == NONE:
            return ()
        return (self._by_the_api.judge(node),)

    def named(self, name: str) -> Engine | None:
        """That engine, whether or not it is the cluster's; None: it has no rules of its own."""
        if name == self.usual or (name == KUBE_ROUTER and self.usual.startswith(KUBE_ROUTER)):
            return self._usual
        return self._made(name)

    def name_of(self, node: Node) -> str:
        """The engine's name as ``--policy-engine`` has it: what a dump shows, else the usual."""
        seen = self._seen(node)
        if seen is None and self.is_assumed and self._site.observed(node) != ObservedNode():
            return NONE  # a node that was seen shows whoever is there
        return seen or self.usual

    def in_rules(self, node: Node) -> bool:
        """Whether the engine's rules are among the node's, so that a walk meets them."""
        return self._has_rules(node) or self._seen(node) is not None

    def _has_rules(self, node: Node) -> bool:
        """Whether Linux' tables say there what the usual engine enforces."""
        known = KNOWN.get(self.usual)
        if known is None or known.rules is None:
            return False
        return not known.cni or self._plugin_of(node) in known.cni

    def _seen(self, node: Node) -> str | None:
        """The engine whose chains the node's dump shows."""
        for ruleset in self._site.observed(node).rulesets.values():
            for chain, name in _CHAINS.items():
                if ruleset.chain("filter", chain) is not None:
                    return name
        return None

    @cached_property
    def enforced(self) -> Cluster:
        """The cluster with the policies that the usual engine knows, and as it reads them."""
        cluster = self._site.cluster
        known = KNOWN.get(self.usual)
        if known is None:
            return cluster
        kept = tuple(one for one in cluster.cluster_policies if one.kind in known.kinds)
        own = tuple(one for one in cluster.calico_policies if one.kind in known.kinds)
        told = any(one.blocks_mean_nodes for one in cluster.network_plugins)
        spare = known.blocks_spare - ({"nodes"} if told else set())
        is_all = len(kept) + len(own) == len(cluster.all_policies) - len(cluster.policies)
        if is_all and spare == cluster.blocks_spare:
            return cluster
        return replace(cluster, cluster_policies=kept, calico_policies=own, blocks_spare=spare)

    @cached_property
    def _usual(self) -> Engine | None:
        return self._made(self.usual)

    def _kube_router(self, name: str) -> Engine | None:
        found = self._routers.get(name)
        if found is None:
            found = self._routers[name] = self._made(name)
        return found

    @cached_property
    def _felix(self) -> Engine:
        found: Engine = calico.CALICO(self._site, judges=False)
        return found

    @cached_property
    def _by_the_api(self) -> ByTheApi:
        from k8stui.nodes.policy.by_api import ByTheApi  # noqa: PLC0415 - where there are policies

        return ByTheApi(self.enforced, KNOWN[self.usual])

    def _made(self, name: str) -> Engine | None:
        known = KNOWN.get(name)
        return known.rules(self._site) if known is not None and known.rules is not None else None


def _shown(site: Site) -> str | None:
    """What the input itself shows: a plug-in that is its own engine, or a distribution's.

    None: nothing but policies, and whoever writes them has somebody who enforces them.
    """
    cluster, cni = site.cluster, chosen(site)
    for plugin in cluster.network_plugins:
        engine = of_plugin(plugin.name)
        if engine is not None:
            return engine
    engine = of_plugin(cni)
    if engine is not None:
        return engine
    if cluster.network_plugins:
        return NONE
    distribution = cluster.distribution
    if distribution is not None and distribution.plugin(len(cluster.nodes)):
        return distribution.policy_engine
    return None if cluster.all_policies and not is_shown(site) else NONE
