"""A rule as Felix writes it for iptables-restore, and as iptables-save prints it afterwards.

Every rule carries the hash of itself and of all before it in its chain, by which Felix finds what
has to be written anew. Source: Calico v3.30 felix/generictables/rules.go RuleHashes,
felix/iptables/renderer.go, match_builder.go, actions.go.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Sequence
from hashlib import sha224
from typing import NamedTuple

from k8stui.because import Because
from k8stui.kernel.rules import Chain, Rule
from k8stui.record import record
from k8stui.whole import whole

ACCEPT, PASS, DENIED, FROM_WORKLOAD, BLOCK = 0x10000, 0x20000, 0x40000, 0x80000, 0x100000
"""Bits of the mark, of ``IptablesMarkMask`` 0xffff0000 (felix/dataplane/driver.go): accepted, to be
judged by the next tier, to be dropped at once, two to reckon with."""
ALL_BITS = ACCEPT | PASS | FROM_WORKLOAD | BLOCK
_HASH_LENGTH = 16
_UNSAFE = re.compile(r"[^\w @%+=:,./-]", re.ASCII)
_EVERYWHERE = {"0.0.0.0/0", "::/0"}
_PROTOCOLS = {1: "icmp", 4: "ipencap", 6: "tcp", 17: "udp", 58: "ipv6-icmp", 132: "sctp"}
"""Numbers that iptables-save prints by a name (getprotobynumber)."""


class FelixMatch(NamedTuple):
    """One condition: as Felix writes it, and as it is printed before the comments or behind."""

    felix: str
    head: str = ""
    tail: str = ""


class FelixAction(NamedTuple):
    """What a rule does: as Felix writes it, and as it is printed."""

    felix: str
    printed: str


@record(kw_only=True)
class FelixRule:
    """One rule, before it has its place in a chain."""

    matches: tuple[FelixMatch, ...] = ()
    action: FelixAction | None = None
    comments: tuple[str, ...] = ()
    reason: Because | None = None


def rule(
    *matches: FelixMatch, then: FelixAction | None, say: str = "", reason: Because | None = None
) -> FelixRule:
    """A rule with one comment, or none."""
    comments = (say,) if say else ()
    return FelixRule(matches=matches, action=then, comments=comments, reason=reason)


def jump(chain: str) -> FelixAction:
    return FelixAction(f"--jump {chain}", f"-j {chain}")


def go_to(chain: str) -> FelixAction:
    return FelixAction(f"--goto {chain}", f"-g {chain}")


_LOGGED = 'LOG --log-prefix "calico-packet: " --log-level 5'
LOG = FelixAction(f"--jump {_LOGGED}", f"-j {_LOGGED}")
DROP, RETURN, ALLOW, NOTRACK = map(jump, ("DROP", "RETURN", "ACCEPT", "NOTRACK"))


def set_mark(value: int, mask: int | None = None) -> FelixAction:
    """Set the bits of `value` among those of `mask` (itself)."""
    bits = value if mask is None else mask
    text = f"{value:#x}/{bits:#x}"
    return FelixAction(f"--jump MARK --set-mark {text}", f"-j MARK --set-xmark {text}")


def clear_mark(bits: int) -> FelixAction:
    return FelixAction(f"--jump MARK --set-mark 0/{bits:#x}", f"-j MARK --set-xmark 0x0/{bits:#x}")


def masquerade() -> FelixAction:
    return FelixAction("--jump MASQUERADE --random-fully", "-j MASQUERADE --random-fully")


def marked(bit: int) -> FelixMatch:
    text = f"-m mark --mark {bit:#x}/{bit:#x}"
    return FelixMatch(text, tail=text)


def unmarked(bits: int) -> FelixMatch:
    return FelixMatch(f"-m mark --mark 0/{bits:#x}", tail=f"-m mark --mark 0x0/{bits:#x}")


def any_marked(bits: int) -> FelixMatch:
    return FelixMatch(f"-m mark ! --mark 0/{bits:#x}", tail=f"-m mark ! --mark 0x0/{bits:#x}")


def coming_in(device: str) -> FelixMatch:
    return FelixMatch(f"--in-interface {device}", head=f"-i {device}")


def going_out(device: str) -> FelixMatch:
    return FelixMatch(f"--out-interface {device}", head=f"-o {device}")


def protocol(number: int) -> FelixMatch:
    return FelixMatch(f"-p {number}", head=f"-p {_PROTOCOLS[number]}")


def protocol_named(name: str, no: str = "") -> FelixMatch:
    """By its name, or by its number."""
    printed = "ipv6-icmp" if name == "icmpv6" else name
    printed = _PROTOCOLS.get(whole(name) or 0, printed)
    return FelixMatch(f"{no}-p {name}", head=f"{no}-p {printed}")


def icmp(version: int, kind: int, code: int | None, no: str = "") -> FelixMatch:
    of, name = ("icmp", "icmp-type") if version == 4 else ("icmp6", "icmpv6-type")
    return as_is(f"-m {of} {no}--{name} {kind}{'' if code is None else f'/{code}'}")


def as_is(text: str) -> FelixMatch:
    """A condition that is printed as it is written."""
    return FelixMatch(text, tail=text)


def ports(end: str, listed: str, no: str = "") -> FelixMatch:
    """`end`: src or dst."""
    side = "source" if end == "src" else "destination"
    return FelixMatch(
        f"-m multiport {no}--{side}-ports {listed}",
        tail=f"-m multiport {no}--{end[0]}ports {listed}",
    )


def to_ports(listed: str) -> FelixMatch:
    return ports("dst", listed)


def to_udp_port(port: int) -> FelixMatch:
    return FelixMatch(f"--dport {port}", tail=f"-m udp --dport {port}")


def in_state(states: str, no: str = "") -> FelixMatch:
    return as_is(f"-m conntrack {no}--ctstate {states}")


def net(side: str, cidr: str, no: str = "") -> FelixMatch:
    """`side`: source or destination. The whole family is not printed."""
    head = "" if cidr in _EVERYWHERE else f"{no}-{side[0]} {cidr}"
    return FelixMatch(f"{no}--{side} {cidr}", head=head)


def in_set(name: str, sides: str, no: str = "") -> FelixMatch:
    return as_is(f"-m set {no}--match-set {name} {sides}")


def type_of(side: str, no: str = "", limit: str = "") -> FelixMatch:
    return as_is(f"-m addrtype {no}--{side}-type LOCAL{limit}")


REVERSE_PATH = FelixMatch(
    "-m rpfilter --invert --validmark", tail="-m rpfilter --validmark --invert"
)


def hashes(chain: str, rules: Iterable[FelixRule]) -> list[str]:
    """Of each rule the hash: of the one before it, and of its own text."""
    digest = sha224(chain.encode()).digest()
    found = []
    for one in rules:
        words = ["-A", chain, "HASH", *map(_comment, one.comments)]
        words += [match.felix for match in one.matches]
        if one.action is not None:
            words.append(one.action.felix)
        digest = sha224(digest + " ".join(words).encode()).digest()
        found.append(urlsafe_b64encode(digest).decode()[:_HASH_LENGTH])
    return found


def chain(name: str, rules: Sequence[FelixRule], reason: Because | None = None) -> Chain:
    """A chain of Felix's own."""
    return Chain(name, tuple(written(name, rules)), reason=reason)


def written(chain: str, rules: Sequence[FelixRule], name: str = "") -> list[Rule]:
    """The rules as iptables-save prints them; `name`: what they are hashed under, if not `chain`.

    iptables prints addresses, devices and the protocol first, then the other conditions in the
    order in which they were written: the comments come before Felix's own.
    """
    found = []
    for one, digest in zip(rules, hashes(name or chain, rules), strict=True):
        heads = sorted((match.head for match in one.matches if match.head), key=_place)
        words = ["-A", chain, *heads, f'-m comment --comment "cali:{digest}"']
        words += map(_comment, one.comments)
        words += [match.tail for match in one.matches if match.tail]
        if one.action is not None:
            words.append(one.action.printed)
        found.append(Rule(" ".join(words), one.reason))
    return found


_HEADS = ("-s", "-d", "-i", "-o", "-p")


def _place(head: str) -> int:
    return _HEADS.index(head.removeprefix("! ")[:2])


def _comment(text: str) -> str:
    return f'-m comment --comment "{_UNSAFE.sub("_", text)[:256]}"'
