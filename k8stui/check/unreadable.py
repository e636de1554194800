"""What could not be read, as findings: for formats in which a tool reads everything at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from k8stui.check.assertion import TextPlace
from k8stui.check.finding import Finding, Rule, Severity
from k8stui.manifests import Problem

ID = "input"


def unreadable(problems: Iterable[Problem]) -> Iterator[Finding]:
    """One finding a problem."""
    for problem in problems:
        yield Finding(
            rule=ID,
            severity=Severity.ERROR,
            subject="input",
            place=TextPlace(
                file=problem.file, line=max(problem.line, 1), column=max(problem.column, 1)
            ),
            why=problem.message,
            fix=" ".join(problem.hint.split("\n")).strip(),
        )


RULE = Rule(
    id=ID,
    summary="An object cannot be read",
    help="""An object of the input cannot be read: everything else is checked without it.

The message of k8stui on standard error shows the line, a caret and what was probably meant.
""",
    severity=Severity.ERROR,
    look=lambda _: (),
)
