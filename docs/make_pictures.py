"""Make the pictures of the README: the app itself, driven without a terminal, as SVG.

    python -m docs.make_pictures [FOLDER]

From the checkout's folder. The same bytes every time: nothing in the app depends on the clock.
"""

# ruff: noqa: INP001 - a script, no package

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from textual.worker import WorkerCancelled

from k8stui.kernel.step import StepKind
from k8stui.tui.app import K8sTuiApp
from k8stui.tui.jobs import Jobs
from k8stui.tui.screen import WalkScreen
from k8stui.tui.terminal import Terminal
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Trace
from k8stui.walk.walk import walks

ROOT = Path(__file__).resolve().parents[1]


class Picture(NamedTuple):
    name: str
    sample: str
    source: str
    destination: str
    wanted: Callable[[Trace], bool]
    """Which branch."""
    step: Callable[[Trace], int]
    """0-based."""
    keys: tuple[str, ...] = ()
    """Pressed there."""


def _is_remote(trace: Trace) -> bool:
    return {"node-1", "node-2"} <= {hop.namespace for hop in trace.hops}


def _dnat(trace: Trace) -> int:
    return next(n for n, step in enumerate(trace.steps) if step.kind is StepKind.DNAT)


PICTURES = (
    Picture("story", "webapp", "outside", "node/node-1:30001", _is_remote, _dnat, ("p",)),
    Picture("compare", "webapp", "outside", "node/node-1:30001", _is_remote, _dnat, ("w",)),
    Picture("guestbook", "guestbook", "outside", "node/node-1:30080", _is_remote, _dnat),
    Picture(
        "failure",
        "broken/local-policy-no-pod-here",
        "outside",
        "node/node-1:30090",
        lambda _: True,
        lambda trace: len(trace.steps) - 1,
    ),
    Picture(
        "reach",
        "policies",
        "pod/web-1",
        "svc/db",
        lambda _: True,
        lambda trace: len(trace.steps) - 1,
        ("v", *["down"] * 4, "right"),
    ),
)
_CELLS = re.compile(
    r'(<text class="[^"]*-r\d+" )x="([\d.]+)"([^>]*?)textLength="([\d.]+)"([^>]*)>([^<]*)</text>'
)
_BLANK = "&#160;"


def tidy(svg: str) -> str:
    """Leave the blanks at both ends of each text out: some programs trim them and shift it."""

    def narrow(found: re.Match[str]) -> str:
        head, x, between, length, rest, text = found.groups()
        cell = float(length) / len(re.sub(r"&[^;]+;", ".", text))
        lead = tail = 0
        while text.startswith(_BLANK):
            text, lead = text.removeprefix(_BLANK), lead + 1
        while text.endswith(_BLANK):
            text, tail = text.removesuffix(_BLANK), tail + 1
        if not text:
            return ""
        start, wide = float(x) + lead * cell, float(length) - (lead + tail) * cell
        return f'{head}x="{start:.6g}"{between}textLength="{wide:.6g}"{rest}>{text}</text>'

    return _CELLS.sub(narrow, svg)


async def draw(picture: Picture) -> str:
    jobs = Jobs([str(ROOT / "samples" / picture.sample)])
    app = K8sTuiApp(jobs, Terminal())
    async with app.run_test(size=(120, 36)) as pilot:
        for _ in range(4):
            await pilot.pause()
            with suppress(WorkerCancelled):
                await app.workers.wait_for_complete()
        screen = app.screen
        assert isinstance(screen, WalkScreen)
        assert screen.desk is not None
        world = screen.desk.world
        request = parse_request(world, picture.source, picture.destination)
        trace = next(t for t in walks(world, request) if picture.wanted(t))
        screen.take(trace, picture.step(trace))
        for key in picture.keys:
            await pilot.press(key)
            await pilot.pause()
            await app.workers.wait_for_complete()
        await pilot.pause()
        return tidy(app.export_screenshot(title="k8stui", simplify=True)).replace(f"{ROOT}/", "")


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs"
    for picture in PICTURES:
        (folder / f"{picture.name}.svg").write_text(asyncio.run(draw(picture)), encoding="utf-8")


if __name__ == "__main__":
    main()
