"""Tables of nftables' own → what ``nft -f`` reads: printed from what was parsed, chance decided.

No rule goes to the kernel as somebody else wrote it: a file for nft can include others and define
words. What is not understood is not handed on, which is said.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from k8stui.kernel.nft import listing
from k8stui.kernel.nft.compile import held, statements, types_of_data, types_of_key
from k8stui.kernel.nft.errors import UnknownError
from k8stui.kernel.nft.mapped import Mapped
from k8stui.kernel.nft.statement import Statement, Unknown
from k8stui.kernel.nft.statements.comment import Comment
from k8stui.kernel.nft.statements.counter import Counter
from k8stui.kernel.nft.statements.flow import Flow
from k8stui.kernel.nft.statements.last import Last
from k8stui.kernel.nft.statements.limit import Limit
from k8stui.kernel.nft.statements.log import Log
from k8stui.kernel.nft.statements.quota import Quota
from k8stui.kernel.nft.statements.synproxy import Synproxy
from k8stui.kernel.nft.times import seconds, written
from k8stui.kernel.nft_ruleset import Base, Element, NftChain, NftRuleset, NftSet, NftTable
from k8stui.kernel.rules import Chain, Rule
from k8stui.kernel.step import Fork
from k8stui.lab.errors import NotComparedError

Place = tuple[str, str, int]
"""Table with its family, chain, 1-based number of the rule."""

Draws = tuple[int, ...]
"""Which number a rule drew, each time that it was asked for one."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]{0,254}")
_HARMLESS = re.compile(r'(?:"[A-Za-z0-9 _.:*+/-]*"|[A-Za-z0-9 _.:,/@{}()<>=!&|^*+\[\]-])*')
_TYPE = re.compile(r"[a-z0-9_. -]+")
_LED_TO = re.compile(r"\b(?:jump|goto) ([^\s,}]+)")
_ASKED = re.compile(r"@([^\s,}]+)")
_DRAWN = re.compile(
    r"(?:numgen (?:random|inc)|symhash|jhash [^{}]+?) mod \d+(?! seed)(?: offset \d+)?"
)
_ONCE = "numgen inc mod 65536 0 "
"""What a rule asks that is to match the first time only."""
_ENDS = re.compile(r"(?<!\S)(?:dnat|snat|redirect|masquerade|accept|drop|goto)\b")
_RETURNS = re.compile(r"(?<!\S)(?:jump|continue)\b")
_FAMILIES = frozenset({"ip", "ip6", "inet"})
_HOOKS = frozenset({"prerouting", "input", "forward", "output", "postrouting", "ingress"})
_TYPES = frozenset({"filter", "nat", "route"})
_FLAGS = frozenset({"constant", "dynamic", "interval", "timeout"})
_LEFT_AWAY = (Comment, Counter, Flow, Last, Log)
"""Statements that decide nothing; of some the lab has not got what they name."""


def decided(forks: Sequence[Fork], namespace: str) -> Mapping[Place, Draws]:
    """Which numbers chance drew in one branch, by the rule."""
    found: dict[Place, Draws] = {}
    for fork in forks:
        way = fork.way
        if fork.namespace == namespace and way.place is not None and way.number is not None:
            place = (fork.table, fork.chain.name, way.place + 1)
            found[place] = (*found.get(place, ()), way.number)
    return found


def text(
    ruleset: NftRuleset, chosen: Mapping[Place, Draws], devices: Collection[str]
) -> tuple[str, tuple[str, ...]]:
    """The text for ``nft -f``; also what is not handed to it.

    `devices`: those that are there; a chain at another one's ``ingress`` cannot be made.
    """
    refused: list[str] = []
    tables = [
        found
        for table in ruleset.tables
        if (found := _Handed(table, chosen, devices, refused).table()) is not None
    ]
    return listing.listing(NftRuleset(tuple(tables))), tuple(refused)


class _Handed:
    """One table, as far as it is understood."""

    def __init__(
        self,
        table: NftTable,
        chosen: Mapping[Place, Draws],
        devices: Collection[str],
        refused: list[str],
    ) -> None:
        self._table = table
        self._chosen = chosen
        self._devices = devices
        self._refused = refused
        self._chains: set[str] = set()
        self._sets: set[str] = set()

    def table(self) -> NftTable | None:
        table = self._table
        if table.family not in _FAMILIES or not _NAME.fullmatch(table.name) or table.flags:
            self._refused.append(f"table {self._table.called}")
            return None
        self._chains = {one.name for one in table.chains.values() if self._is_named(one.name)}
        sets = {one.name: one for each in table.sets.values() if (one := self._set(each))}
        self._sets = set(sets)
        chains = {
            one.name: self._chain(one) for one in table.chains.values() if one.name in self._chains
        }
        return NftTable(family=table.family, name=table.name, chains=chains, sets=sets)

    def _is_named(self, name: str) -> bool:
        if _NAME.fullmatch(name):
            return True
        self._refused.append(name)
        return False

    def _set(self, one: NftSet) -> NftSet | None:
        try:
            known = [*types_of_key(one), *(types_of_data(one) or ())]
            timeout = written(seconds(one.timeout)) if one.timeout else ""
            elements = tuple(Element(str(self._element(one, each))) for each in one.elements)
        except (UnknownError, ValueError):
            known, timeout, elements = [], "", ()
        is_plain = _NAME.fullmatch(one.name) and _TYPE.fullmatch(one.key + one.data)
        if not known or not is_plain or not _FLAGS.issuperset(one.flags):
            self._refused.append(f"{one.kind} {one.name}")
            return None
        size = one.size if "dynamic" in one.flags else None
        return NftSet(
            name=one.name,
            key=one.key,
            data=one.data,
            is_typeof=one.is_typeof,
            size=size,
            flags=one.flags,
            timeout=timeout,
            elements=tuple(each for each in elements if self._is_harmless(each.text)),
        )

    @staticmethod
    def _element(one: NftSet, element: Element) -> object:
        return held(one, element)._replace(further="")

    def _chain(self, one: NftChain) -> NftChain:
        rules = tuple(self._rules(one.chain))
        return NftChain(chain=Chain(one.name, rules, one.chain.policy), base=self._base(one))

    def _base(self, one: NftChain) -> Base | None:
        base = one.base
        if base is None:
            return None
        known = base.hook in _HOOKS and base.type in _TYPES
        if not known or not all(device in self._devices for device in base.devices):
            self._refused.append(f"chain {one.name}: hook {base.hook}")
            return None
        return Base(
            type=base.type,
            hook=base.hook,
            priority=base.priority,
            policy="drop" if base.policy == "drop" else "accept",
            devices=base.devices,
        )

    def _rules(self, chain: Chain) -> Iterator[Rule]:
        for number, rule in enumerate(chain.rules, start=1):
            said = statements(rule.text)
            kept = [_sent(one) for one in said if not isinstance(one, _LEFT_AWAY)]
            made = _as_drawn(kept, self._chosen.get((self._table.called, chain.name, number), ()))
            is_known = not any(isinstance(one, Unknown) or _asks_an_object(one) for one in said)
            if not is_known or not all(map(self._is_harmless, made)):
                self._refused.append(rule.text)
            else:
                yield from (Rule(one) for one in made if one)

    def _is_harmless(self, made: str) -> bool:
        """Whether it has plain words alone, and what it names is there."""
        named = set(_LED_TO.findall(made)) <= self._chains
        asked = set(_ASKED.findall(made)) <= self._sets
        return named and asked and _HARMLESS.fullmatch(made) is not None


def _asks_an_object(one: Statement) -> bool:
    """Whether a limit, quota, or a map to counters decides: the lab has no objects of tables."""
    if isinstance(one, Counter):
        return isinstance(one.name, Mapped)
    return isinstance(one, Limit | Quota | Synproxy) and one.name is not None


def _sent(statement: Statement) -> str:
    sent = getattr(statement, "sent", None)
    return sent() if sent is not None else str(statement)


def _as_drawn(said: Sequence[str], draws: Draws) -> list[str]:
    """The rule that draws the number that chance did; several where it drew several.

    A counter counts how often it was asked (nft_numgen.c nft_ng_inc_gen): each rule but the last
    goes on once, and the packet ends there, so that the next is the next packet's.

    Raises:
        NotComparedError: it would not end there.

    """
    if not draws:
        return [" ".join(said)]
    turns = draws[:1] if len(set(draws)) == 1 else draws
    if len(turns) > 1 and (not any(map(_ENDS.search, said)) or any(map(_RETURNS.search, said))):
        raise NotComparedError(
            "packets of one exchange draw several numbers in a rule of nftables that goes on"
        )
    found = []
    for turn, number in enumerate(turns, start=1):
        once = _ONCE if turn < len(turns) else ""
        found.append(" ".join(_drawing(one, number, once) for one in said))
    return found


def _drawing(statement: str, number: int, once: str) -> str:
    made, times = _DRAWN.subn(f"numgen inc mod 1 offset {number}", statement)
    return once + made if times else made
