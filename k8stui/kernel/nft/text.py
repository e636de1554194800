"""The text of ``nft list ruleset``: with or without handles (``-a``), also one table of it.

The structure is read here. Rules and elements stay text (`kernel.nft_ruleset`): a statement that
nobody knows is met by a packet or by nobody. Of files for ``nft -f`` as well, as far as they only
declare.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import NamedTuple

from k8stui.because import Because
from k8stui.kernel.nft import priority, times
from k8stui.kernel.nft.datatypes import number
from k8stui.kernel.nft.errors import NftError
from k8stui.kernel.nft_ruleset import (
    BOUND,
    Base,
    Element,
    NftChain,
    NftObject,
    NftRuleset,
    NftSet,
    NftTable,
)
from k8stui.kernel.rules import Chain, Rule

Why = Callable[[str, int, str], Because]
"""What is the reason of a rule, chain or element: its text, its line's number, and the name of the
chain or set that it is in."""

_PIECE = re.compile(r'"[^"\n]*"|#[^\n]*|\\\n|[{};\n]|[^"#{};\n\\]+|.')
_BASE = re.compile(
    r'type\s+(\w+)\s+hook\s+(\w+)(?:\s+devices?\s*=?\s*(\{[^}]*\}|"[^"]*"|\S+))?\s+priority\s+(.+)'
)
_ELEMENT = re.compile(r'(?:[^",]+|"[^"]*"|")+')
_ON_ONE_LINE = re.compile(r"\s*\n\s*")
_OBJECTS = frozenset(
    {"counter", "quota", "limit", "flowtable", "synproxy", "secmark",
     "ct helper", "ct timeout", "ct expectation"}
)  # fmt: skip


_HOLDING = 2
"""A ruleset holds tables, and a table chains and sets; within these braces are an expression's."""
_DEEPEST = _HOLDING + 16
"""Or a chain's without a name; so deep the kernel jumps (NFT_JUMP_STACK_SIZE)."""
_WARNING, _PROGRAM = "# Warning: ", "# progname "
_LEADS = re.compile(r"\b(?:jump|goto)$")


class _Statement(NamedTuple):
    """What stands between two ends of a line or semicolons."""

    text: str
    line: int


class _Block(NamedTuple):
    """``HEAD { … }``."""

    head: str
    line: int
    parts: list[_Statement | _Block]


def parse(text: str, why: Why | None = None, first: int = 1) -> NftRuleset:
    """Read a ruleset. Each rule, chain and element gets the reason that `why` gives.

    Chains without a name are numbered from `first` on.

    Raises:
        NftError: what cannot stand in such a text, with its line.

    """
    reader = _Reader(why, first)
    warning = ""
    for part in _Structure(text).parts():
        if isinstance(part, _Block):
            reader.table(part, warning)
            warning = ""
        elif part.text.startswith(_WARNING):
            warning = part.text
        elif part.text.split() != ["flush", "ruleset"]:
            raise NftError(f"not a table of nft list ruleset: {_short(part.text)}", part.line)
    return reader.ruleset()


def parse_rule(text: str, first: int) -> tuple[str, Mapping[str, NftChain]]:
    """A rule alone, and the chains without a name in it, called from that number on.

    Raises:
        NftError: as `parse`.

    """
    (table,) = parse(f"table t {{\nchain c {{\n{text}\n}}\n}}\n", None, first).tables
    bound = dict(table.chains)
    (rule,) = bound.pop("c").chain.rules
    return rule.text, bound


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}…"


def _leads(words: Sequence[str]) -> bool:
    """Whether a chain without a name follows. A statement may be long, and have many braces."""
    return bool(_LEADS.search("".join(words[-2:]).rstrip()))


class _Structure:
    """Blocks and statements of a text."""

    def __init__(self, text: str) -> None:
        self._pieces = _PIECE.finditer(text)
        self._line = 1

    def parts(self) -> Iterator[_Statement | _Block]:
        """What stands outermost.

        Raises:
            NftError: a brace too many, or one that is missing.

        """
        return iter(self._within(None, 0))

    def _within(self, opened: str | None, since: int, level: int = 0) -> list[_Statement | _Block]:
        holds_blocks = level < _HOLDING
        found: list[_Statement | _Block] = []
        words: list[str] = []
        start = self._line
        depth = 0
        for match in self._pieces:
            piece = match[0]
            first = piece[0]
            if not words:
                start = self._line
            if first == "\n":
                self._line += 1
                if depth:
                    words.append("\n")
                    continue
                self._end(found, words, start)
            elif first == "#":
                if piece.startswith((_WARNING, _PROGRAM)) and not "".join(words).strip():
                    found.append(_Statement(piece.rstrip(), start))
                elif words and not depth:
                    words[-1] = words[-1].rstrip(" \t")
            elif first == "\\" and len(piece) == 2:
                self._line += 1
                words.append(" ")
            elif first == ";" and not depth:
                self._end(found, words, start)
            elif first == "{":
                is_bound = not depth and level < _DEEPEST and _leads(words)
                if holds_blocks or is_bound:
                    head = "".join(words).strip()
                    words.clear()
                    found.append(_Block(head, start, self._within(head or "{", start, level + 1)))
                else:
                    depth += 1
                    words.append(piece)
            elif first == "}":
                if depth:
                    depth -= 1
                    words.append(piece)
                    continue
                self._end(found, words, start)
                if opened is None:
                    raise NftError("a closing brace too many", self._line)
                return found
            else:
                words.append(piece)
        self._end(found, words, start)
        if opened is not None:
            raise NftError(f"{_short(opened)}: its closing brace is missing", since)
        return found

    @staticmethod
    def _end(found: list[_Statement | _Block], words: list[str], line: int) -> None:
        if not words:
            return
        text = "".join(words)
        words.clear()
        if text.startswith("\t\t"):
            # Rules of iptables-nft are shown with blanks where nothing is known of a match.
            text = text[2:]
            if text.strip():
                found.append(_Statement(text, line))
        elif text := text.strip():
            found.append(_Statement(text, line))


class _Open:
    """A table that is read; a text may come back to it."""

    def __init__(self) -> None:
        self.chains: dict[str, NftChain] = {}
        self.sets: dict[str, NftSet] = {}
        self.objects: list[NftObject] = []
        self.flags: tuple[str, ...] = ()
        self.comment = ""
        self.warning = ""
        self.program = ""

    def table(self, family: str, name: str) -> NftTable:
        """It, with what was read so far."""
        return NftTable(
            family=family,
            name=name,
            chains=self.chains,
            sets=self.sets,
            objects=tuple(self.objects),
            flags=self.flags,
            comment=self.comment,
            warning=self.warning,
            program=self.program,
        )


class _Reader:
    """Blocks become tables."""

    def __init__(self, why: Why | None, first: int) -> None:
        self._why = why
        self._numbers = count(first)
        self._tables: dict[tuple[str, str], _Open] = {}

    def ruleset(self) -> NftRuleset:
        return NftRuleset(tuple(one.table(*called) for called, one in self._tables.items()))

    def table(self, block: _Block, warning: str) -> None:
        words = block.head.split()
        if words and words[0] == "add":
            words = words[1:]
        if len(words) == 2 and words[0] == "table":
            words.insert(1, "ip")
        if len(words) != 3 or words[0] != "table":
            raise NftError(f"not a table of nft list ruleset: {_short(block.head)}", block.line)
        _, family, name = words
        table = self._tables.setdefault((family, name), _Open())
        table.warning = table.warning or warning
        for part in block.parts:
            if isinstance(part, _Statement):
                word, _, rest = part.text.strip().partition(" ")
                if word == "flags":
                    table.flags = _listed(rest)
                elif word == "comment":
                    table.comment = _unquoted(rest)
                elif part.text.startswith(_PROGRAM):
                    table.program = part.text.removeprefix(_PROGRAM)
                else:
                    raise NftError(f"not a part of a table: {_short(part.text)}", part.line)
                continue
            kind, _, named = part.head.rpartition(" ")
            if kind == "chain":
                table.chains[named] = self._chain(part, named, family, table)
            elif kind in ("set", "map"):
                table.sets[named] = self._set(part, named, kind)
            elif kind in _OBJECTS:
                table.objects.append(NftObject(kind, named, tuple(_lines(part))))
            else:
                raise NftError(f"not a part of a table: {_short(part.head)}", part.line)

    def _because(self, text: str, line: int, holder: str) -> Because | None:
        return self._why(text, line, holder) if self._why is not None else None

    def _chain(self, block: _Block, name: str, family: str, table: _Open) -> NftChain:
        rules: list[Rule] = []
        base: Base | None = None
        comment = ""
        reason = None
        is_bound = False
        for part in block.parts:
            line, was_bound, is_bound = part.line, is_bound, isinstance(part, _Block)
            if isinstance(part, _Block):
                bound = f"{BOUND}{next(self._numbers)}"
                table.chains[bound] = self._chain(part, bound, family, table)
                text = f"{part.head} {bound}"
            else:
                text = part.text.lstrip("\t")
            if text.startswith("type ") and (found := _BASE.fullmatch(text.strip())):
                base = _base(found, family, line)
                reason = self._because(text, line, name)
            elif text.startswith("policy ") and base is not None:
                policy = text.split()[1]
                base = replace(base, policy=policy)
            elif text.startswith("comment ") and not rules:
                comment = _unquoted(text.partition(" ")[2])
            elif text.startswith("comment ") and was_bound:
                rules[-1] = replace(rules[-1], text=f"{rules[-1].text} {text}")
            else:
                text = _ON_ONE_LINE.sub(" ", text)
                rules.append(Rule(text, self._because(text, line, name)))
        chain = Chain(name, tuple(rules), base.policy.upper() if base else None, reason)
        return NftChain(chain=chain, base=base, comment=comment)

    def _set(self, block: _Block, name: str, kind: str) -> NftSet:
        said: dict[str, str] = {}
        statements: list[str] = []
        elements: tuple[Element, ...] = ()
        for part in block.parts:
            text, line = _text(part)
            word, _, rest = text.strip().partition(" ")
            if word == "elements":
                held = rest.partition("{")[2].rpartition("}")[0]
                elements = tuple(self._elements(held, line, name))
            elif word in _SET_WORDS:
                said[word] = rest.strip()
            else:
                statements.append(text.strip())
        of = "typeof" if "typeof" in said else "type"
        if of not in said:
            raise NftError(f"{kind} {name}: it has no type", block.line)
        key, _, data = said[of].partition(" : ")
        if (kind == "map") is not bool(data):
            raise NftError(f"{kind} {name}: its type is {said[of]}", block.line)
        try:
            size = number(said["size"]) if "size" in said else None
            for word in ("timeout", "gc-interval"):
                if word in said:
                    times.seconds(said[word])
        except ValueError as error:
            raise NftError(f"{kind} {name}: {error}", block.line) from None
        return NftSet(
            name=name,
            key=key.strip(),
            data=data.strip(),
            is_typeof=of == "typeof",
            policy=said.get("policy", ""),
            size=size,
            flags=_listed(said.get("flags", "")),
            statements=" ".join(statements),
            auto_merge="auto-merge" in said,
            timeout=said.get("timeout", ""),
            gc_interval=said.get("gc-interval", ""),
            comment=_unquoted(said.get("comment", "")),
            elements=elements,
            reason=self._because(f"{kind} {name}", block.line, name),
        )

    def _elements(self, held: str, line: int, name: str) -> Iterator[Element]:
        for text in held.split(",") if '"' not in held else _ELEMENT.findall(held):
            line += text.count("\n")
            if said := text.strip():
                yield Element(said, self._because(said, line, name))


_SET_WORDS = frozenset(
    {"type", "typeof", "policy", "size", "flags", "auto-merge", "timeout", "gc-interval", "comment"}
)


def _text(part: _Statement | _Block) -> tuple[str, int]:
    if isinstance(part, _Block):
        raise NftError(f"a block within a chain or a set: {_short(part.head)}", part.line)
    return part.text, part.line


def _lines(block: _Block) -> Iterator[str]:
    for part in block.parts:
        text, _ = _text(part)
        yield text


def _listed(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (word.strip() for word in text.split(","))))


def _unquoted(text: str) -> str:
    return text.strip().removeprefix('"').removesuffix('"')


def _base(found: re.Match[str], family: str, line: int) -> Base:
    kind, hook, devices, number = found.groups()
    try:
        at, named = priority.read(number, family)
    except ValueError as error:
        raise NftError(str(error), line) from None
    return Base(
        type=kind,
        hook=hook,
        priority=at,
        named=named,
        devices=tuple(word.strip('"') for word in re.findall(r'"[^"]*"|[^\s{},"]+', devices or "")),
        is_quoted='"' in (devices or '"'),
    )
