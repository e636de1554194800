"""Canal: Calico's cables and policies, and flannel between the nodes.

Source: projectcalico/calico manifests/canal.yaml: the plug-in calico with host-local's addresses,
portmap; calico-node with CALICO_NETWORKING_BACKEND none, so without pools; kube-flannel beside it,
vxlan unless net-conf.json says otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence

from k8stui.cluster.model import Node, Pod
from k8stui.kernel.address import Address
from k8stui.kernel.namespace import LinkKind
from k8stui.nodes.cni import flannel
from k8stui.nodes.cni.calico import CalicoPlugin
from k8stui.nodes.contribution import Contribution
from k8stui.nodes.part import Part
from k8stui.nodes.site import Site


class Canal:
    """``"type": "calico"`` with host-local and portmap, and flanneld."""

    def __init__(self, site: Site) -> None:
        self._site = site
        is_told = (site.cluster.flannel or {}).get("Backend") is not None
        self._flannel = flannel.configured(site) if is_told else flannel.overlay(site)
        self._calico = CalicoPlugin(site, self._flannel.mtu_bytes)

    def recognises(self, node: Node) -> bool:
        """Whether the dump has a cable of Calico's and a device of flannel's."""
        seen = self._site.observed(node).interfaces or ()
        tunnels = (LinkKind.VXLAN, LinkKind.IPIP, LinkKind.OTHER)
        has_tunnel = any(one.name.startswith("flannel") and one.kind in tunnels for one in seen)
        return has_tunnel and self._calico.recognises(node)

    def addresses(self, node: Node) -> Sequence[Address]:
        return self._calico.addresses(node)

    def node_part(self, node: Node) -> Part:
        return self._flannel.between(node) + self._calico.cables(node)

    def pod_part(self, node: Node, pod: Pod) -> Part:
        return self._calico.pod_part(node, pod)

    def contributions(self, node: Node, version: int) -> Sequence[Contribution]:
        flanneld = self._flannel.rules(node, version)
        ours = self._calico.contributions(node, version)
        return ours if flanneld is None else (flanneld, *ours)
