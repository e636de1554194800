"""Text to stdout and stderr: in their encoding, with colour only where it is wanted."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

from k8stui.export.charset import can_draw, environment, wants_ascii
from k8stui.export.plain import to_ascii
from k8stui.neutralise import data_without_commands, neutralise, without_commands

if TYPE_CHECKING:
    from k8stui.walk.trace import Trace

_COLOURS = {
    "head": "1",
    "hop": "1",
    "change": "33",
    "reply": "36",
    "bad": "1;31",
    "good": "32",
    "proof": "2",
}
"""SGR parameters (ECMA-48 8.3.117) by `k8stui.export.text.Style`."""


def complain(text: str) -> None:
    """Write lines to stderr; where nobody can read them, the exit status has to do.

    Whatever of an input is in them is shown: no terminal and no CI runner obeys it.
    """
    text = "\n".join(map(neutralise, text.split("\n")))
    with suppress(OSError):
        sys.stderr.write(shown(text, sys.stderr) + "\n")


def write(chunks: Iterable[str]) -> None:
    """Write text to stdout, each chunk from the begin of a line; nothing in it is a CI command."""
    write_as_is(without_commands(shown(chunk, sys.stdout)) for chunk in chunks)


def write_cells(lines: Iterable[str]) -> None:
    """Write a drawing or a table to stdout: in ASCII it is as wide."""
    if not _draws(sys.stdout):
        from k8stui.export.drawing.ink import to_ascii as cell_by_cell  # noqa: PLC0415 - 20 ms

        lines = map(cell_by_cell, lines)
    write_as_is(without_commands(f"{line}\n") for line in lines)


def write_data(chunks: Iterable[str]) -> None:
    """Write JSON to stdout; strings that a CI runner would obey are written with an escape."""
    write_as_is(map(data_without_commands, chunks))


def write_markup(chunks: Iterable[str]) -> None:
    """Write HTML or SVG to stdout; what its encoding has not got becomes a character reference."""
    encoding = sys.stdout.encoding or "ascii"
    if not can_draw(encoding):
        chunks = (chunk.encode(encoding, "xmlcharrefreplace").decode(encoding) for chunk in chunks)
    sys.stdout.writelines(chunks)


def write_as_is(chunks: Iterable[str]) -> None:
    """Write to stdout in its encoding; ASCII where it has no arrows."""
    if not can_draw(sys.stdout.encoding):
        chunks = map(to_ascii, chunks)
    sys.stdout.writelines(chunks)


def write_walks(rounds: Sequence[Sequence[Trace]], *, verbose: bool) -> None:
    """Write the branches of each request as text, a blank line between them."""
    from k8stui.export.text import walk_lines  # noqa: PLC0415 - not needed for topology or rules

    colour = wants_colour()
    each = ((trace, len(traces)) for traces in rounds for trace in traces)
    for number, (trace, count) in enumerate(each):
        lines = ["\n"] if number else []
        several = count if count > 1 else None
        for line in walk_lines(trace, branches=several, verbose=verbose):
            code = _COLOURS.get(line.style.value) if colour and line.text else None
            lines.append(f"\x1b[{code}m{line.text}\x1b[0m\n" if code else f"{line.text}\n")
        write(lines)


def shown(text: str, stream: TextIO) -> str:
    """Give what a stream shows of a text: ASCII where arrows and lines would not be seen."""
    return text if text.isascii() or _draws(stream) else to_ascii(text)


def _draws(stream: TextIO) -> bool:
    """Whether arrows and lines can be seen: by the stream's encoding, and by the locale.

    Python writes UTF-8 in the locale C (PEP 540). What is said to Python alone is meant for it.
    """
    if os.environ.get("PYTHONIOENCODING") or os.environ.get("PYTHONUTF8"):
        return can_draw(stream.encoding)
    is_ascii = wants_ascii(environment(), is_terminal=stream.isatty())
    return can_draw(stream.encoding) and not is_ascii


def wants_colour() -> bool:
    """Whether stdout is a terminal that wants colour (https://no-color.org)."""
    return (
        sys.stdout.isatty()
        and not os.environ.get("NO_COLOR")
        and os.environ.get("TERM", "dumb") != "dumb"
    )
