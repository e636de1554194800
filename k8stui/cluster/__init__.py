"""Objects to the cluster that a control plane would make of them: `k8stui.cluster.build`.

What is named here is loaded when it is asked for: options are of this room, and the screen's first
frame would else wait 0.2 s for all that makes a cluster.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from k8stui.cluster.model import Cluster
    from k8stui.cluster.options import ClusterOptions

__all__ = ["Cluster", "ClusterOptions"]

_HOMES = {"Cluster": "model", "ClusterOptions": "options"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
