"""NetworkPolicies as the API has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8stui.apiserver.fields import table
from k8stui.apiserver.inventory import namespace_of
from k8stui.cluster.model import NetworkPolicy

if TYPE_CHECKING:
    from k8stui.manifests import Manifest


def decode_policy(manifest: Manifest) -> NetworkPolicy:
    return NetworkPolicy(
        namespace=namespace_of(manifest),
        name=manifest.name,
        spec=table(manifest.data, "spec"),
        origin=manifest.origin("spec"),
    )
