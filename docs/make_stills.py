"""Pictures of the screen itself, driven without a terminal: a tour's positions, or keys typed.

    python -m docs.make_stills FOLDER [--size 80x24]... [--look dark|light|none|ascii]...
        [--keys "p . ."] PATH|TOUR...

From the checkout's folder. One SVG a position and size, or after the keys; with rsvg-convert on
the machine a PNG of each beside it. For looking at, as an audience would.
"""

# ruff: noqa: INP001 - a script, no package

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

LOOKS = ("dark", "light", "none", "ascii")
_SIZES = ["80x24", "120x34", "200x50"]


async def _settle(app: object, pilot: object) -> None:
    from textual.worker import WorkerCancelled  # noqa: PLC0415 - after the environment is set

    for _ in range(4):
        await pilot.pause()  # type: ignore[attr-defined]
        with suppress(WorkerCancelled):
            await app.workers.wait_for_complete()  # type: ignore[attr-defined]


async def draw(what: str, size: tuple[int, int], look: str, keys: list[str], out: Path) -> None:
    """Write the pictures of one tour, or of one input after some keys."""
    from docs.make_pictures import tidy  # noqa: PLC0415
    from k8stui.tour.bundled import bundled_tours  # noqa: PLC0415
    from k8stui.tour.read import read_tour  # noqa: PLC0415
    from k8stui.tour.rehearse import rehearse  # noqa: PLC0415
    from k8stui.tui.app import K8sTuiApp  # noqa: PLC0415
    from k8stui.tui.jobs import Jobs  # noqa: PLC0415
    from k8stui.tui.terminal import Terminal  # noqa: PLC0415

    tour = str(bundled_tours().get(what, what))
    rehearsal = rehearse(read_tour(tour)) if tour.endswith(".yaml") else None
    if rehearsal is not None:
        source = rehearsal.tour.input
        paths = [one.text for one in source.paths]
        jobs = Jobs(paths, source.cluster, source.nodes, source.namespace)
    else:
        jobs = Jobs([what])
    terminal = Terminal(is_ansi=look == "none", is_ascii=look == "ascii")
    app = K8sTuiApp(jobs, terminal, rehearsal=rehearsal)
    app.theme = {"light": "k8stui-light", "none": "k8stui-ansi"}.get(look, "k8stui-dark")
    async with app.run_test(size=size) as pilot:
        await _settle(app, pilot)
        for key in keys:
            await pilot.press(key)
            await _settle(app, pilot)
        count = len(rehearsal.stops) if rehearsal is not None else 1
        for number in range(1, count + 1):
            name = f"{Path(what).stem}-{size[0]}x{size[1]}-{look}-{number:02}.svg"
            (out / name).write_text(tidy(app.export_screenshot(title="k8stui", simplify=True)))
            if number < count:
                await pilot.press("space")
                await _settle(app, pilot)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("folder", type=Path)
    asked.add_argument("--size", action="append")
    asked.add_argument("--look", action="append", choices=LOOKS)
    asked.add_argument("--keys", default="")
    asked.add_argument("what", nargs="+")
    given = asked.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    for look in given.look or ["dark"]:
        os.environ.pop("NO_COLOR", None)
        if look == "none":
            os.environ["NO_COLOR"] = "1"
        for size in given.size or _SIZES:
            width, _, height = size.partition("x")
            for what in given.what:
                cells = int(width), int(height)
                asyncio.run(draw(what, cells, look, given.keys.split(), given.folder))
    found = shutil.which("rsvg-convert")
    if found:
        for path in given.folder.glob("*.svg"):
            png = path.with_suffix(".png")
            if not png.exists() or png.stat().st_mtime < path.stat().st_mtime:
                subprocess.run([found, str(path), "-o", str(png)], check=True)  # noqa: S603 - a found program


if __name__ == "__main__":
    main()
