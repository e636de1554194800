"""Dumps of nodes that lie beside the manifests: ``NODE.iptables``, ``NODE.ipset``."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from k8stui.nodes.options import NodeOptions

_KINDS = {".iptables": "iptables", ".ipset": "ipset"}


def with_dumps(options: NodeOptions, folders: Sequence[str], nodes: Collection[str]) -> NodeOptions:
    """`options` with the dumps in `folders` that are named after one of `nodes`.

    What the options say of a node themselves comes first. Whatever is no folder is passed over.
    """
    found: dict[str, dict[str, str]] = {}
    for folder in folders:
        for name, path in _files(folder):
            node, kind = os.path.splitext(name)  # noqa: PTH122 - pathlib costs 3 ms of a walk
            if kind in _KINDS and node in nodes:
                found.setdefault(_KINDS[kind], {}).setdefault(node, path)
    if not found:
        return options
    said: dict[str, Mapping[str, str]] = {
        "iptables": {**found.get("iptables", {}), **options.iptables},
        "ipset": {**found.get("ipset", {}), **options.ipset},
    }
    return replace(options, iptables=said["iptables"], ipset=said["ipset"])


def _files(folder: str) -> Iterator[tuple[str, str]]:
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if entry.name.endswith(tuple(_KINDS)))
    except OSError:
        return
    for name in names:
        yield name, os.path.join(folder, name)  # noqa: PTH118 - as above
