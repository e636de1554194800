"""What makes Secrets in a cluster: certificates, and Secrets that are kept outside of it.

What they make is cluster's affair. Sources: cert-manager v1.18 Certificate, external-secrets v0.19
ExternalSecret, sealed-secrets v0.30, HashiCorp's vault-secrets-operator v0.10, the operator of
1Password, secrets-store-csi-driver v1.5 SecretProviderClass.
"""

from __future__ import annotations

from k8stui.manifests.schema.objects import kind

OF_VAULT = ("VaultStaticSecret", "VaultDynamicSecret", "VaultPKISecret")
GROUPS = frozenset(
    {"cert-manager.io", "external-secrets.io", "bitnami.com", "secrets.hashicorp.com"}
    | {"onepassword.com", "secrets-store.csi.x-k8s.io"}
)
KINDS = (
    kind(
        "Certificate",
        "cert-manager.io/v1 cert-manager.io/v1beta1 cert-manager.io/v1alpha3 "
        "cert-manager.io/v1alpha2",
        unread="spec",
    ),
    kind(
        "ExternalSecret",
        "external-secrets.io/v1 external-secrets.io/v1beta1 external-secrets.io/v1alpha1",
        unread="spec",
    ),
    kind("SealedSecret", "bitnami.com/v1alpha1", unread="spec"),
    *(kind(name, "secrets.hashicorp.com/v1beta1", unread="spec") for name in OF_VAULT),
    kind("OnePasswordItem", "onepassword.com/v1", unread="spec"),
    kind(
        "SecretProviderClass",
        "secrets-store.csi.x-k8s.io/v1 secrets-store.csi.x-k8s.io/v1alpha1",
        unread="spec",
    ),
)
