"""Looking at the step that is shown: its places by name, its commands, the kernel's tables."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from k8stui.export.drawing.ink import NOTHING, Ink, join, run
from k8stui.neutralise import neutralise
from k8stui.tui.tools import ToolKeys

if TYPE_CHECKING:
    from k8stui.tui.copy_screen import CopyLine
    from k8stui.walk.tables import KernelTable
    from k8stui.walk.trace import Trace
    from k8stui.walk.tracked import Tracked

_NOT_THERE = {
    "fork": "Nothing is left to chance on this way.",
    "failure": "This request does not fail.",
    "reply": "No answer comes on this way.",
    "destination": "The destination stays as it is on this way.",
    "source": "The source stays as it is on this way: the server sees who asks.",
}


class Looking(ToolKeys):
    """Keys that go to a place of the walk, or look at what stands at this one."""

    def action_landmark(self, name: str) -> None:
        """Go to a place of the walk by its name."""
        desk = self.ready()
        trace = desk.state.trace if desk is not None else None
        if desk is None or trace is None:
            return
        from k8stui.walk.landmarks import Landmark, landmarks  # noqa: PLC0415 - after the walk

        wanted = Landmark[name.upper()]
        found = next((each for each in landmarks(trace) if each.landmark is wanted), None)
        if found is None:
            self.notify(_NOT_THERE[name], timeout=3)
        elif desk.state.go(found.index):
            self.redraw()

    def action_go_to(self) -> None:
        """List the places of the walk, each with what happened there."""
        desk = self.ready()
        trace = desk.state.trace if desk is not None else None
        if desk is None or trace is None or not trace.steps:
            return
        from k8stui.tui.goto_screen import GoToScreen  # noqa: PLC0415 - only when asked for

        state = desk.state

        def chosen(index: int | None) -> None:
            if index is not None and state.go(index):
                self.redraw()

        self.app.push_screen(GoToScreen(trace, state.index), chosen)

    def action_in_full(self) -> None:
        """Show all that is said of this step, whatever room the screen has for it."""
        desk = self.ready()
        step = desk.state.step if desk is not None else None
        if desk is None or step is None:
            return
        from k8stui.tui.listing import ListScreen  # noqa: PLC0415 - only when asked for
        from k8stui.tui.status import in_full  # noqa: PLC0415

        self.app.push_screen(ListScreen(f"Step {step.number}", partial(in_full, desk.state)))

    def action_commands(self) -> None:
        """List the commands that show this step on a real node."""
        desk = self.ready()
        trace = desk.state.trace if desk is not None else None
        step = desk.state.step if desk is not None else None
        if trace is None or step is None:
            return
        from k8stui.tui.copy_screen import CopyLine, CopyScreen  # noqa: PLC0415 - as above
        from k8stui.walk.commands import commands  # noqa: PLC0415

        entries = [
            CopyLine(run(f" {one.line}"), one.line, f"{one.where}: {one.shows}")
            for one in commands(trace, step)
        ]
        if not entries:
            self.notify("No command shows this step: it is on no machine of the cluster.")
            return
        at = 1 if len(entries) > 1 and entries[0].text.startswith("nsenter") else 0
        title = f"On a real node: {entries[at].about.partition(':')[0]}, step {step.number}"
        self.app.push_screen(CopyScreen(neutralise(title), entries, self.copy_out, at=at))

    def action_conntrack(self) -> None:
        """List what every namespace tracks at this step; the packet's own first."""
        desk = self.ready()
        trace = desk.state.trace if desk is not None else None
        step = desk.state.step if desk is not None else None
        if desk is None or trace is None or step is None or desk.state.hop is None:
            return
        from k8stui.tui.copy_screen import CopyScreen  # noqa: PLC0415 - only when asked for
        from k8stui.walk.tracked import tracked  # noqa: PLC0415

        found = tracked(trace, step.number)
        if not found:
            self.notify(_untracked(trace, step.number), timeout=4)
            return
        here = desk.state.hop.namespace
        entries, at = _tracked_entries(found, here)
        title = f"Connection tracking after step {step.number}"
        self.app.push_screen(CopyScreen(title, entries, self.copy_out, at=at))

    def action_tables(self) -> None:
        """List routes, neighbours and forwarding databases where the packet is."""
        desk = self.ready()
        step = desk.state.step if desk is not None else None
        if desk is None or step is None or desk.state.hop is None:
            return
        from k8stui.tui.copy_screen import CopyScreen  # noqa: PLC0415 - only when asked for
        from k8stui.walk.tables import tables  # noqa: PLC0415

        name = desk.state.hop.namespace
        entries, at = _table_entries(tables(desk.world.network[name], step))
        if not entries:
            self.notify("There are no routes here.", timeout=3)
            return
        title = neutralise(f"{name} at step {step.number}: routes, neighbours, FDB")
        self.app.push_screen(CopyScreen(title, entries, self.copy_out, at=at))


def _untracked(trace: Trace, number: int) -> str:
    from k8stui.kernel.step import ConntrackCause  # noqa: PLC0415 - only when asked for

    later = (s.number for s in trace.steps if isinstance(s.cause, ConntrackCause))
    first = next((each for each in later if each > number), None)
    if first is None:
        return "Nobody tracks connections on this way: no rule asks for it."
    return f"No table has an entry yet: the first is made at step {first}."


def _tracked_entries(
    found: dict[str, tuple[Tracked, ...]], here: str
) -> tuple[list[CopyLine], int]:
    """The rows, and which one the packet touched last where it is."""
    from k8stui.tui.copy_screen import CopyLine  # noqa: PLC0415 - only when asked for

    entries: list[CopyLine] = []
    at = 0
    for name in sorted(found, key=lambda each: each != here):
        where = "  ▶ here" if name == here else ""
        heading = join((run(f" {neutralise(name)}", Ink.STRONG), run(where, Ink.KEY)))
        entries.append(CopyLine(heading, "conntrack -L", f"on {name}"))
        latest = max(one.step for one in found[name])
        for one in found[name]:
            is_it = name == here and one.step == latest
            if is_it:
                at = len(entries)
            said = f"in the table; last met at step {one.step}"
            if not one.is_confirmed:
                said = "not in the table before the packet has passed the last hook"
            mark = "▶" if is_it else " "
            text = f" {mark} {'' if one.is_confirmed else '(unconfirmed) '}{one.line}"
            entries.append(
                CopyLine(run(neutralise(text), Ink.MATCH if is_it else Ink.TEXT), one.line, said)
            )
    return entries, at


def _table_entries(found: tuple[KernelTable, ...]) -> tuple[list[CopyLine], int]:
    """The rows, and which one decided."""
    from k8stui.tui.copy_screen import CopyLine  # noqa: PLC0415 - only when asked for

    entries: list[CopyLine] = []
    at = 0
    for table in found:
        if entries:
            entries.append(CopyLine(NOTHING, ""))
        entries.append(
            CopyLine(run(f" {table.command}", Ink.STRONG), table.command, "shows this table")
        )
        for n, row in enumerate(table.rows):
            is_it = n == table.decided
            if is_it:
                at = len(entries)
            text = f" {'▶' if is_it else ' '} {neutralise(row)}"
            line = run(text, Ink.MATCH if is_it else Ink.TEXT)
            entries.append(CopyLine(line, row, "this row decided" if is_it else ""))
    return entries, at
