"""What if: the settings that can be turned, one at a time, and where the walk then differs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from k8stui.record import record
from k8stui.walk.compare import SETTINGS, apply_setting, common_steps, current
from k8stui.walk.trace import Request, Trace
from k8stui.walk.world import World


@record()
class WhatIf:
    """A setting that can be turned."""

    words: str
    """What it would be: ``hairpin off``."""
    now: str
    """What it is."""
    apply: Callable[[], World]
    """Build the world in which it is so; cheap, for nodes are built when a packet gets there."""


def what_ifs(world: World, request: Request) -> Iterator[WhatIf]:
    """Everything that can be turned for this request."""
    for setting, values in SETTINGS.items():
        now = current(world, request, setting)
        for value in values:
            if now is not None and value != now:
                apply = partial(apply_setting, world, request, setting, value)
                yield WhatIf(f"{setting} {value}", now, apply)


def first_difference(before: Trace, after: Trace) -> int | None:
    """0-based step of `after` from which two walks differ; None: they are the same."""
    common = common_steps(before, after)
    if common == len(before.steps) == len(after.steps):
        return None
    return max(0, min(common, len(after.steps) - 1))
