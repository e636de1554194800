"""``k8stui check``: findings and assertions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from k8stui.cli.options import common_options, output_format
from k8stui.cli.reading import read_world
from k8stui.cli.status import BAD, FINE, FOUND
from k8stui.export.terminal import complain, write, write_as_is, write_data

if TYPE_CHECKING:
    from k8stui.check import Assertion
    from k8stui.manifests import Problem


@click.command("check")
@common_options
@output_format("text", "json", "sarif", "github")
@click.option(
    "--assert",
    "asserted",
    multiple=True,
    metavar="TEXT",
    help='A reachability test: "pod/a -> svc/b:80 connected", "role=web -> role=db:5432 connected" '
    '(all pairs), "outside -> ns/shop not connected".',
)
@click.option(
    "--assert-file",
    "assert_files",
    multiple=True,
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False),
    help="Reachability tests, one a line; # starts a comment.",
)
@click.option(
    "--ignore",
    multiple=True,
    metavar="RULE",
    help="A rule that stays silent, whether k8stui finds it or the API server would refuse it.",
)
def command(
    form: str,
    asserted: Sequence[str],
    assert_files: Sequence[str],
    ignore: Sequence[str],
    **common: Any,
) -> int:
    """Find what keeps packets from arriving, and what the API server refuses.

    Each finding names the line, the hop at which the packet dies, the walk that shows it, and what
    mends it. Only errors (and assertions that do not hold) make the exit status 1.
    """
    from k8stui.check import Severity, unreadable, worst  # noqa: PLC0415
    from k8stui.check import check as check_world  # noqa: PLC0415
    from k8stui.export import findings as export  # noqa: PLC0415

    _known_rules(ignore)
    assertions, wrong = _assertions(asserted, assert_files)
    if wrong:
        for problem in wrong:
            complain(problem.render())
        return BAD
    world, status = read_world(doubts=False, ignore=ignore, **common)
    found = check_world(
        world, common["paths"], assertions=assertions, ignore=ignore, namespace=common["namespace"]
    )
    if form == "text":
        calm = export.CALM if world.manifests.objects else "nothing to check: no object was read"
        write(f"{line}\n" for line in export.findings_lines(found, calm))
    else:
        refused = (each for each in unreadable(world.problems) if each.rule not in ignore)
        put = write_as_is if form == "github" else write_data
        put(export.encoded(form, (*refused, *found)))
    return status or (FOUND if worst(found) is Severity.ERROR else FINE)


def _assertions(
    texts: Sequence[str], files: Sequence[str]
) -> tuple[list[Assertion], list[Problem]]:
    from k8stui.check.assertion import AssertionSyntaxError, parse, read  # noqa: PLC0415
    from k8stui.manifests import packed  # noqa: PLC0415

    found: list[Assertion] = []
    wrong: list[Problem] = []
    for text in texts:
        try:
            found.append(parse(text))
        except AssertionSyntaxError as error:
            wrong.append(error.problem)
    for file in files:
        content = packed.read(file).decode("utf-8-sig", "replace")
        read_well, read_badly = read(file, content)
        found += read_well
        wrong += read_badly
    return found, wrong


def _known_rules(names: Sequence[str]) -> None:
    from k8stui.check.table import BY_ID  # noqa: PLC0415
    from k8stui.suggest import nearest  # noqa: PLC0415

    for name in names:
        if name not in BY_ID:
            near = nearest(name, BY_ID)
            hint = f"did you mean {near}?" if near else f"there is: {', '.join(BY_ID)}"
            raise click.UsageError(f"--ignore: there is no rule {name!r}; {hint}")
