"""GKE's own plug-in (dataplane V1): ptp's cables, as netd writes the list, and the chain IP-MASQ.

The VPC routes between nodes. Source: GoogleCloudPlatform/netd netd.yaml and scripts/install-cni.sh
(10-gke-ptp.conflist: ptp with the card's MTU, host-local, portmap), kubernetes
cluster/gce/gci/configure-helper.sh (the same for containerd; config-ip-firewall); GKE's "IP
masquerade agent" and ip-masq-agent --masq-chain=IP-MASQ --nomasq-all-reserved-ranges for the ranges
whose traffic keeps the pods' addresses. Policies are Calico's, once they are enabled.
"""

from __future__ import annotations

from collections.abc import Sequence

from k8stui.cluster.model import Node
from k8stui.kernel.address import Prefix
from k8stui.nodes.cni.conflist import Configuration, configured
from k8stui.nodes.cni.masq_agent import AGENT, configured_ranges, masq_agent
from k8stui.nodes.cni.portmap import portmap
from k8stui.nodes.cni.ptp import Ptp
from k8stui.nodes.contribution import Contribution
from k8stui.nodes.site import Site
from k8stui.origin import defaulted

_OWNER, _CHAIN = "gke", "IP-MASQ"
_USUAL = Configuration(
    name="gke-pod-network",
    main={"mtu": 1460, "ipam": {"routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]}},
    chained={"portmap": {}},
    origin=defaulted("netd's own list"),
)
_KEPT = tuple(
    Prefix.parse(one)
    for one in (
        "169.254.0.0/16", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10",
        "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24",
        "203.0.113.0/24", "240.0.0.0/4",
    )
)  # fmt: skip


class Gke(Ptp):
    """``ptp`` and ``portmap`` on every node."""

    def __init__(self, site: Site) -> None:
        configuration = configured(site, "ptp") or _USUAL
        super().__init__(site, between="the VPC", configuration=configuration)

    def recognises(self, node: Node) -> bool:
        """By its chain: the cables are ptp's."""
        return self._site.observed(node).has_chain(_CHAIN)

    def contributions(self, node: Node, version: int) -> Sequence[Contribution]:
        made = [portmap(self._site, node, version, self._list)]
        if version == 4 and node.address(4) is not None:
            told = configured_ranges(self._site.cluster)
            usual = _KEPT, defaulted("GKE's default non-masquerade destinations")
            agent = AGENT if told is not None else "ip-masq"
            made.append(masq_agent(_OWNER, agent, _CHAIN, *(told or usual)))
        return [one for one in made if one]
