"""Whether the kernel's dice are the walk's: the same request many times, and whom it led to.

Pearson's χ² test of the counts against the fractions of the walk's forks. A kernel that does as the
walk says is called different once in ten thousand times.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from k8stui.kernel.branches import branches
from k8stui.kernel.compile import compile_rule
from k8stui.kernel.exchange import Connect, Exchange, Result
from k8stui.kernel.nft.compile import statements
from k8stui.kernel.nft.statements.dynamic import Dynamic
from k8stui.kernel.step import RuleCause
from k8stui.lab.planning.build import plan
from k8stui.lab.run import run
from k8stui.record import record

if TYPE_CHECKING:
    from k8stui.kernel.namespace import Network
    from k8stui.lab.plan import Counted, Tools
    from k8stui.walk.trace import Request

SIGNIFICANCE = 1e-4
DEFAULT_TRIES = 200
_EXPECTED = 8
"""So often at least each end is expected, so that χ² is near enough (5 is the usual rule)."""
_MAX_BRANCHES = 64
_MAX_TRIES = 2000
_PATIENCE_SECONDS = 2.0

End = tuple[str, str, str, int]
"""How it ended: errno, or the server's namespace, address and port."""


@record(kw_only=True)
class Share:
    """One end: how often it is expected, and how often it came."""

    end: End
    expected: Fraction
    count: int


@record(kw_only=True)
class Count:
    """The same request many times, each from another port of the client."""

    request: Request
    tries: int
    shares: tuple[Share, ...]
    p_value: float
    """How often a kernel as the walk has it is this far off, or further."""

    @property
    def agrees(self) -> bool:
        return self.p_value >= SIGNIFICANCE


def count(
    network: Network, request: Request, asked: Connect, tools: Tools, tries: int
) -> Count | str:
    """Ask `tries` times, or more where an end is rare; else why that cannot be done.

    Empty: nothing in the request is left to chance.

    Raises:
        LabError: no lab can be built here.

    """
    found: list[Exchange] = []
    for exchange in branches(network, asked):
        found.append(exchange)
        if not exchange.forks:
            return ""
        if len(found) > _MAX_BRANCHES:
            return f"chance is not counted: more than {_MAX_BRANCHES} branches"
        why = _why_not(exchange)
        if why:
            return f"chance is not counted: {why}"
    expected = _expected(found)
    tries = min(_MAX_TRIES, max(tries, math.ceil(_EXPECTED / min(expected.values()))))
    patience = max(exchange.felt.seconds for exchange in found) + _PATIENCE_SECONDS
    made, left_out = plan(network, asked, found[0], tools, patience, others=found[1:], tries=tries)
    seen = run(made)
    if left_out or seen["left_out"]:
        return "chance is not counted: rules are left out"
    counts = _counts(seen["counted"])
    ends = dict.fromkeys((*expected, *counts))
    shares = tuple(
        Share(end=end, expected=expected.get(end, Fraction(0)), count=counts[end]) for end in ends
    )
    return Count(request=request, tries=tries, shares=shares, p_value=p_value(shares))


def _why_not(exchange: Exchange) -> str:
    if exchange.felt.result in (Result.TIMEOUT, Result.UNKNOWN):
        return "a branch ends in silence, or not at all"
    causes = (step.cause for step in exchange.steps if isinstance(step.cause, RuleCause))
    if any(map(_remembers, causes)):
        return "session affinity keeps a client at one endpoint"
    return ""


def _remembers(cause: RuleCause) -> bool:
    """Whether the rule writes down whose packet it was."""
    if cause.rule is None:
        return False
    if cause.is_nft:
        return any(isinstance(one, Dynamic) for one in statements(cause.rule.text))
    return bool(compile_rule(cause.rule.text).writes)


def _expected(exchanges: Sequence[Exchange]) -> Mapping[End, Fraction]:
    found: dict[End, Fraction] = {}
    for exchange in exchanges:
        felt = exchange.felt
        end: End = (felt.errno or "", "", "", 0)
        if felt.result is Result.CONNECTED:
            end = ("", felt.server or "", str(felt.server_address), felt.server_port or 0)
        found[end] = found.get(end, Fraction(0)) + exchange.probability
    return found


def _counts(counted: Sequence[Counted]) -> Counter[End]:
    found: Counter[End] = Counter()
    for one in counted:
        found[one["errno"], one["space"], one["address"], one["port"]] += one["times"]
    return found


def p_value(shares: Sequence[Share]) -> float:
    """Of Pearson's χ² for these counts; 0 where something came that cannot come."""
    tries = sum(share.count for share in shares)
    if any(share.count and not share.expected for share in shares):
        return 0.0
    possible = [share for share in shares if share.expected]
    statistic = sum(
        (share.count - tries * share.expected) ** 2 / (tries * share.expected)
        for share in possible
        if tries
    )
    return survival(float(statistic), len(possible) - 1)


def survival(statistic: float, freedom: int) -> float:
    """How often χ² with `freedom` degrees is at least `statistic`.

    Abramowitz and Stegun, Handbook of Mathematical Functions, 26.4.4 and 26.4.5. No degree: what
    is certain.
    """
    half = statistic / 2
    if freedom < 1 or half <= 0:
        return 1.0
    total = math.erfc(math.sqrt(half)) if freedom % 2 else 0.0
    for step in range(freedom % 2, freedom, 2):
        power = step / 2
        total += math.exp(power * math.log(half) - half - math.lgamma(power + 1))
    return min(1.0, total)
