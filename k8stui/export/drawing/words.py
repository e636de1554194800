"""Glyph, word and ink of each kind of step, outcome and origin: never colour alone."""

from __future__ import annotations

import re
from typing import NamedTuple

from k8stui.export.drawing.ink import NOTHING, Ink, Line, middle, run, width_of
from k8stui.kernel.exchange import Result
from k8stui.kernel.packet import Protocol, TcpFlags
from k8stui.kernel.step import Direction, RuleCause, SocketCause, StepKind
from k8stui.neutralise import neutralise
from k8stui.origin import Origin, OriginKind
from k8stui.walk.brief import brief
from k8stui.walk.outcome import RESULT_WORDS
from k8stui.walk.trace import Outcome, TraceStep

_ASKS = " ─▶ "
_FILE = re.compile(r"(?<![^\s(;,])/\S*/\S+?(?=:\d)")
"""A file by its whole path, with a line."""


class Sign(NamedTuple):
    """How a kind is shown."""

    glyph: str
    """One cell."""
    word: str
    ink: Ink


STEPS = {
    StepKind.RESOLVE: Sign("≡", "name", Ink.TEXT),
    StepKind.ROUTE: Sign("↓", "route", Ink.TEXT),
    StepKind.RULE: Sign("·", "rule", Ink.TEXT),
    StepKind.JUMP: Sign("▸", "jump", Ink.TEXT),
    StepKind.DNAT: Sign("⇄", "DNAT", Ink.NAT),
    StepKind.SNAT: Sign("⇄", "SNAT", Ink.NAT),
    StepKind.MARK: Sign("◆", "mark", Ink.NAT),
    StepKind.CONNTRACK: Sign("≡", "conntrack", Ink.TEXT),
    StepKind.BRIDGE: Sign("┬", "bridge", Ink.TEXT),
    StepKind.ARP: Sign("•", "arp", Ink.TEXT),
    StepKind.ENCAPSULATE: Sign("▷", "wrap", Ink.NAT),
    StepKind.DECAPSULATE: Sign("◁", "unwrap", Ink.NAT),
    StepKind.PROXY: Sign("⇄", "proxy", Ink.NAT),
    StepKind.DELIVER: Sign("✓", "deliver", Ink.OK),
    StepKind.DROP: Sign("✗", "DROP", Ink.DROP),
    StepKind.REJECT: Sign("✗", "REJECT", Ink.DROP),
    StepKind.UNKNOWN: Sign("?", "unknown", Ink.DROP),
}

_SOLICITED = Sign("•", "ndp", Ink.TEXT)
"""IPv6 has no ARP: neighbour discovery (RFC 4861) finds the MAC address."""

STOPS = frozenset({StepKind.DROP, StepKind.REJECT, StepKind.UNKNOWN})
"""Kinds after which this packet is no more."""

_FELT = {Result.CONNECTED: ("✓", Ink.OK), Result.UNKNOWN: ("?", Ink.DROP)}
RESULTS = {
    result: Sign(glyph, RESULT_WORDS[result], ink)
    for result in Result
    for glyph, ink in (_FELT.get(result, ("✗", Ink.DROP)),)
}

DIRECTIONS = {
    Direction.FORWARD: Sign("▶", "forward", Ink.HERE),
    Direction.REPLY: Sign("◀", "reply", Ink.BACK),
}

ORIGINS = {
    OriginKind.DECLARED: Sign("●", "declared", Ink.TEXT),
    OriginKind.OBSERVED: Sign("◆", "observed", Ink.TEXT),
    OriginKind.DEFAULTED: Sign("◌", "defaulted", Ink.ASSUMED),
    OriginKind.ASSUMED: Sign("○", "assumed", Ink.ASSUMED),
}

LEGEND = "● declared  ◆ observed  ◌ defaulted  ○ assumed"
"""For the help screen."""


_CLOSED = Sign("✗", "closed", Ink.DROP)
_BAD_NEWS = Sign("✗", "deliver", Ink.DROP)


def step_sign(step: TraceStep) -> Sign:
    """How a step is shown: by its kind, and a delivery by what is delivered."""
    if step.kind is StepKind.DELIVER:
        if isinstance(step.cause, SocketCause) and step.cause.socket is None:
            return _CLOSED
        if _is_bad_news(step):
            return _BAD_NEWS
    if step.kind is StepKind.ARP and _is_ipv6(step):
        return _SOLICITED
    return STEPS[step.kind]


def _is_ipv6(step: TraceStep) -> bool:
    packet = step.after or step.before
    return packet is not None and packet.dst.version == 6


def _is_bad_news(step: TraceStep) -> bool:
    """Whether a RST or an ICMP error arrives."""
    packet = step.after
    if packet is None:
        return False
    if packet.protocol is Protocol.TCP:
        return TcpFlags.RST in packet.flags
    errors = {Protocol.ICMP: (3, 11, 12), Protocol.ICMPV6: (1, 2, 3, 4)}
    return packet.icmp_type in errors.get(packet.protocol, ())


def place_sign(step: TraceStep, direction: Direction) -> Sign:
    """How the packet's place is marked: by its direction, or by its end."""
    sign = DIRECTIONS[direction]
    is_end = step.kind in STOPS or step_sign(step) in (_CLOSED, _BAD_NEWS)
    return Sign("✗", sign.word, Ink.STOP) if is_end else sign


def origin_line(origin: Origin | None) -> Line:
    """``● declared frontend.yaml:31 spec.ports[0]`` or ``○ assumed the scheduler's pick``."""
    if origin is None:
        return NOTHING
    sign = ORIGINS[origin.kind]
    parts = [f"{sign.glyph} {sign.word}"]
    if origin.place is not None:
        parts.append(f"{_short(origin.place.file)}:{origin.place.line}")
        if origin.place.field and not origin.reason:
            parts.append(origin.place.field)
    if origin.reason:
        parts.append(origin.reason)
    return run(neutralise("  ".join(parts)), sign.ink)


def pair(source: str, destination: str, room: int | None = None) -> str:
    """Who asks whom. In `room` cells (None: all it takes) names keep their ends, and the port."""
    source, destination = neutralise(brief(source)), neutralise(brief(destination))
    whole = f"{source}{_ASKS}{destination}"
    if room is None or width_of(whole) <= room:
        return whole
    name, colon, port = destination.rpartition(":")
    if not colon or "]" in port or "://" in name:
        name, colon, port = destination, "", ""
    room -= len(_ASKS) + len(colon + port)
    fair = room // 2
    if width_of(source) < fair:
        fair = width_of(source)
    elif width_of(name) < room - fair:
        fair = room - width_of(name)
    return f"{middle(source, fair)}{_ASKS}{middle(name, room - fair)}{colon}{port}"


def sentence(step: TraceStep) -> str:
    """The step's sentence without the rule's place, which the Chain pane shows in full."""
    text = step.text
    if isinstance(step.cause, RuleCause):
        place = f"{step.cause.table} {step.cause.chain.name} {step.cause.index}"
        text = text.removeprefix(place).removeprefix(":").lstrip() or text
    return told(text)


def told(text: str) -> str:
    """What is said of a step or of a walk, as it stands on a screen: files as one finds them."""
    return neutralise(_FILE.sub(lambda found: _short(found[0]), text))


def _short(path: str) -> str:
    """A file as one finds it again: its folder and name."""
    return "/".join(path.rsplit("/", 2)[-2:]) if path.startswith("/") else path


def felt(outcome: Outcome) -> str:
    """``✓ connected``, ``✗ timed out (ETIMEDOUT) after 134 s``: what the client feels, and when."""
    sign = RESULTS[outcome.result]
    waited = f" ({outcome.errno}) {wait(outcome.seconds)}" if outcome.errno else ""
    return f"{sign.glyph} {sign.word}{waited}"


def wait(seconds: float) -> str:
    """How long the client waited, as a person says it."""
    if seconds < 0.001:
        return "at once"
    return f"after {seconds:.0f} s" if seconds >= 10 else f"after {seconds:.3g} s"
