"""Dumps of nodes that lie beside the manifests.

``NODE.iptables`` and ``NODE.ipset``; ``nodes/NODE.txt``, all that was collected of the node.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from k8stui.nodes.options import NodeOptions

_KINDS = {".iptables": "iptables", ".ipset": "ipset"}
_NODES = "nodes"
_STATES = (".txt", ".txt.gz", ".txt.xz")


def with_dumps(options: NodeOptions, folders: Sequence[str], nodes: Collection[str]) -> NodeOptions:
    """`options` with the dumps in `folders` that are named after one of `nodes`.

    What the options say of a node themselves comes first. Whatever is no folder is passed over.
    """
    found: dict[str, dict[str, str]] = {}
    for folder in folders:
        for name, path in _files(folder, tuple(_KINDS)):
            node, kind = os.path.splitext(name)  # noqa: PTH122 - pathlib costs 3 ms of a walk
            if node in nodes:
                found.setdefault(_KINDS[kind], {}).setdefault(node, path)
        for node, path in _states(folder):
            if node in nodes:
                found.setdefault("state", {}).setdefault(node, path)
    if not found:
        return options
    said: dict[str, Mapping[str, str]] = {
        kind: {**found.get(kind, {}), **getattr(options, kind)}
        for kind in ("iptables", "ipset", "state")
    }
    return replace(options, iptables=said["iptables"], ipset=said["ipset"], state=said["state"])


def without_node(folders: Sequence[str], nodes: Collection[str]) -> Iterator[tuple[str, str]]:
    """States in `folders` that are called after none of `nodes`: (path, the name)."""
    for folder in folders:
        for node, path in _states(folder):
            if node not in nodes:
                yield path, node


def _states(folder: str) -> Iterator[tuple[str, str]]:
    """What was collected of nodes: (the node's name, path)."""
    for name, path in _files(os.path.join(folder, _NODES), _STATES):  # noqa: PTH118
        yield next(name.removesuffix(end) for end in _STATES if name.endswith(end)), path


def _files(folder: str, endings: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if entry.name.endswith(endings))
    except OSError:
        return
    for name in names:
        yield name, os.path.join(folder, name)  # noqa: PTH118 - as above
