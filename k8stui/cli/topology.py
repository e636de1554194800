"""``k8stui topology``: nodes, pods, Services and endpoints."""

from __future__ import annotations

from typing import Any

import click

from k8stui.cli.options import common_options, output_format
from k8stui.cli.reading import read_world
from k8stui.errors import value_of
from k8stui.export.terminal import write, write_data, write_markup


@click.command("topology")
@common_options
@output_format("text", "json", "dot", "mermaid", "svg")
@click.option(
    "--of",
    "one",
    metavar="KIND/NAME",
    help="Who uses whom: what one object leads to, selects, makes, reads, and what does so to it.",
)
def command(form: str, one: str | None, **common: Any) -> int:
    """Print nodes, pods, Services and endpoints."""
    if one is not None:
        return _around(one, form, common)
    world, status = read_world(**common)
    if form == "json":
        from k8stui.export.topology_json import topology_json  # noqa: PLC0415

        write_data(topology_json(world))
    elif form == "text":
        from k8stui.export.topology import topology_lines  # noqa: PLC0415

        write(f"{line}\n" for line in topology_lines(world.cluster))
    elif form == "svg":
        from k8stui.export.topology_svg import topology_svg  # noqa: PLC0415

        write_markup(f"{line}\n" for line in topology_svg(world.cluster))
    else:
        from k8stui.export import diagram  # noqa: PLC0415

        draw = diagram.dot_lines if form == "dot" else diagram.mermaid_lines
        write(f"{line}\n" for line in draw(world.cluster))
    return status


def _around(one: str, form: str, common: dict[str, Any]) -> int:
    """``topology --of``."""
    if form not in {"text", "json"}:
        raise click.UsageError("--of goes with --format text and json")
    from k8stui.export import neighbours as export  # noqa: PLC0415

    world, status = read_world(**common)
    with value_of("--of"):
        said, found = export.neighbours_of(world, one, common["namespace"])
    if form == "json":
        write_data(export.neighbours_json(said, found))
    else:
        write(f"{line}\n" for line in export.neighbours_lines(said, found))
    return status
