"""Folders and files, on disk and in archives alike: ``bundle.tar.gz/networking/iprule``."""

from __future__ import annotations

import os

from k8stui.manifests import archive, packed

# A path is shown as it was typed, and pathlib costs 3 ms of every walk:
# ruff: noqa: PTH112, PTH113


def is_file(path: str) -> bool:
    return (os.path.isfile(path) and not is_archive(path)) or _is(path, is_folder=False)


def is_folder(path: str) -> bool:
    """Whether it is a folder, or an archive, which is one too."""
    return os.path.isdir(path) or _is(path, is_folder=True)


def is_archive(path: str) -> bool:
    return path.lower().endswith(archive.ENDINGS)


def names(folder: str) -> list[tuple[str, bool]]:
    """What stands in a folder: name, and whether that is a folder; sorted.

    Raises:
        OSError: it cannot be read.

    """
    found = archive.of(folder)
    if found is not None:
        inside, name = found
        return sorted(inside.folders.get(name, {}).items())
    with os.scandir(folder) as entries:
        return sorted((entry.name, entry.is_dir()) for entry in entries)


def read(path: str) -> bytes:
    """Return what stands in a file, unpacked.

    Raises:
        OSError: as `packed.read`, and where it is in an archive that cannot be read.

    """
    try:
        return packed.read(path)
    except NotADirectoryError:
        return _inside(path)


def beginning(path: str, size: int) -> bytes:
    """Return the first `size` bytes of the same."""
    try:
        return packed.beginning(path, size)
    except NotADirectoryError:
        return _inside(path)[:size]


def _inside(path: str) -> bytes:
    found = archive.of(path)
    if found is None:
        raise NotADirectoryError(20, "Not a directory", path)
    inside, name = found
    return inside.read(name)


def _is(path: str, *, is_folder: bool) -> bool:
    try:
        found = archive.of(path)
    except (OSError, ValueError):
        return False
    if found is None:
        return False
    inside, name = found
    return name in (inside.folders if is_folder else inside.files)
