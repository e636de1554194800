"""Objects to the cluster that a control plane would make of them."""

from __future__ import annotations

from k8stui.cluster.build import build
from k8stui.cluster.model import Cluster
from k8stui.cluster.options import ClusterOptions

__all__ = ["Cluster", "ClusterOptions", "build"]
