"""What the caller says about the cluster; everything else comes from the input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from k8stui.record import record
from k8stui.settings import DISTRIBUTION, NODES, PROXY_CONFIG, PROXY_MODE

if TYPE_CHECKING:
    from k8stui.cluster.hosts import OutsideHost
    from k8stui.cluster.kubelet import PodState
    from k8stui.cluster.model import Cluster


@record(kw_only=True)
class ClusterOptions:
    """Options override what the input says (`k8stui.settings`)."""

    nodes: int | None = NODES.default
    """Number of nodes to assume where the input declares none; default 2."""
    proxy_config: str | None = PROXY_CONFIG.default
    """Path of the KubeProxyConfiguration to use when the input holds several."""
    proxy_mode: str | None = PROXY_MODE.default
    distribution: str | None = DISTRIBUTION.default
    """``kubeadm`` or ``k3s``; None: what the input shows."""
    hosts: Mapping[str, OutsideHost] = field(default_factory=dict)
    """Hosts outside of the cluster, by name."""
    complete: bool = False
    """The input is all there is: a ServiceAccount, claim or namespace that it does not hold is
    missing. Else such things are taken to be there, made by other means."""
    states: tuple[PodState, ...] = ()
    """What the kubelets report of made pods that do not simply run and are ready; the first that
    fits a pod counts."""
    before: Cluster | None = None
    """The cluster a moment ago: its nodes are these, and what it gave to pods and Services that
    are still there stays theirs."""
