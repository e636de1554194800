"""A ConfigMap's texts, each of whose lines knows where it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from k8stui.manifests.embedded import InnerPlace
from k8stui.origin import Origin, OriginKind
from k8stui.record import record

if TYPE_CHECKING:
    from k8stui.manifests import Manifest


@record()
class ConfiguredLine:
    """A line of a ConfigMap's value, and where it begins there."""

    key: str
    text: str
    offset: int


@record(weakref_slot=True)
class ConfigMap:
    """``data`` by key, and the object that it stands in."""

    data: Mapping[str, object]
    manifest: Manifest

    def lines(self, only: str = "") -> Iterator[ConfiguredLine]:
        """What is no comment; with its key where a value is one line. `only`: of that key."""
        for key, value in self.data.items():
            if only not in ("", key) or not isinstance(value, str):
                continue
            lines = value.splitlines(keepends=True)
            if len(lines) == 1:
                lines = [f"{key}={value}"]
            offset = 0
            for line in lines:
                if not line.lstrip().startswith(("#", "//", ";")):
                    yield ConfiguredLine(key, line.rstrip("\r\n"), offset)
                offset += len(line)

    def origin(self, key: str, offset: int) -> Origin:
        """Where a place in the text of a key is written."""
        kind = OriginKind.OBSERVED if self.manifest.observed else OriginKind.DECLARED
        return Origin(kind=kind, place=InnerPlace(self.manifest, key, offset))
