"""kindnet, kind's own plug-in: ptp's cables, a route to each node, and one masquerade for all.

Source: kind images/kindnetd/cmd/kindnetd (cni.go: cniConfigTemplate; masq.go: SyncRulesForever;
routes.go:syncRoute); recorded in recordings-agents/kindnetd. Policies are judged in a queue
(`k8stui.nodes.policy`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from k8stui.cluster.model import Container, Node, Pod
from k8stui.kernel.address import Prefix
from k8stui.nodes.cni.conflist import Configuration, assumed_list, of
from k8stui.nodes.cni.daemon import listed
from k8stui.nodes.cni.masq_agent import masq_agent
from k8stui.nodes.cni.portmap import portmap
from k8stui.nodes.cni.ptp import Ptp
from k8stui.nodes.contribution import Contribution
from k8stui.nodes.site import Site
from k8stui.origin import Origin, defaulted

_CHAIN = "KIND-MASQ-AGENT"
_USUAL = {"ipam": {"routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]}}


class Kindnet(Ptp):
    """kindnetd on every node, as kind starts it."""

    def __init__(self, site: Site) -> None:
        configuration = _named(site) or assumed_list(_USUAL, "kindnetd's own list")
        super().__init__(site, between="kindnetd", configuration=configuration)

    def recognises(self, node: Node) -> bool:
        """By its chain: the cables are ptp's."""
        return self._site.observed(node).has_chain(_CHAIN)

    def contributions(self, node: Node, version: int) -> Sequence[Contribution]:
        made = [portmap(self._site, node, version, self._list)]
        if node.address(version) is not None:
            kept, origin = self._inside(version)
            made.append(
                masq_agent("kindnet", "kind-masq-agent", _CHAIN, kept, origin, comments_first=False)
            )
        return [one for one in made if one]

    def _inside(self, version: int) -> tuple[Sequence[Prefix], Origin]:
        """POD_SUBNET of kindnetd's own container; else the pod network."""
        daemon = self._daemon
        subnets = _subnets(daemon) if daemon is not None else ()
        found = tuple(one for one in subnets if one.address.version == version)
        if daemon is not None and found:
            return found, daemon.origin
        return (self._site.pod_network(version),), defaulted("POD_SUBNET, as kind sets it")

    @cached_property
    def _daemon(self) -> Container | None:
        return self._site.running(_runs)


def _named(site: Site) -> Configuration | None:
    """The list that kindnetd has written, where the input has it."""
    lists = site.cluster.cni_configurations
    return next((of(one) for one in lists if one.name == "kindnet"), None)


def _runs(pod: Pod, container: Container) -> bool:
    return "kindnet" in pod.name and bool(_subnets(container))


def _subnets(container: Container) -> tuple[Prefix, ...]:
    return listed(dict(container.env).get("POD_SUBNET", ""))
