"""Copying over any connection: OSC 52 to the terminal, and tmux's own buffer where tmux runs."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from k8stui.export.text import walk_lines

if TYPE_CHECKING:
    from k8stui.walk.trace import Trace

_TMUX_SECONDS = 2.0


def to_tmux(text: str) -> bool:
    """Load tmux's buffer and let tmux tell its terminal (``-w``). Whether it took it.

    tmux 3.3 with ``set-clipboard external`` swallows an application's own OSC 52.
    """
    tmux = shutil.which("tmux")
    if not os.environ.get("TMUX") or tmux is None:
        return False
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command
            [tmux, "load-buffer", "-w", "-"],
            input=text.encode(),
            timeout=_TMUX_SECONDS,
            check=False,
            capture_output=True,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def write_walk(trace: Trace) -> Path:
    """Write a walk as text, every rule and origin included, to a new file in this folder.

    Raises:
        OSError: the folder cannot be written to.

    """
    lines = walk_lines(trace, verbose=True)
    return write_new(Path.cwd(), "k8stui-walk", "".join(f"{line.text}\n" for line in lines))


def write_new(folder: Path, stem: str, text: str) -> Path:
    """Write `text` to ``STEM.txt``, or the first ``STEM-N.txt`` that does not exist yet.

    Raises:
        OSError: the folder cannot be written to.

    """
    number = 1
    while True:
        path = folder / (f"{stem}.txt" if number == 1 else f"{stem}-{number}.txt")
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            number += 1
        else:
            return path
