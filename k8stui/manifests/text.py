"""The text of one input, and where an offset stands in it."""

from __future__ import annotations

import codecs
import re
from array import array
from collections.abc import Iterable

_BLOCK = 1 << 16
_NON_SPACE = re.compile(r"\S")


class UndecodableError(Exception):
    """The bytes are no text; `line` and `column` (1-based) name the first that is not."""

    def __init__(self, message: str, line: int, column: int, source_line: str) -> None:
        super().__init__(message)
        self.message, self.line, self.column = message, line, column
        self.source_line = source_line


def decode(raw: bytes) -> str:
    r"""UTF-8 (with or without BOM) or UTF-16 with BOM, line ends made ``\n``.

    Raises:
        UndecodableError: anything else.

    """
    try:
        if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            content = raw.decode("utf-16")
        else:
            content = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        start = before.rfind(b"\n") + 1
        end = raw.find(b"\n", error.start)
        line = raw[start : end if end >= 0 else len(raw)].decode(errors="replace")
        byte = raw[error.start] if error.start < len(raw) else 0
        raise UndecodableError(
            f"byte 0x{byte:02X} is not UTF-8",
            before.count(b"\n") + 1,
            len(before[start:].decode(errors="replace")) + 1,
            line.rstrip("\r"),
        ) from None
    if "\r" in content:
        content = content.replace("\r\n", "\n").replace("\r", "\n")
    # Files put together with cat keep their BOMs; kubectl takes them before any document.
    return content.replace("\n\ufeff", "\n") if "\ufeff" in content else content


class Text:
    r"""Decoded content with ``\n`` line ends; offsets count characters from 0.

    Lines are counted by ``\n`` alone, as editors do; YAML 1.1 also breaks lines at U+0085,
    U+2028 and U+2029.
    """

    __slots__ = ("_fixed", "_indent", "_lines", "_shift", "content", "file")

    def __init__(
        self,
        file: str,
        content: str,
        *,
        shift: int = 0,
        indent: int = 0,
        fixed: tuple[int, int] | None = None,
    ) -> None:
        """`shift` and `indent`: lines above and columns before, for text inside another file.

        `fixed`: the one place to name where lines of the inner text are no lines of the file.
        """
        self.file, self.content = file, content
        self._shift, self._indent, self._fixed = shift, indent, fixed
        self._lines: array[int] | None = None

    def position(self, offset: int) -> tuple[int, int]:
        """1-based line and column in the file."""
        if self._fixed:
            return self._fixed
        line, column = self.line_column(offset)
        return line + 1 + self._shift, column + 1 + self._indent

    def relative(self, base: int, line: int, column: int) -> tuple[int, int]:
        """1-based position of a 0-based line and column counted from offset `base`."""
        if self._fixed:
            return self._fixed
        above, left = self.line_column(base)
        first = left if line == 0 else 0
        return above + line + 1 + self._shift, first + column + 1 + self._indent

    def line_column(self, offset: int) -> tuple[int, int]:
        """0-based line and column in this text."""
        content = self.content
        offset = min(offset, len(content))
        if self._lines is None:
            # Newlines before each 64 Ki block: 16 KiB for a file of 138 MB.
            counts, total = array("Q", [0]), 0
            for start in range(0, len(content), _BLOCK):
                total += content.count("\n", start, start + _BLOCK)
                counts.append(total)
            self._lines = counts
        block = offset // _BLOCK
        line = self._lines[block] + content.count("\n", block * _BLOCK, offset)
        return line, offset - content.rfind("\n", 0, offset) - 1

    def line_at(self, offset: int) -> str:
        """The whole line that `offset` stands in, without its end."""
        start = self.content.rfind("\n", 0, offset) + 1
        end = self.content.find("\n", offset)
        return self.content[start : end if end >= 0 else len(self.content)]

    def blank(self, spans: Iterable[tuple[int, int]]) -> None:
        """Overwrite spans with ``x``, white space kept: no value of a Secret stays in memory."""
        parts, at = [], 0
        for start, end in sorted(spans):
            if start < at:
                continue
            parts += [self.content[at:start], _NON_SPACE.sub("x", self.content[start:end])]
            at = end
        self.content = "".join([*parts, self.content[at:]])
