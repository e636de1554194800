"""kube-router's network policy controller, as k3s has it inside and as its own DaemonSet runs it.

Source: docs/facts/policy.md; k3s-io/kube-router v2.6.3-k3s1 and cloudnativelabs/kube-router
v2.11.0, pkg/controllers/netpol. Recorded in recordings-policy.
"""

from __future__ import annotations

from k8stui.late import Late

_ENGINE = "k8stui.nodes.policy.kube_router.engine"
k3s = Late(_ENGINE, "k3s")
upstream = Late(_ENGINE, "upstream")
