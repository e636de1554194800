"""What comes of a pair, as its walks say it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from k8stui.kernel.address import Address
from k8stui.kernel.exchange import Result
from k8stui.kernel.step import Direction
from k8stui.reach.ends import Asked, Asker
from k8stui.record import record
from k8stui.walk.error import RequestError
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Trace
from k8stui.walk.walk import walks
from k8stui.walk.world import World

_FAILURES = (
    Result.NO_SUCH_NAME,
    Result.DENIED,
    Result.NOT_SERVED,
    Result.REFUSED,
    Result.UNREACHABLE,
    Result.TIMEOUT,
    Result.UNKNOWN,
)
"""Of those that are as likely the first counts."""


@record(kw_only=True)
class PairFelt:
    """What comes of one part of a pair, or of all."""

    shares: Mapping[Result, Fraction]
    """Sum to 1."""
    decided_at: str
    """Where the result was decided that counts."""
    reason: str
    unenforced: bool = False
    """Policies say no, and it is connected all the same, for nothing enforces them."""

    @property
    def result(self) -> Result:
        """What counts: connected only if that is always so; else the likeliest failure."""
        return counting(self.shares)


class AstrayError(Exception):
    """A walk went to another endpoint than the choice given leads to."""


def counting(shares: Mapping[Result, Fraction]) -> Result:
    """The result that counts, as `PairFelt.result` has it."""
    failed = [one for one in _FAILURES if one in shares]
    return max(failed, key=lambda one: shares[one]) if failed else Result.CONNECTED


def together(parts: Sequence[PairFelt]) -> PairFelt:
    """What comes of ways that are equally likely."""
    shares: dict[Result, Fraction] = {}
    for each in parts:
        for result, share in each.shares.items():
            shares[result] = shares.get(result, Fraction(0)) + share / len(parts)
    one = parts[most(parts, counting(shares))]
    return replace(one, shares=shares)


def most(parts: Sequence[PairFelt], result: Result) -> int:
    """The place of the first part that shows a result, and what nobody enforces first of all."""
    unheard = (place for place, each in enumerate(parts) if each.unenforced)
    if result is Result.CONNECTED and (place := next(unheard, None)) is not None:
        return place
    mostly = (place for place, each in enumerate(parts) if each.result is result)
    partly = (place for place, each in enumerate(parts) if result in each.shares)
    return next(mostly, next(partly, 0))


def walked(
    world: World,
    asker: Asker,
    asked: Asked,
    given: tuple[int, ...] = (),
    *,
    of: int = 1,
    lands: Address | None = None,
) -> PairFelt:
    """Walk one pair: all branches, or those behind the choices `given`, which end at `lands`.

    `of`: among how many the first choice is.

    Raises:
        AstrayError: they end elsewhere, or there are more choices, or fewer.

    """
    try:
        request = parse_request(world, asker.name, asked.name)
    except RequestError as error:
        shares = {Result.UNKNOWN: Fraction(1)}
        return PairFelt(shares=shares, decided_at=asker.namespace, reason=str(error))
    expected = (None, lands, request.connect.destination if request.connect is not None else None)
    found: dict[Result, Fraction] = {}
    told: dict[Result, Trace] = {}
    for each in walks(world, request, told=False, given=given):
        done = each.outcome
        if lands is not None and _leads_to(each) not in expected:
            raise AstrayError
        if given and each.forks and len(each.forks[0].ways) != of:
            raise AstrayError
        found[done.result] = found.get(done.result, Fraction(0)) + each.probability
        first = told.setdefault(done.result, each)
        if each.unenforced and not first.unenforced:
            told[done.result] = each
    whole = sum(found.values())
    counts = told[counting(found)]
    return PairFelt(
        shares={result: share / whole for result, share in found.items()},
        decided_at=counts.outcome.decided_at,
        reason=counts.unenforced or counts.outcome.reason,
        unenforced=bool(counts.unenforced),
    )


def _leads_to(trace: Trace) -> Address | None:
    """Whom the client's packet is for, where it gets to last."""
    if trace.outcome.server_address is not None:
        return trace.outcome.server_address
    there = (step for hop, step in reversed(trace.placed) if hop.direction is Direction.FORWARD)
    return next((step.before.dst for step in there if step.before is not None), None)
