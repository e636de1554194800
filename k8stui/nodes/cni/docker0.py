"""docker0: Docker's own bridge as the pod network, as the first Kubernetes clusters had it.

Docker ran with ``--bip=10.244.N.1/24 --iptables=false --ip-masq=false`` and wrote no rule at all
(recordings-cni/docker-kubernetes-salt; shared/cni-facts.md section 5). Routes between the nodes
were the set-up's own, and kubelet masqueraded what left the cluster.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from k8stui.cluster.model import Node, Pod
from k8stui.kernel.address import Prefix
from k8stui.kernel.rules import Rule
from k8stui.nodes.cni.bridge import bridge_part, host_gateway_routes, pod_part
from k8stui.nodes.cni.plugin import BridgeStyle, Part
from k8stui.nodes.contribution import Contribution, Jump, TablePart
from k8stui.nodes.reason import Because
from k8stui.origin import assumed
from k8stui.record import record

if TYPE_CHECKING:
    from k8stui.nodes.site import Site

_STYLE = BridgeStyle(
    owner="docker",
    device="docker0",
    veth_digits=7,
    mac_lead="02:42",
    hairpin=False,
    stands_empty=True,
)
_NON_MASQUERADE = Prefix.parse("10.0.0.0/8")
"""kubelet's --non-masquerade-cidr, by default."""


@record()
class Docker0:
    """dockerd with Kubernetes' options, and kubelet before 1.8 with ``--configure-cbr0``'s rule."""

    @property
    def style(self) -> BridgeStyle:
        return _STYLE

    def node_part(self, site: Site, node: Node) -> Part:
        return bridge_part(site, node, _STYLE) + host_gateway_routes(
            site, node, "the cluster's set-up"
        )

    def pod_part(self, site: Site, node: Node, pod: Pod) -> Part:
        return pod_part(site, node, pod, _STYLE)

    def contributions(self, site: Site, node: Node, version: int) -> Sequence[Contribution]:
        """One rule: what goes to no 10.x address leaves with the node's address.

        Source: kubernetes v1.3 pkg/kubelet/container_bridge.go:ensureIPTablesMasqRule, printed as
        iptables-save does. It is not limited to pods.
        """
        del node
        if version != 4:
            return ()
        pods = site.pod_network(4)
        inside = _NON_MASQUERADE if pods.address in _NON_MASQUERADE else pods
        rule = Rule(
            f"-A POSTROUTING ! -d {inside} -m comment --comment "
            '"kubelet: SNAT outbound cluster traffic" -m addrtype ! --dst-type LOCAL '
            "-j MASQUERADE",
            Because(
                text=f"what leaves the cluster ({inside}) leaves with the node's address",
                origin=assumed(
                    "Docker ran with --ip-masq=false; kubelet wrote it (--non-masquerade-cidr)"
                ),
                owner="kubelet",
            ),
        )
        return (Contribution("docker0", {"nat": TablePart(jumps=(Jump("POSTROUTING", rule),))}),)
