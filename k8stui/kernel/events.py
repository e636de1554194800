"""The virtual clock: what happens when, in an order that never changes.

No real time is read anywhere. Timers expire as the kernel's timer wheel lets them
(kernel/time/timer.c calc_index: the longer a timer, the coarser its grid), which is why a SYN is
repeated after 1.01 s and not after 1 s, and why two timers of one length fire in the same tick.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from math import inf

HOP_SECONDS = 4e-6
"""Time a packet takes from one namespace to the next; only the order of events depends on it."""
SYSCALL_SECONDS = 1e-4
"""Until a program that was woken up has called the kernel again: longer than any way here."""
_HZ = 250
_PHASE_JIFFIES = 315
"""Where the wheel stands when the walk starts. Of all phases one under which ARP gives up after
3.06 s and SYNs leave at 0, 1, 2, 3, 4, 5, 7, 11, 19, 36, 68 s with the end at 134 s, as measured
(docs/facts/outcomes.md)."""
_LEVELS = ((63, 1), (504, 8), (4032, 64), (32256, 512), (1 << 40, 4096))
"""(longest delay, granularity) of each level of the wheel, in jiffies."""

Action = Callable[[], None]


def expiry(now_seconds: float, delay_seconds: float) -> float:
    """When a timer started now really fires, in seconds of the virtual clock."""
    delay = round(delay_seconds * _HZ)
    granularity = next(grain for longest, grain in _LEVELS if delay <= longest)
    tick = int(now_seconds * _HZ + 1e-6) + _PHASE_JIFFIES + delay
    return ((tick + granularity) // granularity * granularity - _PHASE_JIFFIES) / _HZ


class EventQueue:
    """Things that will happen, ordered by time and then by when they were asked for."""

    __slots__ = ("_heap", "_sequence", "now")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, bool, Action]] = []
        self._sequence = 0
        self.now = 0.0
        """Seconds since the request."""

    def __len__(self) -> int:
        return len(self._heap)

    def after_hop(self, action: Action) -> None:
        """Let a packet arrive at the other end of a cable."""
        self._sequence += 1
        heapq.heappush(self._heap, (self.now + HOP_SECONDS, self._sequence, False, action))

    def after_syscall(self, action: Action) -> None:
        """Let a program do something once it has woken up: what is under way arrives before."""
        self._sequence += 1
        heapq.heappush(self._heap, (self.now + SYSCALL_SECONDS, self._sequence, False, action))

    def timer(self, delay_seconds: float, action: Action) -> None:
        """Start a kernel timer."""
        self._sequence += 1
        at = expiry(self.now, delay_seconds)
        heapq.heappush(self._heap, (at, self._sequence, True, action))

    def restart(self) -> float:
        """Set the clock back to 0 and forget what is under way; give what it showed."""
        shown, self.now = self.now, 0.0
        self._heap.clear()
        return shown

    def next(self, *, timers: bool, until: float = inf) -> Action | None:
        """Take the next event, and move the clock to it; None when there is none.

        Without `timers` those are thrown away: the request is over, only packets that are under
        way still arrive. Nothing happens later than `until`.
        """
        while self._heap and self._heap[0][0] <= until:
            at, _, is_timer, action = heapq.heappop(self._heap)
            if is_timer and not timers:
                continue
            self.now = at
            return action
        return None
