"""``k8stui topology``: nodes, pods, Services and endpoints."""

from __future__ import annotations

from typing import Any

import click

from k8stui.cli.options import common_options, output_format
from k8stui.cli.reading import read_world
from k8stui.export.terminal import write, write_data


@click.command("topology")
@common_options
@output_format("text", "json", "dot", "mermaid", "svg")
def command(form: str, **common: Any) -> int:
    """Print nodes, pods, Services and endpoints."""
    world, status = read_world(**common)
    if form == "json":
        from k8stui.export.topology_json import topology_json  # noqa: PLC0415

        write_data(topology_json(world))
    elif form == "text":
        from k8stui.export.topology import topology_lines  # noqa: PLC0415

        write(f"{line}\n" for line in topology_lines(world.cluster))
    elif form == "svg":
        from k8stui.export.topology_svg import topology_svg  # noqa: PLC0415

        write(f"{line}\n" for line in topology_svg(world.cluster))
    else:
        from k8stui.export import diagram  # noqa: PLC0415

        draw = diagram.dot_lines if form == "dot" else diagram.mermaid_lines
        write(f"{line}\n" for line in draw(world.cluster))
    return status
