"""What a finding is about, as it is named: an object of the input."""

from __future__ import annotations

from k8stui.apiserver.inventory import key_of
from k8stui.manifests import Manifest
from k8stui.manifests.schema import KINDS


def subject_of(manifest: Manifest) -> str:
    """``KIND NAMESPACE/NAME``, or ``KIND NAME`` of what is in no namespace."""
    kind = KINDS.get(manifest.kind)
    in_one = kind is not None and kind.namespaced
    return f"{manifest.kind} {key_of(manifest) if in_one else manifest.name}"
