"""``k8stui walk``: one request, there and back; ``--compare``: under another setting too."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from k8stui.cli.asking import Asking, asking_options
from k8stui.cli.options import WholeNumber, common_options, output_format
from k8stui.cli.output import output_to
from k8stui.cli.reading import read_world
from k8stui.cli.status import FINE, FOUND
from k8stui.errors import value_of
from k8stui.export.terminal import write_cells, write_data, write_markup, write_walks
from k8stui.settings import WHAT_IFS

if TYPE_CHECKING:
    from k8stui.walk.trace import Request, Trace
    from k8stui.walk.world import World

MOST_BRANCHES = 2_000
"""Of --all. Among endpoints that are not there each repeated SYN is a new choice, which makes their
number to the fourth power of branches."""

_WIDTH, _HEIGHT = 120, 34
"""Cells of a drawing."""


@click.command("walk")
@common_options
@click.option(
    "--from",
    "source",
    required=True,
    metavar="SOURCE",
    help="pod/NAME, pod/NAME.NAMESPACE, pod/NAME/CONTAINER, deploy/NAME …, node/NAME, outside, "
    "an address.",
)
@click.option(
    "--to",
    "destination",
    required=True,
    metavar="DESTINATION",
    help="svc/NAME:PORT, svc/NAME.NAMESPACE:PORT, pod/NAME:PORT, node/NAME:NODEPORT, "
    "ADDRESS:PORT, DNSNAME:PORT, localhost:PORT; /udp or /sctp behind it. A ping: pod/NAME/icmp, "
    "ADDRESS/icmp.",
)
@asking_options
@click.option(
    "--gone",
    metavar="POD",
    help="With --again: the pod goes away after the first request. Rules are written anew, and "
    "what conntrack keeps is as it was: kube-proxy's clearing of UDP entries comes after.",
)
@click.option("--all", "every", is_flag=True, help="Every branch, not only the first endpoint's.")
@output_format("text", "json", "drawing", "svg", "html")
@click.option(
    "--step",
    type=WholeNumber(1),
    metavar="N",
    help="Of a drawing: this step of the walk instead of all of it.",
)
@click.option(
    "--width",
    type=WholeNumber(40, 400),
    metavar="CELLS",
    default=None,
    help="Of a drawing: its width, 120.",
)
@click.option(
    "--height", type=WholeNumber(12, 200), metavar="CELLS", help="Of a drawing: its height, 34."
)
@click.option(
    "-o", "--output", metavar="FILE", type=click.Path(dir_okay=False), help="Write to a file."
)
@click.option(
    "-v",
    "--verbose",
    is_flag=True,
    help="Under each step the rule's text, its origin, and the command that shows it on a node.",
)
@click.option(
    "--compare",
    "assignment",
    metavar="SETTING=VALUE",
    help="Walk again with another setting and show where the two part: "
    f"{', '.join(setting.what_if for setting in WHAT_IFS)}.",
)
@click.option(
    "--against",
    multiple=True,
    metavar="PATH",
    help="Ask another input (manifests after a change) the same, and all ways of access of both; "
    "status 1: something is connected less often there.",
)
def command(
    *,
    source: str,
    destination: str,
    form: str,
    asking: Asking,
    step: int | None,
    width: int | None,
    height: int | None,
    output: str | None,
    gone: str | None,
    every: bool,
    verbose: bool,
    assignment: str | None,
    against: tuple[str, ...],
    **common: Any,
) -> int:
    """Walk one request, there and back, and say what the client feels."""
    if gone is not None and not asking.times:
        raise click.UsageError("--gone is between the first request and those of --again")
    if against:
        if assignment or every or verbose or not asking.is_plain:
            raise click.UsageError(
                "--against goes with none of --compare, --all, --again, --verbose, --source-port, "
                "--size and --unconnected"
            )
        if form not in ("text", "json"):
            raise click.UsageError("--against is told as --format text or json")
        with output_to(output):
            return _against(source, destination, against, form, common)
    if assignment is not None:
        if every or verbose or not asking.is_plain:
            raise click.UsageError(
                "--compare goes with none of --all, --again, --verbose, --source-port, --size and "
                "--unconnected"
            )
        if form not in ("text", "json"):
            raise click.UsageError("--compare is told as --format text or json")
        with output_to(output):
            return _compared(source, destination, assignment, form, common)
    from k8stui.kernel.exchange import Result  # noqa: PLC0415
    from k8stui.walk.error import RequestError  # noqa: PLC0415
    from k8stui.walk.walk import walk as walk_one  # noqa: PLC0415
    from k8stui.walk.walk import walks  # noqa: PLC0415

    is_drawn = form in ("drawing", "svg")
    if step is not None and not is_drawn:
        raise click.UsageError("--step is of --format drawing and svg")
    if (width or height) and not (is_drawn or form == "html"):
        raise click.UsageError("--width and --height are of --format drawing, svg and html")
    if is_drawn and every:
        raise click.UsageError(f"--format {form} draws one walk: not with --all")
    if (is_drawn or form == "html") and asking.times:
        raise click.UsageError(f"--format {form} shows one request: not with --again")
    world, status = read_world(**common)
    request = asking.request(world, source, destination, common["namespace"])

    def walked(world: World, asked: Request) -> list[Trace]:
        if not every:
            return [walk_one(world, asked)]
        found = list(islice(walks(world, asked), MOST_BRANCHES + 1))
        if len(found) > MOST_BRANCHES:
            raise RequestError(
                f"more than {MOST_BRANCHES:,} branches", hint="leave --all out: the first is walked"
            )
        return found

    rounds = [walked(world, request)]
    after, formerly = world, None
    if gone is not None:
        from k8stui.walk.gone import leaving, without  # noqa: PLC0415

        with value_of("--gone"):
            pod = leaving(world, request, gone, common["namespace"])
        after = without(world, pod)
        formerly = world.network
    rounds += [walked(after, one) for one in asking.more(request, formerly)]
    cells = (width or _WIDTH, height or _HEIGHT)
    with output_to(output):
        if form == "json":
            from k8stui.export.json import walk_json  # noqa: PLC0415 - 9 ms

            write_data([walk_json(request, *rounds)])
        elif form == "html":
            from k8stui.export.page.page import walk_page  # noqa: PLC0415 - 20 ms

            write_markup(walk_page(world, rounds[0], *cells))
        elif is_drawn:
            _draw(world, rounds[0][0], form, step, cells)
        else:
            write_walks(rounds, verbose=verbose)
    delivered = all(t.outcome.result is Result.CONNECTED for found in rounds for t in found)
    return status or (FINE if delivered else FOUND)


def _draw(world: World, trace: Trace, form: str, step: int | None, cells: tuple[int, int]) -> None:
    """``--format drawing`` and ``svg``."""
    from k8stui.export.drawing.ink import text_of  # noqa: PLC0415
    from k8stui.export.drawing.picture import picture, step_picture, title  # noqa: PLC0415

    if step is not None and step > len(trace.steps):
        raise click.UsageError(f"--step {step}: the walk has {len(trace.steps)} steps")
    if step is None:
        lines = picture(world, trace, *cells)
    else:
        lines = step_picture(world, trace, step, *cells)
    if form == "svg":
        from k8stui.export.drawing.svg import svg  # noqa: PLC0415

        write_markup(f"{line}\n" for line in svg(lines, f"k8stui: {text_of(title(trace))}"))
    else:
        write_cells(text_of(line).rstrip() for line in lines)


def _compared(
    source: str, destination: str, assignment: str, form: str, common: dict[str, Any]
) -> int:
    """``walk --compare``. The status is that of the walk as the input has it, in every branch."""
    from k8stui.export.compare import compare_json, compare_lines, screen_columns  # noqa: PLC0415
    from k8stui.kernel.exchange import Result  # noqa: PLC0415
    from k8stui.walk.compare import compare  # noqa: PLC0415

    world, status = read_world(**common)
    found = compare(world, source, destination, assignment, common["namespace"])
    if form == "json":
        write_data([compare_json(found)])
    else:
        write_cells(compare_lines(found, screen_columns()))
    delivered = all(answer.result is Result.CONNECTED for answer in found.answers_before)
    return status or (FINE if delivered else FOUND)


def _against(
    source: str, destination: str, paths: tuple[str, ...], form: str, common: dict[str, Any]
) -> int:
    """``walk --against``: the request, and all ways of access, before and after a change."""
    from k8stui.export.cases import cases_json, cases_lines  # noqa: PLC0415
    from k8stui.export.compare import screen_columns  # noqa: PLC0415
    from k8stui.walk.comparisons import is_worse, versions  # noqa: PLC0415
    from k8stui.walk.request import parse_request  # noqa: PLC0415
    from k8stui.walk.walk import walk as walk_one  # noqa: PLC0415

    world, status = read_world(**common)
    trace = walk_one(world, parse_request(world, source, destination, common["namespace"]))
    other, status_after = read_world(**{**common, "paths": paths, "context": None})
    found = versions(world, other, trace)
    if form == "json":
        write_data([cases_json(found)])
    else:
        write_cells(cases_lines(found, screen_columns()))
    return status or status_after or (FOUND if is_worse(found) else FINE)
