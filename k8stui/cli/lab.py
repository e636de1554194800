"""``k8stui lab``: the same cluster in real network namespaces, and the comparison with the walk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from k8stui.cli.asking import Asking, asking_options
from k8stui.cli.options import WholeNumber, common_options, output_format
from k8stui.cli.reading import read_world
from k8stui.cli.status import FINE, FOUND
from k8stui.export.terminal import complain, write, write_data

if TYPE_CHECKING:
    from k8stui.lab.experiment import Experiment
    from k8stui.lab.run import IptablesBackend
    from k8stui.walk.trace import Request
    from k8stui.walk.world import World

_COLD = {"warm": (False,), "cold": (True,), "both": (False, True)}


@click.command("lab")
@common_options
@click.option(
    "--from", "source", metavar="SOURCE", help="Who asks, as in walk; without it every way in."
)
@click.option("--to", "destination", metavar="DESTINATION", help="Who is asked, as in walk.")
@asking_options
@click.option("--all", "every", is_flag=True, help="Every branch; chance is decided for each.")
@click.option(
    "--backend",
    type=click.Choice(["nft", "legacy"]),
    help="iptables-nft or iptables-legacy; without it the one that is there, nft first.",
)
@click.option(
    "--neighbours",
    type=click.Choice(["warm", "cold", "both"]),
    default="warm",
    show_default=True,
    help="Whether the MAC addresses on the way are known already; cold: ARP asks for each.",
)
@click.option(
    "--tries",
    type=WholeNumber(min=0, max=2000),
    default=200,
    show_default=True,
    help="How often to ask where chance decides, to count whom it leads to; 0: not at all.",
)
@output_format("text", "json")
@click.option("-v", "--verbose", is_flag=True, help="The equal packets of every way in, too.")
def command(
    *,
    source: str | None,
    destination: str | None,
    asking: Asking,
    every: bool,
    backend: str | None,
    neighbours: str,
    tries: int,
    form: str,
    verbose: bool,
    **common: Any,
) -> int:
    """Send the request through real network namespaces, and compare each packet with the walk.

    The namespaces that the walk touches are built in a process of their own, with the rules that
    kube-proxy would have, and go with it: nothing on this machine is changed. Needs Linux, root (or
    user namespaces), iproute2 and iptables. Random rules take the branch that the walk takes.

    Exit status: 0 kernel and walk agree; 1 they differ; 2 no lab can be built here, or bad input.
    """
    if (source is None) != (destination is None):
        raise click.UsageError("--from and --to go together; without both, every way in is asked")
    if source is None and not asking.is_plain:
        raise click.UsageError(
            "--source-port, --size, --unconnected and --again are of one request: say which by "
            "--from and --to"
        )
    from k8stui.lab.run import IptablesBackend  # noqa: PLC0415

    world, status = read_world(**common)
    requests = None
    if source is not None and destination is not None:
        request = asking.request(world, source, destination, common["namespace"])
        requests = (request, *asking.more(request))
    kind = IptablesBackend(backend) if backend is not None else None
    return status or _done(
        world, requests, kind, form, _COLD[neighbours], every=every, verbose=verbose, tries=tries
    )


def _done(
    world: World,
    requests: tuple[Request, ...] | None,
    kind: IptablesBackend | None,
    form: str,
    temperatures: tuple[bool, ...],
    *,
    every: bool,
    verbose: bool,
    tries: int,
) -> int:
    from k8stui.export.lab import count_lines, lab_json, lab_lines, note_lines, verdict  # noqa: PLC0415
    from k8stui.lab.chance import Count  # noqa: PLC0415
    from k8stui.lab.errors import NotComparedError  # noqa: PLC0415
    from k8stui.lab.experiment import counts, experiments, ways_in  # noqa: PLC0415
    from k8stui.lab.run import find_tools  # noqa: PLC0415

    tools, _ = find_tools(kind)
    packets = verbose or requests is not None
    done: list[Experiment] = []
    drawn: list[Count] = []
    left: list[str] = []
    missed = 0
    for request in requests if requests is not None else ways_in(world):
        try:
            for cold in temperatures:
                for experiment in experiments(world, request, tools, every=every, cold=cold):
                    done.append(experiment)
                    if form == "text":
                        write(f"{line}\n" for line in lab_lines(experiment, packets=packets))
            counted = counts(world, request, tools, tries) if tries else ""
            if isinstance(counted, Count):
                drawn.append(counted)
                if form == "text":
                    write(f"{line}\n" for line in count_lines(counted))
            elif counted:
                left.append(f"{request.source} → {request.destination}: {counted}")
        except NotComparedError as error:
            if requests is not None:
                raise
            missed += 1
            why = error.render().replace("\n", ": ")
            left.append(f"{request.source} → {request.destination}: not compared: {why}")
    for line in dict.fromkeys(left):
        complain(f"note: {line}")
    if not done:
        raise NotComparedError(f"nothing to compare: {len(left)} ways to ask, none modelled")
    if form == "json":
        import json  # noqa: PLC0415

        told = lab_json(done, drawn) | {"not_compared": left}
        write_data([json.dumps(told, indent=1, ensure_ascii=False), "\n"])
    else:
        for line in note_lines(done):
            complain(line)
        more = f"; {missed} ways to ask are not compared" if missed else ""
        write([verdict(done, drawn), more, "\n"])
    agree = all(e.comparison.agrees for e in done) and all(one.agrees for one in drawn)
    return FINE if agree else FOUND
