"""What if: the settings that can be turned, one at a time, and where the walk then differs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from k8stui.kernel.exchange import DEFAULT_SOURCE_PORT
from k8stui.nodes.cni import OF_ANOTHER_KIND
from k8stui.record import record
from k8stui.walk.compare import SETTINGS, apply_setting, common_steps, current
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Request, Trace

if TYPE_CHECKING:
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
    setting: str = ""
    """As it is spelled (`SETTINGS`)."""
    value: str = ""


def what_ifs(world: World, request: Request) -> Iterator[WhatIf]:
    """Everything that can be turned for this request."""
    for setting, values in SETTINGS.items():
        now = current(world, request, setting)
        for value in values:
            if now is not None and value != now and value not in OF_ANOTHER_KIND:
                apply = partial(apply_setting, world, request, setting, value)
                yield WhatIf(f"{setting} {value}", now, apply, setting, value)


def asked_again(world: World, request: Request) -> Request:
    """The request in another world: its names can mean other addresses there.

    One that was made in its own way (again, from a certain port) stays as it is.

    Raises:
        RequestError: there nobody is called so.

    """
    made = request.connect
    if made is not None and (
        made.earlier
        or made.data_bytes is not None
        or made.unconnected
        or made.source_port != DEFAULT_SOURCE_PORT
    ):
        return request
    return parse_request(world, request.source, request.destination)


def kept(before: Trace, traces: Iterable[Trace]) -> Trace:
    """Of `traces` (at least one) that which leads where `before` does, else its first choices.

    The same server; or the most forks in a row that are decided alike; or the first.
    """
    best: Trace | None = None
    most = -1
    for each in traces:
        if _server(before) and _server(before) == _server(each):
            return each
        alike = _alike(before, each)
        if alike > most:
            best, most = each, alike
    assert best is not None
    return best


def _server(trace: Trace) -> tuple[object, ...]:
    done = trace.outcome
    if done.server_pod is not None:
        return (done.server_pod,)
    return (done.server_address, done.server_port) if done.server_address is not None else ()


def _alike(one: Trace, other: Trace) -> int:
    count = 0
    for mine, its in zip(one.forks, other.forks, strict=False):
        if (mine.namespace, mine.chain, mine.chosen) != (its.namespace, its.chain, its.chosen):
            break
        count += 1
    return count


def first_difference(before: Trace, after: Trace) -> int | None:
    """0-based step of `after` from which two walks differ; None: they are the same."""
    common = common_steps(before, after)
    if common == len(before.steps) == len(after.steps):
        return None
    return max(0, min(common, len(after.steps) - 1))
