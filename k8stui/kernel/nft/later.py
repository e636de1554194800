"""Whether rules of nftables tell later packets from a connection's first: see `kernel.later`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeGuard

from k8stui.kernel.derived import Derived
from k8stui.kernel.namespace import NetNamespace
from k8stui.kernel.nft import mentions
from k8stui.kernel.nft.combined import Bits, Concatenation
from k8stui.kernel.nft.compile import statements
from k8stui.kernel.nft.expression import Expression
from k8stui.kernel.nft.expressions.ct import Ct
from k8stui.kernel.nft.expressions.fib import Fib
from k8stui.kernel.nft.expressions.meta import Meta
from k8stui.kernel.nft.expressions.option import SEGMENT_SIZE
from k8stui.kernel.nft.expressions.payload import Payload
from k8stui.kernel.nft.literal import Field, Fields
from k8stui.kernel.nft.lookup import AnonymousSet, NamedSet
from k8stui.kernel.nft.mapped import Mapped
from k8stui.kernel.nft.statement import Statement
from k8stui.kernel.nft.statements.comment import Comment
from k8stui.kernel.nft.statements.count import Count
from k8stui.kernel.nft.statements.counter import Counter
from k8stui.kernel.nft.statements.flow import Flow
from k8stui.kernel.nft.statements.last import Last
from k8stui.kernel.nft.statements.limit import Limit
from k8stui.kernel.nft.statements.log import Log
from k8stui.kernel.nft.statements.match import Match
from k8stui.kernel.nft.statements.quota import Quota
from k8stui.kernel.nft.statements.reject import Reject
from k8stui.kernel.nft.statements.setting import Setting
from k8stui.kernel.nft.statements.verdicts import Verdict
from k8stui.kernel.nft.statements.vmap import VerdictMap
from k8stui.kernel.nft.verdict import Said
from k8stui.kernel.nft.visited import visited
from k8stui.kernel.rules import Chain
from k8stui.kernel.step import RuleCause, Step, StepKind
from k8stui.kernel.telling import Does, Effect, Telling, tell

_NEW, _ESTABLISHED = 8, 2
"""As `datatypes.CT_STATE` has them."""
_SAME_PAYLOAD = frozenset({
    "saddr", "daddr", "sport", "dport", "protocol", "nexthdr", "version", "ttl", "hoplimit", "type",
    "code",
})  # fmt: skip
_SAME_META = frozenset({
    "protocol", "nfproto", "l4proto", "iif", "iifname", "oif", "oifname", "skuid", "skgid",
    "pkttype",
})  # fmt: skip
_SAME_CT = frozenset({
    "direction", "l3proto", "protocol", "ip saddr", "ip daddr", "ip6 saddr", "ip6 daddr",
    "proto-src", "proto-dst",
})  # fmt: skip
_NOTHING = (Comment, Counter, Flow, Last, Log)
_ASSUMED = (Count, Limit, Quota)
"""Taken as not exceeded, by whichever packet."""
_EFFECTS = {
    "accept": Effect.ACCEPTS,
    "drop": Effect.ENDS,
    "jump": Effect.JUMPS,
    "goto": Effect.LEAVES,
    "return": Effect.LEAVES,
    "continue": Effect.NOTHING,
}


def told(
    namespace: NetNamespace, family: int, steps: Sequence[Step]
) -> Iterator[tuple[Telling, bool]]:
    """Of each chain that packets came by; whether it does no harm to miss where it sends the first.

    They came back from there as they went: nothing that matched there did anything to them.
    """
    for table, chain, is_nat in visited(namespace, steps):
        if is_nat or family not in table.versions:
            continue
        found = _telling.of(chain.chain)
        asked = (table.sets.get(name) for name in _sets.of(chain.chain))
        is_wild = found.is_wild or any(one is not None and "dynamic" in one.flags for one in asked)
        met = [step for step in steps if _table(step) == table.called]
        harmless = all(_did_nothing(name, met, {name}) for name in found.passes)
        yield Telling(is_wild, found.skips, found.passes, found.ends), harmless


def _table(step: Step) -> str:
    return step.cause.table if isinstance(step.cause, RuleCause) else ""


def _did_nothing(name: str, met: Sequence[Step], seen: set[str]) -> bool:
    """Whether packets came back from a chain as they went there."""
    for step in met:
        cause = step.cause
        if not isinstance(cause, RuleCause) or cause.chain.name != name or cause.rule is None:
            continue
        if step.kind is StepKind.JUMP and cause.leads:
            if cause.leads not in seen:
                seen.add(cause.leads)
                if not _did_nothing(cause.leads, met, seen):
                    return False
        elif _does(cause.rule.text).effect is not Effect.LEAVES:
            return False
    return True


_telling: Derived[Chain, Telling] = Derived(
    lambda chain: tell((_does(rule.text) for rule in chain.rules), chain.policy)
)
_sets: Derived[Chain, tuple[str, ...]] = Derived(
    lambda chain: tuple(name for rule in chain.rules for name in mentions.sets(rule.text))
)


def _does(text: str) -> Does:
    effects: dict[Effect, None] = {}
    chain = ""
    first = later = takes_all = True
    for one in statements(text):
        if _asks_states(one):
            holds = _state(one)
            if holds is None:
                return Does(Effect.WILD)
            first, later = first and holds[0], later and holds[1]
        elif isinstance(one, Match | VerdictMap):
            takes_all = False
            if not _is_same(one):
                return Does(Effect.WILD)
        elif isinstance(one, _ASSUMED):
            takes_all = False
        effects[_effect(one)] = None
        chain = one.said.chain if isinstance(one, Verdict) else chain
    does = [one for one in effects if one is not Effect.NOTHING]
    if Effect.WILD in does or len(does) > 1:
        return Does(Effect.WILD)
    effect = does[0] if does else Effect.NOTHING
    return Does(effect, first, later, takes_all and later, chain)


def _effect(one: Statement) -> Effect:
    if isinstance(getattr(one, "name", None), Mapped):
        return Effect.WILD  # an object that not every packet may have
    if isinstance(one, Verdict):
        return _EFFECTS[one.said.kind]
    if isinstance(one, Reject):
        return Effect.ENDS
    if isinstance(one, VerdictMap):
        return Effect.ACCEPTS if _asks_states(one) else Effect.FINDS
    if isinstance(one, Setting) and isinstance(one.what, Field | Bits):
        if one.key == SEGMENT_SIZE:
            return Effect.NOTHING
        if one.key == Meta("mark"):
            return Effect.MARKS
    return Effect.NOTHING if isinstance(one, (Match, *_NOTHING, *_ASSUMED)) else Effect.WILD


def _asks_states(one: Statement) -> TypeGuard[Match | VerdictMap]:
    asked = one.left if isinstance(one, Match) else getattr(one, "key", None)
    return isinstance(one, Match | VerdictMap) and asked == Ct("state")


def _state(one: Match | VerdictMap) -> tuple[bool, bool] | None:
    """Whether it goes on for a new and a known connection; None: in another way.

    Of a map of verdicts: whether it accepts.
    """
    if isinstance(one, VerdictMap):
        if not isinstance(one.among, AnonymousSet):
            return None
        new, known = (one.among.at(state) for state in (_NEW, _ESTABLISHED))
        is_usual = new is None and known is not None and known.data == Said("accept")
        return (False, True) if is_usual else None
    right = one.right
    if isinstance(right, AnonymousSet):
        is_other = one.operator == "!="
        new, known = (right.at(state) for state in (_NEW, _ESTABLISHED))
        return (new is not None) is not is_other, (known is not None) is not is_other
    if isinstance(right, Field) and one.operator in ("", "!", "==", "!="):
        return one.compared(right, _NEW), one.compared(right, _ESTABLISHED)
    return None


def _is_same(one: Match | VerdictMap) -> bool:
    """Whether all packets of one direction answer alike."""
    if isinstance(one, VerdictMap):
        return _answers_alike(one.key)
    right = one.right
    if not isinstance(right, NamedSet | AnonymousSet | Fields) and not _answers_alike(right):
        return False
    return _answers_alike(one.left)


def _answers_alike(one: Expression) -> bool:
    if isinstance(one, Concatenation):
        return all(map(_answers_alike, one.parts))
    if isinstance(one, Payload):
        return one.field in _SAME_PAYLOAD
    if isinstance(one, Meta):
        return one.key in _SAME_META
    if isinstance(one, Ct):
        return one.key in _SAME_CT
    return isinstance(one, Fib | Field)
