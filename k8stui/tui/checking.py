"""Findings: what the check says of the world that is shown."""

from __future__ import annotations

from functools import partial
from math import inf
from time import monotonic
from typing import TYPE_CHECKING

from k8stui.tui.messages import Checked, CheckFailed
from k8stui.tui.tools import ToolKeys

if TYPE_CHECKING:
    from k8stui.check import Finding
    from k8stui.tui.desk import Desk
    from k8stui.walk.world import World

_FEW_SERVICES = 2_000
"""A check of them takes about 2 s of a worker's time; larger clusters are checked on request."""


class Checking(ToolKeys):
    """Has worlds checked, and lists what was found."""

    _checked: World | None = None
    """The world that is being checked, or was last."""
    _wanted_since: float | None = None
    """When the findings were asked for that are not there yet (s, monotonic)."""

    def check_few(self) -> None:
        """Have the world checked by itself where that is quickly done."""
        if self.desk is not None and len(self.desk.world.cluster.services) <= _FEW_SERVICES:
            self._check(self.desk)

    def _check(self, desk: Desk) -> None:
        """Have the world checked, once, after the walk is seen."""
        if desk.checkup is None and self._checked is not desk.world:
            self._checked = desk.world
            check = partial(self.jobs.check, desk.world, self.post)
            self.call_after_refresh(partial(self.work, "check", check, is_asked=False))

    def on_checked(self, event: Checked) -> None:
        """Mark what was found."""
        if self.desk is None:
            return
        self.desk.take_checkup(event.world, event.checkup)
        self.redraw()
        if self._wanted_since is not None and self.desk.checkup is not None:
            self.action_findings()

    @property
    def busy_since(self) -> float:
        return max(super().busy_since, -inf if self._wanted_since is None else self._wanted_since)

    def on_check_failed(self, event: CheckFailed) -> None:
        """Say so: it is a bug, but the walk is still there."""
        self._wanted_since = None
        said = f"the check failed: {type(event.error).__name__}: {event.error}"
        self.notify(said, severity="error", markup=False)

    def action_findings(self) -> None:
        """List what the check found; first have it done where it is not."""
        desk = self.ready()
        if desk is None:
            return
        self._wanted_since = None if desk.checkup is not None else monotonic()
        if desk.checkup is None:
            self._check(desk)
            self.notify("checking …", timeout=2)
            return
        from k8stui.tui.findings import finding_lines, summary, told_of  # noqa: PLC0415
        from k8stui.tui.listing import ListScreen  # noqa: PLC0415 - only when asked for

        found = desk.checkup.findings

        def chosen(row: int | None) -> None:
            if row is not None:
                self._show_finding(desk, found[row])

        under = f" {desk.state.turned_words}:" if desk.state.turned else ":"
        self.app.push_screen(
            ListScreen(
                f"Findings{under} {summary(found)}",
                partial(finding_lines, found, calm=desk.checkup.calm),
                choices=range(len(found)),
                foot=lambda row: told_of(found[row]),
            ),
            chosen,
        )

    def _show_finding(self, desk: Desk, finding: Finding) -> None:
        """Walk what shows it; what no walk can show is shown where it is written."""
        if finding.claim is not None:
            self.walk(self.jobs.show_finding, desk.world, finding)
        elif finding.place is not None:
            self.show_place(finding.place, finding.subject)
