"""Watching the input: when its files change it is read again, and the same request walked again."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from k8stui.tui.messages import OtherRead, Reloaded, ReloadFailed
from k8stui.tui.walking import Walking

if TYPE_CHECKING:
    from k8stui.walk.trace import Request


class Watching(Walking):
    """Reads the input again when it changes, where that was asked for."""

    def watch_input(self) -> None:
        """Begin to watch, once there is something to show."""
        if self.jobs.watches:
            self.set_timer(self.jobs.pause_seconds, self._look_and_wait)

    def _look_and_wait(self) -> None:
        self._look()
        self.watch_input()

    def _look(self) -> None:
        if self.desk is not None:
            self.work("watch", partial(self.jobs.look_again, self.post), is_asked=False)

    def on_reload_failed(self, event: ReloadFailed) -> None:
        """Say so: what was read before is still shown."""
        said = self.mistake(event.error).splitlines()[0]
        self.notify(f"changed, but not read: {said}", severity="error", timeout=10)

    def on_other_read(self, event: OtherRead) -> None:
        """Say what changed in the other input; the tables that show it are made anew."""
        name = self.jobs.other_name
        self.notify(f"{name} read again: {event.said or 'no object differs'}", timeout=8)
        if self.comparing is not None and self.desk is not None:
            self.comparing.renew(self.desk)

    def on_reloaded(self, event: Reloaded) -> None:
        """Show the input as it is now, at the same request, from where its walk differs."""
        from k8stui.tui.changes import said_changes  # noqa: PLC0415 - only when it changed

        old, new = self.desk, event.desk
        if old is None:
            return
        world = new.world
        if world.problems and not old.world.problems:
            said = world.problems[0].render().splitlines()[0]
            self.notify(f"changed, but not read: {said}", severity="error", timeout=10)
            return
        if not world.manifests.objects:
            self.notify("changed, but nothing is left to be read", severity="error", timeout=10)
            return
        said = said_changes(old.world, world)
        new.tree.follow(old.tree)
        self.desk = new
        wrong = f"  ({len(world.problems)} problems: !)" if world.problems else ""
        self.notify(f"read again: {said or 'no object differs'}{wrong}", timeout=8)
        before = old.state.trace
        request = self._same(before.request) if before is not None else None
        if before is None:
            self.ask(None)
        elif request is not None:
            self.walk(self.jobs.walk_reloaded, world, request, (before, old.state.index))
        self.redraw()

    def _same(self, request: Request) -> Request | None:
        """Give the same request of the world as it is now; None: somebody is gone."""
        from k8stui.tui.request import understood  # noqa: PLC0415 - only when it changed
        from k8stui.walk.error import RequestError  # noqa: PLC0415

        assert self.desk is not None
        names = (request.source, request.destination, self.jobs.namespace)
        try:
            return understood(self.desk.world, *names)
        except RequestError as error:
            self.desk.fail(error.render())
            return None
