"""Dumps of nodes that lie beside the manifests.

``NODE.iptables`` and ``NODE.ipset``; ``nodes/NODE.txt``, all that was collected of the node,
``nodes/NODE.json``, what KubeSkoop's collector wrote of it, or
``nodes/NODE/`` with a file for each command; folders of other programs (`nodes.state.bundle`).
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from k8stui.manifests import folders
from k8stui.nodes.options import NodeOptions
from k8stui.nodes.state import bundle, kubeskoop

_KINDS = {".iptables": "iptables", ".ipset": "ipset"}
_NODES = "nodes"
_STATES = (".txt", ".txt.gz", ".txt.xz")
_JSON = (".json", ".json.gz", ".json.xz")
_HEAD = 4096
"""Bytes in which KubeSkoop's files name a namespace."""


def with_dumps(options: NodeOptions, given: Sequence[str], nodes: Collection[str]) -> NodeOptions:
    """`options` with the dumps in the folders of `given` that are named after one of `nodes`.

    What the options say of a node themselves comes first. Whatever is no folder is passed over.
    """
    found: dict[str, dict[str, str]] = {}
    for folder in given:
        for name, path in _files(folder, tuple(_KINDS)):
            node, kind = os.path.splitext(name)  # noqa: PTH122 - pathlib costs 3 ms of a walk
            if node in nodes:
                found.setdefault(_KINDS[kind], {}).setdefault(node, path)
        for host, path in _states(folder):
            called = _called(host, nodes)
            if called is not None:
                found.setdefault("state", {}).setdefault(called, path)
    if not found:
        return options
    said: dict[str, Mapping[str, str]] = {
        kind: {**found.get(kind, {}), **getattr(options, kind)}
        for kind in ("iptables", "ipset", "state")
    }
    return replace(options, iptables=said["iptables"], ipset=said["ipset"], state=said["state"])


def without_node(given: Sequence[str], nodes: Collection[str]) -> Iterator[tuple[str, str]]:
    """States in the folders of `given` that are called after none of `nodes`: (path, the name)."""
    for folder in given:
        for node, path in _states(folder):
            if _called(node, nodes) is None:
                yield path, node


def _called(host: str, nodes: Collection[str]) -> str | None:
    """The Node of a host: kubelet takes its name in small letters, some clouds its first label.

    Where there is but one node and nothing says its name, it is that one.
    """
    if not host:
        return next(iter(nodes)) if len(nodes) == 1 else None
    small = host.lower()
    names = (host, small, small.partition(".")[0])
    return next((one for one in names if one in nodes), None)


def _states(folder: str) -> Iterator[tuple[str, str]]:
    """What was collected of nodes: (the node's name, path)."""
    nodes = os.path.join(folder, _NODES)  # noqa: PTH118
    for name, path in _files(nodes, _STATES):
        yield next(name.removesuffix(end) for end in _STATES if name.endswith(end)), path
    for name, path in _files(nodes, _JSON):
        if _is_kubeskoop(path):
            yield next(name.removesuffix(end) for end in _JSON if name.endswith(end)), path
    for name in bundle.subfolders(nodes):
        path = os.path.join(nodes, name)  # noqa: PTH118
        if bundle.is_by_hand(path):
            yield name, path
    for name in ("", *bundle.subfolders(folder)):
        path = os.path.join(folder, name) if name else folder  # noqa: PTH118
        layout = bundle.layout_of(path)
        if layout is not None:
            yield bundle.host_of(path, layout), path


def _is_kubeskoop(path: str) -> bool:
    try:
        return kubeskoop.is_kubeskoop(folders.beginning(path, _HEAD).decode("utf-8", "replace"))
    except OSError:
        return False


def _files(folder: str, endings: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    try:
        found = folders.names(folder)
    except (OSError, ValueError):
        return
    for name, is_folder in found:
        if name.endswith(endings) and not is_folder:
            yield name, os.path.join(folder, name)  # noqa: PTH118 - as above
