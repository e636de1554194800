"""Reachability tests: ``pod/a -> svc/b:80 connected``, from the command line or a file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction

from k8stui.check.claim import Claim
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.place import TextPlace
from k8stui.check.proof import command, shown
from k8stui.errors import K8sTuiError
from k8stui.kernel.exchange import Result
from k8stui.manifests import Problem
from k8stui.origin import Place
from k8stui.record import record
from k8stui.suggest import nearest
from k8stui.walk.error import RequestError
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Trace
from k8stui.walk.walk import walks
from k8stui.walk.world import World

ID = "assert"
_ARROW = "->"
_WORD = re.compile(rf"{_ARROW}|(?:(?!{_ARROW})\S)+")
_OPTION = "--assert"


class AssertionSyntaxError(K8sTuiError):
    """An assertion that cannot be read."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem
        """What is wrong, at line and column of the file (of ``--assert``: of its one line)."""


@record(kw_only=True)
class Assertion:
    """What the client must feel."""

    source: str
    destination: str
    expected: Result
    place: TextPlace | None = None
    """None: it came from the command line."""

    def __str__(self) -> str:
        return f"{self.source} {_ARROW} {self.destination} {self.expected.value}"


def parse(text: str, place: TextPlace | None = None, line: str = "") -> Assertion:
    """Read ``SOURCE -> DESTINATION RESULT``; RESULT is a word of ``walk --format json``.

    `place` and `line`: where it stands in a file, and the line as written there.

    Raises:
        AssertionSyntaxError: with what was probably meant.

    """
    written, at = line or text, place or TextPlace(file=_OPTION, line=1)

    def wrong(column: int, message: str, hint: str) -> AssertionSyntaxError:
        return AssertionSyntaxError(
            Problem(
                file=at.file,
                line=at.line,
                column=column + 1,
                message=message,
                hint=hint,
                source_line=written,
            )
        )

    form = f"write SOURCE {_ARROW} DESTINATION RESULT, as in pod/a {_ARROW} svc/b:80 connected"
    words = [(found.start(), found[0]) for found in _WORD.finditer(text)]
    if not words:
        raise wrong(0, "an empty assertion", form)
    arrows = [index for index, (_, word) in enumerate(words) if word == _ARROW]
    if arrows != [1]:  # SOURCE is one word
        spare = next((column for column, word in words[1:] if word != _ARROW), words[0][0])
        raise wrong(spare, f"not an assertion: {text.strip()!r}", form)
    if len(words) > 4:
        raise wrong(words[4][0], f"one word too many: {words[4][1]!r}", form)
    if len(words) < 3:
        raise wrong(len(text.rstrip()), "no DESTINATION", form)
    choices = [result.value for result in Result]
    listed = f"there is: {', '.join(choices)}"
    if len(words) < 4:
        raise wrong(len(text.rstrip()), f"what should come of {text.strip()!r}?", listed)
    column, result = words[3]
    if result not in choices:
        near = nearest(result, choices)
        hint = f"did you mean {near}?" if near else listed
        raise wrong(column, f"not a result: {result!r}", hint)
    return Assertion(
        source=words[0][1], destination=words[2][1], expected=Result(result), place=place
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


def judge(
    world: World, assertions: Sequence[Assertion], paths: Sequence[str], namespace: str
) -> Iterator[Finding]:
    """Walk every branch of each assertion; a finding for each that does not hold.

    An assertion holds when all branches end as expected: a Service with one bad pod of three
    fails it.
    """
    for each in assertions:
        try:
            request = parse_request(world, each.source, each.destination, namespace)
        except RequestError as error:
            yield Finding(
                rule=ID,
                severity=Severity.ERROR,
                subject=str(each),
                place=each.place,
                why=f"cannot be asked: {error.message}",
                fix=error.hint,
            )
            continue
        traces = tuple(walks(world, request))
        bad = next((t for t in traces if t.outcome.result is not each.expected), None)
        if bad is None:
            continue
        claim, every = Claim(each.source, each.destination), bad.branch > 1
        yield Finding(
            rule=ID,
            severity=Severity.ERROR,
            subject=str(each),
            place=each.place or _asked(world, bad),
            why=f"expected {each.expected.value}, got {_results(traces)}: {bad.outcome.reason}",
            fix=bad.outcome.advice,
            proof=shown(bad, command(world, paths, claim, every=every, namespace=namespace)),
        )


def _asked(world: World, trace: Trace) -> Place | None:
    """Where the Service or pod that is asked is written."""
    request, cluster = trace.request, world.cluster
    asked = cluster.services.get(request.service or "") or cluster.pods.get(
        request.destination.removeprefix("pod/").rpartition(":")[0]
    )
    return asked.origin.place if asked is not None else None


def _results(traces: Sequence[Trace]) -> str:
    """``refused``, or ``connected 2/3, refused 1/3``."""
    shares: dict[Result, Fraction] = {}
    for trace in traces:
        result = trace.outcome.result
        shares[result] = shares.get(result, Fraction(0)) + trace.probability
    if len(shares) == 1:
        return next(iter(shares)).value
    return ", ".join(f"{result.value} {share}" for result, share in shares.items())


RULE = CheckRule(
    id=ID,
    summary="An assertion does not hold",
    help="""A request of --assert or --assert-file ends otherwise than it says.

Every branch of the walk must end as expected: a Service with one bad pod of three fails.
""",
    severity=Severity.ERROR,
    look=lambda _: (),
)
