"""statistic, limit and hashlimit: matches that depend on more than one packet, or on luck."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from k8stui.kernel.context import PacketContext
from k8stui.kernel.matches.base import Always, MatchGrammar, Option, Test, bang
from k8stui.kernel.packet import Packet

_SCALE = 1 << 31
"""xt_statistic compares 31 random bits with the probability as a 31-bit fraction."""
_LARGEST_SHARE = 10_000
"""Above this many endpoints a 1/n is no longer told apart from its neighbours' roundings."""


def exact_probability(text: str) -> Fraction:
    """The fraction that was meant by a printed or written probability.

    kube-proxy writes 1/n with ten decimals, the kernel rounds that to 31 bits, iptables-save prints
    it with eleven (docs/facts/kube-proxy.md section 5): what lies within those two roundings of
    1/n is 1/n. Anything else is the kernel's own 31-bit fraction.

    Raises:
        ValueError: not a number from 0 to 1.

    """
    written = Fraction(text)
    if not 0 <= written <= 1:
        raise ValueError(f"not a probability: {text}")
    kernel = round(written * _SCALE)
    if kernel:
        share = round(Fraction(_SCALE, kernel))
        rounding = Fraction(1, 2) + Fraction(_SCALE, 2 * 10**10)
        if share <= _LARGEST_SHARE and abs(kernel - Fraction(_SCALE, share)) <= rounding:
            return Fraction(1, share)
    return Fraction(kernel, _SCALE)


class Chance(NamedTuple):
    """``-m statistic``: `traverse` asks for these last, once all else in the rule holds.

    ``nth`` counts packets of all connections since the rule was loaded; seen from one connection
    that is a chance of 1 in ``--every``.
    """

    probability: Fraction
    """That the rule matches, a negation taken into account."""
    text: str

    def holds(self, packet: Packet, context: PacketContext) -> bool | None:  # noqa: ARG002
        return None

    def __str__(self) -> str:
        return self.text


def _statistic(options: Sequence[Option]) -> tuple[Test, ...]:
    given = {option.name: option for option in options}
    mode = given["--mode"].values[0] if "--mode" in given else ""
    if mode == "random" and given.keys() == {"--mode", "--probability"}:
        option = given["--probability"]
        probability = exact_probability(option.values[0])
        printed = f"{round(Fraction(option.values[0]) * _SCALE) / _SCALE:.11f}"
        text = f"{bang(option.negated)}--probability {printed}"
    elif (
        mode == "nth" and given.keys() <= {"--mode", "--every", "--packet"} and ("--every" in given)
    ):
        option = given["--every"]
        every = int(option.values[0])
        first = int(given["--packet"].values[0]) if "--packet" in given else 0
        if not 0 <= first < every:
            raise ValueError("--packet must be below --every")
        probability = Fraction(1, every)
        text = f"{bang(option.negated)}--every {every} --packet {first}"
    else:
        raise ValueError("not a mode of statistic")
    return (Chance(1 - probability if option.negated else probability, f"--mode {mode} {text}"),)


_RATE_SCALE = 10_000
"""XT_LIMIT_SCALE: so many parts of a second."""
_UNITS = {
    "day": ("day", 86400),
    "hour": ("hour", 3600),
    "minute": ("min", 60),
    "second": ("sec", 1),
}
"""Unit of a rate, which may be cut short → as printed, and how many seconds it has."""


def _limit(options: Sequence[Option]) -> tuple[Test, ...]:
    """A rate is kept as the whole parts of a second between two packets, and printed from those.

    So ``2331/second`` is printed ``2500/sec`` (libxt_limit.c parse_rate, print_rate).
    """
    given = {option.name: option.values[0] for option in options}
    rate, _, unit = given.get("--limit", "3/hour").partition("/")
    units = [known for name, known in _UNITS.items() if name.startswith(unit or "second")]
    if any(option.negated for option in options) or len(units) != 1 or not rate.isdigit():
        raise ValueError("not a rate")
    between = units[0][1] * _RATE_SCALE // max(int(rate), 1)
    if int(rate) == 0 or between == 0:
        raise ValueError("not a rate")
    printed = _rate(between)
    burst = given.get("--limit-burst", "5")
    text = f"--limit {printed}" + (f" --limit-burst {burst}" if burst != "5" else "")
    return (Always(text, "assumed: the rate limit is not exceeded"),)


def _rate(between: int) -> str:
    """The rate in the smallest unit that it is still told well in."""
    in_parts = [(name, seconds * _RATE_SCALE) for name, seconds in _UNITS.values()]
    best = in_parts[0]
    for one in in_parts[1:]:
        whole, rest = divmod(one[1], between)
        if between > one[1] or whole < rest:
            break
        best = one
    return f"{best[1] // between}/{best[0]}"


class HashLimit(NamedTuple):
    """``-m hashlimit``: taken as not exceeded, so that ``--hashlimit-above`` does not match."""

    options: tuple[Option, ...]

    def holds(self, packet: Packet, context: PacketContext) -> bool:  # noqa: ARG002
        return any(
            (option.name == "--hashlimit-upto") is not option.negated
            for option in self.options
            if option.name in {"--hashlimit-upto", "--hashlimit-above"}
        )

    def __str__(self) -> str:
        return " ".join(
            bang(option.negated) + " ".join((option.name, *option.values))
            for option in self.options
        )


_HASHLIMIT = (
    "--hashlimit-upto",
    "--hashlimit-above",
    "--hashlimit-burst",
    "--hashlimit-mode",
    "--hashlimit-srcmask",
    "--hashlimit-dstmask",
    "--hashlimit-name",
    "--hashlimit-htable-size",
    "--hashlimit-htable-max",
    "--hashlimit-htable-expire",
    "--hashlimit-htable-gcinterval",
    "--hashlimit-rate-interval",
)

GRAMMARS = {
    "statistic": MatchGrammar(
        arity=dict.fromkeys(("--mode", "--probability", "--every", "--packet"), 1),
        build=_statistic,
    ),
    "limit": MatchGrammar(arity={"--limit": 1, "--limit-burst": 1}, build=_limit),
    "hashlimit": MatchGrammar(
        arity={**dict.fromkeys(_HASHLIMIT, 1), "--hashlimit-rate-match": 0},
        aliases={"--hashlimit": "--hashlimit-upto"},
        build=lambda options: (HashLimit(tuple(options)),),
    ),
}
