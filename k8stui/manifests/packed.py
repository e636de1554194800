"""Bytes of an input file; what `gzip` or `xz` packed (big dumps are kept so) is unpacked."""

from __future__ import annotations

import io
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
    with open(path, "rb") as opened:  # noqa: PTH123 - pathlib costs 3 ms
        if not path.endswith(PACKED):
            return whole(opened, size=size)
        return _unpack(path, opened, os.fstat(opened.fileno()).st_size, size)


def unpacked(path: str, text: bytes) -> bytes:
    """`text`, of a file of that name, unpacked where the name says that it is packed.

    Raises:
        OSError: it is damaged, or holds too much.

    """
    return _unpack(path, io.BytesIO(text), len(text), None) if path.endswith(PACKED) else text


def most(size: int) -> int:
    """How many bytes a packed file of `size` may stand for."""
    return min(max(_SMALL, _RATIO * size), LIMIT)


def _unpack(path: str, stream: IO[bytes], packed_size: int, size: int | None) -> bytes:
    # Imported where needed: each costs every start about a millisecond.
    import gzip  # noqa: PLC0415
    import lzma  # noqa: PLC0415
    import zlib  # noqa: PLC0415

    try:
        with gzip.open(stream) if path.endswith(".gz") else lzma.open(stream) as opened:
            return whole(cast("IO[bytes]", opened), most(packed_size), size)
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
