"""kube-router's network policy controller, as k3s has it inside and as its own DaemonSet runs it.

Source: docs/facts/policy.md; k3s-io/kube-router v2.6.3-k3s1 and cloudnativelabs/kube-router
v2.11.0, pkg/controllers/netpol. Recorded in recordings-policy.
"""

from k8stui.nodes.policy.kube_router.engine import k3s, upstream

__all__ = ["k3s", "upstream"]
