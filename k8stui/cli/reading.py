"""Read the input that the options name, and say what is wrong with it."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from k8stui.cli.options import room_options
from k8stui.cli.status import BAD, FINE
from k8stui.export.terminal import complain

if TYPE_CHECKING:
    from k8stui.manifests.progress import Progress
    from k8stui.walk.world import World


def read_world(
    paths: Sequence[str],
    *,
    context: str | None,
    doubts: bool = True,
    ignore: Collection[str] = (),
    **common: Any,
) -> tuple[World, int]:
    """Build the world; what is wrong with the input goes to stderr. Also the status so far.

    `doubts`: also what is only very likely a mistake. `ignore`: rules of ``check``; what they
    explain of that which the API server refuses is neither said nor counted.
    """
    from k8stui.walk.world import build_world  # noqa: PLC0415

    cluster_options, node_options = room_options(**common)
    world = build_world(
        paths,
        cluster_options,
        node_options,
        context=context,
        stdin=sys.stdin.buffer,
        watch=_Relay() if context is not None else None,
    )
    for note in world.notes:
        if doubts or note.doubt is None:
            complain(f"note: {note.render()}")
    remark(node_options.iptables, node_options.ipset, node_options.ip_addr)
    problems = world.manifests.problems  # of nodes' states, the walks that rest on them tell
    if ignore:
        from k8stui.check import rule_of  # noqa: PLC0415 - 20 ms

        problems = tuple(problem for problem in problems if rule_of(problem) not in ignore)
    for problem in problems:
        complain(problem.render())
    if not problems:
        return world, FINE
    count = len(problems)
    complain(f"{count} problem{'' if count == 1 else 's'} in the input; the rest is used")
    return world, BAD


class _Relay:
    """Passes on what kubectl says while it waits: it may want the user to log in."""

    def __init__(self) -> None:
        self.said: set[str] = set()

    def __call__(self, progress: Progress) -> None:
        for line in progress.waiting.splitlines():
            if line not in self.said:
                self.said.add(line)
                complain(line)


def remark(
    rules: Mapping[str, str],
    sets: Mapping[str, str] = MappingProxyType({}),
    addresses: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Pass on what dumps do not show, or not so that it can be used."""
    if rules or sets or addresses:
        from k8stui.nodes.remarks import dump_remarks  # noqa: PLC0415

        for remark in dump_remarks(rules, sets, addresses):
            complain(f"note: {remark.render()}")
