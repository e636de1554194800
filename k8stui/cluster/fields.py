"""Fields of API objects as the kernel's types, and where each attribute comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from k8stui.apiserver.fields import at
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.packet import Protocol
from k8stui.origin import Origin, Place, defaulted

if TYPE_CHECKING:
    from k8stui.manifests import Manifest


def addresses(written: tuple[str, ...]) -> tuple[Address, ...]:
    """The entries that are addresses; anything else (``None``, a typo) is left out."""
    found = []
    for entry in written:
        try:
            found.append(Address.parse(entry))
        except ValueError:
            continue
    return tuple(found)


def prefixes(written: Iterable[str]) -> tuple[Prefix, ...]:
    """The entries that are ranges, likewise."""
    found = []
    for entry in written:
        try:
            found.append(Prefix.parse(entry))
        except ValueError:
            continue
    return tuple(found)


def protocol(written: str) -> Protocol:
    """TCP where nothing (or nothing known) is written."""
    return {"UDP": Protocol.UDP, "SCTP": Protocol.SCTP}.get(written, Protocol.TCP)


class Origins(Mapping[str, Origin]):
    """Origins of a record's attributes, made when somebody asks.

    An attribute that is decided elsewhere is in `decided`; one that is written in the manifest has
    the manifest's origin of that field; any other was filled in by the API server. A dump of
    thousands of objects costs one of these an object, and places only for what is looked at.
    """

    __slots__ = ("_base", "_decided", "_filled_in_by", "_manifest", "_paths")

    def __init__(
        self,
        manifest: Manifest,
        paths: Mapping[str, tuple[str | int, ...]],
        decided: Mapping[str, Origin] = MappingProxyType({}),
        base: tuple[str | int, ...] = (),
        filled_in_by: str = "the API server",
    ) -> None:
        self._filled_in_by = filled_in_by
        self._manifest = manifest
        self._paths = paths
        self._decided = decided
        self._base = base

    def __getitem__(self, attribute: str) -> Origin:
        if attribute in self._decided:
            return self._decided[attribute]
        path = (*self._base, *self._paths[attribute])
        if at(self._manifest.data, *path) is not None:
            return self._manifest.origin(*path)
        said = f"not written: {self._filled_in_by}'s default of {path[-1]}"
        return defaulted(said, self._place())

    def within(self, attribute: str, *keys: str | int) -> Origin:
        """The origin of something inside a written attribute."""
        return self._manifest.origin(*self._base, *self._paths[attribute], *keys)

    def __iter__(self) -> Iterator[str]:
        yield from self._paths
        yield from (name for name in self._decided if name not in self._paths)

    def __len__(self) -> int:
        return len(self._paths.keys() | self._decided.keys())

    def deciding(self, decided: Mapping[str, Origin]) -> Origins:
        """The same, with the origins of facts that were chosen later."""
        both = {**self._decided, **decided}
        return Origins(self._manifest, self._paths, both, self._base, self._filled_in_by)

    def _place(self) -> Place:
        return self._manifest.place(*self._base)
