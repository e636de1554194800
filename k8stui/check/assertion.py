"""Reachability tests: ``pod/a -> svc/b:80 connected``, from the command line or a file."""

from __future__ import annotations

import re
from typing import NamedTuple

from k8stui.check.place import TextPlace
from k8stui.errors import K8sTuiError
from k8stui.kernel.exchange import Result
from k8stui.manifests import Problem
from k8stui.reach.selector import SelectorError, is_selector, port_in_words, read_selector
from k8stui.record import record
from k8stui.suggest import nearest

ID = "assert"
ARROW = "->"
_WORD = re.compile(rf"{ARROW}|(?:(?!{ARROW})\S)+")
_NOT = "not"
_OPTION = "--assert"
_PORT = re.compile(r":([^:]*)$")
_FORM = f"write SOURCE {ARROW} DESTINATION RESULT, as in pod/a {ARROW} svc/b:80 connected"
_MEANT = {
    **dict.fromkeys(("allowed", "open", "ok", "yes", "reachable"), "write connected"),
    **dict.fromkeys(
        ("blocked", "dropped", "closed", "no"), "write not connected, refused or timeout"
    ),
}
"""Words of other tools, and what is written here."""


class AssertionSyntaxError(K8sTuiError):
    """An assertion that cannot be read."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem
        """What is wrong, at line and column of the file (of ``--assert``: of its one line)."""


@record()
class End:
    """Who asks, or who is asked."""

    text: str
    """As written; what names one is as `k8stui.walk.request` has it."""
    selector: str = ""
    """What selects several (`k8stui.reach.selector`); empty: `text` names one."""
    port: str = ""
    """Behind a selector of those who are asked: ``5432``, ``http``, ``53/udp``; empty: any."""
    others: bool = False
    """All but these are meant: ``not`` stands before it."""

    @property
    def is_one(self) -> bool:
        return not self.selector

    def __str__(self) -> str:
        return f"{_NOT} {self.text}" if self.others else self.text


@record(kw_only=True)
class Assertion:
    """What a client must feel, or all that are selected."""

    source: End
    destination: End
    expected: Result
    must_not: bool = False
    """Whether it is `expected` what they must not feel."""
    place: TextPlace | None = None
    """None: it came from the command line."""

    @property
    def words(self) -> str:
        """``connected``, ``not connected``."""
        return f"{_NOT} {self.expected.value}" if self.must_not else self.expected.value

    def __str__(self) -> str:
        return f"{self.source} {ARROW} {self.destination} {self.words}"


def parse(text: str, place: TextPlace | None = None, line: str = "") -> Assertion:
    """Read ``[not] SOURCE -> [not] DESTINATION [not] RESULT``.

    SOURCE and DESTINATION name one, as for ``walk``, or select several, as for ``reach``; behind a
    selector of DESTINATION may stand ``:PORT``. RESULT is a word of ``walk --format json``.

    `place` and `line`: where it stands in a file, and the line as written there.

    Raises:
        AssertionSyntaxError: with what was probably meant.

    """
    return _Reading(text, place, line).assertion()


class _Word(NamedTuple):
    column: int
    """From 0."""
    text: str


class _Reading:
    """One assertion that is read from left to right."""

    def __init__(self, text: str, place: TextPlace | None, line: str) -> None:
        self._text, self._place, self._line = text, place, line
        self._words = [_Word(found.start(), found[0]) for found in _WORD.finditer(text)]
        self._end = len(text.rstrip())

    def assertion(self) -> Assertion:
        if not self._words:
            raise self._wrong(0, "an empty assertion", _FORM)
        source_not = self._take_not()
        words = self._words
        if not words:
            raise self._wrong(self._end, "no SOURCE", _FORM)
        if [n for n, word in enumerate(words) if word.text == ARROW] != [1]:  # SOURCE is a word
            spare = next((word for word in words[1:] if word.text != ARROW), words[0])
            raise self._wrong(spare.column, f"not an assertion: {self._text.strip()!r}", _FORM)
        source, self._words = self._one(words[0], others=source_not), words[2:]
        destination_not = self._take_not()
        if not self._words:
            raise self._wrong(self._end, "no DESTINATION", _FORM)
        destination = self._one(self._words.pop(0), others=destination_not, has_port=True)
        must_not = self._take_not()
        return Assertion(
            source=source,
            destination=destination,
            expected=self._result(),
            must_not=must_not,
            place=self._place,
        )

    def _take_not(self) -> bool:
        """Whether the next word is ``not``; it is read then."""
        found = bool(self._words) and self._words[0].text.lower() == _NOT
        if found:
            self._words = self._words[1:]
        return found

    def _one(self, word: _Word, *, others: bool, has_port: bool = False) -> End:
        text, port = word.text, ""
        if not (others or is_selector(_PORT.sub("", text) if has_port else text)):
            return End(text)
        if has_port and (found := _PORT.search(text)) is not None:
            text, port = text[: found.start()], found[1]
            if not port_in_words(port):
                column = word.column + found.start() + 1
                raise self._wrong(column, f"not a port: {port!r}", "write 80, http or 53/udp")
        try:
            read_selector(text)
        except SelectorError as error:
            raise self._wrong(word.column + error.at, error.message, error.hint) from None
        return End(word.text, text, port, others)

    def _result(self) -> Result:
        choices = [result.value for result in Result]
        listed = f"there is: {', '.join(choices)}"
        if not self._words:
            raise self._wrong(self._end, f"what should come of {self._text.strip()!r}?", listed)
        word = self._words[0]
        if len(self._words) > 1:
            spare = self._words[1]
            raise self._wrong(spare.column, f"one word too many: {spare.text!r}", _FORM)
        if word.text not in choices:
            near = nearest(word.text, choices)
            hint = f"did you mean {near}?" if near else _MEANT.get(word.text.lower(), listed)
            raise self._wrong(word.column, f"not a result: {word.text!r}", hint)
        return Result(word.text)

    def _wrong(self, column: int, message: str, hint: str) -> AssertionSyntaxError:
        at = self._place or TextPlace(file=_OPTION, line=1)
        return AssertionSyntaxError(
            Problem(
                file=at.file,
                line=at.line,
                column=column + 1,
                message=message,
                hint=hint,
                source_line=self._line or self._text,
            )
        )


def read(file: str, content: str) -> tuple[list[Assertion], list[Problem]]:
    """Read a file of assertions, one a line, and all that is wrong with it.

    Empty lines and ``#`` comments are skipped.
    """
    found: list[Assertion] = []
    problems: list[Problem] = []
    for number, line in enumerate(content.splitlines(), 1):
        text = line.partition("#")[0]
        if not text.strip():
            continue
        column = len(text) - len(text.lstrip()) + 1
        try:
            found.append(parse(text, TextPlace(file=file, line=number, column=column), line))
        except AssertionSyntaxError as error:
            problems.append(error.problem)
    return found, problems
