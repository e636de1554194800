"""What the rules of one chain of nftables ask of addresses and devices: see `kernel.questions`.

What is not known to look at none is taken to look at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum, auto

from k8stui.kernel.border import Border
from k8stui.kernel.derived import Derived
from k8stui.kernel.matches.header import Network as Masked
from k8stui.kernel.nft.combined import Bits, Concatenation
from k8stui.kernel.nft.compile import statements
from k8stui.kernel.nft.expression import Expression
from k8stui.kernel.nft.expressions.ct import Ct
from k8stui.kernel.nft.expressions.extension import Extension
from k8stui.kernel.nft.expressions.fib import Fib
from k8stui.kernel.nft.expressions.jhash import Hash
from k8stui.kernel.nft.expressions.meta import Meta
from k8stui.kernel.nft.expressions.numgen import Numgen
from k8stui.kernel.nft.expressions.option import TcpOption
from k8stui.kernel.nft.expressions.payload import Payload
from k8stui.kernel.nft.expressions.route import PATH_SEGMENT
from k8stui.kernel.nft.holding import says_of
from k8stui.kernel.nft.literal import Beginning, Field, Fields, Literal, Network, Range
from k8stui.kernel.nft.lookup import Among, NamedSet
from k8stui.kernel.nft.mapped import Mapped
from k8stui.kernel.nft.statement import Statement, Unknown
from k8stui.kernel.nft.statements.comment import Comment
from k8stui.kernel.nft.statements.count import Count
from k8stui.kernel.nft.statements.counter import Counter
from k8stui.kernel.nft.statements.dup import Dup
from k8stui.kernel.nft.statements.dynamic import Dynamic, Entry
from k8stui.kernel.nft.statements.flow import Flow
from k8stui.kernel.nft.statements.fwd import Fwd
from k8stui.kernel.nft.statements.last import Last
from k8stui.kernel.nft.statements.limit import Limit
from k8stui.kernel.nft.statements.log import Log
from k8stui.kernel.nft.statements.masquerade import Masquerade
from k8stui.kernel.nft.statements.match import Flags, Match
from k8stui.kernel.nft.statements.meter import Meter
from k8stui.kernel.nft.statements.nat import Nat
from k8stui.kernel.nft.statements.notrack import NoTrack
from k8stui.kernel.nft.statements.queue import Queue
from k8stui.kernel.nft.statements.quota import Quota
from k8stui.kernel.nft.statements.reject import Reject
from k8stui.kernel.nft.statements.reset import Reset
from k8stui.kernel.nft.statements.setting import Setting
from k8stui.kernel.nft.statements.synproxy import Synproxy
from k8stui.kernel.nft.statements.tproxy import Tproxy
from k8stui.kernel.nft.statements.verdicts import Verdict
from k8stui.kernel.nft.statements.vmap import VerdictMap
from k8stui.kernel.nft_ruleset import Asked, NftTable
from k8stui.kernel.questions import Questions, nothing_asked
from k8stui.kernel.rules import Chain


class _Tells(Enum):
    """What an expression is another for."""

    NOTHING = auto()
    """The same for all who are plugged in alike: a port, a mark, what routes say."""
    ADDRESS = auto()
    DEVICE = auto()
    ALL = auto()
    """Each may have another, in a way not seen here."""


_BLIND = (
    Comment,
    Count,
    Counter,
    Flow,
    Fwd,
    Last,
    Limit,
    Log,
    NoTrack,
    Queue,
    Quota,
    Reject,
    Reset,
    Synproxy,
    Tproxy,
    Unknown,
    Verdict,
)
"""Statements that do not look at an address; of what is not understood all packets end alike."""
_DEVICES = frozenset({"iif", "iifname", "oif", "oifname"})
_OF_ADDRESSES = frozenset({"saddr", "daddr"})
_BLIND_META = frozenset({
    "length", "protocol", "nfproto", "l4proto", "mark", "skuid", "skgid", "nftrace", "pkttype",
})  # fmt: skip
_BLIND_CT = frozenset({
    "state", "direction", "status", "mark", "l3proto", "protocol", "proto-src", "proto-dst",
})  # fmt: skip
_EQUALITY = frozenset({"", "==", "!="})


def ask(border: Border, table: NftTable, chain: Chain) -> Questions | None:
    """Let a border take in a chain; None: it may tell addresses apart in a way not seen here."""
    asked = questions_of.of(chain)
    border.take(asked)
    for name in asked.sets:
        found = table.sets.get(name)
        if found is None or not (isinstance(found.elements, Asked) or len(found.elements)):
            continue  # what rules put into it are the sources of first packets: `is_recent`
        says = says_of.of(found)
        if says is None:
            return None
        border.says.append(says)
    return None if asked.is_opaque else asked


def _read(chain: Chain) -> Questions:
    found = nothing_asked()
    for rule in chain.rules:
        for statement in statements(rule.text):
            _take(found, statement)
    return found


questions_of = Derived(_read)


def _take(asked: Questions, one: Statement) -> None:
    if isinstance(one, Match):
        _compare(asked, one)
    elif isinstance(one, VerdictMap):
        _look_up(asked, one.key, one.among)
    elif isinstance(one, Nat):
        if one.prefix or isinstance(one.address, Network | Range):
            asked.is_opaque = True  # each gets another address
        elif one.address is not None:
            _use(asked, one.address)
        if one.ports is not None:
            _use(asked, one.ports.of)
    elif isinstance(one, Masquerade):
        if one.ports is not None:
            _use(asked, one.ports.of)
    elif isinstance(one, Setting):
        _use(asked, one.what)
    elif isinstance(one, Flags):
        _use(asked, one.left)
    elif isinstance(one, Dynamic | Meter):
        _remember(asked, one.entry)
    elif isinstance(one, Dup):
        _use(asked, one.to)
    elif isinstance(one, Counter | Limit | Quota | Synproxy) and one.name is not None:
        _use(asked, one.name)
    elif not isinstance(one, _BLIND):
        asked.is_opaque = True


def _compare(asked: Questions, one: Match) -> None:
    right = one.right
    if isinstance(right, Among):
        _look_up(asked, one.left, right)
    elif isinstance(right, Field | Fields) and one.operator in _EQUALITY:
        fields = right.parts if isinstance(right, Fields) else (right,)
        _elements(asked, one.left, [fields])
    else:
        _use(asked, one.left)
        if not isinstance(right, Fields):
            _use(asked, right)


def _use(asked: Questions, one: Expression) -> None:
    """A value is used as it is: it must be the same for all."""
    if isinstance(one, Mapped):
        _look_up(asked, one.key, one.among)
    elif any(tells is not _Tells.NOTHING for tells in _fields(one)):
        asked.is_opaque = True


def _look_up(asked: Questions, key: Expression, among: Among) -> None:
    if not isinstance(among, NamedSet):
        _elements(asked, key, [one.key for one in among.elements])
        return
    told = set(_fields(key))
    if _Tells.ALL in told:
        asked.is_opaque = True
    elif told != {_Tells.NOTHING}:
        asked.sets.add(among.name)


def _elements(asked: Questions, key: Expression, elements: Iterable[tuple[Field, ...]]) -> None:
    """What is written in the rule itself."""
    told = list(_fields(key))
    if not any(tells is not _Tells.NOTHING for tells in told):
        return
    for fields in elements:
        # Without any it is all that the others do not hold.
        for tells, field in zip(told, fields, strict=False):
            if tells is _Tells.ADDRESS:
                _name(asked, field)
            elif tells is _Tells.DEVICE:
                _pattern(asked, field)
            elif tells is _Tells.ALL:
                asked.is_opaque = True


def _name(asked: Questions, field: Field) -> None:
    bits = field.type.bits
    for free, value in field.spans:
        if not isinstance(value, int):
            asked.is_opaque = True
            continue
        mask = (1 << bits) - (1 << free)
        asked.name(Masked(4 if bits == 32 else 6, value << free, mask))


def _pattern(asked: Questions, field: Field) -> None:
    if isinstance(field, Beginning):
        asked.patterns.add(f"{field.text}+")
    elif isinstance(field, Literal):
        # Without a name: whether there is any device.
        if isinstance(field.raw, str):
            asked.patterns.add(field.raw)
            asked.is_opaque |= field.raw.endswith("+")  # which is no pattern here
    else:
        asked.is_opaque = True


def _remember(asked: Questions, one: Entry) -> None:
    """Whose packets those are does not count where only clients are remembered, as in nat."""
    for part in one.key.parts if isinstance(one.key, Concatenation) else (one.key,):
        if isinstance(part, Payload) and part.field == "saddr":
            asked.is_recent = True
        else:
            _use(asked, part)
    for statement in one.statements:
        _take(asked, statement)


def _fields(one: Expression) -> Iterator[_Tells]:
    """Of each field of its value what it tells."""
    if isinstance(one, Concatenation):
        for part in one.parts:
            yield from _fields(part)
    elif isinstance(one, Mapped):
        # What it leads to, the look-up has said; as a key of another one it is nobody's.
        inner = set(_fields(one.key))
        yield from (_Tells.NOTHING if inner == {_Tells.NOTHING} else _Tells.ALL for _ in one.types)
    else:
        yield _tells(one)


def _tells(one: Expression) -> _Tells:
    told = _Tells.ALL
    if isinstance(one, Payload) and one.header != "ether":
        told = _Tells.ADDRESS if one.field in _OF_ADDRESSES else _Tells.NOTHING
    elif isinstance(one, Meta):
        if one.key in _DEVICES:
            told = _Tells.DEVICE
        elif one.key in _BLIND_META:
            told = _Tells.NOTHING
    elif isinstance(one, Ct):
        if one.key.rpartition(" ")[2] in _OF_ADDRESSES:
            told = _Tells.ADDRESS
        elif one.key in _BLIND_CT:
            told = _Tells.NOTHING
    elif isinstance(one, Fib):
        told = _Tells.NOTHING if one.result == "type" else _Tells.DEVICE
    elif isinstance(one, Bits):
        sides = (_tells(one.left), _tells(one.right))
        told = _Tells.NOTHING if set(sides) == {_Tells.NOTHING} else _Tells.ALL
    elif isinstance(one, Hash):
        seeded = one.of is not None and one.seed is not None
        inner = set(_fields(one.of)) if seeded and one.of is not None else {_Tells.NOTHING}
        told = _Tells.NOTHING if inner == {_Tells.NOTHING} else _Tells.ALL
    elif isinstance(one, Numgen | TcpOption | Extension | Field) or one == PATH_SEGMENT:
        told = _Tells.NOTHING
    return told
