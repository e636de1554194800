"""The text of a tour file, and what is wrong with it: each mistake at its line and column."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from k8stui.errors import K8sTuiError
from k8stui.manifests.problem import Problem
from k8stui.manifests.text import Text
from k8stui.manifests.tree import TreeNode
from k8stui.record import record
from k8stui.suggest import nearest

_SHOWN = 12
"""As many choices as still read well in one terminal line or two."""
MOST_PROBLEMS = 50
"""Mistakes that are told at once; a file with more is no tour."""


class TourError(K8sTuiError):
    """A tour that cannot be given, with everything that is wrong with it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(f"{len(problems)} problems in a tour")
        self.problems = tuple(sorted(problems, key=lambda one: (one.line, one.column)))

    def render(self) -> str:
        return "\n".join(problem.render() for problem in self.problems)


@record()
class Words:
    """A value as it is written, and where: the offset of its first character."""

    text: str
    at: int


class TourPage:
    """The text, and the mistakes found in it so far."""

    def __init__(self, file: str, content: str) -> None:
        self.file = file
        self._text = Text(file, content)
        self._content = content
        self.problems: list[Problem] = []

    def line(self, offset: int) -> str:
        """The line that an offset stands in."""
        begin = self._content.rfind("\n", 0, offset) + 1
        end = self._content.find("\n", offset)
        return self._content[begin : end if end >= 0 else None]

    def wrong(self, at: int, message: str, hint: str = "") -> None:
        """Note a mistake at an offset."""
        if len(self.problems) >= MOST_PROBLEMS:
            return
        line, column = self._text.position(at)
        self.problems.append(
            Problem(
                file=self.file,
                line=line,
                column=column,
                message=message,
                hint=hint,
                source_line=self.line(at),
            )
        )

    def refused(self, at: int, error: Exception) -> None:
        """Note a mistake at an offset that somebody else found: what is wrong, and what helps."""
        said = error.render() if isinstance(error, K8sTuiError) else str(error)
        message, _, hint = said.partition("\n")
        self.wrong(at, message, hint)

    def found(self, line: int, column: int, message: str, hint: str) -> None:
        """Note a mistake at a line and column, both from 0.

        A mended line in which values are hidden, as Secrets' are, helps nobody here.
        """
        lines = self._content.split("\n", line + 1)
        self.problems.append(
            Problem(
                file=self.file,
                line=line + 1,
                column=column + 1,
                message=message,
                hint="" if "…" in hint else hint,
                source_line=lines[line] if line < len(lines) else "",
            )
        )

    def unknown(self, found: Words, message: str, choices: Iterable[str]) -> None:
        """Note a word that is none of `choices`: the line as it was probably meant, or all."""
        known = list(choices)
        near = nearest(found.text, known)
        self.wrong(found.at, message, self._mended(found, near) if near else listed(known))

    def _mended(self, found: Words, near: str) -> str:
        """The line with the word that was meant, or that word alone."""
        line, column = self.line(found.at), self._text.position(found.at)[1] - 1
        if line[column : column + len(found.text)] != found.text:
            return f"did you mean {near}?"
        mended = line[:column] + near + line[column + len(found.text) :]
        return f"did you mean:\n{mended}"

    def stop(self) -> None:
        """Give up where anything was wrong.

        Raises:
            TourError: with all of it.

        """
        if self.problems:
            raise TourError(self.problems)

    # Values

    def words(self, node: TreeNode, what: str, most: int) -> Words | None:
        """A text of at most `most` characters; None, and a mistake noted, where it is none."""
        if node.text is None:
            self.wrong(node.start, f"{what} is a text, not a {_shape(node)}")
        elif not node.text.strip():
            self.wrong(node.start, f"{what} is empty")
        elif len(node.text) > most:
            said = f"{what} is too long: {len(node.text):,} characters, at most {most}"
            self.wrong(node.start, said)
        else:
            quoted = node.style in ("'", '"')
            return Words(node.text, node.start + quoted)
        return None

    def texts(self, node: TreeNode, what: str, most: int, each: int) -> tuple[Words, ...]:
        """A text, or a list of at most `most` of them, each of at most `each` characters."""
        if node.text is not None:
            one = self.words(node, what, each)
            return () if one is None else (one,)
        return tuple(
            one
            for item in self.items(node, what, most)
            if (one := self.words(item, f"each of {what}", each)) is not None
        )

    def mapping(self, node: TreeNode, what: str, most: int, each: int) -> dict[str, Words]:
        """Texts by names that one is free to choose, at most `most` of them."""
        if not node.mapping or len(node.entries) > most:
            self.wrong(node.start, f"{what} is made of at most {most} fields")
            return {}
        found = {e.key or "": self.words(e.node, what, each) for e in node.entries}
        return {name: words for name, words in found.items() if words is not None}

    def items(self, node: TreeNode, what: str, most: int) -> list[TreeNode]:
        """The items of a list of at most `most`."""
        if node.mapping or node.text is not None:
            self.wrong(node.start, f"{what} is a list, not a {_shape(node)}", 'begin it with "- "')
            return []
        if not node.entries:
            self.wrong(node.start, f"{what} is empty")
        if len(node.entries) > most:
            said = f"{what}: {len(node.entries):,} are too many, at most {most}"
            self.wrong(node.entries[most].start, said)
        return [entry.node for entry in node.entries[:most]]

    def fields(self, node: TreeNode, what: str, known: Sequence[str]) -> dict[str, TreeNode]:
        """The fields of a mapping, by name; others than `known` are mistakes."""
        if not node.mapping:
            said = f"{what} is made of fields, not a {_shape(node)}"
            self.wrong(node.start, said, listed(known))
            return {}
        found: dict[str, TreeNode] = {}
        for entry in node.entries:
            name = entry.key or ""
            if name not in known:
                self.unknown(Words(name, entry.start), f"{what} has no field {name!r}", known)
            elif name in found:
                self.wrong(entry.start, f"{name} stands twice in {what}")
            else:
                found[name] = entry.node
        return found


def listed(choices: Sequence[str]) -> str:
    """Say what there is to choose from; empty where there is nothing."""
    more = len(choices) - _SHOWN
    shown = ", ".join(choices[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
    return f"there is: {shown}" if choices else ""


def _shape(node: TreeNode) -> str:
    if node.text is not None:
        return "text" if node.text else "blank"
    return "mapping" if node.mapping else "list"
