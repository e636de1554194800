"""``k8stui PATH…``: the screen; without a terminal its beginning as text."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click

from k8stui.cli.options import common_options, room_options, screen_options
from k8stui.cli.reading import read_world
from k8stui.export.terminal import write, write_cells, write_walks


@click.command("show", hidden=True)
@common_options
@screen_options
@click.option("--watch", is_flag=True, help="Read the files again when they change.")
@click.option(
    "--against",
    multiple=True,
    metavar="PATH",
    help="Another input (manifests after a change): what differs comes first (key w).",
)
@click.option("--no-session", is_flag=True, help="Neither show nor keep what was shown last.")
@click.option("--presentation", is_flag=True, help="Story mode, for a stage (key p).")
def command(
    *,
    is_ascii: bool | None,
    no_mouse: bool,
    watch: bool,
    against: tuple[str, ...],
    no_session: bool,
    presentation: bool,
    **common: Any,
) -> int:
    """Open the screen; without a terminal print topology and one walk."""
    on_terminal = sys.stdout.isatty() and os.environ.get("TERM", "") not in ("", "dumb")
    if not (on_terminal and _has_keyboard()):
        return _print_versions(common, against) if against else _print_all(common)
    if watch and ("-" in common["paths"] or common["context"] or not common["paths"]):
        raise click.UsageError("--watch needs files or folders: nothing else can be read again")
    from k8stui.tui.terminal import end_on_signals  # noqa: PLC0415 - for the screen only

    end_on_signals()
    if "-" in common["paths"]:
        _await_words()
    return open_screen(
        common,
        is_ascii=is_ascii,
        mouse=not no_mouse,
        presentation=presentation,
        remembers=not no_session,
        watches=watch,
        against=against,
    )


def open_screen(
    common: Mapping[str, Any],
    *,
    is_ascii: bool | None = None,
    mouse: bool = True,
    presentation: bool = False,
    remembers: bool = False,
    watches: bool = False,
    against: Sequence[str] = (),
) -> int:
    """Open the screen over the options that every command has; ends the process."""
    gc.enable()
    from k8stui.tui.app import run as run_screen  # noqa: PLC0415 - the only way to Textual

    cluster_options, node_options = room_options(**common)
    return run_screen(
        common["paths"],
        context=common["context"],
        cluster_options=cluster_options,
        node_options=node_options,
        namespace=common["namespace"],
        ascii=is_ascii,
        mouse=mouse,
        presentation=presentation,
        remembers=remembers,
        watches=watches,
        against=against,
    )


def _has_keyboard() -> bool:
    """Whether keys can be read. What is piped in is `sys.stdin` still; fd 0 is the terminal.

    Textual reads keys from file descriptor 0, whatever `sys.stdin` is (drivers/linux_driver.py).
    """
    if sys.stdin.isatty():
        return True
    try:
        keyboard = os.open("/dev/tty", os.O_RDONLY)
    except OSError:
        return False
    if keyboard:  # else standard input was closed, and the keyboard has got its place
        piped = os.dup(0)
        os.dup2(keyboard, 0)
        os.close(keyboard)
        sys.stdin = open(piped, encoding="utf-8")  # noqa: SIM115, PTH123 - as long as the process
    return True


def _await_words() -> None:
    """Leave the terminal alone until the pipe's writer has something to give, or ends.

    Until then kubectl may ask for a login, or fail: its words would be lost under the screen.
    """
    from select import select  # noqa: PLC0415 - for pipes only

    select([sys.stdin], [], [])


def _print_all(common: dict[str, Any]) -> int:
    from k8stui.check.opening import opening  # noqa: PLC0415
    from k8stui.export.topology import topology_lines  # noqa: PLC0415

    world, status = read_world(**common)
    write(f"{line}\n" for line in topology_lines(world.cluster))
    trace = opening(world, common["paths"])
    if trace is not None:
        write(["\n"])
        write_walks([[trace]], verbose=False)
    return status


def _print_versions(common: dict[str, Any], against: tuple[str, ...]) -> int:
    """All ways of access of two inputs. Status 1: something is connected less often after."""
    from k8stui.cli.status import FINE, FOUND  # noqa: PLC0415
    from k8stui.export.cases import cases_lines  # noqa: PLC0415
    from k8stui.export.compare import screen_columns  # noqa: PLC0415
    from k8stui.walk.comparisons import is_worse, versions  # noqa: PLC0415

    world, status = read_world(**common)
    other, status_after = read_world(**{**common, "paths": against, "context": None})
    found = versions(world, other)
    write_cells(cases_lines(found, screen_columns()))
    return status or status_after or (FOUND if is_worse(found) else FINE)
