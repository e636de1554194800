"""Whether later packets of a connection may fare otherwise than the first in each direction.

Up to the first rule that tells them apart they go the same way, so that only the chains which the
first packets met are asked: a "no" is certain, a "yes" means that they are worth a walk.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from k8stui.kernel.compile import CompiledRule, compile_rule
from k8stui.kernel.derived import Derived
from k8stui.kernel.matches.base import Always, Comment, Test
from k8stui.kernel.matches.connection import (
    ConnectionProtocolTest,
    MarkTest,
    OriginalAddressTest,
    OriginalPortTest,
    StateTest,
)
from k8stui.kernel.matches.header import AddressTest, DeviceTest, ProtocolTest
from k8stui.kernel.matches.lists import SetTest
from k8stui.kernel.matches.place import (
    AddressTypeTest,
    BridgePortTest,
    LimitInterface,
    MacTest,
    OwnerTest,
    RangeTest,
    ReversePathTest,
)
from k8stui.kernel.matches.ports import PortTest
from k8stui.kernel.namespace import NetNamespace, Network, PolicyRule
from k8stui.kernel.rules import BUILTIN_CHAINS, Chain, Table
from k8stui.kernel.step import ConntrackCause, Direction, RuleCause, Step, StepKind
from k8stui.kernel.targets.base import CopyMark, Decide, GoOn, Jump, LowerMss, SetMark
from k8stui.kernel.telling import Does, Effect, Telling, tell
from k8stui.kernel.verdict import Accept, Drop, Reject

_NAT = "nat"
_SAME = (
    AddressTest,
    AddressTypeTest,
    Always,
    BridgePortTest,
    Comment,
    ConnectionProtocolTest,
    DeviceTest,
    LimitInterface,
    MacTest,
    OriginalAddressTest,
    OriginalPortTest,
    OwnerTest,
    PortTest,
    ProtocolTest,
    RangeTest,
    ReversePathTest,
    SetTest,
)
"""What all packets of one direction answer alike."""
_PLAIN_MODULES = frozenset({"addrtype", "comment", "iprange", "mac", "multiport", "physdev", "set"})
_ENDING = frozenset({"DROP", "REJECT"})
_PLAIN = Does(Effect.LEAVES)
_PLAIN_END = Does(Effect.ENDS)


def matters(network: Network, handshake: Sequence[Step]) -> bool:
    """Whether what connect() does not tell is worth a walk: by what it took for it to return."""
    # Where only one direction comes by, the ACK is INVALID.
    if _tracked(handshake, Direction.FORWARD) != _tracked(handshake, Direction.REPLY):
        return True
    family = handshake[0].before.src.version
    skips = ends = False
    for name, steps in _by_namespace(handshake).items():
        namespace = network[name]
        if any(map(_routes_apart, namespace.policy_rules)):
            return True
        for found, is_harmless in _told(namespace, family, steps):
            if found.is_wild or not is_harmless:
                return True
            ends = ends or found.ends
            skips = skips or found.skips
    return skips and ends


def _routes_apart(rule: PolicyRule) -> bool:
    # The nat table's marks are on the first packet only, and connect() has looked for a route
    # before it had a source address (fib_rule_match; ip_route_connect, then ip_route_newports).
    return rule.mark is not None or rule.source is not None


def _tracked(handshake: Sequence[Step], direction: Direction) -> set[str]:
    return {
        step.namespace
        for step in handshake
        if step.direction is direction and isinstance(step.cause, ConntrackCause)
    }


def _by_namespace(handshake: Sequence[Step]) -> Mapping[str, list[Step]]:
    found: dict[str, list[Step]] = {}
    for step in handshake:
        found.setdefault(step.namespace, []).append(step)
    return found


def _told(
    namespace: NetNamespace, family: int, steps: list[Step]
) -> Iterator[tuple[Telling, bool]]:
    """Of each chain that packets came by; and whether to pass by where it sends the first is one.

    A packet that comes back from there is as one that never was there.
    """
    met = [step.cause for step in steps if step.kind is StepKind.JUMP]
    for table, chain in _chains(namespace, family, [c for c in met if isinstance(c, RuleCause)]):
        found = _telling.of(chain)
        yield found, all(_only_ends(table, name) for name in found.passes)
    if namespace.nft is not None:
        from k8stui.kernel.nft import later  # noqa: PLC0415 - as in `netfilter`

        yield from later.told(namespace, family, steps)


def _chains(
    namespace: NetNamespace, family: int, met: list[RuleCause]
) -> Iterator[tuple[Table, Chain]]:
    """Chains that a packet came by: the built-in ones, and those that were jumped to."""
    jumped = {(cause.table, cause.rule.text) for cause in met if cause.rule is not None}
    for table in (one for ruleset in namespace.every_ruleset(family) for one in ruleset):
        if table.name == _NAT:
            continue
        names = dict.fromkeys(BUILTIN_CHAINS.get(table.name, ()))
        for name, text in jumped:
            target = compile_rule(text).target if name == table.name else None
            if isinstance(target, Jump):
                names[target.chain] = None
        chains = (table.chains.get(name) for name in names)
        yield from ((table, chain) for chain in chains if chain is not None)


def _only_ends(table: Table, name: str) -> bool:
    """Whether a packet that comes back from the chain `name` is as one that never was there."""
    chain = table.chains.get(name)
    return chain is not None and _ending.of(chain)


def _ends_at_most(chain: Chain) -> bool:
    # Spelling is enough for most rules of a long chain.
    return all(
        _ENDING.intersection(rule.text.split())
        and isinstance(target := compile_rule(rule.text).target, Decide)
        and isinstance(target.verdict, Drop | Reject)
        for rule in chain.rules
    )


_ending = Derived(_ends_at_most)
_telling: Derived[Chain, Telling] = Derived(
    lambda chain: tell((_does(rule.text) for rule in chain.rules), chain.policy)
)


def _does(text: str) -> Does:
    words = list(pairwise(text.split()))
    if _is_plain(words):
        ends = any(before == "-j" and word in _ENDING for before, word in words)
        return _PLAIN_END if ends else _PLAIN
    rule = compile_rule(text)
    target = rule.target
    if target is None or isinstance(target, GoOn | LowerMss):
        return Does(Effect.NOTHING)
    asks = [test for test in rule.tests if not isinstance(test, _SAME)]
    if isinstance(target, CopyMark) or rule.chances or any(map(_is_wild, asks)):
        return Does(Effect.WILD)
    states = [test for test in asks if isinstance(test, StateTest)]
    effect = _effect(rule)
    chain = target.chain if isinstance(target, Jump) else ""
    if len(states) < len(asks):
        # For a mark, which only the first packet has if the nat table gave it.
        return Does(effect, True, effect is Effect.ENDS, chain=chain)
    first = all(_holds(test, "NEW") for test in states)
    later = all(_holds(test, "ESTABLISHED") for test in states)
    others = (test for test in rule.tests if not isinstance(test, Always | Comment | StateTest))
    return Does(effect, first, later, later and next(others, None) is None, chain)


def _effect(rule: CompiledRule) -> Effect:
    target = rule.target
    if isinstance(target, Decide):
        if isinstance(target.verdict, Drop | Reject):
            return Effect.ENDS
        return Effect.ACCEPTS if isinstance(target.verdict, Accept) else Effect.LEAVES
    if isinstance(target, SetMark):
        return Effect.MARKS
    return Effect.JUMPS if isinstance(target, Jump) and not rule.goto else Effect.LEAVES


def _is_plain(words: list[tuple[str, str]]) -> bool:
    """Whether the rule cannot tell packets apart, to be seen without reading all of it."""
    modules = {word for before, word in words if before == "-m"}
    options = {word for _, word in words}
    modules -= {"tcp", "udp"}
    return modules <= _PLAIN_MODULES and not {"--tcp-flags", "--tcp-option", "CONNMARK"} & options


def _is_wild(test: Test) -> bool:
    if isinstance(test, MarkTest):
        return test.connection or test.negated
    return not isinstance(test, StateTest)


def _holds(test: StateTest, state: str) -> bool:
    return (state in test.states) is not test.negated
