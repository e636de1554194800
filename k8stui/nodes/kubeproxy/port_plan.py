"""What kube-proxy makes of one service port on one node: which chains, over which endpoints.

Source: kube-proxy pkg/proxy/iptables/proxier.go syncProxyRules; docs/facts/kube-proxy.md
section 5.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from k8stui.nodes.kubeproxy.endpoints import Backend, Choice
from k8stui.nodes.kubeproxy.names import EndpointNames
from k8stui.nodes.kubeproxy.ports import Port


class PortPlan:
    """One service port on one node. Endpoint chain names are hashed when first asked for."""

    __slots__ = ("_backends", "_names", "choice", "port", "suffix")

    def __init__(self, port: Port, suffix: str, choice: Choice, names: EndpointNames) -> None:
        self.port = port
        self.suffix = suffix
        """The hash that the names of the port's own chains end in."""
        self.choice = choice
        self._names = names
        self._backends: dict[str, tuple[int, Backend]] = {}

    @property
    def cluster_chain(self) -> str:
        """Balances over the cluster list. Without endpoints nothing jumps to it."""
        return f"KUBE-SVC-{self.suffix}"

    @property
    def local_chain(self) -> str:
        return f"KUBE-SVL-{self.suffix}"

    @property
    def external_chain(self) -> str:
        return f"KUBE-EXT-{self.suffix}"

    @property
    def firewall_chain(self) -> str:
        return f"KUBE-FW-{self.suffix}"

    @property
    def internal_chain(self) -> str:
        """Where the cluster IP goes to."""
        return self.local_chain if self.port.internal_local else self.cluster_chain

    @property
    def vip_chain(self) -> str:
        """Where the load balancer's addresses go to."""
        return self.firewall_chain if self.port.source_ranges else self.external_chain

    @property
    def has_internal(self) -> bool:
        """Something stands behind the cluster IP."""
        choice = self.choice
        return choice.any_endpoints and (not self.port.internal_local or bool(choice.local))

    @property
    def has_external(self) -> bool:
        """Something stands behind the node port, the VIPs and the external IPs."""
        choice = self.choice
        return choice.any_endpoints and (not self.port.external_local or bool(choice.local))

    @property
    def endpoint_chains(self) -> Mapping[str, str]:
        """``address:port`` → KUBE-SEP chain name, made at the look-up."""
        return self._names

    @property
    def endpoints(self) -> Mapping[str, tuple[int, Backend]]:
        """KUBE-SEP chain name → number (from 1) and endpoint: all that can be reached from here."""
        if not self._backends:
            names = self._names
            self._backends = {
                names[backend.text]: (number, backend)
                for number, backend in enumerate(self.choice.reachable, 1)
            }
        return self._backends

    @property
    def has_external_chain(self) -> bool:
        return self.choice.any_endpoints and self.port.accessible

    @property
    def has_firewall_chain(self) -> bool:
        return self.choice.any_endpoints and bool(self.port.vips and self.port.source_ranges)

    def owns(self, chain: str) -> bool:
        """Whether it is one of `own_chains`, of which there may be thousands."""
        return chain in self.endpoints or chain in self._balancers()

    def own_chains(self) -> Iterator[str]:
        """Names of the chains that exist for this port alone, those of its endpoints last."""
        yield from self._balancers()
        yield from self.endpoints

    def _balancers(self) -> Iterator[str]:
        if self.has_external_chain:
            yield self.external_chain
        if self.has_firewall_chain:
            yield self.firewall_chain
        if self.choice.cluster:
            yield self.cluster_chain
        if self.choice.local:
            yield self.local_chain
