"""One base chain of nftables sees one packet.

After net/netfilter/nf_tables_core.c nft_do_chain: a rule's expressions are evaluated in order
until one breaks; verdicts end the chain, jumps come back, what falls out meets the policy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction

from k8stui.kernel.address import Address
from k8stui.kernel.context import PacketContext
from k8stui.kernel.nft.value import BreakError, UnknownError, Value, is_among, plain, value_of
from k8stui.kernel.nft_ruleset import NftChain, NftTable
from k8stui.kernel.packet import Packet
from k8stui.kernel.step import Fork, RuleCause, StepKind, Way
from k8stui.kernel.traverse import MatchedRule, Traversal
from k8stui.kernel.verdict import (
    Accept,
    CannotEvaluate,
    Dnat,
    Drop,
    Masquerade,
    Redirect,
    Reject,
    Snat,
    Verdict,
)

_MOST_JUMPS = 16
"""NFT_JUMP_STACK_SIZE (include/net/netfilter/nf_tables.h)."""
_NOTHING = frozenset({"counter", "log", "comment", "quota", "set", "last"})
"""Statements that change no packet; `set` keeps addresses for a later one."""
_ORDERS: Mapping[str, Callable[[int, int], bool]] = {
    "<": lambda one, other: one < other,
    ">": lambda one, other: one > other,
    "<=": lambda one, other: one <= other,
    ">=": lambda one, other: one >= other,
}
_REJECT = {4: "icmp-port-unreachable", 6: "icmp6-port-unreachable"}


class _Left(Exception):  # noqa: N818 - no error
    """Back to the chain that jumped here."""


class _Ended(Exception):  # noqa: N818 - no error
    """The passage is over."""

    def __init__(self, result: Traversal) -> None:
        self.result = result


def traverse(table: NftTable, base: NftChain, packet: Packet, context: PacketContext) -> Traversal:
    """Run `packet` through a base chain, jumps included."""
    return _Passage(table, packet, context).run(base)


class _Passage:
    def __init__(self, table: NftTable, packet: Packet, context: PacketContext) -> None:
        self._table = table
        self._packet = packet
        self._context = context
        self._untracked = False
        self._visits: list[MatchedRule] = []
        self._forks: list[Fork] = []
        self._notes: list[str] = []
        self._name = f"{table.family} {table.name}"

    def run(self, base: NftChain) -> Traversal:
        try:
            self._chain(base, 0)
        except _Left:
            pass
        except _Ended as ended:
            return ended.result
        cause = RuleCause(table=self._name, chain=base.chain, index=0, rule=None)
        return self._result(Drop() if base.drops else Accept(), cause)

    def _chain(self, chain: NftChain, depth: int) -> None:
        for place, statements in enumerate(chain.rules):
            rule = chain.chain.rules[place]
            cause = RuleCause(table=self._name, chain=chain.chain, index=place + 1, rule=rule)
            try:
                for statement in statements:
                    ((kind, said),) = statement.items()
                    self._do(kind, said, cause, place, depth)
            except BreakError:
                continue
            except UnknownError as error:
                self._end(CannotEvaluate(cause, f"nftables ruleset: {error}"), cause)

    def _do(self, kind: str, said: object, cause: RuleCause, place: int, depth: int) -> None:
        """Carry out one statement.

        Raises:
            BreakError: the rule does not match, or does no more.
            UnknownError: it is not modelled.

        """
        if kind in _NOTHING:
            return
        if kind == "limit":
            note = "limit: taken as not exceeded"
            if note not in self._notes:
                self._notes.append(note)
        elif kind == "match" and isinstance(said, Mapping):
            if not self._matches(said):
                raise BreakError
        elif kind == "vmap" and isinstance(said, Mapping):
            self._verdict(self._mapped(said, cause, place), cause, depth)
        elif kind == "mangle" and isinstance(said, Mapping):
            self._mangle(said, cause)
        elif kind == "notrack":
            self._untracked = True
            self._visit(StepKind.RULE, cause)
        else:
            self._verdict({kind: said}, cause, depth, place)

    def _matches(self, said: Mapping[str, object]) -> bool:
        left = value_of(said["left"], self._packet, self._context)
        operator, right = str(said["op"]), said["right"]
        if operator in _ORDERS:
            other = plain(right)
            if not isinstance(left, int) or not isinstance(other, int):
                raise UnknownError(operator)
            return _ORDERS[operator](left, other)
        if operator not in ("==", "!=", "in"):
            raise UnknownError(operator)
        return is_among(left, right, self._table.sets) is not (operator == "!=")

    def _mapped(self, said: Mapping[str, object], cause: RuleCause, place: int) -> object:
        """What a map has for a key; by chance where the key is drawn.

        Raises:
            BreakError: nothing.

        """
        pairs = said["data"]
        if isinstance(pairs, Mapping):
            pairs = pairs.get("set", ())
        elif isinstance(pairs, str):
            if pairs[1:] not in self._table.sets:
                raise UnknownError(pairs)
            pairs = self._table.sets[pairs[1:]]
        assert isinstance(pairs, Sequence)
        key = said["key"]
        if isinstance(key, Mapping) and "numgen" in key:
            return self._drawn(key["numgen"], pairs, cause, place)
        value = value_of(key, self._packet, self._context)
        for pair in pairs:
            if isinstance(pair, list) and is_among(value, pair[0], self._table.sets):
                return pair[1]
        raise BreakError

    def _drawn(
        self, numgen: Mapping[str, object], pairs: Sequence[object], cause: RuleCause, place: int
    ) -> object:
        """``numgen``: each number is as likely; whose turn it is (`inc`) nobody knows."""
        most, first = numgen["mod"], numgen.get("offset", 0)
        if not isinstance(most, int) or not isinstance(first, int) or most < 1:
            raise UnknownError("numgen")
        number = first
        if most > 1:
            ways = tuple(Way(place, Fraction(1, most)) for _ in range(most))
            fork = Fork(
                namespace=self._context.namespace,
                table=self._name,
                chain=cause.chain,
                ways=ways,
            )
            fork = replace(fork, chosen=self._context.choose(fork))
            self._forks.append(fork)
            number += fork.chosen
        for pair in pairs:
            if isinstance(pair, list) and is_among(number, pair[0], self._table.sets):
                return pair[1]
        raise BreakError

    def _mangle(self, said: Mapping[str, object], cause: RuleCause) -> None:
        key = said["key"]
        value = value_of(said["value"], self._packet, self._context)
        if not isinstance(value, int):
            raise UnknownError("mangle")
        if key == {"meta": {"key": "mark"}}:
            self._visit(StepKind.MARK, cause, value & 0xFFFFFFFF)
        elif key == {"ct": {"key": "mark"}}:
            self._context = replace(self._context, ct_mark=value & 0xFFFFFFFF)
            self._visit(StepKind.MARK, cause)
        else:
            raise UnknownError(f"mangle {key}")

    def _verdict(self, said: object, cause: RuleCause, depth: int, place: int = 0) -> None:
        """Carry out a verdict, or a statement that is one."""
        if not isinstance(said, Mapping):
            raise UnknownError(str(said))
        ((kind, inner),) = said.items()
        if kind in ("jump", "goto") and isinstance(inner, Mapping):
            self._jump(kind, str(inner["target"]), cause, depth)
        elif kind == "return":
            self._visit(StepKind.RULE, cause)
            raise _Left
        elif kind == "continue":
            return
        else:
            made = self._terminal(kind, inner, cause, place)
            self._end(made, cause)

    def _jump(self, kind: str, name: str, cause: RuleCause, depth: int) -> None:
        chain = self._table.chains.get(name)
        if chain is None or depth >= _MOST_JUMPS:
            raise UnknownError(f"{kind} {name}")
        self._visit(StepKind.JUMP, cause)
        with suppress(_Left):
            self._chain(chain, depth + 1)
        if kind == "goto":
            raise _Left
        # What comes back goes on behind the jump, which ends its rule.
        raise BreakError

    def _terminal(self, kind: str, said: object, cause: RuleCause, place: int) -> Verdict:
        match kind:
            case "accept":
                return Accept()
            case "drop":
                return Drop()
            case "reject":
                return self._reject(said)
            case "masquerade":
                flags = said.get("flags", ()) if isinstance(said, Mapping) else ()
                fully = "fully-random" in (flags if isinstance(flags, list) else [flags])
                return Masquerade(self._ports(said, cause, place), random_fully=fully)
            case "redirect":
                return Redirect(self._ports(said, cause, place))
            case "dnat" | "snat":
                return self._nat(kind, said, cause, place)
        raise UnknownError(kind)

    def _reject(self, said: object) -> Verdict:
        version = self._packet.dst.version
        if not isinstance(said, Mapping):
            return Reject(_REJECT[version])
        how, what = said.get("type"), said.get("expr")
        if how == "tcp reset":
            return Reject("tcp-reset")
        if what in ("port-unreachable", None):
            return Reject(_REJECT[version])
        if how == "icmp" or (how == "icmpx" and version == 4):
            return Reject(f"icmp-{what}")
        raise UnknownError(f"reject with {how} {what}")

    def _nat(self, kind: str, said: object, cause: RuleCause, place: int) -> Verdict:
        if not isinstance(said, Mapping):
            raise UnknownError(kind)
        where = said.get("addr")
        if isinstance(where, Mapping) and "map" in where:
            where = self._mapped(where["map"], cause, place)
        value = value_of(where, self._packet, self._context) if where is not None else None
        port = self._ports(said, cause, place)
        if isinstance(value, tuple) and not isinstance(value, Address):
            value, *rest = value
            if len(rest) != 1 or not isinstance(rest[0], int):
                raise UnknownError(f"{kind} to {rest}")
            port = (rest[0], rest[0])
        if value is not None and not isinstance(value, Address):
            raise UnknownError(f"{kind} to {value}")
        addresses = (value, value) if value is not None else None
        return Dnat(addresses, port) if kind == "dnat" else Snat(addresses, port)

    def _ports(self, said: object, cause: RuleCause, place: int) -> tuple[int, int] | None:
        port = said.get("port") if isinstance(said, Mapping) else None
        if port is None:
            return None
        if isinstance(port, Mapping) and "map" in port:
            port = self._mapped(port["map"], cause, place)
        value: Value = value_of(port, self._packet, self._context)
        if not isinstance(value, int):
            raise UnknownError("port")
        return (value, value)

    def _visit(self, kind: StepKind, cause: RuleCause, mark: int | None = None) -> None:
        before = self._packet
        if mark is not None and mark != before.mark:
            self._packet = replace(before, mark=mark)
        self._visits.append(MatchedRule(kind, cause, before, self._packet))

    def _end(self, verdict: Verdict, cause: RuleCause) -> None:
        kinds: Mapping[type, StepKind] = {
            Drop: StepKind.DROP,
            Reject: StepKind.REJECT,
            Dnat: StepKind.DNAT,
            Redirect: StepKind.DNAT,
            Snat: StepKind.SNAT,
            Masquerade: StepKind.SNAT,
            CannotEvaluate: StepKind.UNKNOWN,
        }
        self._visit(kinds.get(type(verdict), StepKind.RULE), cause)
        raise _Ended(self._result(verdict, cause))

    def _result(self, verdict: Verdict, cause: RuleCause) -> Traversal:
        return Traversal(
            verdict=verdict,
            cause=cause,
            packet=self._packet,
            ct_mark=self._context.ct_mark,
            untracked=self._untracked,
            visits=tuple(self._visits),
            forks=tuple(self._forks),
            notes=tuple(self._notes),
        )
