"""What every match is made of: tests on a packet, and modules (``-m NAME``) that group them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import NamedTuple, Protocol

from k8stui.kernel import words
from k8stui.kernel.context import PacketContext
from k8stui.kernel.packet import Packet
from k8stui.record import record


class Option(NamedTuple):
    """One option as it stands in a rule: ``! --dport 80``."""

    name: str
    values: tuple[str, ...] = ()
    negated: bool = False


class Test(Protocol):
    """One condition of a rule. `str()` of it is what iptables-save prints.

    Tests are named tuples: there are thirty kinds, and a dataclass costs 0.25 ms of every start.
    """

    def holds(self, packet: Packet, context: PacketContext) -> bool | None:
        """Whether the packet meets it; None: that cannot be known here."""


class Opaque(NamedTuple):
    """A condition that is kept as text, because it is not known or not modelled."""

    text: str

    def holds(self, packet: Packet, context: PacketContext) -> bool | None:  # noqa: ARG002
        return None

    def __str__(self) -> str:
        return self.text


class Always(NamedTuple):
    """A condition that holds for every packet; kept for what it says."""

    text: str
    note: str = ""
    """What is assumed thereby, if anything."""

    def holds(self, packet: Packet, context: PacketContext) -> bool:  # noqa: ARG002
        return True

    def __str__(self) -> str:
        return self.text


class Comment(NamedTuple):
    """``-m comment``: what somebody wrote about the rule. Holds for every packet."""

    text: str

    def holds(self, packet: Packet, context: PacketContext) -> bool:  # noqa: ARG002
        return True

    def __str__(self) -> str:
        return f"--comment {words.quote(self.text)}"


class Module(NamedTuple):
    """A ``-m NAME`` with its options, all of which must hold."""

    name: str
    tests: tuple[Test, ...] = ()

    def __str__(self) -> str:
        return " ".join((f"-m {self.name}", *filter(None, map(str, self.tests))))


@record(kw_only=True)
class Grammar:
    """The options of a match module or target, as its man page has them."""

    arity: Mapping[str, int]
    """Option → number of arguments."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Other spelling → the one that iptables-save prints."""

    def name(self, option: str) -> str | None:
        """The printed spelling of an option, or None when the module does not have it."""
        option = self.aliases.get(option, option)
        return option if option in self.arity else None


@record(kw_only=True)
class MatchGrammar(Grammar):
    """A match module that is understood."""

    build: Callable[[Sequence[Option]], tuple[Test, ...]]
    """Options → tests in the order in which iptables-save prints them.

    Raises ValueError for what iptables itself would refuse, or resolves by name.
    """


def bang(negated: bool) -> str:
    """How iptables-save writes a negation: ``! `` before the option."""
    return "! " if negated else ""


def opaque(option: Option) -> Opaque:
    """An option of a known module whose meaning is not modelled."""
    return Opaque(bang(option.negated) + " ".join((option.name, *option.values)))


def one_by_one(
    builders: Mapping[str, Callable[[Option], Test]],
) -> Callable[[Sequence[Option]], tuple[Test, ...]]:
    """A module whose options are independent of each other; printed in the order of `builders`."""
    order = {name: place for place, name in enumerate(builders)}

    def build(options: Sequence[Option]) -> tuple[Test, ...]:
        if len({option.name for option in options}) != len(options):
            raise ValueError("an option is given twice")
        return tuple(
            builders[option.name](option) for option in sorted(options, key=lambda o: order[o.name])
        )

    return build
