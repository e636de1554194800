"""``k8stui clients``: which source address a pod sees."""

from __future__ import annotations

from typing import Any

import click

from k8stui.cli.options import common_options, output_format
from k8stui.cli.reading import read_world
from k8stui.errors import value_of
from k8stui.export.terminal import write, write_data

_ASKED = 20
"""Nodes that are asked; a table of more is not read."""


@click.command("clients")
@common_options
@click.argument("service", metavar="svc/NAME")
@output_format("text", "json")
def command(service: str, form: str, **common: Any) -> int:
    """Show which address a pod takes for its client: entry node by externalTrafficPolicy."""
    from k8stui.export.clients import clients_json, clients_lines  # noqa: PLC0415
    from k8stui.walk.clients import arrivals, service_named  # noqa: PLC0415

    world, status = read_world(**common)
    with value_of(service):
        key = service_named(world.cluster, service, common["namespace"]).key
    found = list(arrivals(world, key, nodes=_ASKED))
    not_asked = max(0, len(world.cluster.nodes) - _ASKED)
    if form == "json":
        write_data([clients_json(key, found, not_asked=not_asked)])
    else:
        write(f"{line}\n" for line in clients_lines(key, found, not_asked=not_asked))
    return status
