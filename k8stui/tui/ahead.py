"""Keys that are typed ahead: each is handled when all is done that the keys before it asked for.

Textual gives a key to whatever has the focus when the key is read. Of ``rweb`` in one read (a slow
ssh, ``tmux send-keys``) the ``w`` would be handled by the screen, for the box that ``r`` opens
stands only some turns of the event loop later. So keys wait here, and go one by one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from math import inf
from time import monotonic
from typing import TYPE_CHECKING

from textual.app import ScreenStackError
from textual.events import Callback, Event, Key
from textual.widgets import Input

if TYPE_CHECKING:
    from textual.app import App
    from textual.message_pump import MessagePump

LEAVING = frozenset({"ctrl+c", "ctrl+q"})
"""Keys in front of which nothing waits that is too much."""
_MOST_SECONDS = 1.0
"""How long keys wait for work in a thread, from when it was begun: then they mean what is there."""
_LEAVES_SECONDS = 2.0
"""How long such a key waits behind others: hundreds that were typed into a list that is made anew
for each of them take minutes."""
_TURNS = range(4, 12)
"""How often all queues are gone through, at least: a key becomes a message (an Input's Changed),
that another (the find bar's Typed) and that a screen; at most, where something has no end."""
_APART_SECONDS = 0.05
"""A key that comes so long after the one before it is not typed ahead of anything, ..."""
_PROMPT_SECONDS = 0.02
"""... where the event loop takes it as soon as this: then nothing holds the loop up either."""
_GIVES_UP_SECONDS = 5.0
"""When a queue that does not move is waited for no longer: a keyboard must never be dead."""
_POLL_SECONDS = 0.01


class Ahead:
    """Hands events on to an app, in the order in which they came."""

    def __init__(self, app: App[object]) -> None:
        self._app = app
        self._waiting: deque[Event] = deque()
        self._task: asyncio.Task[None] | None = None
        self._handed_on = -inf
        """When the event before was (s, monotonic)."""

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def take(self, event: Event) -> None:
        """Hand on an event when its turn comes; on the app's event loop."""
        self._waiting.append(event)
        loop = asyncio.get_running_loop()
        if self._task is None:
            self._task = loop.create_task(self._hand_on())
        if isinstance(event, Key) and event.key in LEAVING:
            loop.call_later(_LEAVES_SECONDS, self._hand_on_at_once, event)

    def cut_short(self, event: Event) -> None:
        """Throw away what waits, as a terminal does with its INTR key (termios: NOFLSH)."""
        self._waiting.clear()
        self.take(event)

    def _hand_on_at_once(self, event: Event) -> None:
        """Throw away what still waits in front of an event, if it waits itself."""
        if not any(each is event for each in self._waiting):
            return
        while self._waiting.popleft() is not event:
            pass
        self._app.post_message(event)

    async def _hand_on(self) -> None:
        try:
            while self._waiting:
                await self._settle(1 if self._is_alone(self._waiting[0]) else _TURNS.start)
                await self._wait_for_work()
                if self._waiting:
                    self._handed_on = monotonic()
                    self._app.post_message(self._waiting.popleft())
        finally:
            self._task = None

    def _is_alone(self, event: Event) -> bool:
        """Whether what the event before asked for was done before this one came."""
        is_apart = event.time - self._handed_on > _APART_SECONDS
        return is_apart and monotonic() - event.time < _PROMPT_SECONDS

    async def _settle(self, least: int = _TURNS.start) -> None:
        """Wait until the event before, and what came of it, is done with.

        `least`: how often all queues are gone through.
        """
        for turn in range(_TURNS.stop):
            before = self._way()
            for node in before:
                await _passed(node)
            after = self._way()
            is_calm = after == before and not any(node.message_queue_size for node in after)
            if is_calm and turn + 1 >= least:
                return

    def _way(self) -> list[MessagePump]:
        """The queues that an event goes through: the app's, then from the focus up to it again."""
        with suppress(ScreenStackError):  # there is none yet, or no longer
            return [self._app, *(self._app.focused or self._app.screen).ancestors_with_self]
        return [self._app]

    async def _wait_for_work(self) -> None:
        """Wait for a walk, a list: what the keys typed so far have asked for, if it comes soon."""
        with suppress(ScreenStackError):
            while self._is_busy():
                await asyncio.sleep(_POLL_SECONDS)
                if not self._is_busy():  # but what comes of it may ask for more
                    await self._settle()

    def _is_busy(self) -> bool:
        if self._is_text():
            return False
        since = getattr(self._app.screen, "busy_since", -inf)
        return monotonic() - since < _MOST_SECONDS

    def _is_text(self) -> bool:
        """Whether what comes next is a letter for a field: it goes there, whatever is found."""
        following = self._waiting[0] if self._waiting else None
        is_letter = isinstance(following, Key) and following.is_printable
        return is_letter and isinstance(self._app.focused, Input)


async def _passed(node: MessagePump) -> None:
    """Wait until a node has handled all that waits in its queue now."""
    passed = asyncio.Event()
    # As call_later does, whose `partial` has its parameters counted anew each time.
    if not node.post_message(Callback(callback=passed.set)):  # it is closed, or about to be
        return
    was_running, end = node.is_running, monotonic() + _GIVES_UP_SECONDS
    while not passed.is_set() and monotonic() < end:
        with suppress(TimeoutError):
            await asyncio.wait_for(passed.wait(), _POLL_SECONDS)
        if was_running and not node.is_running:
            return
        was_running = node.is_running
