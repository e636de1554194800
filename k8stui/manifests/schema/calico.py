"""projectcalico.org: what Calico is told by objects of its own. What they mean is cluster's affair.

Source: Calico v3.30 manifests/crds.yaml, tigera/operator api/v1 installation_types.go.
"""

from __future__ import annotations

from k8stui.manifests.schema.objects import kind

GROUPS = frozenset({"projectcalico.org", "crd.projectcalico.org", "operator.tigera.io"})
_SERVED = "projectcalico.org/v3 crd.projectcalico.org/v1"
KINDS = (
    *(
        kind(name, _SERVED, unread="spec", namespaced=False)
        for name in ("IPPool", "FelixConfiguration", "GlobalNetworkPolicy", "HostEndpoint")
    ),
    kind("Installation", "operator.tigera.io/v1", unread="spec", namespaced=False),
)
