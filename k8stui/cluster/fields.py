"""Reading untyped API objects: what is absent, null or of another type reads as absent.

Types were checked when the file was read; this module only satisfies the type checker and gives
every decoder the same meaning of "not written".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from k8stui.kernel.address import Address
from k8stui.kernel.packet import Protocol
from k8stui.manifests.origin import Origin, Place, defaulted

if TYPE_CHECKING:
    from k8stui.manifests import Manifest

Object = Mapping[str, object]

NOTHING: Object = MappingProxyType({})


def at(value: object, *path: str | int) -> object:
    """The value at `path`, or None where any part of it is missing."""
    for key in path:
        if value.__class__ is dict:
            value = value.get(key)
        elif isinstance(value, list) and isinstance(key, int) and -len(value) <= key < len(value):
            value = value[key]
        else:
            return None
    return value


def table(value: object, *path: str | int) -> Object:
    """The map at `path`; empty where there is none."""
    found = at(value, *path) if path else value
    return found if isinstance(found, dict) else NOTHING


def array(value: object, *path: str | int) -> Sequence[object]:
    """The list at `path`; empty where there is none."""
    found = at(value, *path) if path else value
    return found if isinstance(found, list) else ()


def text(value: object, *path: str | int) -> str:
    """The string at `path`; empty where there is none."""
    found = at(value, *path) if path else value
    return found if isinstance(found, str) else ""


def number(value: object, *path: str | int) -> int | None:
    """The integer at `path`; None where there is none."""
    found = at(value, *path) if path else value
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def flag(value: object, *path: str | int) -> bool | None:
    """The boolean at `path`; None where it is not written."""
    found = at(value, *path) if path else value
    return found if isinstance(found, bool) else None


def texts(value: object, *path: str | int) -> tuple[str, ...]:
    """The list of strings at `path`."""
    return tuple(item for item in array(value, *path) if isinstance(item, str))


def labels(value: object, *path: str | int) -> dict[str, str]:
    """The map of strings at `path`; other values are left out."""
    found = table(value, *path)
    return {key: item for key, item in found.items() if isinstance(item, str)}


def addresses(written: tuple[str, ...]) -> tuple[Address, ...]:
    """The entries that are addresses; anything else (``None``, a typo) is left out."""
    found = []
    for entry in written:
        try:
            found.append(Address.parse(entry))
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

    __slots__ = ("_base", "_decided", "_manifest", "_paths")

    def __init__(
        self,
        manifest: Manifest,
        paths: Mapping[str, tuple[str | int, ...]],
        decided: Mapping[str, Origin] = MappingProxyType({}),
        base: tuple[str | int, ...] = (),
    ) -> None:
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
        return defaulted(f"not written: the API server's default of {attribute}", self._place())

    def __iter__(self) -> Iterator[str]:
        yield from self._paths
        yield from (name for name in self._decided if name not in self._paths)

    def __len__(self) -> int:
        return len(self._paths.keys() | self._decided.keys())

    def deciding(self, decided: Mapping[str, Origin]) -> Origins:
        """The same, with the origins of facts that were chosen later."""
        return Origins(self._manifest, self._paths, {**self._decided, **decided}, self._base)

    def _place(self) -> Place:
        return self._manifest.place(*self._base)
