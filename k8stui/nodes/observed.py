"""What dumps say of real nodes: it stands in place of what would be generated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from k8stui.kernel.ipset import IpSet
from k8stui.kernel.namespace import Interface, Route
from k8stui.kernel.rules import Ruleset
from k8stui.record import record


@record()
class DumpLine:
    """A line of a dump: a `k8stui.origin.Place`."""

    file: str
    line: int
    column: int = 1
    field: str = ""


@record(kw_only=True)
class ObservedNode:
    """What dumps say of one node; None and absent: nothing, so it is generated."""

    interfaces: tuple[Interface, ...] | None = None
    routes: tuple[Route, ...] | None = None
    rulesets: Mapping[int, Ruleset] = field(default_factory=dict)
    """By IP version."""
    remarks: tuple[str, ...] = ()
    """What iptables-save itself says that it does not show."""
    sets: Mapping[str, IpSet] = field(default_factory=dict)
