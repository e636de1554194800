"""Standard input that is still being written: it says how much has come."""

from __future__ import annotations

import io
import os
from collections.abc import Callable

_CHUNK = 1 << 20


class Pipe(io.RawIOBase):
    """Reads a descriptor to its end.

    With `os.read`, no `BufferedReader`: its lock, held by a thread that waits for more, would end
    the interpreter with "could not acquire lock" when the screen is left meanwhile.
    """

    def __init__(self, descriptor: int, came: Callable[[int], object]) -> None:
        """`came` is told how many bytes there are, at each that come."""
        super().__init__()
        self._descriptor = descriptor
        self._came = came
        self.count = 0

    def fileno(self) -> int:
        return self._descriptor

    def readable(self) -> bool:
        return True

    def readall(self) -> bytes:
        """Everything, when the last byte has come."""
        chunks = []
        while chunk := self.read(_CHUNK):
            chunks.append(chunk)
        return b"".join(chunks)

    def read(self, size: int = -1, /) -> bytes:
        """`size` bytes or less, none at the end; -1: everything."""
        if size < 0:
            return self.readall()
        chunk = os.read(self._descriptor, size)
        self.count += len(chunk)
        self._came(self.count)
        return chunk
