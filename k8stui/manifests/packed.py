"""Bytes of an input file; what `gzip` or `xz` packed (big dumps are kept so) is unpacked."""

from __future__ import annotations

import os
import stat
from typing import IO, cast

PACKED = (".gz", ".xz")
LIMIT = 2_000_000_000
"""Bytes that are read of one input: a few packed kilobytes can hold terabytes of zeros."""
_PART = 1 << 24


def read(path: str) -> bytes:
    """Return what stands in the file.

    Raises:
        OSError: it cannot be read, is damaged, a device, or holds more than `LIMIT`.

    """
    if not path.endswith(PACKED):
        with open(path, "rb") as opened:  # noqa: PTH123 - pathlib costs 3 ms
            return whole(opened)
    # Imported where needed: each costs every start about a millisecond.
    import gzip  # noqa: PLC0415
    import lzma  # noqa: PLC0415
    import zlib  # noqa: PLC0415

    try:
        with gzip.open(path) if path.endswith(".gz") else lzma.open(path) as unpacked:
            return whole(cast("IO[bytes]", unpacked))
    except (lzma.LZMAError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise OSError(f"damaged {path[-2:]} file: {error}") from None


def whole(stream: IO[bytes]) -> bytes:
    """Return all that comes out of a stream.

    Raises:
        OSError: a device, which may have no end, or more than `LIMIT`.

    """
    try:
        found = os.fstat(stream.fileno())
    except OSError:  # no file behind it
        found = None
    if found is not None and _is_device(found) and not stream.isatty():
        raise OSError("a device, not a file")
    parts = []
    size = 0
    while part := stream.read(_PART):
        size += len(part)
        if size > LIMIT:
            raise OSError(f"holds more than {LIMIT:,} bytes")
        parts.append(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _is_device(found: os.stat_result) -> bool:
    mode = found.st_mode
    return (stat.S_ISCHR(mode) or stat.S_ISBLK(mode)) and not os.path.samestat(
        found,
        os.stat(os.devnull),  # noqa: PTH116
    )
