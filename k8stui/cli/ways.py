"""``k8stui ways``: a Service's ways of access, asked from every side."""

from __future__ import annotations

from typing import Any

import click

from k8stui.cli.options import WholeNumber, common_options, output_format
from k8stui.cli.reading import read_world
from k8stui.cli.status import FINE, FOUND
from k8stui.errors import value_of
from k8stui.export.terminal import write_cells, write_data


@click.command("ways")
@common_options
@click.argument("service", metavar="svc/NAME")
@click.option(
    "--entries",
    type=WholeNumber(1, 100),
    default=4,
    show_default=True,
    metavar="N",
    help="Nodes whose port is asked.",
)
@output_format("text", "json")
def command(service: str, entries: int, form: str, **common: Any) -> int:
    """Ask a Service by each address and host that it has: from a pod, a node, outside.

    Status 1: one of these addresses leads nobody there.
    """
    from k8stui.export.cases import cases_json, cases_lines  # noqa: PLC0415
    from k8stui.export.compare import screen_columns  # noqa: PLC0415
    from k8stui.walk.cases import is_usable  # noqa: PLC0415
    from k8stui.walk.clients import service_named  # noqa: PLC0415
    from k8stui.walk.ways import ways  # noqa: PLC0415

    world, status = read_world(**common)
    with value_of(service):
        key = service_named(world.cluster, service, common["namespace"]).key
    found = ways(world, key, nodes=entries)
    if form == "json":
        write_data([cases_json(found)])
    else:
        write_cells(cases_lines(found, screen_columns()))
    return status or (FINE if is_usable(found) else FOUND)
