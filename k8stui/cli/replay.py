"""``k8stui replay``: the deployment object by object, and a request asked again at each."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from k8stui.cli.options import common_options, output_format
from k8stui.cli.reading import read_world
from k8stui.cli.status import FINE, FOUND
from k8stui.errors import value_of
from k8stui.export.terminal import write, write_data

if TYPE_CHECKING:
    from k8stui.replay.replay import Moment


@click.command("replay")
@common_options
@click.option(
    "--order",
    type=click.Choice(["files", "dependency"]),
    default="files",
    show_default=True,
    help="As kubectl applies the files, or so that everything finds what it needs.",
)
@click.option(
    "--ask",
    "asks",
    multiple=True,
    metavar='"SOURCE -> DESTINATION"',
    help="A request that is asked before the first object and after each.",
)
@click.option(
    "--then",
    multiple=True,
    metavar="CHANGE",
    help='What is done when all objects are there: "delete KIND/NAME" or '
    '"scale KIND/NAME REPLICAS".',
)
@output_format("text", "json")
@click.option("-v", "--verbose", is_flag=True, help="Every rule, route and variable.")
def command(
    *,
    order: str,
    asks: tuple[str, ...],
    then: tuple[str, ...],
    form: str,
    verbose: bool,
    **common: Any,
) -> int:
    """Deploy the objects one by one: what each adds to every node, and who is answered then."""
    from k8stui.export.replay import replay_json, replay_lines  # noqa: PLC0415
    from k8stui.kernel.exchange import Result  # noqa: PLC0415
    from k8stui.replay.replay import parse_question, replay  # noqa: PLC0415

    gc.set_threshold(100_000)  # each moment leaves circles behind, and there may be thousands
    gc.enable()
    with value_of("--ask"):
        questions = [parse_question(text) for text in asks]
    world, status = read_world(**common)
    last: list[Moment] = []

    def watched() -> Iterator[Moment]:
        for moment in replay(world, order, questions, then=then, namespace=common["namespace"]):
            last[:] = [moment]
            yield moment

    if form == "json":
        write_data(replay_json(watched()))
    else:
        write(f"{line}\n" for line in replay_lines(watched(), verbose=verbose))
    answered = all(one.result is Result.CONNECTED for one in last[0].asked)
    return status or (FINE if answered else FOUND)
