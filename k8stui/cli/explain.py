"""``k8stui explain``: which policies select a pod, and what may come in and go out."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from k8stui.cli.options import common_options, output_format
from k8stui.cli.reading import read_world
from k8stui.cli.status import FINE, FOUND
from k8stui.errors import value_of
from k8stui.export.terminal import write, write_data

if TYPE_CHECKING:
    from k8stui.export.explain import Explained
    from k8stui.walk.world import World


@click.command("explain")
@common_options
@click.argument("pod", metavar="pod/NAME")
@click.option(
    "--ask",
    "asks",
    multiple=True,
    metavar='"SOURCE -> DESTINATION"',
    help="A request: what comes of it, and the smallest change of a policy that would allow it.",
)
@output_format("text", "json")
def command(pod: str, asks: tuple[str, ...], form: str, **common: Any) -> int:
    """Say which NetworkPolicies select a pod, and what may come in and go out.

    Status 1: what is asked does not arrive, or not always.
    """
    from k8stui.export.explain import explain_json, explain_lines  # noqa: PLC0415
    from k8stui.kernel.exchange import Result  # noqa: PLC0415
    from k8stui.walk.policy_view import policy_view  # noqa: PLC0415
    from k8stui.walk.source import parse_source  # noqa: PLC0415

    world, status = read_world(**common)
    namespace = common["namespace"]
    with value_of(pod):
        found = parse_source(world.cluster, pod, namespace, ()).pod
    if found is None:
        raise click.UsageError(f"explain takes a pod or a workload, not {pod!r}")
    view = policy_view(world, found)
    asked = list(_asked(world, asks, namespace))
    if form == "json":
        write_data(explain_json(view, asked))
    else:
        write(f"{line}\n" for line in explain_lines(view, asked))
    arrived = all(one.trace.outcome.result is Result.CONNECTED for one in asked)
    return status or (FINE if arrived else FOUND)


def _asked(world: World, asks: tuple[str, ...], namespace: str) -> Iterator[Explained]:
    from k8stui.export.explain import Explained  # noqa: PLC0415
    from k8stui.replay.replay import parse_question  # noqa: PLC0415
    from k8stui.walk.policy_change import denials_and_changes  # noqa: PLC0415
    from k8stui.walk.request import parse_request  # noqa: PLC0415
    from k8stui.walk.walk import walks  # noqa: PLC0415

    for text in asks:
        with value_of("--ask"):
            question = parse_question(text)
            request = parse_request(world, question.source, question.destination, namespace)
        found: dict[Hashable, Explained] = {}
        for trace in walks(world, request):
            one = Explained(
                question=text,
                trace=trace,
                share=trace.probability,
                denials=tuple(denials_and_changes(world, trace)),
            )
            alike = found.setdefault(one.alike, one)
            if alike is not one:
                found[one.alike] = replace(alike, share=alike.share + one.share)
        yield from found.values()
