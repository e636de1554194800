"""The text of one input, and where an offset stands in it."""

from __future__ import annotations

import codecs
import re
from array import array
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from k8stui.manifests.secrecy import ShownLine, Veil

_BLOCK = 1 << 12
_LONG = 100_000
"""Characters of a document from which its elements are looked at one by one."""

_NON_SPACE = re.compile(r"\S")


class UndecodableError(Exception):
    """The bytes are no text; `line` and `column` (1-based) name the first that is not."""

    def __init__(self, message: str, line: int, column: int, readable: str, offset: int) -> None:
        super().__init__(message)
        self.message, self.line, self.column = message, line, column
        self.readable, self.offset = readable, offset
        """The text with a mark for what is none, and the first mark; empty of another encoding."""


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
        byte = raw[error.start] if error.start < len(raw) else 0
        start = before.rfind(b"\n") + 1
        wide = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        raise UndecodableError(
            f"byte 0x{byte:02X} is not UTF-8",
            before.count(b"\n") + 1,
            len(before[start:].decode(errors="replace")) + 1,
            "" if wide else raw.decode(errors="replace"),
            len(before.decode(errors="replace")),
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

    __slots__ = ("_blocks", "_fixed", "_indent", "_shift", "_veil", "content", "file")

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
        self._blocks: tuple[array[int], array[int]] | None = None
        """Before each block of 4 Ki: how many line breaks, and behind the last one."""
        self._veil: tuple[int, int, Veil] | None = None

    def position(self, offset: int) -> tuple[int, int]:
        """1-based line and column in the file."""
        return self.placed(*self.line_column(offset))

    def placed(self, line: int, column: int) -> tuple[int, int]:
        """1-based position in the file of a 0-based line and column of this text."""
        if self._fixed:
            return self._fixed
        return line + 1 + self._shift, column + 1 + self._indent

    def relative(self, base: int, line: int, column: int) -> tuple[int, int]:
        """1-based position of a 0-based line and column counted from offset `base`."""
        above, left = self.line_column(base)
        first = left if line == 0 else 0
        return self.placed(above + line, first + column)

    def line_column(self, offset: int) -> tuple[int, int]:
        """0-based line and column in this text."""
        content = self.content
        offset = min(offset, len(content))
        counts, begins = self._blocks or self._counted()
        block = offset // _BLOCK
        first = block * _BLOCK
        line = counts[block] + content.count("\n", first, offset)
        return line, offset - (content.rfind("\n", first, offset) + 1 or begins[block])

    def _counted(self) -> tuple[array[int], array[int]]:
        """Look through the text once: 540 KiB for a file of 138 MB, however long its lines are."""
        content = self.content
        counts, begins, total, begin = array("Q", [0]), array("Q", [0]), 0, 0
        for start in range(0, len(content), _BLOCK):
            total += content.count("\n", start, start + _BLOCK)
            begin = content.rfind("\n", start, start + _BLOCK) + 1 or begin
            counts.append(total)
            begins.append(begin)
        self._blocks = counts, begins
        return self._blocks

    def shown(self, offset: int) -> tuple[ShownLine, Veil]:
        """Give the line that `offset` stands in as it may be shown, and what hides values in it."""
        from k8stui.manifests.secrecy import Veil, is_secret_list  # noqa: PLC0415 - mistakes only

        start, end, veil = self._veil or (0, -1, None)
        if veil is None or not start <= offset <= end:
            start, end = self._stretch(offset)
            document = self.content.rfind("\n---", 0, start + 1) + 1
            secret = start > document and is_secret_list(self.content, document)
            veil = Veil(self.content[start:end], secret=secret)
            self._veil = start, end, veil
        begin = max(start, self.content.rfind("\n", 0, offset) + 1)
        return veil.line(begin - start, offset - begin + 1), veil

    def _stretch(self, offset: int) -> tuple[int, int]:
        """Start and end of the document around `offset`; in a long list, of the element there."""
        content = self.content
        start = content.rfind("\n---", 0, offset + 1) + 1
        end = content.find("\n---", offset)
        end = end if end >= 0 else len(content)
        if end - start > _LONG:
            first = content.rfind("\n- ", start, offset + 2) + 1
            last = content.find("\n- ", offset, end) + 1
            start, end = first or start, last or end
        return start, end

    def blank(self, spans: Iterable[tuple[int, int]]) -> None:
        """Overwrite spans with ``x``, white space kept: no value of a Secret stays in memory."""
        parts, at = [], 0
        for start, end in sorted(spans):
            if start < at:
                continue
            parts += [self.content[at:start], _NON_SPACE.sub("x", self.content[start:end])]
            at = end
        self.content = "".join([*parts, self.content[at:]])
        self._veil = None
