"""Paths from the command line → files, in a stable order."""

# A path is shown as it was typed; pathlib would drop a leading "./":
# ruff: noqa: PTH112, PTH113, PTH114, PTH115, PTH116, PTH118, PTH120, PTH208

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from typing import BinaryIO

from k8stui.manifests import archive
from k8stui.manifests.folders import is_archive
from k8stui.manifests.packed import PACKED
from k8stui.manifests.problem import Note, Problem
from k8stui.record import record

SUFFIXES = (".yaml", ".yml", ".json")
"""What is read in a folder, as kubectl does, packed or not; a file that is named is always read."""
_NOTHING = {errno.ENOENT, errno.ENOTDIR, errno.EBADF, errno.ELOOP}
"""What stat says of a path that leads nowhere, as `pathlib` reads it."""
_CNI = (".conflist",)
_READ = _CNI + SUFFIXES + tuple(suffix + packing for suffix in SUFFIXES for packing in PACKED)
_SHUT = (".tar.zst", ".7z", ".rar")
STDIN = "-"


@record()
class InputFile:
    """One thing to read."""

    path: str
    """As given on the command line; for a file in a folder, the folder as given and the rest."""
    named: bool
    """The user named this very file."""
    stream: BinaryIO | None = None
    """What is read instead of a file; `path` is then only its name."""


def expand(given: str) -> Iterator[InputFile | Problem | Note]:
    """Yield the files of one path: itself, or a folder's, sorted, those of subfolders behind them.

    Hidden files and folders are left out. The order is by name, files and subfolders alike, and
    links to folders are not followed (filepath.Walk, which ``kubectl apply -R`` uses).
    """
    if given == STDIN:
        yield InputFile(given, named=True)
        return
    try:
        mode = os.stat(given).st_mode
    except (OSError, ValueError) as error:  # a NUL byte, a name that is too long
        if isinstance(error, ValueError) or error.errno in _NOTHING:
            yield _missing(given)
        else:
            yield Problem(file=given, message=f"cannot be read: {error}")
        return
    if stat.S_ISDIR(mode):
        count = 0
        for one in _folder(given):
            count += isinstance(one, InputFile)
            yield one
        if not count:
            names = ", ".join(SUFFIXES)
            yield Note(message=f"no {names} file in this folder", file=given, count=0)
    elif is_archive(given):
        yield from _archive(given)
    elif given.lower().endswith(_SHUT):
        hint = "unpack it, and give the folder; or pack it as .tar.gz or .zip"
        yield Problem(file=given, message="an archive of a kind that is not read", hint=hint)
    else:
        yield InputFile(given, named=True)


def identity(file: InputFile) -> tuple[int, int] | None:
    """Tell a file from all others, whatever path leads to it; None: there is none to tell."""
    if file.stream is not None or file.path == STDIN:
        return None
    try:
        found = os.stat(file.path)
    except (OSError, ValueError):  # told when it is read
        return None
    return found.st_dev, found.st_ino


def _archive(given: str) -> Iterator[InputFile | Problem | Note]:
    """The same of what an archive holds: its order is by name too, and nothing is hidden."""
    try:
        found = archive.of(given)
    except OSError as error:
        yield Problem(file=given, message=f"cannot be read: {error.strerror or error}")
        return
    inside = found[0] if found is not None else None
    if inside is None:
        return
    if inside.refused:
        message = "entries that are links or devices, or lead out of the archive: not read"
        yield Note(message=message, file=given, count=inside.refused)
    for name in sorted(inside.files):
        if name.endswith(_READ):
            yield InputFile(f"{given}/{name}", named=False)


def _folder(folder: str) -> Iterator[InputFile | Problem | Note]:
    waiting = [_names(folder)]  # not by recursion: folders can be nested deeper than calls
    while waiting:
        one = next(waiting[-1], None)
        if one is None:
            waiting.pop()
        elif isinstance(one, Problem):
            yield one
        elif os.path.isdir(one):
            if os.path.islink(one):
                yield Note(
                    message="a link to a folder: not followed, as by kubectl apply -R", file=one
                )
            else:
                waiting.append(_names(one))
        elif one.endswith(_READ) and (os.path.isfile(one) or os.path.islink(one)):
            yield InputFile(one, named=False)


def _names(folder: str) -> Iterator[str | Problem]:
    """Paths of what stands in a folder, in order."""
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        yield Problem(file=folder, message=f"cannot be read: {error.strerror}")
        return
    for name in names:
        if not name.startswith("."):
            yield os.path.join(folder, name)


def _missing(given: str) -> Problem:
    from pathlib import Path  # noqa: PLC0415 - 3 ms, for mistakes only

    from k8stui.suggest import nearest  # noqa: PLC0415 - for mistakes only

    path = Path(given)
    hint = ""
    try:
        near = nearest(path.name, os.listdir(path.parent)) if path.parent.is_dir() else None
    except OSError:
        near = None
    if path.is_symlink():
        hint = f"it is a link to {os.readlink(path)}, which is not there"
    elif near:
        hint = f"did you mean:\n{os.path.join(os.path.dirname(given), near)}"
    return Problem(file=given, message="no such file or folder", hint=hint)
