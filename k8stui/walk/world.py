"""Everything one session looks at: the manifests, the cluster made of them, and its network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, BinaryIO

import k8stui
from k8stui.apiserver import apply
from k8stui.cluster.build import build
from k8stui.cluster.model import Cluster, Remark
from k8stui.cluster.options import ClusterOptions
from k8stui.manifests import Manifests, Note, Problem
from k8stui.manifests.progress import Watch
from k8stui.nodes.beside import with_dumps, without_node
from k8stui.nodes.network import ClusterNetwork, build_network
from k8stui.nodes.observed import Unread
from k8stui.nodes.options import NodeOptions
from k8stui.record import record

if TYPE_CHECKING:
    from pathlib import Path


@record(kw_only=True)
class World:
    """What was read, and what a control plane and the nodes make of it."""

    manifests: Manifests
    cluster: Cluster
    network: ClusterNetwork
    options: NodeOptions
    cluster_options: ClusterOptions
    context: str | None = None
    """Name of the live cluster that was read, in the user's kubeconfig."""
    strangers: tuple[Note, ...] = ()
    """States in the given folders that are no node's."""
    bundled: bool = False
    """Nothing was given: this is the guestbook that ships with the program."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the input, to be shown with file, line and caret.

        Of nodes' states: what was met so far, for they are read where a walk gets to.
        """
        return (*self.manifests.problems, *map(_problem, self.network.unread))

    @property
    def notes(self) -> tuple[Note, ...]:
        """What was left out, and why: said, never silent."""
        remarks = (_note(one) for one in (*self.cluster.remarks, *self.network.remarks))
        return (*self.manifests.notes, *remarks, *self.strangers)

    @property
    def stand_ins(self) -> tuple[Note, ...]:
        """What every walk rests on: for which plug-in of the input another one stands."""
        return tuple(map(_note, self.network.stand_ins))


def _problem(unread: Unread) -> Problem:
    return Problem(
        file=unread.file,
        line=unread.line,
        column=1,
        message=f"{unread.command}: not read: {unread.message}",
        hint=f"run again on the node: {unread.command}; the rest of its state is used",
    )


def _note(remark: Remark) -> Note:
    place = remark.origin.place
    if place is None:
        return Note(message=remark.text)
    return Note(message=remark.text, file=place.file, line=place.line, column=place.column)


def build_world(
    paths: Sequence[str],
    cluster_options: ClusterOptions | None = None,
    node_options: NodeOptions | None = None,
    *,
    context: str | None = None,
    stdin: BinaryIO | None = None,
    watch: Watch | None = None,
    when_read: Callable[[], object] = lambda: None,
) -> World:
    """Read `paths` (files, folders, ``-`` for `stdin`) and build the cluster that they describe.

    Dumps in a folder that are named after a node (``node-2.iptables``) are that node's.
    `context` is a live cluster, read by kubectl before the paths. Bad documents become
    `World.problems`; the others are used. Without a path and a context: the guestbook.
    `watch` is told how far the reading is; `when_read` is called between it and the building.

    Raises:
        OSError: a path, or a node's dump, cannot be read.

    """
    cluster_options = cluster_options or ClusterOptions()
    node_options = node_options or NodeOptions()
    bundled = not paths and context is None
    given = [str(sample("guestbook"))] if bundled else list(paths)
    manifests = apply(given, context=context, stdin=stdin, watch=watch)
    when_read()
    cluster = build(manifests, cluster_options)
    node_options = with_dumps(node_options, given, cluster.nodes)
    network = build_network(cluster, node_options)
    return World(
        manifests=manifests,
        cluster=network.cluster,
        network=network,
        options=node_options,
        cluster_options=cluster_options,
        context=context,
        strangers=tuple(
            Note(message=f"what was collected of {name}: no Node has that name", file=file)
            for file, name in without_node(given, cluster.nodes)
        ),
        bundled=bundled,
    )


def sample(name: str) -> Path:
    """Folder of a bundled sample: beside the code in a wheel, in ``samples/`` of a checkout.

    The package is never run from a zip file (it has data files), so its folder is a real one and
    importlib.resources (8 ms of imports) is not needed.
    """
    from pathlib import Path  # noqa: PLC0415 - 3 ms

    package = Path(k8stui.__file__).parent
    installed = package / "samples" / name
    return installed if installed.is_dir() else package.parent / "samples" / name
