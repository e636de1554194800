"""Whether assertions hold: one request with all its branches, or all pairs that are selected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from fractions import Fraction

from k8stui.check.assertion import ARROW, ID, Assertion, End
from k8stui.check.claim import Claim
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.proof import command, shown
from k8stui.cluster.programs.listening import declared
from k8stui.kernel.exchange import Result
from k8stui.nodes.wire import LAN, WIRE
from k8stui.origin import Place
from k8stui.reach.ends import Asked, Asker, asked, askers
from k8stui.reach.felt import PairFelt
from k8stui.reach.reach import reach
from k8stui.reach.selector import NobodyError, parse_port, parse_selector
from k8stui.record import record
from k8stui.walk.allowed import why_allowed
from k8stui.walk.error import RequestError
from k8stui.walk.request import outside_addresses, parse_request
from k8stui.walk.source import OUTSIDE, parse_source
from k8stui.walk.trace import Trace
from k8stui.walk.walk import walks
from k8stui.walk.world import World

RULE = CheckRule(
    id=ID,
    summary="An assertion does not hold",
    help="""A request of --assert or --assert-file ends otherwise than it says.

Every branch of the walk must end as expected: a Service with one bad pod of three fails. Where
selectors stand on a side, every pair must: all who are selected ask all who are selected. From
outside that is what somebody there knows a way to: node ports, not ClusterIPs and pods.
""",
    severity=Severity.ERROR,
    look=lambda _: (),
)

_BEYOND = (OUTSIDE, WIRE, LAN)
Shares = Mapping[Result, Fraction]


def judge(
    world: World, assertions: Sequence[Assertion], paths: Sequence[str], namespace: str
) -> Iterator[Finding]:
    """Walk every branch of each assertion; a finding for each that does not hold.

    An assertion holds when all branches end as expected: a Service with one bad pod of three
    fails it. With ``not`` none may.
    """
    for each in assertions:
        asks_one = each.source.is_one and each.destination.is_one
        try:
            pair = _only(each) if asks_one else _first(world, each, namespace)
            finding = _walked(world, each, pair, paths, namespace) if pair is not None else None
        except NobodyError as error:
            finding = _failed(each, error.message, error.hint)
        except RequestError as error:
            finding = _failed(each, f"cannot be asked: {error.message}", error.hint)
        if finding is not None:
            yield finding


@record()
class _Pair:
    """A request to be walked, which may end otherwise than it must."""

    claim: Claim
    said: str = ""
    """Of how many it is the first."""


def _only(each: Assertion) -> _Pair:
    return _Pair(Claim(each.source.text, each.destination.text))


def _first(world: World, each: Assertion, namespace: str) -> _Pair | None:
    """The first pair of those who are selected that ends otherwise; None: none does.

    Pairs of a pod with itself are left out: no policy is asked about them. So is from outside what
    nobody there knows a way to, unless that is what is asserted: a ClusterIP is no door.

    Raises:
        RequestError: one who is named is not there, or nobody knows a way to any.
        NobodyError: there is no pair at all.

    """
    rows = _rows(world, each.source, namespace)
    columns = _columns(world, each.destination, rows, namespace)
    if not rows:
        raise _nobody(each.source, "asks", namespace)
    if not columns:
        raise _nobody(each.destination, "is asked", namespace)
    found = reach(world, rows, columns)
    places = {row.pod.key: n for n, row in enumerate(rows) if row.pod is not None}
    beyond = sum(1 << n for n, row in enumerate(rows) if row.namespace == OUTSIDE)
    if each.must_not or each.expected is Result.UNREACHABLE or each.destination.is_one:
        beyond = 0
    bad, pairs = 0, 0
    first: tuple[int, int] | None = None
    for place, column in enumerate(columns):
        itself = places.get(column.pod.key) if column.pod is not None else None
        for cell in found.columns[place]:
            others = cell.askers if itself is None else cell.askers & ~(1 << itself)
            if _knows_no_way(found.classes[cell.number].felt):
                others &= ~beyond
            pairs += others.bit_count()
            if others and not _holds(each, found.classes[cell.number].felt.shares):
                bad += others.bit_count()
                pair = (others & -others).bit_length() - 1, place
                first = pair if first is None else min(first, pair)
    if beyond and not pairs:
        raise RequestError(
            f"nobody outside knows a way to any of {each.destination}",
            hint=f"write {each.source} {ARROW} {each.destination} unreachable, or not connected",
        )
    if first is None:
        return None
    claim = Claim(rows[first[0]].name, columns[first[1]].name)
    return _Pair(
        claim, f"{bad:,} of {pairs:,} pairs, the first {claim.source} -> {claim.destination}: "
    )


def _nobody(end: End, does: str, namespace: str) -> NobodyError:
    return NobodyError(f"nobody {does}: {end} selects none", end.selector, namespace)


def _knows_no_way(felt: PairFelt) -> bool:
    """Whether what is asked never gets to any node."""
    return set(felt.shares) == {Result.UNREACHABLE} and felt.decided_at in _BEYOND


def _rows(world: World, end: End, namespace: str) -> list[Asker]:
    if end.is_one:
        return [_asker(world, end.text, namespace)]
    test = parse_selector(world.cluster, end.selector, namespace)
    rows = [one for one in askers(world) if test(one) is not end.others]
    if not rows and not end.others and end.selector.count("/") > 1:
        # deploy/NAMESPACE/NAME is none, but deploy/NAME/CONTAINER may be.
        with suppress(RequestError):
            return [_asker(world, end.text, namespace)]
    return rows


def _asker(world: World, text: str, namespace: str) -> Asker:
    """One who is named.

    Raises:
        RequestError: nobody is called so.

    """
    one = parse_source(world.cluster, text, namespace, outside_addresses(world))
    node = one.pod.node_name if one.pod is not None else one.namespace
    is_on_node = node in world.cluster.nodes
    return Asker(one.canonical, one.namespace, one.pod, (node or "") if is_on_node else "")


def _columns(world: World, end: End, rows: Sequence[Asker], namespace: str) -> list[Asked]:
    if end.is_one:
        source = rows[0].name if rows else OUTSIDE
        request = parse_request(world, source, end.text, namespace)
        port = request.connect.port if request.connect is not None else 0
        known = (one for one in asked(world) if one.name == request.destination)
        return [next(known, Asked(request.destination, port, request.protocol))]
    test = parse_selector(world.cluster, end.selector, namespace)
    if end.port[:1].isdigit():
        found = asked(world, (parse_port(end.port),))
    else:
        found = (one for one in asked(world) if not end.port or _is_called(one, end.port))
    return [one for one in found if test(one) is not end.others]


def _is_called(one: Asked, name: str) -> bool:
    """Whether a port has that name: in a Service, or in a container."""
    if one.service_port is not None:
        return one.service_port.name == name
    ports = declared(one.pod) if one.pod is not None else ()
    return any((p.name, p.number, p.protocol) == (name, one.port, one.protocol) for p in ports)


def _holds(each: Assertion, shares: Shares) -> bool:
    if each.must_not:
        return each.expected not in shares
    return set(shares) == {each.expected}


def _shares(traces: Sequence[Trace]) -> Shares:
    shares: dict[Result, Fraction] = {}
    for trace in traces:
        result = trace.outcome.result
        shares[result] = shares.get(result, Fraction(0)) + trace.probability
    return shares


def _walked(
    world: World, each: Assertion, pair: _Pair, paths: Sequence[str], namespace: str
) -> Finding | None:
    """Walk every branch; what is said of the first one that ends otherwise."""
    claim = pair.claim
    request = parse_request(world, claim.source, claim.destination, namespace)
    traces = tuple(walks(world, request))
    shares = _shares(traces)
    if _holds(each, shares):
        return None
    bad = next(t for t in traces if (t.outcome.result is each.expected) is each.must_not)
    outcome = bad.outcome
    reason, origin = outcome.reason, outcome.origin
    if outcome.result is Result.CONNECTED:
        reason, origin = why_allowed(world, bad)
    where = f" ({origin.where})" if origin is not None and origin.where else ""
    line = command(world, paths, claim, every=bad.branch > 1, namespace=namespace)
    return Finding(
        rule=ID,
        severity=Severity.ERROR,
        subject=str(each),
        place=each.place or _place_of_asked(world, bad),
        why=f"{pair.said}expected {each.words}, got {_results(shares)}: {reason}{where}",
        fix=outcome.advice,
        proof=shown(bad, line),
    )


def _failed(each: Assertion, why: str, fix: str) -> Finding:
    return Finding(
        rule=ID,
        severity=Severity.ERROR,
        subject=str(each),
        place=each.place,
        why=why,
        fix=fix,
    )


def _place_of_asked(world: World, trace: Trace) -> Place | None:
    """Where the Service or pod that is asked is written."""
    request, cluster = trace.request, world.cluster
    found = cluster.services.get(request.service or "") or cluster.pods.get(
        request.destination.removeprefix("pod/").rpartition(":")[0]
    )
    return found.origin.place if found is not None else None


def _results(shares: Shares) -> str:
    """``refused``, or ``connected 2/3, refused 1/3``."""
    if len(shares) == 1:
        return next(iter(shares)).value
    return ", ".join(f"{result.value} {share}" for result, share in shares.items())
