"""metallb.io: which addresses load balancers get, and who announces them.

What they mean is cluster's affair. Source: MetalLB v0.15 config/crd/bases.
"""

from __future__ import annotations

from k8stui.manifests.schema.objects import kind

GROUPS = frozenset({"metallb.io"})
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
)
