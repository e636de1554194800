"""The first of many guards of a namespace that minds something, without asking each of them.

Guards are joined two by two into one that minds whatever either does: who passes the joined one
passes both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, Protocol, Self, TypeVar

from k8stui.apiserver.fields import Object


class Guard(Protocol):
    """A LimitRange, a ResourceQuota, or several joined."""

    @property
    def since(self) -> int:
        """The first turn at which it is there."""

    def minds(self, spec: Object) -> str:
        """What it has against a pod; of several joined: anything, if one of them has."""

    def joined(self, other: Self) -> Self:
        """Both as one."""


Kind = TypeVar("Kind", bound=Guard)


class Guards(Generic[Kind]):
    """Guards in the order in which they are asked; at least one."""

    def __init__(self, guards: Sequence[Kind]) -> None:
        half = len(guards) // 2
        self._parts = (Guards(guards[:half]), Guards(guards[half:])) if half else ()
        self._guard = guards[0]
        if half:
            first, second = (part._guard for part in self._parts)  # noqa: SLF001 - its own kind
            self._guard = first.joined(second)

    def first(self, spec: Object, turn: int) -> tuple[Kind, str] | None:
        """Of those that are there by `turn` the first that minds the pod, and what it says."""
        said = self._guard.minds(spec) if self._guard.since <= turn else ""
        if not said:
            return None
        if not self._parts:
            return self._guard, said
        return next((one for part in self._parts if (one := part.first(spec, turn))), None)
