"""``k8stui present``: a tour on the screen; without a terminal as text."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from k8stui.cli.options import WholeNumber, output_format, screen_options
from k8stui.cli.status import BAD, FINE
from k8stui.export.terminal import complain, write, write_cells

if TYPE_CHECKING:
    from k8stui.tour.rehearse import Rehearsal

_RECORDINGS = (".cast", ".svg", ".html")


def _tours(_ctx: click.Context, _option: click.Parameter, begun: str) -> list[object]:
    from click.shell_completion import CompletionItem  # noqa: PLC0415 - for completion only

    from k8stui.tour.bundled import bundled_tours  # noqa: PLC0415

    names = [one for one in bundled_tours() if one.startswith(begun)]
    return [*map(CompletionItem, names), CompletionItem(begun, type="file")]


@click.command("present")
@click.argument("tour", required=False, metavar="[TOUR]", shell_complete=_tours)
@output_format("screen", "text", "html")
@screen_options
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Record it instead, without a terminal. FILE.cast: asciicast v2; FILE.svg: a picture that "
    "moves; FILE.html: a page that is turned with the arrow keys.",
)
@click.option(
    "--width",
    type=WholeNumber(60, 400),
    default=100,
    show_default=True,
    help="Of what is printed or recorded.",
)
@click.option(
    "--height",
    type=WholeNumber(24, 200),
    default=34,
    show_default=True,
    help="Of a picture with its sentence and caption.",
)
@click.option("--light", is_flag=True, help="A .cast in light colours; an .svg has both.")
def command(
    *,
    tour: str | None,
    form: str,
    is_ascii: bool | None,
    no_mouse: bool,
    output: str | None,
    width: int,
    height: int,
    light: bool,
) -> int:
    """Give a tour: positions in walks, each with its caption, from a file or by its name.

    TOUR is a YAML file (docs/tours.md says how to write one) or the name of one that ships with
    k8stui; without it those are listed. On the screen Space goes on and ← goes back, or a clicker's
    PageDown and PageUp; all other keys look around, and 0 returns to the tour. Without a terminal
    it is printed: each position with its drawing. Every position is walked beforehand: a mistake is
    told with its line, exit status 2.
    """
    from k8stui.tour.page import TourError  # noqa: PLC0415
    from k8stui.tour.read import read_tour  # noqa: PLC0415
    from k8stui.tour.rehearse import rehearse  # noqa: PLC0415

    if output is not None and Path(output).suffix not in _RECORDINGS:
        raise click.UsageError(f"-o {output}: a name that ends with {' or '.join(_RECORDINGS)}")
    if tour is None:
        return _list()
    try:
        rehearsal = rehearse(read_tour(_path(tour)))
    except TourError as error:
        for problem in error.problems:
            complain(problem.render())
        count = len(error.problems)
        complain(f"{count} problem{'' if count == 1 else 's'} in the tour")
        return BAD
    problems = rehearsal.world.problems
    for problem in problems:
        complain(problem.render())
    if form == "html":
        if output is not None and Path(output).suffix != ".html":
            raise click.UsageError(f"--format html writes no {Path(output).suffix} file")
        _write_page(rehearsal, output, (width, height))
        return BAD if problems else FINE
    if output is not None:
        _record(rehearsal, output, (width, height), light=light)
        return BAD if problems else FINE
    on_terminal = sys.stdout.isatty() and os.environ.get("TERM", "") not in ("", "dumb")
    if form == "text" or not (on_terminal and sys.stdin.isatty()):
        from k8stui.export.tour import tour_lines  # noqa: PLC0415

        write_cells(tour_lines(rehearsal, width, height - 8))
    else:
        _show(rehearsal, is_ascii=is_ascii, mouse=not no_mouse)
    return BAD if problems else FINE


def _list() -> int:
    """The tours that ship with the program, by name and title."""
    from k8stui.tour.bundled import bundled_tours  # noqa: PLC0415
    from k8stui.tour.read import read_tour  # noqa: PLC0415

    tours = bundled_tours()
    room = max(map(len, tours), default=0)
    for name, path in tours.items():
        read = read_tour(str(path))
        write([f"{name:<{room}}  {read.title} ({len(read.positions)} positions)\n"])
    write(["\nk8stui present NAME, or the path of a tour of your own: docs/tours.md\n"])
    return FINE


def _path(tour: str) -> str:
    """A file, or a tour that ships with the program.

    Raises:
        click.UsageError: it is neither.

    """
    from k8stui.tour.bundled import bundled_tours  # noqa: PLC0415

    path = Path(tour)
    if path.is_dir():
        raise click.UsageError(f"{tour} is a folder: a tour is a file")
    if path.exists():
        return tour
    tours = bundled_tours()
    if tour in tours:
        found, here = tours[tour], Path.cwd()
        return str(found.relative_to(here) if found.is_relative_to(here) else found)
    from k8stui.suggest import nearest  # noqa: PLC0415 - for mistakes only

    near = nearest(tour, tours)
    hint = f"did you mean {near}?" if near else f"there is: {', '.join(tours)}"
    raise click.UsageError(f"there is no file {tour!r} and no tour of that name; {hint}")


def _record(rehearsal: Rehearsal, output: str, size: tuple[int, int], *, light: bool) -> None:
    from k8stui.cli.output import output_to  # noqa: PLC0415
    from k8stui.export.drawing import palette  # noqa: PLC0415
    from k8stui.export.terminal import write_data, write_markup  # noqa: PLC0415
    from k8stui.export.tour_strip import tour_strip  # noqa: PLC0415

    if Path(output).suffix == ".html":
        _write_page(rehearsal, output, size)
        return
    made = tour_strip(rehearsal, *size)
    with output_to(output):
        if Path(output).suffix == ".cast":
            from k8stui.export.cast import cast  # noqa: PLC0415

            write_data(cast(made, palette.LIGHT if light else palette.DARK))
        else:
            from k8stui.export.drawing.motion import motion  # noqa: PLC0415

            write_markup(motion(made))


def _write_page(rehearsal: Rehearsal, output: str | None, size: tuple[int, int]) -> None:
    from k8stui.cli.output import output_to  # noqa: PLC0415
    from k8stui.export.page.tour_page import tour_page  # noqa: PLC0415
    from k8stui.export.terminal import write_markup  # noqa: PLC0415

    with output_to(output):
        write_markup(tour_page(rehearsal, *size))


def _show(rehearsal: Rehearsal, *, is_ascii: bool | None, mouse: bool) -> None:
    import gc  # noqa: PLC0415 - for the screen only

    from k8stui.tui.terminal import end_on_signals  # noqa: PLC0415

    end_on_signals()
    gc.enable()
    from k8stui.tui.app import run as run_screen  # noqa: PLC0415 - the only way to Textual

    source = rehearsal.tour.input
    run_screen(
        [one.text for one in source.paths],
        source.cluster,
        source.nodes,
        namespace=source.namespace,
        ascii=is_ascii,
        mouse=mouse,
        rehearsal=rehearsal,
    )
