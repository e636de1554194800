"""Which rules each packet met, in the walk's words and in the kernel's: the first that differs.

A passage is one packet in one built-in chain, with all the chains that this leads to. Those in
which nothing matched are nobody's claim, unless the chain's policy dropped the packet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from k8stui.kernel.compile import compile_rule
from k8stui.kernel.exchange import Exchange
from k8stui.kernel.matches.base import Module
from k8stui.kernel.rules import BUILTIN_CHAINS
from k8stui.kernel.step import RuleCause, Step
from k8stui.kernel.targets.base import GoOn
from k8stui.lab.comparing.sight import (
    PairedPorts,
    is_cut,
    is_plain_ack,
    key,
    of_packet,
    speaks,
    tunnels,
)
from k8stui.lab.plan import Seen, Sight
from k8stui.record import record

_Rule = tuple[str, int, str]
"""Chain, 1-based number (0: the policy), text."""
_Key = tuple[object, ...]
_SENT_AGAIN_NS = 500_000_000
"""A packet is sent again after a second at the earliest (RFC 6298 2.1)."""


@record(kw_only=True)
class RuleMet:
    """Where the ways of a packet through the rules part."""

    namespace: str
    table: str
    chain: str
    """The built-in one."""
    packet: Sight
    """As it got there."""
    walk: str
    """The rule that the walk says it met next; empty: none."""
    kernel: str


@record(kw_only=True)
class _Passage:
    namespace: str
    table: str
    chain: str
    mark: int
    packet: Sight
    rules: tuple[_Rule, ...]
    time_ns: int = 0

    def key(self, ports: PairedPorts) -> _Key:
        return (*self.packet_key(ports), self.mark)

    def packet_key(self, ports: PairedPorts) -> _Key:
        """The packet and its place, whatever mark it has."""
        return (self.namespace, self.table, self.chain, key(self.packet, ports))


def rules_met(
    exchange: Exchange, seen: Seen, ports: PairedPorts, afterwards: Exchange | None = None
) -> tuple[tuple[RuleMet, ...], int]:
    """Where rules differ, in the walk's order; and how many do not.

    Only of the namespaces whose rules the kernel tells. A packet that came again counts once.
    `afterwards`: as for `k8stui.lab.comparing.compare.compare`.
    """
    told = seen["passed"]
    ours = _by_key((p for p in _walked(exchange.steps) if p.namespace in told), ports)
    theirs = _by_key(_sent_once(_kernel(seen), ports, ours), ports)
    later = {one.key(ports) for one in _walked(afterwards.steps)} if afterwards else frozenset()
    may_acknowledge = speaks(exchange)
    # Where a datagram goes in fragments, each of them may be answered; what is traced of an error
    # ends before it says which one it is about. Around the others than the first, VXLAN may have
    # a port of its own, by another hash (udp_flow_src_port), which conntrack does not know yet.
    cut, carriers = is_cut(exchange), tunnels(exchange)

    def may_be_more(packet: Sight) -> bool:
        if cut and (packet.is_error or packet.dport in carriers):
            return True
        return may_acknowledge and is_plain_ack(packet)

    theirs = {
        one: ways
        for one, ways in theirs.items()
        if one in ours or not (one in later or may_be_more(ways[0].packet))
    }
    differs = []
    equal = 0
    for one in dict.fromkeys((*ours, *theirs)):
        mine, others = ours.get(one, []), theirs.get(one, [])
        if len(others) > len(mine) and may_be_more(others[0].packet):
            known = [_places(passage) for passage in mine]
            others = [way for way in others if _places(way) in known] or others[: len(mine)]
        for number in range(max(len(mine), len(others))):
            walk = mine[number] if number < len(mine) else None
            kernel = others[number] if number < len(others) else None
            found = _parting(walk, kernel)
            if found is not None:
                differs.append(found)
            elif walk is not None:
                equal += len(walk.rules)
    return tuple(differs), equal


def _by_key(passages: Iterable[_Passage], ports: PairedPorts) -> dict[_Key, list[_Passage]]:
    """Each way through the rules once, for each packet in each chain."""
    found: dict[_Key, list[_Passage]] = {}
    for passage in passages:
        same = found.setdefault(passage.key(ports), [])
        if passage.rules and all(_places(one) != _places(passage) for one in same):
            same.append(passage)
    return {one: same for one, same in found.items() if same}


def _sent_once(
    passages: Iterable[_Passage], ports: PairedPorts, walked: Mapping[_Key, Sequence[_Passage]]
) -> Iterator[_Passage]:
    """Leave out what was sent again: it meets other rules, for conntrack has seen an answer.

    It may have another mark too: what it met in nat the first time it does not meet again. But for
    what the walk has sent again too: by another way, or with a mark that it did not have before.
    """
    first: dict[_Key, int] = {}
    seen: set[_Key] = set()
    for passage in passages:
        found = passage.key(ports)
        begun = first.setdefault(passage.packet_key(ports), passage.time_ns)
        is_new = found in walked and found not in seen
        if passage.time_ns - begun < _SENT_AGAIN_NS or is_new or len(walked.get(found, ())) > 1:
            seen.add(found)
            yield passage


def _places(passage: _Passage) -> list[tuple[str, int]]:
    """What tells two ways through the rules apart."""
    return [rule[:2] for rule in passage.rules if not _is_rationed(rule)]


def _parting(walk: _Passage | None, kernel: _Passage | None) -> RuleMet | None:
    of = walk or kernel
    if of is None:
        return None
    mine, others = (list(passage.rules) if passage else [] for passage in (walk, kernel))
    while mine or others:
        left, right = (rules[0] if rules else None for rules in (mine, others))
        if left is not None and right is not None and left[:2] == right[:2]:
            del mine[0], others[0]
        elif left is not None and _is_rationed(left):
            del mine[0]
        else:
            return RuleMet(
                namespace=of.namespace, table=of.table, chain=of.chain, packet=of.packet,
                walk=_said(left), kernel=_said(right),
            )  # fmt: skip
    return None


def _is_rationed(rule: _Rule) -> bool:
    """Whether it logs at a limited rate: what a kernel has logged before is no claim of the walk.

    ``-m limit`` is taken as not exceeded there, and behind a rule that logs all goes on.
    """
    compiled = compile_rule(rule[2])
    limited = any(isinstance(one, Module) and one.name == "limit" for one in compiled.matches)
    return limited and isinstance(compiled.target, GoOn)


def _said(rule: _Rule | None) -> str:
    return f"{rule[0]} {rule[1]}: {rule[2]}" if rule is not None else ""


def _walked(steps: Iterable[Step]) -> Iterator[_Passage]:
    """Steps whose causes are rules, one built-in chain of one packet at a time."""
    rules: list[_Rule] = []
    start: Step | None = None
    last: tuple[object, ...] | None = None
    top = 0
    for step in steps:
        cause = step.cause
        if not isinstance(cause, RuleCause) or cause.is_nft:
            last = None
            continue
        place = (step.packet_number, step.namespace, step.hook, cause.table, step.device)
        builtin = cause.chain.name in BUILTIN_CHAINS.get(cause.table, ())
        if place != last or (builtin and 0 < cause.index <= top):
            if start is not None:
                yield _passage(start, rules)
            rules, start, top = [], step, 0
        last = place
        top = cause.index if builtin else top
        text = cause.rule.text if cause.rule is not None else f":{cause.chain.name} DROP"
        rules.append((cause.chain.name, cause.index, text))
    if start is not None:
        yield _passage(start, rules)


def _passage(step: Step, rules: list[_Rule]) -> _Passage:
    assert isinstance(step.cause, RuleCause)
    packet = replace(
        of_packet(step.before), namespace=step.namespace, device=step.device or "",
        smac="", dmac="", vni=None, inner=None,
    )  # fmt: skip
    return _Passage(
        namespace=step.namespace,
        table=step.cause.table,
        chain=step.hook.value if step.hook else step.cause.chain.name,
        # What is traced is told when its first rule has done what it does (nft_do_chain).
        mark=step.after.mark,
        packet=packet,
        rules=tuple(rules),
    )


def _kernel(seen: Seen) -> Iterator[_Passage]:
    for passages in seen["passed"].values():
        for passed in passages:
            packet = replace(
                passed["header"], namespace=passed["space"], device=passed["device"],
                smac="", dmac="", inner=None,
            )  # fmt: skip
            yield _Passage(
                namespace=passed["space"],
                table=passed["table"],
                chain=passed["chain"],
                mark=passed["mark"],
                packet=packet,
                rules=tuple((m["chain"], m["number"], m["text"]) for m in passed["met"]),
                time_ns=passed["header"].time_ns,
            )
