"""Where a command's output goes: ``-o FILE``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout


@contextmanager
def output_to(name: str | None) -> Iterator[None]:
    """Send standard output to a file, in UTF-8; nowhere else for None or ``-``.

    Raises:
        OSError: it cannot be written.

    """
    if name is None or name == "-":
        yield
        return
    # pathlib is 3 ms, and every walk passes here.
    with (
        open(name, "w", encoding="utf-8", newline="\n") as file,  # noqa: PTH123
        redirect_stdout(file),
    ):
        yield
