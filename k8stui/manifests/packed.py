"""Bytes of an input file; what `gzip` or `xz` packed (big dumps are kept so) is unpacked."""

from __future__ import annotations

PACKED = (".gz", ".xz")
LIMIT = 2_000_000_000
"""Bytes that one packed file may unfold to: a few kilobytes can hold terabytes of zeros."""


def read(path: str) -> bytes:
    """Return what stands in the file.

    Raises:
        OSError: it cannot be read, is damaged, or unfolds to more than `LIMIT`.

    """
    if not path.endswith(PACKED):
        with open(path, "rb") as opened:  # noqa: PTH123 - pathlib costs 3 ms
            return opened.read()
    # Imported where needed: each costs every start about a millisecond.
    import gzip  # noqa: PLC0415
    import lzma  # noqa: PLC0415
    import zlib  # noqa: PLC0415

    try:
        with gzip.open(path) if path.endswith(".gz") else lzma.open(path) as unpacked:
            raw: bytes = unpacked.read(LIMIT + 1)
    except (lzma.LZMAError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise OSError(f"damaged {path[-2:]} file: {error}") from None
    if len(raw) > LIMIT:
        raise OSError(f"unfolds to more than {LIMIT:,} bytes")
    return raw
