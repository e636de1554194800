"""One Kubernetes object as the other rooms get it: plain data, and where each field stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Protocol

from k8stui.manifests.problem import Note, Problem
from k8stui.origin import Origin, OriginKind
from k8stui.record import record

Path = tuple[str | int, ...]
"""Keys and list indices from the object's root: ("spec", "ports", 0, "port")."""


NO_BASE64 = "?"
"""Stands for a value of a Secret's `data` that is none: of the others nothing is kept."""


class Locator(Protocol):
    """Finds a field in an object's text when somebody asks (docs/facts/speed.md section 0)."""

    def find(self, path: Path) -> tuple[int, int]:
        """1-based line and column of the field, or of its nearest parent that is written."""


@record(frozen=False, eq=False)
class FieldPlace:
    """A `Place` that looks for its line and column on the first question."""

    file: str
    path: Path
    locator: Locator
    _found: tuple[int, int] | None = field(default=None, init=False, repr=False)

    @property
    def line(self) -> int:
        return self._position()[0]

    @property
    def column(self) -> int:
        return self._position()[1]

    @property
    def field(self) -> str:
        """``spec.ports[0].port``; a key with dots or slashes stands in brackets."""
        return field_name(self.path)

    def _position(self) -> tuple[int, int]:
        if self._found is None:
            self._found = self.locator.find(self.path)
        return self._found

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FieldPlace):
            return NotImplemented
        return (self.file, self.path, self.locator) == (other.file, other.path, other.locator)

    def __hash__(self) -> int:
        return hash((self.file, self.path))

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Key(str):
    """The key of a map in a path, where the server writes it so: ``limits[cpu]``."""

    __slots__ = ()


class Raw(str):
    """A part of a path that the server writes after a dot, whatever is in it."""

    __slots__ = ()


def field_name(path: Path) -> str:
    """Write a path as Kubernetes' messages do: ``spec.ports[0].port``, ``labels[a.b/c]``."""
    text = ""
    for part in path:
        if isinstance(part, int | Key) or (
            ("." in part or "/" in part) and not isinstance(part, Raw)
        ):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


@record(kw_only=True, eq=False, weakref_slot=True)
class Manifest:
    """One object of an input. Field types were checked against the schema of its kind."""

    api_version: str
    """As written: ``v1``, ``apps/v1``; empty for an embedded document without one."""
    kind: str
    name: str
    """``metadata.name``; empty for configurations, which have none."""
    namespace: str | None
    """None where the manifest does not say."""
    data: Mapping[str, object]
    """Plain dict, list, str, int, float, bool, None. Parts that nobody needs (managedFields) and
    the values of Secrets are left out."""
    file: str
    """Path as given on the command line, or ``-``."""
    observed: bool
    """It comes from a dump of a cluster: it has a uid, resourceVersion, creationTimestamp or
    a status that says something."""
    locator: Locator = field(repr=False)

    @property
    def group(self) -> str:
        """API group: ``apps`` of ``apps/v1``, empty for ``v1``."""
        return self.api_version.rpartition("/")[0]

    def place(self, *path: str | int) -> FieldPlace:
        """Where a field is written: its key, a list item's first character, () the object.

        A field that is not written has the place of its nearest parent that is.
        """
        return FieldPlace(self.file, path, self.locator)

    def origin(self, *path: str | int, reason: str = "") -> Origin:
        """Give the field's `Origin`: observed when the object comes from a dump, else declared."""
        kind = OriginKind.OBSERVED if self.observed else OriginKind.DECLARED
        return Origin(kind=kind, place=self.place(*path), reason=reason)


@record(kw_only=True)
class Manifests:
    """Everything that was read, in the order of the paths and of the documents in them."""

    objects: tuple[Manifest, ...] = ()
    problems: tuple[Problem, ...] = ()
    """Errors: a run with any of them ends with status 2."""
    skipped: frozenset[tuple[str, str]] = frozenset()
    """(apiVersion, kind) of objects that have no part here, or of which nobody knows."""
    notes: tuple[Note, ...] = ()
    """What was skipped, counted; what looks odd but can be read."""
    spoiled: tuple[Manifest, ...] = ()
    """Objects that are left out because a value of theirs is wrong."""
    refused: tuple[Manifest, ...] = ()
    """Objects that the API server does not take, those among them."""
