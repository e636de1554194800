"""A ConfigMap's texts, each of whose lines knows where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from k8stui.manifests.embedded import InnerPlace
from k8stui.origin import Origin, OriginKind
from k8stui.record import record

if TYPE_CHECKING:
    from k8stui.manifests import Manifest


@record()
class ConfigMap:
    """``data`` by key, and the object that it stands in."""

    data: Mapping[str, object]
    manifest: Manifest

    def origin(self, key: str, offset: int) -> Origin:
        """Where a place in the text of a key is written."""
        kind = OriginKind.OBSERVED if self.manifest.observed else OriginKind.DECLARED
        return Origin(kind=kind, place=InnerPlace(self.manifest, key, offset))
