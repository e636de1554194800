"""Whether later packets of a connection may fare otherwise than the first in each direction.

They meet no nat table, carry no mark that it sets, and are ESTABLISHED. Up to the first rule that
tells them apart they go the same way, so that only the chains which the first packets met are
asked: a "no" is certain, a "yes" means that they are worth a walk.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

from k8stui.kernel.compile import CompiledRule, compile_rule
from k8stui.kernel.derived import Derived
from k8stui.kernel.exchange import Exchange, Result
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
from k8stui.kernel.packet import Protocol
from k8stui.kernel.rules import BUILTIN_CHAINS, Chain, Table
from k8stui.kernel.step import ConntrackCause, Direction, RuleCause, StepKind
from k8stui.kernel.targets.base import CopyMark, Decide, GoOn, Jump, LowerMss, SetMark
from k8stui.kernel.verdict import Accept, Drop, Reject
from k8stui.record import record

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


def matters(network: Network, exchange: Exchange) -> bool:
    """Whether what connect() does not tell is worth a walk: the exchange is a handshake so far."""
    if exchange.felt.result is not Result.CONNECTED or not exchange.steps:
        return False
    if exchange.steps[0].before.protocol is not Protocol.TCP:
        return False
    # Where only one direction comes by, the ACK is INVALID.
    if _tracked(exchange, Direction.FORWARD) != _tracked(exchange, Direction.REPLY):
        return True
    family = exchange.steps[0].before.src.version
    skips = ends = False
    for name, met in _met(exchange).items():
        namespace = network[name]
        if namespace.nft is not None or any(map(_routes_apart, namespace.policy_rules)):
            return True
        for table, chain in _chains(namespace, family, met):
            found = _telling.of(chain)
            if found.wild:
                return True
            ends = ends or found.ends
            skips = skips or found.skips or not all(_only_ends(table, n) for n in found.passes)
    return skips and ends


def _routes_apart(rule: PolicyRule) -> bool:
    # The nat table's marks are on the first packet only, and connect() has looked for a route
    # before it had a source address (fib_rule_match; ip_route_connect, then ip_route_newports).
    return rule.mark is not None or rule.source is not None


def _tracked(exchange: Exchange, direction: Direction) -> set[str]:
    return {
        step.namespace
        for step in exchange.steps
        if step.direction is direction and isinstance(step.cause, ConntrackCause)
    }


def _met(exchange: Exchange) -> Mapping[str, list[RuleCause]]:
    """The rules that matched, by namespace."""
    found: dict[str, list[RuleCause]] = {}
    for step in exchange.steps:
        met = found.setdefault(step.namespace, [])
        if isinstance(step.cause, RuleCause) and step.kind is StepKind.JUMP:
            met.append(step.cause)
    return found


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
            target = compile_rule(text).target
            if name == table.name and isinstance(target, Jump):
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


@record(frozen=False)
class _Telling:
    """What one chain does to later packets that it did not do to the first."""

    wild: bool = False
    """Anything may be: the rules ask what has to be tried."""
    skips: bool = False
    """A rule that took the first packet on may not take the later ones."""
    passes: tuple[str, ...] = ()
    """Chains to which only the first packet was sent."""
    ends: bool = False
    """And here is what may end them then."""


def _tell(chain: Chain) -> _Telling:
    found = _Telling(ends=chain.policy == "DROP")
    is_open = False
    """Whether the first packet has left, and it is not clear yet what takes the later ones."""
    for rule in chain.rules:
        words = rule.text.split()
        if _is_plain(words) and (found.ends or not _ENDING.intersection(words)):
            found.skips = found.skips or is_open
            continue
        compiled = compile_rule(rule.text)
        if is_open and not _never_later(compiled):
            # KUBE-FORWARD: what is marked may pass, and so may all that is known.
            found.skips = found.skips or not _accepts_all_later(compiled)
            is_open = False
        is_open = _take(found, compiled) or is_open
    found.skips = found.skips or is_open
    return found


_telling = Derived(_tell)


def _is_plain(words: list[str]) -> bool:
    """Whether the rule cannot tell packets apart, to be seen without reading all of it."""
    modules = {word for before, word in pairwise(words) if before == "-m"}
    modules -= {"tcp", "udp"}
    return modules <= _PLAIN_MODULES and not {"--tcp-flags", "--tcp-option", "CONNMARK"} & {*words}


def _take(found: _Telling, rule: CompiledRule) -> bool:
    """Take in what a rule does; whether it took the first packet on and not the later ones."""
    target = rule.target
    if target is None or isinstance(target, GoOn | LowerMss):
        return False
    ends = isinstance(target, Decide) and isinstance(target.verdict, Drop | Reject)
    asks = [test for test in rule.tests if not isinstance(test, _SAME)]
    if isinstance(target, CopyMark) or rule.chances or any(map(_is_wild, asks)):
        found.wild = True
        return False
    states = [test for test in asks if isinstance(test, StateTest)]
    first = all(_holds(test, "NEW") for test in states)
    later = all(_holds(test, "ESTABLISHED") for test in states)
    if (first and not later) or len(states) < len(asks):
        # For the first packet only; or for a mark that the nat table gave it.
        found.wild = found.wild or isinstance(target, SetMark)
        if isinstance(target, Jump) and not rule.goto:
            found.passes += (target.chain,)
            return False
        return not ends
    if later and not first:
        accepts = isinstance(target, Decide) and isinstance(target.verdict, Accept)
        found.wild = found.wild or not accepts
    elif later:
        found.ends = found.ends or ends
    return False


def _never_later(rule: CompiledRule) -> bool:
    """Whether no later packet matches, or nothing becomes of one that does."""
    if rule.target is None or isinstance(rule.target, GoOn | LowerMss):
        return True
    return any(
        isinstance(test, StateTest) and not _holds(test, "ESTABLISHED") for test in rule.tests
    )


def _accepts_all_later(rule: CompiledRule) -> bool:
    target = rule.target
    return (
        isinstance(target, Decide)
        and isinstance(target.verdict, Accept)
        and not rule.chances
        and all(
            isinstance(test, Always | Comment)
            or (isinstance(test, StateTest) and _holds(test, "ESTABLISHED"))
            for test in rule.tests
        )
    )


def _is_wild(test: Test) -> bool:
    if isinstance(test, MarkTest):
        return test.connection or test.negated
    return not isinstance(test, StateTest)


def _holds(test: StateTest, state: str) -> bool:
    return (state in test.states) is not test.negated
