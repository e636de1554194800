"""Where a fact comes from. Every view shows it; nothing is made up in silence."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from k8stui.record import record

LIVE = "kubectl --context "
"""Begins the name of an input that a live cluster gave."""


def is_file(name: str) -> bool:
    """Whether an input can be read again: it was neither piped in nor a live cluster's."""
    return name not in ("-", "") and not name.startswith(LIVE)


class OriginKind(StrEnum):
    """The four kinds of the design."""

    DECLARED = "declared"
    """Written in a manifest."""
    OBSERVED = "observed"
    """Read from a dump of a real cluster or node."""
    DEFAULTED = "defaulted"
    """What the API server, kube-proxy or a plug-in fills in."""
    ASSUMED = "assumed"
    """What k8stui had to choose."""


class Place(Protocol):
    """A spot in a file; its line is found when somebody asks (docs/facts/speed.md section 0)."""

    @property
    def file(self) -> str:
        """Path as given on the command line, ``-``, or the kubectl command (`LIVE`)."""

    @property
    def line(self) -> int:
        """1-based."""

    @property
    def column(self) -> int:
        """1-based."""

    @property
    def field(self) -> str:
        """Path of the field in its object, as in ``spec.ports[0]``; empty for the whole object."""


@record(kw_only=True)
class Origin:
    """How a fact came about. Declared and observed ones have a place, the others a reason."""

    kind: OriginKind
    place: Place | None = None
    """For a defaulted or assumed fact: the object it was made for, where there is one."""
    reason: str = ""
    """In words; for defaulted and assumed facts never empty."""

    @property
    def where(self) -> str:
        """``FILE:LINE``; empty without a place."""
        return f"{self.place.file}:{self.place.line}" if self.place is not None else ""

    def __str__(self) -> str:
        return " ".join(part for part in (self.kind.value, self.where, self.reason) if part)


def defaulted(reason: str, place: Place | None = None) -> Origin:
    """An origin: filled in by the API server or a program, for that reason."""
    return Origin(kind=OriginKind.DEFAULTED, place=place, reason=reason)


def assumed(reason: str, place: Place | None = None) -> Origin:
    """An origin: chosen by k8stui, for that reason."""
    return Origin(kind=OriginKind.ASSUMED, place=place, reason=reason)
