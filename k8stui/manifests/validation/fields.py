"""Reading checked data: what is absent, null, or of a type that nobody checked, reads as absent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from k8stui.manifests.manifest import Path

Table = Mapping[str, object]
NOTHING: Table = MappingProxyType({})


def at(value: object, *path: str | int) -> object:
    """The value at `path`; None where any part of it is missing."""
    for part in path:
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return None
    return value


def table(value: object, *path: str) -> Table:
    """The mapping at `path`; empty where there is none."""
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else NOTHING


def array(value: object, *path: str) -> Sequence[object]:
    """The list at `path`; empty where there is none."""
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return value if isinstance(value, list) else ()


def records(value: Table, name: str, base: Path) -> Sequence[tuple[Path, Table]]:
    """Each mapping of the list `name`, with its path; `base` is the path of `value`."""
    found = value.get(name)
    if not isinstance(found, list):
        return ()
    return [((*base, name, i), one) for i, one in enumerate(found) if isinstance(one, dict)]


def text(value: Table, name: str) -> str:
    """A string; empty where there is none."""
    found = value.get(name, "")
    return found if found.__class__ is str else ""


def number(value: Table, name: str) -> int | None:
    """A whole number; None where there is none."""
    found = value.get(name)
    return found if found.__class__ is int else None


def texts(value: Table, name: str) -> Sequence[tuple[int, str]]:
    """The strings of a list with their indices."""
    found = value.get(name)
    if not isinstance(found, list):
        return ()
    return [(index, one) for index, one in enumerate(found) if isinstance(one, str)]
