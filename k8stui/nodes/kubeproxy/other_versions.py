"""What is said where a node's kube-proxy writes its nftables in another way than it is shown here.

Sources: kubernetes/kubernetes pull requests 121046 (alpha in 1.29), 135800 and 136499 (1.36: marks
without a chain of their own, a set for hairpins, chains of endpoints for affinity alone).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from k8stui.cluster.model import Cluster, Node, Remark
from k8stui.cluster.proxy_configuration import NFTABLES
from k8stui.cluster.versions import minor
from k8stui.nodes.kubeproxy.modes import mode_origin
from k8stui.nodes.kubeproxy.program import version_said

_SHOWN = 36
_FIRST = 29


def other_versions(cluster: Cluster, nodes: Iterable[Node]) -> Iterator[Remark]:
    """One remark for all of these nodes whose kube-proxy is older than what is imitated."""
    if cluster.proxy.mode != NFTABLES:
        return
    said = ((node, minor(version_said(cluster, node)[1])) for node in nodes)
    older = [(node, version) for node, version in said if version is not None and version < _SHOWN]
    if not older:
        return
    node, version = older[0]
    more = f" (and of {len(older) - 1} more)" if len(older) > 1 else ""
    who = f"kube-proxy 1.{version} of {node.name}{more}"
    if version < _FIRST:
        text = f"{who} knows no mode nftables, which 1.{_FIRST} brought: walked as if it did"
    else:
        text = (
            f"{who} writes mode nftables with a chain mark-for-masquerade and a chain for each "
            f"endpoint: its tables are shown as 1.{_SHOWN} writes them, and packets go the same way"
        )
    yield Remark(text=text, origin=mode_origin(cluster))
