"""By which names of chains, and by which words in comments, network plug-ins' rules are known.

A node has rules of more programs than its own plug-in: Docker's beside flannel's, what an earlier
plug-in left. Sources: flannel pkg/trafficmngr/iptables; containernetworking/plugins pkg/utils
(FormatChainName), plugins/meta/{portmap,firewall}; kind images/kindnetd; kube-router pkg/
controllers/routing/pod_egress.go; amazon-vpc-cni-k8s pkg/networkutils; kubelet's kubenet and
hostport (1.23); moby libnetwork/drivers/bridge; weave prog/kube-utils, npc; Cilium pkg/datapath/
iptables; Antrea pkg/agent/route; OVN-Kubernetes go-controller/pkg/node; Kube-OVN pkg/daemon; Azure
npm/iptm, cns; OpenShift SDN pkg/network/node; docs/facts/cni.md.
"""

from __future__ import annotations

from collections.abc import Mapping

from k8stui.cluster.model import Node
from k8stui.nodes.site import Site

CHAINS: Mapping[str, str] = {
    "FLANNEL-": "flannel",
    "CNI-": "the CNI plug-ins",
    "KIND-MASQ-AGENT": "kindnet",
    "AWS-": "Amazon's VPC CNI",
    "KUBE-HOSTPORTS": "kubenet",
    "KUBE-HP-": "kubenet",
    "DOCKER": "Docker",
    "WEAVE": "Weave Net",
    "CILIUM_": "Cilium",
    "OLD_CILIUM_": "Cilium",
    "ANTREA-": "Antrea",
    "OVN-KUBE-": "OVN-Kubernetes",
    "OVN-": "Kube-OVN",
    "AZURE-": "Azure CNI",
    "SWIFT": "Azure CNI",
    "OPENSHIFT-": "OpenShift SDN",
}
"""Beginnings of the names of chains; the first that fits counts."""

WORDS: Mapping[str, str] = {
    '"flanneld ': "flannel",
    '"AWS, ': "Amazon's VPC CNI",
    "kubenet: ": "kubenet",
    '"kube hostport portals"': "kubenet",
    '"SNAT for localhost access to hostports"': "kubenet",
    '"CNI ': "the CNI plug-ins",
    'name: \\"': "the CNI plug-ins",
    "kube-bridge": "kube-router",
    "kube-router-pod-subnets": "kube-router",
    "docker0": "Docker",
    " -i br-": "Docker",
    " -o br-": "Docker",
    " -i weave ": "Weave Net",
    " -o weave ": "Weave Net",
    "cilium": "Cilium",
}
"""What stands in rules of built-in chains that jump to no chain of theirs."""


def has_table(site: Site, node: Node, name: str) -> bool:
    """Whether a dump of the node shows that table of nftables' own."""
    seen = site.observed(node).nft
    return any(table.name == name for table in (seen.tables if seen is not None else ()))
