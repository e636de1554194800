"""Bytes of an input file; what `gzip` or `xz` packed (big dumps are kept so) is unpacked."""

from __future__ import annotations

import os
import stat
from typing import IO, cast

PACKED = (".gz", ".xz")
LIMIT = 2_000_000_000
"""Bytes that are read of one input."""
_RATIO = 250
"""Bytes that a packed one may stand for. Dumps, which repeat themselves, come to 20 to 100; a few
packed kilobytes of one line again and again can hold terabytes."""
_SMALL = 4_000_000
"""Bytes that any packed file may hold."""
_PART = 1 << 24


def read(path: str) -> bytes:
    """Return what stands in the file.

    Raises:
        OSError: it cannot be read, is damaged, a device, or holds more than `LIMIT`.

    """
    return _read(path)


def beginning(path: str, size: int) -> bytes:
    """Return the first `size` bytes of what stands in the file; fewer are all of it.

    Raises:
        OSError: as `read`, as far as it is read.

    """
    return _read(path, size)


def _read(path: str, size: int | None = None) -> bytes:
    """What stands in the file; `size`: no more than so many bytes."""
    if not path.endswith(PACKED):
        with open(path, "rb") as opened:  # noqa: PTH123 - pathlib costs 3 ms
            return whole(opened, size=size)
    # Imported where needed: each costs every start about a millisecond.
    import gzip  # noqa: PLC0415
    import lzma  # noqa: PLC0415
    import zlib  # noqa: PLC0415

    try:
        with gzip.open(path) if path.endswith(".gz") else lzma.open(path) as unpacked:
            limit = max(_SMALL, _RATIO * os.stat(path).st_size)  # noqa: PTH116
            return whole(cast("IO[bytes]", unpacked), min(limit, LIMIT), size)
    except (lzma.LZMAError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise OSError(f"damaged {path[-2:]} file: {error}") from None


def whole(stream: IO[bytes], limit: int | None = None, size: int | None = None) -> bytes:
    """Return all that comes out of a stream; `limit` is in bytes, `LIMIT` where there is none.

    `size`: no more than so many bytes are wanted.

    Raises:
        OSError: a device, which may have no end, or more than `limit` bytes.

    """
    try:
        found = os.fstat(stream.fileno())
    except OSError:  # no file behind it
        found = None
    if found is not None and _is_device(found) and not stream.isatty():
        raise OSError("a device, not a file")
    if size is not None:
        return stream.read(size)
    parts = []
    length, limit = 0, LIMIT if limit is None else limit
    while part := stream.read(_PART):
        length += len(part)
        if length > limit:
            raise OSError(f"holds more than {limit:,} bytes")
        parts.append(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _is_device(found: os.stat_result) -> bool:
    mode = found.st_mode
    return (stat.S_ISCHR(mode) or stat.S_ISBLK(mode)) and not os.path.samestat(
        found,
        os.stat(os.devnull),  # noqa: PTH116
    )
