"""Policy engines: what enforces NetworkPolicies on a node, one folder an engine and one line here.

The network plug-in decides whether there is one: flannel, bridge, docker0 and ptp alone know no
policies. k3s runs kube-router's controller beside flannel. An engine whose rules stand in Linux'
tables is walked; of any other the API's rules are all that is known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

from k8stui.cluster.model import Cluster, Node
from k8stui.nodes.errors import NodeOptionError
from k8stui.nodes.policy import kube_router
from k8stui.nodes.policy.engine import Engine
from k8stui.nodes.site import Site
from k8stui.settings import POLICY_ENGINE

KUBE_ROUTER = "kube-router"
NONE = "none"
_UPSTREAM = "kube-router-v2.11"
_ENGINES: Mapping[str, Callable[[Site], Engine]] = {
    KUBE_ROUTER: kube_router.k3s,
    _UPSTREAM: kube_router.upstream,
}
BY_THE_API = ("calico", "api")
"""Engines of which only the API's rules are known."""
CHOICES = (*_ENGINES, *BY_THE_API, NONE)
"""Values of ``--policy-engine``."""
_CHAINS = {"KUBE-ROUTER-FORWARD": KUBE_ROUTER, "cali-FORWARD": "calico"}
"""By which chain of a dump's filter table an engine is known."""


class Engines:
    """Which policy engine each node of a cluster has."""

    def __init__(self, site: Site) -> None:
        """Find out by the option, else by what the input shows.

        Raises:
            NodeOptionError: there is no such engine.

        """
        asked = site.options.policy_engine
        if asked is not None and asked not in CHOICES:
            raise NodeOptionError(POLICY_ENGINE.flag, asked, CHOICES)
        self._site = site
        self.usual = asked or _shown(site.cluster)
        """The engine of the nodes whose dumps do not show another one's rules."""

    def of(self, node: Node) -> Engine | None:
        """The engine whose rules and sets stand on the node; None: there are no such rules."""
        del node  # one for all, as a cluster has
        return self._usual

    def named(self, name: str) -> Engine | None:
        """That engine, whether or not it is the cluster's; None: it has no rules of its own."""
        if name in (self.usual, KUBE_ROUTER) and self._usual is not None:
            return self._usual
        make = _ENGINES.get(name)
        return make(self._site) if make else None

    def name_of(self, node: Node) -> str:
        """The engine's name as ``--policy-engine`` has it: what a dump shows, else the usual."""
        for ruleset in self._site.observed(node).rulesets.values():
            for chain, name in _CHAINS.items():
                if ruleset.chain("filter", chain) is not None:
                    return name
        return self.usual

    def in_rules(self, node: Node) -> bool:
        """Whether the engine's rules are among the node's, so that a walk meets them."""
        if self._site.observed(node).rulesets:
            return self.name_of(node) in _CHAINS.values()
        return self._usual is not None

    @cached_property
    def _usual(self) -> Engine | None:
        make = _ENGINES.get(self.usual)
        return make(self._site) if make else None


def _shown(cluster: Cluster) -> str:
    """What the input itself shows: a plug-in that is its own engine, or a distribution's."""
    if any(plugin.name == KUBE_ROUTER for plugin in cluster.network_plugins):
        return _UPSTREAM
    if cluster.network_plugins:
        return NONE
    distribution = cluster.distribution
    return distribution.policy_engine if distribution is not None else NONE
