"""kube-proxy: one module per mode (`modes`), and what they share. Imitates; runs nothing."""

from __future__ import annotations

from collections.abc import Sequence

from k8stui.cluster.model import Cluster, Node
from k8stui.kernel.address import Address
from k8stui.kernel.rules import Ruleset
from k8stui.nodes.contribution import Contribution, compose
from k8stui.nodes.kubeproxy.around import Around
from k8stui.nodes.kubeproxy.everywhere import Everywhere
from k8stui.nodes.kubeproxy.iptables import KubeProxyRules
from k8stui.nodes.kubeproxy.modes import (
    MODES,
    draws,
    is_modelled,
    mode_of,
    mode_origin,
    mode_title,
    relaying_sockets,
    relays,
    replacement,
)
from k8stui.nodes.kubeproxy.unmodelled import unmodelled

__all__ = [
    "MODES",
    "Everywhere",
    "KubeProxyRules",
    "draws",
    "is_modelled",
    "mode_origin",
    "mode_title",
    "proxy_contribution",
    "proxy_ruleset",
    "relaying_sockets",
    "relays",
    "replacement",
    "unmodelled",
]


def proxy_contribution(
    cluster: Cluster,
    node: Node,
    version: int,
    *,
    nfacct: bool = True,
    local_addresses: Sequence[Address] | None = None,
    everywhere: Everywhere | None = None,
) -> Contribution:
    """What kube-proxy, in the mode that the cluster's configuration names, writes on `node`.

    `version` is 4 or 6; `nfacct`: the kernel has netfilter accounting; `local_addresses`: all
    addresses on the node's interfaces, where nodePortAddresses needs more than the Node's own;
    `everywhere`: what other nodes of the cluster have worked out.

    Raises:
        NodeOptionError: a mode that is not imitated (ipvs).

    """
    around = Around(nfacct=nfacct, local_addresses=local_addresses, everywhere=everywhere)
    return mode_of(cluster).contribution(cluster, node, version, around)


def proxy_ruleset(
    cluster: Cluster,
    node: Node,
    version: int,
    *,
    nfacct: bool = True,
    local_addresses: Sequence[Address] | None = None,
) -> Ruleset:
    """What iptables-save prints on a node where only kube-proxy ran."""
    return compose(
        [proxy_contribution(cluster, node, version, nfacct=nfacct, local_addresses=local_addresses)]
    )
