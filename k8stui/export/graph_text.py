"""Names as DOT and Mermaid want them. Nobody vouches for what is in a name."""

from __future__ import annotations

from collections.abc import Sequence

from k8stui.neutralise import neutralise


class Identifiers:
    """Plain identifiers for arbitrary names: no name can then break the syntax."""

    def __init__(self) -> None:
        self._given: dict[tuple[str, str], str] = {}

    def of(self, prefix: str, name: str) -> str:
        """The identifier of a name, the same each time; it begins with `prefix`."""
        return self._given.setdefault((prefix, name), f"{prefix}{len(self._given) + 1}")


def dot_text(lines: Sequence[str]) -> str:
    """Quote a DOT string: only the quote and the backslash need escaping in it."""
    escaped = (neutralise(line).replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return '"' + "\\n".join(escaped) + '"'


def mermaid_text(lines: Sequence[str]) -> str:
    """Quote a Mermaid string; entities keep quotes, brackets and HTML out of it."""
    return '"' + "<br/>".join(_entities(neutralise(line)) for line in lines) + '"'


def _entities(text: str) -> str:
    """Write everything but letters, digits and a few signs as ``#NUMBER;``."""
    return "".join(c if c.isalnum() or c in " ./-:,→_" else f"#{ord(c)};" for c in text)
