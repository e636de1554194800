"""Reading untyped API objects: what is absent, null or of another type reads as absent.

Types were checked when the file was read; this module only satisfies the type checker and gives
every reader the same meaning of "not written".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from k8stui.manifests.manifest import Path

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


def records(value: Object, name: str, base: Path) -> Sequence[tuple[Path, Object]]:
    """Each mapping of the list `name`, with its path; `base` is the path of `value`."""
    found = value.get(name)
    if not isinstance(found, list):
        return ()
    return [((*base, name, i), one) for i, one in enumerate(found) if isinstance(one, dict)]


def numbered(value: Object, name: str) -> Sequence[tuple[int, str]]:
    """The strings of a list with their indices."""
    found = value.get(name)
    if not isinstance(found, list):
        return ()
    return [(index, one) for index, one in enumerate(found) if isinstance(one, str)]
