"""Archives that stand for a folder: tar, packed or not, and zip. Nothing is unpacked to disk.

Untrusted like every input: what leads out of the archive, links, devices and files with holes are
not read; how many entries it has, and how many bytes come out of it, is bounded (`packed`).
"""

from __future__ import annotations

import os
import posixpath
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import IO, TYPE_CHECKING, cast

from k8stui.manifests import packed

if TYPE_CHECKING:
    import tarfile
    import zipfile

# pathlib costs 3 ms of every start:
# ruff: noqa: PTH116

ZIP = ".zip"
_TAR = {
    ".tar": "",
    ".tgz": "gzip",
    ".tar.gz": "gzip",
    ".tar.xz": "lzma",
    ".txz": "lzma",
    ".tar.bz2": "bz2",
    ".tbz2": "bz2",
}
"""Ends of names → the module that unpacks them."""
ENDINGS = (*_TAR, ZIP)
_ENTRIES = 200_000
"""Of one archive, at most: a log bundle has some thousands."""
_KEPT = _ALL_KEPT = 1 << 26
"""Bytes of a file, and packed of all, that are kept while a tar is read once through; what is
bigger is looked up again, each time from the start."""
_OPEN_AT_ONCE = 4
_LONGEST = 4096
"""Characters of a path (PATH_MAX)."""


class Archive:
    """What stands in one file, as folders and files; paths have ``/`` between their parts."""

    def __init__(self, path: str) -> None:
        """Read the list of what it holds.

        A folder that alone stands at its top, as in what `tar` made of one, is left out of names.

        Raises:
            OSError: it cannot be read, is damaged, or holds too much.

        """
        self._path = path
        self._texts: dict[str, bytes] = {}
        """Packed: manifests and state take a tenth of their room."""
        self._within: dict[str, str] = {}
        self.refused = 0
        """How many entries are not read: links, devices, names that lead out of it."""
        with _damaged(path):
            found = dict(self._zipped() if path.endswith(ZIP) else self._tarred())
        top = _common_folder(found)
        self.files: Mapping[str, int] = {name.removeprefix(top): n for name, n in found.items()}
        """Each file's bytes."""
        self._texts = {name.removeprefix(top): text for name, text in self._texts.items()}
        self._within = {name.removeprefix(top): inner for name, inner in self._within.items()}
        self.folders: dict[str, dict[str, bool]] = {"": {}}
        """Each folder's entries: name → whether that is a folder."""
        for name in self.files:
            self._enter(name)

    def read(self, name: str) -> bytes:
        """Return what the file `name` holds, unpacked if it is packed once more.

        Raises:
            OSError: there is none, it is damaged, or holds too much.

        """
        if name not in self.files:
            raise FileNotFoundError(2, "No such file in the archive", f"{self._path}/{name}")
        with _damaged(self._path):
            if (kept := self._texts.get(name)) is not None:
                text = zlib.decompress(kept)
            else:
                text = self._zip(name) if self._path.endswith(ZIP) else self._tar(name)
        return packed.unpacked(name, text)

    def _enter(self, name: str) -> None:
        is_folder = False
        while name:
            above, _, last = name.rpartition("/")
            entries = self.folders.setdefault(above, {})
            if last in entries:
                return
            entries[last] = is_folder
            name, is_folder = above, True

    def _named(self, written: str) -> str:
        """The entry's name; empty: it leads out of the archive."""
        name = posixpath.normpath(written)
        out = written.startswith("/") or name in (".", "..") or name.startswith("../")
        return "" if out or "\0" in written or len(written) > _LONGEST else name

    def _counted(self, written: str, is_file: bool, known: Mapping[str, str]) -> str:
        """The name of an entry that is read; empty: it is not."""
        name = self._named(written)
        if not is_file or not name:
            self.refused += 1
            return ""
        if len(known) >= _ENTRIES:
            raise OSError(f"holds more than {_ENTRIES:,} files")
        return "" if name in known else name

    def _tarred(self) -> Iterator[tuple[str, int]]:
        kept = 0
        with _opened_tar(self._path) as archive:
            for entry in archive:
                if entry.isdir():
                    continue
                is_file = entry.isreg() and not entry.issparse()
                name = self._counted(entry.name, is_file, self._within)
                if not name:
                    continue
                self._within[name] = entry.name
                if entry.size <= _KEPT and kept < _ALL_KEPT:
                    text = cast("IO[bytes]", archive.extractfile(entry)).read()
                    self._texts[name] = zlib.compress(text, 1)
                    kept += len(self._texts[name])
                yield name, entry.size

    def _zipped(self) -> Iterator[tuple[str, int]]:
        with _opened_zip(self._path) as archive:
            for entry in archive.infolist():
                if entry.is_dir():
                    continue
                is_link = entry.external_attr >> 28 not in (0, 0o10)
                name = self._counted(entry.filename, not is_link, self._within)
                if name:
                    self._within[name] = entry.filename
                    yield name, entry.file_size

    def _tar(self, name: str) -> bytes:
        inner = self._within[name]
        with _opened_tar(self._path) as archive:
            for entry in archive:
                if entry.name == inner and entry.isreg() and not entry.issparse():
                    return cast("IO[bytes]", archive.extractfile(entry)).read()
        raise FileNotFoundError(2, "No such file in the archive", f"{self._path}/{name}")

    def _zip(self, name: str) -> bytes:
        with _opened_zip(self._path) as archive:
            entry = archive.getinfo(self._within[name])
            with archive.open(entry) as opened:
                return packed.whole(opened, packed.most(entry.compress_size))


def _common_folder(names: Mapping[str, int]) -> str:
    """``NAME/`` where all stands in that folder."""
    tops = {name.partition("/")[0] for name in names}
    top = next(iter(tops)) if len(tops) == 1 else ""
    return f"{top}/" if top and top not in names else ""


def of(path: str) -> tuple[Archive, str] | None:
    """The archive that a path leads into, and the path in it; None: it leads into none.

    Raises:
        OSError: as `Archive`.

    """
    lowered = path.lower()
    if not any(ending in lowered for ending in (".t", ZIP)):
        return None
    at = -1
    while True:
        at = path.find("/", at + 1)
        outer = path if at < 0 else path[:at]
        if outer.lower().endswith(ENDINGS) and os.path.isfile(outer):  # noqa: PTH113
            seen = os.stat(outer)
            inner = "" if at < 0 else posixpath.normpath(path[at + 1 :])
            found = _read(outer, seen.st_mtime_ns, seen.st_size)
            if isinstance(found, OSError):
                raise found
            return found, "" if inner == "." else inner
        if at < 0:
            return None


@lru_cache(maxsize=_OPEN_AT_ONCE)
def _read(path: str, changed_ns: int, size: int) -> Archive | OSError:
    """The archive, or what is wrong with it: it is not looked at again for every file in it."""
    del changed_ns, size  # what tells a file that was written anew
    try:
        return Archive(path)
    except OSError as error:
        return error


class _Bounded:
    """A stream that ends in an error where it would give too much."""

    def __init__(self, stream: IO[bytes], limit: int) -> None:
        self._stream, self._limit, self._left = stream, limit, limit

    def read(self, size: int = -1) -> bytes:
        part = self._stream.read(min(size, self._left + 1) if size >= 0 else self._left + 1)
        self._left -= len(part)
        if self._left < 0:
            raise OSError(f"holds more than {self._limit:,} bytes")
        return part


@contextmanager
def _opened_tar(path: str) -> Iterator[tarfile.TarFile]:
    """Read once through, so that nothing is held twice."""
    import tarfile  # noqa: PLC0415 - 10 ms, for archives alone
    from importlib import import_module  # noqa: PLC0415

    packing = next(how for end, how in _TAR.items() if path.lower().endswith(end))
    limit = packed.most(os.stat(path).st_size) if packing else packed.LIMIT
    opening = import_module(packing).open if packing else open
    with (
        opening(path, "rb") as stream,
        tarfile.open(fileobj=cast("IO[bytes]", _Bounded(stream, limit)), mode="r|") as it,
    ):
        yield it


def _opened_zip(path: str) -> zipfile.ZipFile:
    import zipfile  # noqa: PLC0415 - 10 ms, for archives alone

    return zipfile.ZipFile(path)


@contextmanager
def _damaged(path: str) -> Iterator[None]:
    """Whatever the libraries raise over a damaged, shut or unknown archive becomes an `OSError`."""
    import lzma  # noqa: PLC0415
    import tarfile  # noqa: PLC0415
    import zipfile  # noqa: PLC0415

    try:
        yield
    except (tarfile.TarError, zipfile.BadZipFile, lzma.LZMAError, zlib.error) as error:
        raise OSError(f"damaged archive: {error}") from None
    except (EOFError, ValueError, OverflowError, UnicodeError) as error:
        raise OSError(f"damaged archive: {error}") from None
    except (NotImplementedError, RuntimeError) as error:  # packed otherwise, or with a password
        raise OSError(f"{os.path.basename(path)}: {error}") from None  # noqa: PTH119
