"""Telling the story: the drawing alone, by itself if one likes; and the deployment replayed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.timer import Timer

from k8stui.export.drawing.ink import NOTHING, Line, cut, fit, line_width, run
from k8stui.tui import themes
from k8stui.tui.footer import named_keys
from k8stui.tui.messages import MomentMade, Reloaded
from k8stui.tui.walking import Walking

if TYPE_CHECKING:
    from k8stui.replay.replay import Question
    from k8stui.tui.timeline import Timeline
    from k8stui.walk.trace import Trace

_PACES = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 10.0)
"""Seconds that a decision, or a moment, is seen while the story plays."""


class Telling(Walking):
    """Story mode, its clock, and the timeline."""

    timeline: Timeline | None = None
    """Of the deployment, while it is looked at."""
    _clock: Timer | None = None
    """None: nothing plays, and nothing wakes."""
    _pace = 4
    """Which of `_PACES`."""
    _theme_before = ""
    """What the theme was before the story."""
    _order = "files"

    # Story mode

    @property
    def is_story(self) -> bool:
        return self.has_class("-stage")

    def action_present(self) -> None:
        self.toggle_class("-stage")
        theirs = (themes.STAGE.name, themes.STAGE_LIGHT.name)
        if self.is_story:
            self._theme_before = self.app.theme
            if not self.app.native_ansi_color:
                is_dark = self.app.current_theme.dark
                self.app.theme = (themes.STAGE if is_dark else themes.STAGE_LIGHT).name
        else:
            self._stop()
            if self.app.theme in theirs:  # else somebody chose another one meanwhile
                self.app.theme = self._theme_before
        self.call_after_refresh(self.redraw)

    def action_play(self) -> None:
        """Play or pause; in the workbench, where nothing plays, a step on."""
        if not self.is_story:
            self.action_step(1)
        elif self.ready() is not None:
            if self._clock is None:
                self._start()
            else:
                self._stop()
            self.redraw_line("keys")

    def action_pace(self, by: int) -> None:
        """Play faster (1) or slower (-1)."""
        self._pace = max(0, min(self._pace - by, len(_PACES) - 1))
        if self._clock is not None:
            self._start()
        self.redraw_line("keys")

    def _start(self) -> None:
        self._stop()
        self._clock = self.set_interval(_PACES[self._pace], self._tick)

    def _stop(self) -> None:
        if self._clock is not None:
            self._clock.stop()
            self._clock = None

    def _tick(self) -> None:
        """To the next moment of the deployment, then to the next decision of the walk."""
        if self.app.screen is not self or self.desk is None:
            return
        timeline = self.timeline
        if timeline is not None and not timeline.is_at_end:
            if timeline.moment is not None:
                self.action_moment(1)
            return
        state = self.desk.state
        if timeline is not None and timeline.tells:
            timeline.tells = False
            state.go(0)
        elif not state.decision(1) and not state.go(len(state.steps) - 1):
            self._stop()
        self.redraw()

    # The deployment

    def action_replay(self) -> None:
        """Open the timeline before the first object, or close it."""
        desk = self.ready()
        if desk is None:
            return
        if self.timeline is not None:
            self.end_replay()
        elif desk.state.trace is not None:
            self._open(desk.state.trace, 0)

    def _open(self, asked: Trace, at: int) -> None:
        """Open the timeline of this world, `asked` again at each of its moments."""
        desk = self.desk
        if desk is None or desk.state.trace is None:
            return
        from k8stui.tui.timeline import Timeline  # noqa: PLC0415 - only when asked for

        question = _question(asked)
        timeline = Timeline(desk.world, question, self._order, self.jobs.namespace)
        if len(timeline.names) == 1:
            self.notify("Nothing here is deployed step by step: it was all there when it was read.")
            return
        self.timeline = timeline
        timeline.move(at)
        self.add_class("-replay")
        desk.open_replay(desk.state.trace)
        self._come()
        self.call_after_refresh(self.redraw)  # the timeline takes rows of the panes

    def asked_anew(self, trace: Trace) -> None:
        """Another request is asked at a moment: from now on it is the one of all moments."""
        timeline = self.timeline
        if timeline is not None and _question(trace) != timeline.question:
            self.end_replay()
            self._open(trace, timeline.at)

    def end_replay(self) -> None:
        """Back to the whole world."""
        if self.timeline is None or self.desk is None:
            return
        self.timeline.is_closed = True
        self.timeline = None
        self.remove_class("-replay")
        self.desk.close_replay()
        self.redraw()
        self.call_after_refresh(self.redraw)

    def action_moment(self, by: int) -> None:
        """To the next or previous object of the deployment."""
        if self.ready() is None:
            return
        if self.timeline is None:
            self.action_replay()
        elif self.timeline.move(by):
            self._come()

    def action_order(self) -> None:
        """As the files are applied, or so that everything finds what it needs."""
        self._order = "dependency" if self._order == "files" else "files"
        if self.timeline is not None:
            self.end_replay()
            self.action_replay()

    def action_gains(self) -> None:
        """List all that the moment brought."""
        moment = self.timeline.moment if self.timeline is not None else None
        if moment is None:
            return
        from k8stui.tui.listing import ListScreen  # noqa: PLC0415 - only when asked for
        from k8stui.tui.listings import moment_lines  # noqa: PLC0415

        self.app.push_screen(ListScreen("What this moment brought", partial(moment_lines, moment)))

    def action_change(self) -> None:
        """List what can be deleted or scaled now; what is chosen is the next step."""
        timeline = self.timeline
        if timeline is None:
            self.notify("Objects are deleted and scaled in the replay: t opens it.", timeout=4)
            return
        choices = timeline.possible()
        if not choices:
            self.notify("Nothing is deployed at this moment: > applies the next object.", timeout=4)
            return
        from k8stui.tui.listing import ListScreen  # noqa: PLC0415 - only when asked for

        def chosen(number: int | None) -> None:
            if number is not None:
                self.change(choices[number])

        lines = [run(f" {text}") for text in choices]
        self.app.push_screen(
            ListScreen("What happens next", lambda _: lines, choices=range(len(lines))), chosen
        )

    def change(self, text: str) -> None:
        """Delete or scale an object as the next step of the replay.

        Raises:
            ChangeError: `text` means nothing at this moment.

        """
        if self.timeline is not None:
            self.timeline.insert(text)
            self._come()

    def _come(self) -> None:
        """Show the moment of the timeline; first have it computed where it is not."""
        timeline = self.timeline
        if timeline is None or self.desk is None:
            return
        moment = timeline.moment
        timeline.tells = True
        if moment is None:
            self.generation += 1
            self.work("replay", partial(self.jobs.moment, timeline, self.generation, self.post))
        else:
            self.desk.stand_at(moment, timeline.telling())
        self.redraw()

    def on_moment_made(self, event: MomentMade) -> None:
        if event.timeline is self.timeline and event.timeline.moment is not None:
            self._come()

    def on_reloaded(self, _: Reloaded) -> None:
        """The input is another one: its deployment too."""
        self.end_replay()

    def redraw(self) -> None:
        timeline, desk = self.timeline, self.desk
        if timeline is not None and desk is not None and desk.state.steps:
            # Once the walk moves on, the caption is the step's again.
            timeline.tells = timeline.tells and desk.state.index + 1 == len(desk.state.steps)
        super().redraw()

    # What stands where

    def _rail(self, width: int, _height: int) -> list[Line]:
        if self.desk is None:
            return [NOTHING, NOTHING]
        from k8stui.tui.story import rails  # noqa: PLC0415 - after the first frame

        return rails(self.desk.state, width)

    def _caption(self, width: int, height: int) -> list[Line]:
        if self.desk is None:
            return [NOTHING] * height
        from k8stui.tui.story import caption  # noqa: PLC0415 - after the first frame

        timeline = self.timeline
        told = timeline.said() if timeline is not None and timeline.tells else ""
        return caption(self.desk.state, width, height, told)

    def _timeline(self, width: int, height: int) -> list[Line]:
        if self.timeline is None:
            return [NOTHING] * height
        return self.timeline.lines(width, height)

    def _story_keys(self, width: int) -> Line:
        """The keys of the story and of the timeline, in place of the workbench's."""
        play = "pause" if self._clock is not None else "play"
        pace = f"{_PACES[self._pace]:g} s"
        story = [("Space", play, play), ("+ -", pace, pace)] if self.is_story else []
        if self.timeline is not None:
            order = self.timeline.order
            entries = [
                ("< >", "object", "object"),
                ("a", "what it adds", "adds"),
                ("d", "delete, scale", "change"),
                ("O", f"order: {order}", "" if self.is_story else f"order: {order}"),
                *story,
                ("t", "end replay", "end"),
            ]
        else:
            last = ("p", "workbench", "workbench")
            entries = [(", .", "decision", "decision"), *story, ("t", "replay", "replay"), last]
        entries += [("?", "help", "help"), ("q", "quit", "quit")]
        for gap, is_short in (("   ", False), ("  ", False), ("  ", True)):
            said = [(key, word if is_short else what) for key, what, word in entries]
            line = named_keys([one for one in said if one[1]], gap)  # all others are in the help
            if line_width(line) <= width:
                break
        return fit(cut(line, width, ellipsis=False), width)


def _question(trace: Trace) -> Question:
    from k8stui.replay.replay import Question  # noqa: PLC0415 - only when asked for

    return Question(trace.request.source, trace.request.destination)
