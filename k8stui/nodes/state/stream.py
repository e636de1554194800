"""The text that ``k8stui collect`` writes of a node, cut into its sections.

Before each command's output stands a line ``@ NAMESPACE COMMAND``; behind the output of one that
failed ``! STATUS MESSAGE``. NAMESPACE is ``node`` (the root namespace) or the name of another one.
Sections come in any order and may be absent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from k8stui.record import record

_HEAD = re.compile(r"@ (\S+) (\S.*)")
_FAILED = re.compile(r"! (\d+) ?(.*)")
"""The last line of a section."""
_BEGINS = re.compile(r"(?:\s|#.*\n)*@ \S+ \S")


@record()
class Section:
    """One command's output."""

    file: str
    namespace: str
    command: str
    line: int
    """Of the output's first line in the file, 1-based."""
    text: str
    """The output alone; empty where the command failed."""
    failure: str = ""
    """What a command that failed said: ``127 not installed``."""

    @property
    def placed(self) -> str:
        """The output with as many empty lines before it as make its line numbers the file's."""
        return "\n" * (self.line - 1) + self.text


def is_stream(text: str) -> bool:
    """Whether a text begins as such a stream does."""
    return _BEGINS.match(text) is not None


def sections(text: str, file: str) -> Mapping[str, Mapping[str, Section]]:
    """The sections of a stream by namespace, then by command; of two alike the first counts.

    So what a stream's beginning shows is not changed by what stands behind it.
    """
    found: dict[str, dict[str, Section]] = {}
    for one in _sections(text, file):
        found.setdefault(one.namespace, {}).setdefault(one.command, one)
    return found


def beginning(text: str) -> str:
    """Of a stream that was cut off somewhere what is whole: without its last section."""
    return text[: text.rfind("\n@ ") + 1]


def _sections(text: str, file: str) -> Iterator[Section]:
    line, at = 1, 0
    for begins, ends in _parts(text):
        head, _, body = text[begins:ends].partition("\n")
        line += text.count("\n", at, begins) + 1
        at = begins
        named = _HEAD.fullmatch(head)
        if named is not None:
            last = body.rstrip("\n").rpartition("\n")[2]
            failed = _FAILED.fullmatch(last)
            yield Section(
                file=file,
                namespace=named[1],
                command=" ".join(named[2].split()),
                line=line,
                text=body if failed is None else "",
                failure=f"{failed[1]} {failed[2]}".strip() if failed else "",
            )
        line -= 1


def _parts(text: str) -> Iterator[tuple[int, int]]:
    """Where each section begins and ends. By `find`: a state has megabytes of lines."""
    begins = 0 if text.startswith("@ ") else text.find("\n@ ") + 1
    if not begins and not text.startswith("@ "):
        return
    while begins >= 0:
        following = text.find("\n@ ", begins)
        ends = len(text) if following < 0 else following + 1
        yield begins, ends
        begins = following + 1 if following >= 0 else -1
