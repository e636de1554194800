"""Istio's and Linkerd's own kinds; VirtualServices and Gateways stand with other routes."""

from __future__ import annotations

from k8stui.manifests.schema.objects import kind

_LINKERD = " ".join(f"policy.linkerd.io/{version}" for version in (
    "v1beta3", "v1beta2", "v1beta1", "v1alpha1",
))  # fmt: skip
_ISTIO = "v1 networking.istio.io/v1beta1 networking.istio.io/v1alpha3"
GROUPS = frozenset({"policy.linkerd.io", "install.istio.io"})
"""They have more kinds than are known."""
KINDS = (
    *(
        kind(name, _LINKERD, unread="spec")
        for name in (
            "Server",
            "ServerAuthorization",
            "MeshTLSAuthentication",
            "NetworkAuthentication",
            "Linkerd AuthorizationPolicy",
            "Linkerd HTTPRoute",
        )
    ),
    *(
        kind(name, f"networking.istio.io/{_ISTIO}", unread="spec")
        for name in ("Sidecar", "ServiceEntry")
    ),
    kind("IstioOperator", "install.istio.io/v1alpha1", unread="spec"),
)
