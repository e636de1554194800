"""recent and set: lists of addresses that live outside the rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from k8stui.kernel.address import Address
from k8stui.kernel.context import PacketContext
from k8stui.kernel.matches.base import MatchGrammar, Option, Test, bang
from k8stui.kernel.matches.header import Side
from k8stui.kernel.packet import Packet

_ACTIONS = ("--set", "--rcheck", "--update", "--remove")


class RecentTest(NamedTuple):
    """``-m recent`` (xt_recent.c recent_mt). ``--set`` holds; `write` changes the list."""

    action: str
    name: str
    side: Side
    mask: str | None
    seconds: int | None = None
    reap: bool = False
    hitcount: int | None = None
    rttl: bool = False
    negated: bool = False

    @classmethod
    def build(cls, options: Sequence[Option]) -> tuple[Test, ...]:
        given = {option.name: option for option in options}
        actions = [name for name in _ACTIONS if name in given]
        if len(actions) != 1 or len(given) != len(options):
            raise ValueError("one of --set, --rcheck, --update, --remove is needed")

        def value(name: str) -> str | None:
            return given[name].values[0] if name in given else None

        seconds, hitcount = value("--seconds"), value("--hitcount")
        return (
            cls(
                action=actions[0],
                name=value("--name") or "DEFAULT",
                side=Side.DESTINATION if "--rdest" in given else Side.SOURCE,
                mask=value("--mask"),
                seconds=int(seconds) if seconds else None,
                reap="--reap" in given,
                hitcount=int(hitcount) if hitcount else None,
                rttl="--rttl" in given,
                negated=given[actions[0]].negated,
            ),
        )

    @property
    def sets(self) -> bool:
        """Whether the list has the packet's address afterwards."""
        return self.action == "--set"

    @property
    def writes(self) -> bool:
        """Whether the list is another one once the rule has matched."""
        return self.action != "--rcheck"

    def write(self, packet: Packet, context: PacketContext) -> None:
        """Do to the list what a rule that matched does."""
        change = context.recent.forget if self.action == "--remove" else context.recent.keep
        change(self.name, self.entry(packet))

    def entry(self, packet: Packet) -> Address:
        """The address that the list keeps of this packet."""
        address = self.side.address(packet)
        if self.mask is None:
            return address
        return Address(address.version, address.value & Address.parse(self.mask).value)

    def holds(self, packet: Packet, context: PacketContext) -> bool:
        hit = self.sets or context.recent.seen(
            self.name, self.entry(packet), self.seconds, self.hitcount
        )
        return hit is not self.negated

    def __str__(self) -> str:
        parts = [f"{bang(self.negated)}{self.action}"]
        if self.seconds is not None:
            parts.append(f"--seconds {self.seconds}")
        if self.reap:
            parts.append("--reap")
        if self.hitcount is not None:
            parts.append(f"--hitcount {self.hitcount}")
        if self.rttl:
            parts.append("--rttl")
        parts.append(f"--name {self.name}")
        if self.mask:  # printed even when it is full, but only from 1.4.16 to 1.8.11
            parts.append(f"--mask {self.mask}")
        parts.append("--rsource" if self.side is Side.SOURCE else "--rdest")
        return " ".join(parts)


class SetTest(NamedTuple):
    """``-m set --match-set NAME src,dst``. A set that nobody gave cannot be asked."""

    name: str
    directions: tuple[str, ...]
    negated: bool = False
    further: str = ""
    """Options about counters and nomatch entries, which are not modelled."""

    @classmethod
    def build(cls, options: Sequence[Option]) -> tuple[Test, ...]:
        given = [option for option in options if option.name == "--match-set"]
        if len(given) != 1:
            raise ValueError("one --match-set is needed")
        further = " ".join(
            bang(option.negated) + " ".join((option.name, *option.values))
            for option in options
            if option.name != "--match-set"
        )
        name, directions = given[0].values
        return (cls(name, tuple(directions.split(",")), given[0].negated, further),)

    def holds(self, packet: Packet, context: PacketContext) -> bool | None:
        found = context.sets.get(self.name)
        if found is None or self.further:
            return None
        return found.contains(packet, self.directions) is not self.negated

    def __str__(self) -> str:
        text = f"{bang(self.negated)}--match-set {self.name} {','.join(self.directions)}"
        return f"{text} {self.further}" if self.further else text


GRAMMARS = {
    "recent": MatchGrammar(
        arity={
            **dict.fromkeys((*_ACTIONS, "--reap", "--rttl", "--rsource", "--rdest"), 0),
            **dict.fromkeys(("--seconds", "--hitcount", "--name", "--mask"), 1),
        },
        build=RecentTest.build,
    ),
    "set": MatchGrammar(
        arity={
            "--match-set": 2,
            **dict.fromkeys(("--return-nomatch", "--update-counters", "--update-subcounters"), 0),
            **dict.fromkeys(
                (
                    "--packets-eq",
                    "--packets-lt",
                    "--packets-gt",
                    "--bytes-eq",
                    "--bytes-lt",
                    "--bytes-gt",
                ),
                1,
            ),
        },
        build=SetTest.build,
    ),
}
