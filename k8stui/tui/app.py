"""The app: themes, commands, the one screen. It knows nothing of networks."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar, NoReturn

# Read by Textual when it is imported: no animation, no easing, a quick Esc (ux.md 4.9, 4.11).
os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
os.environ.setdefault("TEXTUAL_SMOOTH_SCROLL", "0")
os.environ.setdefault("ESCDELAY", "25")

from textual import events
from textual.app import App, SystemCommand, get_system_commands_provider
from textual.command import Provider
from textual.css.query import NoMatches
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.theme import ThemeProvider

from k8stui.export.charset import environment
from k8stui.export.drawing.ink import Ink, to_ascii
from k8stui.neutralise import neutralise
from k8stui.tui import keys, themes
from k8stui.tui.drawn import Bar, Drawn
from k8stui.tui.jobs import Jobs
from k8stui.tui.keyboard import Keyboard
from k8stui.tui.palette import Palette
from k8stui.tui.screen import WalkScreen
from k8stui.tui.session import Session, SessionFile, of_user
from k8stui.tui.terminal import Terminal, give_size, leave, leave_with, look

if TYPE_CHECKING:
    from textual.driver import Driver

    from k8stui.cluster.options import ClusterOptions
    from k8stui.nodes.options import NodeOptions
    from k8stui.tour.rehearse import Rehearsal

_SWITCH_SECONDS = 0.0005
"""How long a thread that loads may keep the screen from answering a key, where it is not one call
of C. Each key waits for it a few times: with Python's 0.005 a key takes 12 ms while a dump of
10,000 Services is read, with this 4; the load takes no longer."""


def _comparisons(screen: WalkScreen) -> Iterator[SystemCommand]:
    """Every kind of comparison by name, and every setting that can be turned."""
    from k8stui.walk.comparisons import Kind  # noqa: PLC0415 - only when asked for

    for kind in Kind:
        said = f"in a table, two of them side by side: {keys.COMPARED[kind.value]}"
        yield SystemCommand(f"compare {kind.value}", said, partial(screen.compare, kind))
    for words in screen.what_ifs():
        compare = partial(screen.compare, Kind.SETTINGS, words)
        yield SystemCommand(f"what if {words}", "what comes of it, beside what is", compare)


def _command_line() -> type[Provider]:
    """The provider of commands with names behind them: loaded when the palette is first opened."""
    from k8stui.tui.command_line import CommandLine  # noqa: PLC0415 - only when asked for

    return CommandLine


def _driver(terminal: Terminal) -> type[Driver]:
    if not terminal.is_page:
        return Keyboard
    from k8stui.tui.page import Page  # noqa: PLC0415 - in a browser only

    return Page


class K8sTuiApp(App[int]):
    """k8stui on a terminal."""

    TITLE = "k8stui"
    CSS_PATH = "k8stui.tcss"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar = []
    COMMANDS: ClassVar = {get_system_commands_provider, _command_line}

    def __init__(
        self,
        jobs: Jobs,
        terminal: Terminal | None = None,
        *,
        presentation: bool = False,
        rehearsal: Rehearsal | None = None,
        session: SessionFile | None = None,
    ) -> None:
        """`session`: where the last time is remembered; None: it is not."""
        terminal = terminal or look(environment())
        super().__init__(
            driver_class=_driver(terminal), ansi_color=True if terminal.is_ansi else None
        )
        self.animation_level = "none"
        for theme in themes.ALL:
            self.register_theme(theme)
        self.theme = themes.ANSI.name if terminal.is_ansi else themes.DARK.name
        self._session = session
        self.session = session.read() if session is not None else Session()
        """What is remembered of the last time."""
        if self.session.theme in self.available_themes and not terminal.is_ansi:
            self.theme = self.session.theme
        Drawn.is_ascii = terminal.is_ascii
        self._jobs = jobs
        self._presents_at_once = presentation
        self._rehearsal = rehearsal
        self.crash: Exception | None = None
        """What ended the app, where it was a bug."""

    def get_default_screen(self) -> Screen[None]:
        if self._rehearsal is not None:
            from k8stui.tui.touring import TourScreen  # noqa: PLC0415 - only when presenting

            return TourScreen(self._jobs, self._rehearsal)
        screen = WalkScreen(self._jobs, presentation=self._presents_at_once)
        if self._session is not None:
            screen.recall(self.session, self._session.trouble)
        return screen

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Give the inks' colours for themes that know nothing of them."""
        return themes.defaults(self.current_theme)

    def action_command_palette(self) -> None:
        """Open the palette."""
        if not any(isinstance(one, Palette) for one in self.screen_stack):
            self.push_screen(Palette(id="--command-palette"))

    def search_themes(self) -> None:
        """Open the palette with nothing but themes."""
        self.push_screen(Palette([ThemeProvider], placeholder="Search for themes…"))

    def action_suspend_process(self) -> None:
        """Stop all that the shell calls this job, as its own Ctrl-Z does: a pipe's writer, too."""
        if self._driver is not None and self._driver.can_suspend:
            os.kill(0, signal.SIGTSTP)

    def action_leave(self) -> None:
        """Leave, from whatever stands in front."""
        below = self.screen_stack[0] if self.screen_stack else None
        if self._session is not None and isinstance(below, WalkScreen):
            below.remember(self.session)
            self._session.write(self.session)
        self.exit(0)

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Say something in the lowest line for a while: a toast would stand over the step.

        Textual's own toasts are hidden by the style sheet.
        """
        super().notify(message, title=title, severity=severity, timeout=timeout, markup=markup)
        for screen in reversed(self.screen_stack):
            for bar in screen.query("#keys").results(Bar):
                text = " ".join(f"{title}: {message}".removeprefix(": ").split())
                ink = Ink.DROP if severity == "error" else Ink.CHANGED
                seconds = self.NOTIFICATION_TIMEOUT if timeout is None else timeout
                bar.say(neutralise(text), ink, seconds)
                return

    async def on_event(self, event: events.Event) -> None:
        """Take an event; keys that come when the screens are gone mean nothing any more."""
        if isinstance(event, events.InputEvent) and not self.screen_stack:
            return
        if isinstance(event, events.Key) and event.key == "ctrl+z":  # wherever one is
            self.action_suspend_process()
            return
        await super().on_event(event)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Every key by name, in the palette."""
        yield SystemCommand("theme", "Choose the colours", self.action_change_theme)
        if isinstance(screen, WalkScreen):
            said = "the same request over what it left: conntrack entries, affinity, turns"
            yield SystemCommand("ask again", said, screen.action_again)
            yield from _comparisons(screen)
            for binding in (*(keys.TOUR if self._rehearsal else ()), *keys.ALL):
                run = partial(screen.run_action, binding.action)
                title = f"{binding.description}   {keys.first_name(binding)}"
                yield SystemCommand(title, binding.tooltip, run)

    def _handle_exception(self, error: Exception) -> None:
        """Keep the error for the caller instead of printing pages of it, locals and all.

        A screen that is taken down while it is set up (the page is gone, a signal came) misses its
        widgets: Textual mounts none any more once the app is to exit (Widget.mount_all).
        """
        if self._exit and isinstance(error, NoMatches):
            return
        if self.crash is None:
            self.crash = error
        self._return_code = 1
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
        self._close_messages_no_wait()


def run(
    paths: Sequence[str],
    cluster_options: ClusterOptions | None = None,
    node_options: NodeOptions | None = None,
    *,
    namespace: str = "default",
    context: str | None = None,
    ascii: bool | None = None,  # noqa: A002 - the option's name
    mouse: bool = True,
    presentation: bool = False,
    rehearsal: Rehearsal | None = None,
    remembers: bool = True,
    watches: bool = False,
    against: Sequence[str] = (),
) -> NoReturn:
    """Open the screen; once it is left, leave the process with its exit status.

    `remembers`: what was shown last is shown again, and written down on leaving; `watches`: the
    input is read again when its files change; `against`: another input, to compare with.

    Raises:
        Exception: a bug of ours; the terminal is already restored.

    """
    give_size(0)
    leave_with(0)
    sys.setswitchinterval(_SWITCH_SECONDS)
    jobs = Jobs(
        paths, cluster_options, node_options, namespace, context, watches=watches, against=against
    )
    terminal = look(environment(), ascii=ascii)
    session = of_user() if remembers and rehearsal is None else None
    app = K8sTuiApp(jobs, terminal, presentation=presentation, rehearsal=rehearsal, session=session)
    app.run(mouse=mouse)
    if app.crash is not None:
        raise app.crash
    if jobs.last_words:
        words = to_ascii(jobs.last_words) if Drawn.is_ascii else jobs.last_words
        sys.stderr.write(f"{words}\n")
    leave(app.return_code or 0)
