"""Where a command's output goes: ``-o FILE``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path


@contextmanager
def output_to(name: str | None) -> Iterator[None]:
    """Send standard output to a file, in UTF-8; nowhere else for None or ``-``.

    Raises:
        OSError: it cannot be written.

    """
    if name is None or name == "-":
        yield
        return
    with Path(name).open("w", encoding="utf-8", newline="\n") as file, redirect_stdout(file):
        yield
