"""What changed in the input while it is shown: its files, and its objects. No Textual."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from k8stui.cluster.options import ClusterOptions
    from k8stui.manifests.manifest import Manifest
    from k8stui.nodes.options import NodeOptions
    from k8stui.walk.world import World

Stamps = dict[str, tuple[int, int, int]]
"""By file: when it was changed (nanoseconds), its size in bytes, its inode."""

_MOST_FILES = 20_000
_MOST_LOOKS = 5
"""How often files may be seen in motion before they are read nevertheless: a log among them, a
script that goes on and on, must not keep the screen as it was for good."""
_MOST_NAMED = 3


class Watched:
    """The files of an input, as they were when they were read last."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = paths
        self._read = stamps(paths)
        self._moving: Stamps | None = None
        """The files as they were seen a moment ago, while somebody writes them."""
        self._looks = 0
        """How often in a row they were in motion."""

    def is_changed(self) -> bool:
        """Whether they have changed, and are no longer being written; said once."""
        now = stamps(self._paths)
        if now == self._read:
            self._moving, self._looks = None, 0
            return False
        self._looks += 1
        # An editor may write in several steps: wait for a quiet moment.
        if now != self._moving and self._looks < _MOST_LOOKS:
            self._moving = now
            return False
        self._read, self._moving, self._looks = now, None, 0
        return True


def stamps(paths: Sequence[str]) -> Stamps:
    """Look at the files of an input, without reading them."""
    found: Stamps = {}
    for path in paths:
        for file in _files(path):
            if len(found) == _MOST_FILES:
                return found
            try:
                seen = os.stat(file)  # noqa: PTH116 - twice as quick, and it is done every second
            except OSError:
                continue
            found[file] = (seen.st_mtime_ns, seen.st_size, seen.st_ino)
    return found


def _files(path: str) -> Iterator[str]:
    if not os.path.isdir(path):  # noqa: PTH112 - as above
        yield path
        return
    for folder, folders, files in os.walk(path):
        folders[:] = [each for each in folders if not each.startswith(".")]
        yield from (os.path.join(folder, each) for each in files)  # noqa: PTH118 - as above


def option_files(*options: ClusterOptions | NodeOptions | None) -> Iterator[str]:
    """Yield the files that options name: what was collected on nodes, a configuration."""
    from k8stui.settings import OPTIONS, Form  # noqa: PLC0415 - where files are watched only

    for setting in OPTIONS:
        if setting.form not in (Form.FILE, Form.NODE_FILES):
            continue
        for holder in options:
            value = getattr(holder, setting.name, None)
            if isinstance(value, str):
                yield value
            elif value is not None:
                yield from value.values()


def said_changes(before: World, after: World) -> str:
    """Say which objects were changed, added and deleted, the first few by name; empty: none."""
    old, new = _objects(before), _objects(after)
    parts = [
        _named("changed", [key for key in new if key in old and old[key].data != new[key].data]),
        _named("added", [key for key in new if key not in old]),
        _named("deleted", [key for key in old if key not in new]),
    ]
    return "; ".join(part for part in parts if part)


def _objects(world: World) -> dict[str, Manifest]:
    return {
        f"{each.kind} {each.namespace or 'default'}/{each.name}": each
        for each in world.manifests.objects
    }


def _named(what: str, keys: Sequence[str]) -> str:
    if not keys:
        return ""
    shown = ", ".join(keys[:_MOST_NAMED])
    more = len(keys) - _MOST_NAMED
    return f"{what}: {shown}" + (f" and {more} more" if more > 0 else "")
