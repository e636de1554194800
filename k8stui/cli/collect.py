"""``k8stui collect``: what real nodes hold, into a folder that is a PATH like any other."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import TYPE_CHECKING

import click

from k8stui.cli.options import WholeNumber
from k8stui.cli.status import FINE, FOUND
from k8stui.errors import value_of
from k8stui.export.terminal import complain, write, write_markup

if TYPE_CHECKING:
    from k8stui.collect.run import NodeAccess


@click.command("collect")
@click.option(
    "--print-script",
    is_flag=True,
    help="Print the script (POSIX sh, read-only) and do nothing: ssh NODE sudo sh -s < script.",
)
@click.option("--context", metavar="NAME", help="The cluster, by its name in the kubeconfig.")
@click.option("--node", "nodes", multiple=True, metavar="NODE", help="Only this node; again.")
@click.option(
    "--ssh", is_flag=True, help="By ssh (sudo without a password) instead of kubectl debug."
)
@click.option(
    "--image",
    metavar="IMAGE",
    default="busybox",
    help="Of the debugging pods: busybox. It needs chroot, nothing else.",
)
@click.option(
    "--patience",
    type=WholeNumber(1, 3600),
    metavar="SECONDS",
    default=120,
    help="How long one node may take: 120.",
)
@click.option("--conntrack", is_flag=True, help="The tracked connections, too.")
@click.option(
    "-o", "--output", metavar="DIR", type=click.Path(file_okay=False), help="The folder to write."
)
def command(
    *,
    print_script: bool,
    context: str | None,
    nodes: tuple[str, ...],
    ssh: bool,
    image: str,
    patience: int,
    conntrack: bool,
    output: str | None,
) -> int:
    """Collect what nodes hold, with the cluster's objects, into a folder.

    Nothing is changed on a node, no Secret is asked for, debugging pods are deleted again. The
    folder is a PATH for every command. Status 1: of some node there is nothing.
    """
    from k8stui.collect.script import script  # noqa: PLC0415

    if print_script:
        write_markup([script(conntrack=conntrack)])
        return FINE
    if output is None:
        raise click.UsageError("-o DIR: where to (or --print-script)")
    if context is None and not (ssh and nodes):
        raise click.UsageError("--context NAME: which cluster (or --ssh and --node NODE)")
    from k8stui.collect.run import NodeAccess, checked, nodes_of  # noqa: PLC0415

    with value_of("--node"):
        given = checked(nodes)
    way = NodeAccess(context=context or "", ssh=ssh, image=image, patience_seconds=patience)
    folder = Path(output)
    folder.mkdir(parents=True, exist_ok=True)
    whole = context is None or _objects(context, folder)
    names = given or nodes_of(way.context)
    return _nodes(names, script(conntrack=conntrack), way, folder) or (FINE if whole else FOUND)


def _objects(context: str, folder: Path) -> bool:
    """Write what kubectl gets of the cluster; whether that is all."""
    from k8stui.manifests.kubectl import Kubectl  # noqa: PLC0415

    with Kubectl(context, lambda _: None) as kubectl:
        for number, answer in enumerate(kubectl.answers()):
            if answer.stream is not None:
                name = f"cluster-{number}.json.gz" if number else "cluster.json.gz"
                packed = gzip.compress(answer.stream.read(), mtime=0)
                (folder / name).write_bytes(packed)
    for note in kubectl.notes:
        complain(f"note: {note.render()}")
    for problem in kubectl.problems:
        complain(problem.render())
    return not kubectl.problems


def _nodes(names: list[str], text: str, way: NodeAccess, folder: Path) -> int:
    from k8stui.collect import run  # noqa: PLC0415

    status = FINE
    for found in run.collect(names, text, way):
        if found.left:
            complain(f"{found.node}: {found.left}")
        if found.failure:
            complain(f"{found.node}: {found.failure}")
            status = FOUND
        else:
            write([f"{run.write(found, folder)}: {len(found.text):,} bytes\n"])
    return status
