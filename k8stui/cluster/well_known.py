"""Labels and taints that Kubernetes itself writes and reads, and its API server's port.

Source: k8s.io/api core/v1 well_known_labels.go, well_known_taints.go.
"""

from __future__ import annotations

HOSTNAME = "kubernetes.io/hostname"
OS = "kubernetes.io/os"
ZONE = "topology.kubernetes.io/zone"
REGION = "topology.kubernetes.io/region"
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
"""The taint of a cordoned node."""
API_SERVER_PORT = 6443
"""``--secure-port``, at the addresses of the control plane's nodes."""
