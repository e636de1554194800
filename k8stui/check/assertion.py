"""Reachability tests: ``pod/a -> svc/b:80 connected``, from the command line or a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from k8stui.check.finding import Claim, Finding, Rule, Severity
from k8stui.check.place import TextPlace
from k8stui.check.proof import command, shown
from k8stui.kernel.exchange import Result
from k8stui.manifests.origin import Place
from k8stui.manifests.suggest import nearest
from k8stui.record import record
from k8stui.walk.error import RequestError
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Trace
from k8stui.walk.walk import walks
from k8stui.walk.world import World

ID = "assert"
_ARROW = "->"


class AssertionSyntaxError(Exception):
    """An assertion that cannot be read. `where` is ``file:line`` or empty."""

    def __init__(self, message: str, where: str = "") -> None:
        super().__init__(f"{where}: {message}" if where else message)
        self.message = message
        self.where = where


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


def parse(text: str, place: TextPlace | None = None) -> Assertion:
    """Read ``SOURCE -> DESTINATION RESULT``; RESULT is a word of ``walk --format json``.

    Raises:
        AssertionSyntaxError: with what was probably meant.

    """
    where = f"{place.file}:{place.line}" if place else ""
    source, arrow, behind = text.partition(_ARROW)
    words = behind.split()
    form = f"write SOURCE {_ARROW} DESTINATION RESULT, as in pod/a {_ARROW} svc/b:80 connected"
    if not arrow or not source.strip() or len(source.split()) != 1 or len(words) > 2 or not words:
        raise AssertionSyntaxError(f"not an assertion: {text.strip()!r}: {form}", where)
    choices = [result.value for result in Result]
    if len(words) == 1:
        raise AssertionSyntaxError(
            f"what should come of {text.strip()!r}? add one of {', '.join(choices)}", where
        )
    if words[1] not in choices:
        near = nearest(words[1], choices)
        meant = f"did you mean {near}?" if near else f"there is: {', '.join(choices)}"
        raise AssertionSyntaxError(f"not a result: {words[1]!r}; {meant}", where)
    return Assertion(
        source=source.strip(), destination=words[0], expected=Result(words[1]), place=place
    )


def read(file: str, content: str) -> Iterator[Assertion]:
    """Read a file of assertions: one a line; empty lines and ``#`` comments are skipped.

    Raises:
        AssertionSyntaxError: at the first line that cannot be read.

    """
    for number, line in enumerate(content.splitlines(), 1):
        text = line.partition("#")[0]
        if text.strip():
            column = len(text) - len(text.lstrip()) + 1
            yield parse(text, TextPlace(file=file, line=number, column=column))


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


RULE = Rule(
    id=ID,
    summary="An assertion does not hold",
    help="""A request of --assert or --assert-file ends otherwise than it says.

Every branch of the walk must end as expected: a Service with one bad pod of three fails.
""",
    severity=Severity.ERROR,
    look=lambda _: (),
)
