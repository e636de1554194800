"""``k8stui reach``: who can reach whom, all pairs at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from k8stui.cli.options import common_options, output_format
from k8stui.cli.reading import read_world
from k8stui.export.terminal import write, write_cells, write_data, write_markup


@click.command("reach")
@common_options
@click.option(
    "--from",
    "sources",
    multiple=True,
    metavar="SELECTOR",
    help="Who asks: outside, nodes, pod/NAME, deploy/NAME, ns/NAME (with * and ?), KEY=VALUE.",
)
@click.option(
    "--to",
    "destinations",
    multiple=True,
    metavar="SELECTOR",
    help="Who is asked: svc/NAME, services, pods, node/NAME, or as --from.",
)
@click.option(
    "--port",
    "ports",
    multiple=True,
    metavar="PORT[/PROTOCOL]",
    help="Only these ports; pods are asked for them even if they declare others.",
)
@click.option("--summary", is_flag=True, help="JSON without the single pairs.")
@output_format("text", "json", "csv", "dot", "mermaid", "svg")
def command(
    sources: Sequence[str],
    destinations: Sequence[str],
    ports: Sequence[str],
    summary: bool,
    form: str,
    **common: Any,
) -> int:
    """Show who reaches whom: pods, nodes and outside by Services, pods and node ports.

    Pairs that no rule, policy, node or route can tell apart are one class, and one of each class
    is walked.
    """
    from k8stui.errors import value_of  # noqa: PLC0415
    from k8stui.export import reach as export  # noqa: PLC0415
    from k8stui.export.compare import screen_columns  # noqa: PLC0415
    from k8stui.reach.ends import asked, askers  # noqa: PLC0415
    from k8stui.reach.processes import available  # noqa: PLC0415
    from k8stui.reach.reach import reach  # noqa: PLC0415
    from k8stui.reach.selector import parse_port, select  # noqa: PLC0415

    world, status = read_world(**common)
    namespace = common["namespace"]
    with value_of("--port"):
        numbers = tuple(parse_port(each) for each in ports)
    with value_of("--from"):
        rows = select(world.cluster, sources, namespace, [*askers(world)])
    with value_of("--to"):
        columns = select(world.cluster, destinations, namespace, [*asked(world, numbers)])
    found = reach(world, rows, columns, processes=available())
    if form == "json":
        write_data(export.reach_json(world.cluster, found, summary=summary))
    elif form == "csv":
        write_data(export.reach_csv(world.cluster, found))
    elif form in ("dot", "mermaid", "svg"):
        from k8stui.export import reach_graph  # noqa: PLC0415 - for graphs only

        drawers = {
            "dot": reach_graph.reach_dot,
            "mermaid": reach_graph.reach_mermaid,
            "svg": reach_graph.reach_svg,
        }
        put = write_markup if form == "svg" else write
        put(f"{line}\n" for line in drawers[form](world.cluster, found))
    else:
        write_cells(export.reach_lines(world.cluster, found, screen_columns()))
    return status
