"""What is wrong with an input, and what was merely left out, each said so that a person can act."""

from __future__ import annotations

from enum import Enum, auto

from k8stui.neutralise import neutralise
from k8stui.record import record

_MOST = 2000
"""Characters of a line that is still shown whole."""


@record(kw_only=True)
class Problem:
    """An error at one spot of one file. The object that it is in is not loaded."""

    file: str
    """Path as given on the command line, or ``-``."""
    line: int = 0
    """1-based; 0 where the whole file is meant (it does not exist, cannot be read)."""
    column: int = 0
    """1-based, counted in characters."""
    message: str
    """What is wrong, one line, no full stop."""
    hint: str = ""
    """What was probably meant; for a line that can be mended, the mended line is its last line."""
    source_line: str = ""
    """The line as it may be shown (`secrecy`): values of Secrets and of env are ``…``."""
    caret: int = 0
    """1-based, in `source_line`; 0: it is `column`."""
    field: str = ""
    """For what an API server refuses: the field that it names, ``spec.ports[1].name``."""
    wrong: str = ""
    """And its kind of mistake: ``Duplicate value``."""
    subject: str = ""
    """And the object's kind and key: ``Service default/web``."""

    @property
    def where(self) -> str:
        """``file:line:column``, as compilers write it."""
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file

    @property
    def mend(self) -> str:
        """What would mend it, in one line."""
        if self.hint.startswith("did you mean"):
            return f"write {self.hint.splitlines()[-1].strip()}"
        return self.hint or f"mend {self.field or 'it'} ({self.where})"

    def render(self) -> str:
        """``file:line:column: message``, the line, a caret and the hint; safe for a terminal."""
        parts = [f"{neutralise(self.where)}: {neutralise(_clipped(self.message))}"]
        if self.line and self.source_line:
            shown, caret = _window(self.source_line, self.caret or self.column)
            gutter = f"{self.line:>5} | "
            parts += [gutter + shown, " " * (len(gutter) - 2) + "| " + caret]
        parts += [f"      = {neutralise(_clipped(line))}" for line in self.hint.splitlines()]
        return "\n".join(parts)


class Doubt(Enum):
    """Why a note is more than that: what is very likely a mistake."""

    FIELD = auto()
    """A field that the object does not have."""
    KEY = auto()
    """A key that stands twice."""
    MELTED = auto()
    """Two objects have become one."""
    REFUSED = auto()
    """The API server refuses the object, which is kept here: no packet depends on it."""


@record(kw_only=True)
class Note:
    """Something that was skipped or is worth a look, said in one line; never an error."""

    message: str
    file: str = ""
    """Empty where several files are meant."""
    line: int = 0
    """1-based; 0 where the whole file is meant."""
    column: int = 0
    count: int = 1
    """How many files, documents or objects it stands for."""
    hint: str = ""
    """A command or a mended line that helps, one line."""
    doubt: Doubt | None = None

    def render(self) -> str:
        """One line, safe for a terminal; the hint follows in brackets."""
        where = f"{self.file}:{self.line}" if self.line else self.file
        said = _clipped(self.message)
        text = f"{where}: {said}" if where else said
        return neutralise(f"{text} ({_clipped(self.hint)})" if self.hint else text)


def _clipped(text: str) -> str:
    """Without the middle of a value that somebody pasted a file into."""
    return text if len(text) <= _MOST else f"{text[: _MOST // 2]} … {text[-_MOST // 2 :]}"


def _window(line: str, column: int, width: int = 100) -> tuple[str, str]:
    """At most `width` characters of `line` around 1-based `column`, and the caret's line below."""
    start = 0 if column <= width - 20 else column - width // 2
    cut = line[start : start + width]
    before = neutralise(cut[: column - 1 - start].expandtabs(4))
    dots = "…" if start else ""
    return dots + neutralise(cut.expandtabs(4)), " " * len(dots + before) + "^"
