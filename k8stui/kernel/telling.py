"""What the rules of a chain do to later packets of a connection that they did not do to the first.

Later packets meet no nat table, carry no mark that it sets, and are ESTABLISHED. What each rule
asks and does, the engines say (`Does`); what comes of a chain of them is told here.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, auto
from typing import NamedTuple

from k8stui.record import record


class Effect(Enum):
    """What becomes of a packet that a rule matches."""

    NOTHING = auto()
    ENDS = auto()
    """It is dropped, or refused."""
    ACCEPTS = auto()
    JUMPS = auto()
    """It comes back, if nothing else happens."""
    FINDS = auto()
    """What an element of a set says, which both may find."""
    LEAVES = auto()
    """It goes to a chain for good, or back."""
    MARKS = auto()
    WILD = auto()
    """Anything may be: it has to be tried."""


class Does(NamedTuple):
    """What one rule does."""

    effect: Effect
    first: bool = True
    """It may match the first packet in a direction."""
    later: bool = True
    """It may match those behind it."""
    takes_all: bool = False
    """It matches all later packets."""
    chain: str = ""
    """Where it jumps to."""


@record(frozen=False)
class Telling:
    """What one chain does to later packets that it did not do to the first."""

    is_wild: bool = False
    """Anything may be: the rules ask what has to be tried."""
    skips: bool = False
    """A rule that took the first packet on may not take the later ones."""
    passes: tuple[str, ...] = ()
    """Chains to which only the first packet was sent."""
    ends: bool = False
    """And here is what may end them then, or what the first packet has not seen."""

    def take(self, does: Does) -> bool:
        """Take in a rule; whether it took the first packet on and not the later ones."""
        effect = does.effect
        if effect is Effect.NOTHING:
            return False
        if effect is Effect.WILD:
            self.is_wild = True
        elif does.first and not does.later:
            # For the first packet only; or for a mark that the nat table gave it.
            self.is_wild = self.is_wild or effect is Effect.MARKS
            if effect is Effect.JUMPS:
                self.passes += (does.chain,)
                return False
            return effect is not Effect.ENDS
        elif does.later and not does.first:
            self.is_wild = self.is_wild or effect is not Effect.ACCEPTS
        elif does.later:
            self.ends = self.ends or effect in (Effect.ENDS, Effect.FINDS)
        return False


def tell(rules: Iterable[Does], policy: str | None) -> Telling:
    """What comes of all rules of a chain, in their order, and of its policy if it has one."""
    found = Telling(ends=policy == "DROP")
    is_open = False
    """Whether the first packet has left, and it is not clear yet what takes the later ones."""
    for does in rules:
        if is_open and does.later and does.effect is not Effect.NOTHING:
            # KUBE-FORWARD: what is marked may pass, and so may all that is known.
            is_open = False
            if does.effect is not Effect.ACCEPTS or not does.takes_all:
                found.skips = True
                found.ends = found.ends or does.effect is not Effect.ACCEPTS
        is_open = found.take(does) or is_open
        if does.takes_all and does.effect is Effect.ACCEPTS:
            break
    if is_open:
        found.skips = True
        found.ends = found.ends or policy is None
    return found
