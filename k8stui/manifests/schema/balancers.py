"""metallb.io, cilium.io: which addresses load balancers get, and who announces them.

What they mean is cluster's affair. Sources: MetalLB v0.15 config/crd/bases; Cilium v1.18
pkg/k8s/apis/cilium.io.
"""

from __future__ import annotations

from k8stui.manifests.schema.objects import kind

GROUPS = frozenset({"metallb.io", "cilium.io"})
KINDS = (
    *(
        kind(name, "metallb.io/v1beta1", unread="spec")
        for name in (
            "IPAddressPool",
            "AddressPool",
            "L2Advertisement",
            "BGPAdvertisement",
            "ServiceL2Status",
        )
    ),
    kind("BGPPeer", "metallb.io/v1beta2 metallb.io/v1beta1", unread="spec"),
    *(
        kind(name, "cilium.io/v2 cilium.io/v2alpha1", unread="spec", namespaced=False)
        for name in (
            "CiliumLoadBalancerIPPool",
            "CiliumL2AnnouncementPolicy",
            "CiliumBGPPeeringPolicy",
            "CiliumBGPClusterConfig",
        )
    ),
)
