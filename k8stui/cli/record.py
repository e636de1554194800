"""``k8stui record``: a walk as a terminal recording, or as a picture that moves."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import click

from k8stui.cli.options import Seconds, WholeNumber, common_options
from k8stui.cli.output import output_to
from k8stui.cli.reading import read_world
from k8stui.cli.status import FINE, FOUND
from k8stui.export.terminal import write_data, write_markup

_KINDS = (".cast", ".svg")


@click.command("record")
@common_options
@click.option(
    "--from", "source", required=True, metavar="SOURCE", help="Who asks, as with the command walk."
)
@click.option(
    "--to", "destination", required=True, metavar="DESTINATION", help="Whom, as with walk."
)
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="FILE.cast: asciicast v2, for asciinema and its players. FILE.svg: a picture that moves.",
)
@click.option("--branch", type=WholeNumber(1), default=1, metavar="N", help="Of a fork: which one.")
@click.option("--width", type=WholeNumber(60, 400), default=100, show_default=True)
@click.option("--height", type=WholeNumber(20, 200), default=30, show_default=True)
@click.option(
    "--pace",
    type=Seconds(0.05, 60),
    default=1.2,
    show_default=True,
    metavar="SECONDS",
    help="How long a plain step is seen; a decision twice as long.",
)
@click.option("--light", is_flag=True, help="A .cast in light colours; an .svg has both.")
def command(
    *,
    source: str,
    destination: str,
    output: str,
    branch: int,
    width: int,
    height: int,
    pace: float,
    light: bool,
    **common: Any,
) -> int:
    """Record a walk step by step, without a terminal: the same bytes every time."""
    kind = Path(output).suffix
    if kind not in _KINDS:
        raise click.UsageError(f"-o {output}: a name that ends with {' or '.join(_KINDS)}")
    from k8stui.export.drawing import palette  # noqa: PLC0415
    from k8stui.export.drawing.stills import strip  # noqa: PLC0415
    from k8stui.kernel.exchange import Result  # noqa: PLC0415
    from k8stui.walk.request import parse_request  # noqa: PLC0415
    from k8stui.walk.walk import walks  # noqa: PLC0415

    world, status = read_world(**common)
    request = parse_request(world, source, destination, common["namespace"])
    found = list(islice(walks(world, request), branch))
    if len(found) < branch:
        raise click.UsageError(f"--branch {branch}: the walk has {len(found)}")
    made = strip(world, found[-1], width, height, pace)
    with output_to(output):
        if kind == ".cast":
            from k8stui.export.cast import cast  # noqa: PLC0415

            write_data(cast(made, palette.LIGHT if light else palette.DARK))
        else:
            from k8stui.export.drawing.motion import motion  # noqa: PLC0415

            write_markup(motion(made))
    return status or (FINE if found[-1].outcome.result is Result.CONNECTED else FOUND)
