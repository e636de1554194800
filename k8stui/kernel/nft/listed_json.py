"""``nft -j list ruleset`` (libnftables-json(5)), read into what its text is read into.

JSON leaves out some of what the text has: comments of tables and chains, devices of several.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from k8stui.because import Because
from k8stui.kernel.nft import priority, times
from k8stui.kernel.nft import text as listed
from k8stui.kernel.nft.compile import held, statements
from k8stui.kernel.nft.errors import NftError, UnknownError
from k8stui.kernel.nft.expressions import MODULES as EXPRESSIONS
from k8stui.kernel.nft.spoken import Json, Say, Spoken
from k8stui.kernel.nft.statements import BEHIND_AN_EXPRESSION
from k8stui.kernel.nft.statements import MODULES as STATEMENTS
from k8stui.kernel.nft.statements.dynamic import Dynamic
from k8stui.kernel.nft.text import Why
from k8stui.kernel.nft_ruleset import (
    Base,
    Element,
    NftChain,
    NftObject,
    NftRuleset,
    NftSet,
    NftTable,
)
from k8stui.kernel.rules import Chain, Rule

_FAMILIES: dict[str, Spoken] = {
    kind: spoken
    for module in (*EXPRESSIONS, *STATEMENTS, *BEHIND_AN_EXPRESSION)
    for kind, spoken in module.JSON.items()
}


_BEGINNING = re.compile(r'\s*\{\s*"nftables"\s*:\s*\[')
_END = re.compile(r"\]\s*\}\s*")
_BETWEEN = re.compile(r"[\s,]*")
_DECODER = json.JSONDecoder()


def parse(text: str, why: Why | None = None) -> NftRuleset:
    """Read a ruleset; each rule, chain and element gets the reason that `why` gives.

    Raises:
        NftError: not what the command prints, with its line.

    """
    reader = _Reader(why)
    try:
        reader.read_all(text)
        return reader.ruleset()
    except (
        ValueError,
        TypeError,
        LookupError,
        ArithmeticError,
        AttributeError,
        RecursionError,
    ) as error:
        if isinstance(error, NftError):
            raise
        said = f"not what nft -j list ruleset prints ({type(error).__name__})"
        raise NftError(said, reader.line) from None


class _Open:
    """A table that is read."""

    def __init__(self) -> None:
        self.said: Json = {}
        self.chains: dict[str, Json] = {}
        self.rules: dict[str, list[Rule]] = {}
        self.sets: dict[str, NftSet] = {}
        self.objects: list[NftObject] = []
        self.bound: dict[str, NftChain] = {}
        self.filled: set[str] = set()
        """Sets that rules put into."""


class _Reader:
    def __init__(self, why: Why | None) -> None:
        self._why = why
        self.line = 1
        """Where it is."""
        self._tables: dict[tuple[str, str], _Open] = {}

    def read_all(self, text: str) -> None:
        """What is listed, one after the other: so the line of each is known."""
        beginning = _BEGINNING.match(text)
        if beginning is None:
            raise NftError("not what nft -j list ruleset prints")
        at, end = 0, beginning.end()
        while True:
            between = _BETWEEN.match(text, end)
            assert between is not None
            self.line += text.count("\n", at, between.end())
            at = between.end()
            if text[at] == "]":
                if _END.fullmatch(text, at) is None:
                    said = "not what nft -j list ruleset prints, behind its list"
                    raise NftError(said, self.line)
                return
            one, end = _DECODER.raw_decode(text, at)
            for kind, said in one.items():
                self._read(kind, said)

    def _read(self, kind: str, said: Json) -> None:
        if kind == "metainfo" or not isinstance(said, dict):
            return
        family = str(said["family"])
        name = str(said["name"] if kind == "table" else said["table"])
        table = self._tables.setdefault((family, name), _Open())
        say = Say(_FAMILIES, family)
        if kind == "table":
            table.said = said
        elif kind == "chain":
            table.chains[str(said["name"])] = said
        elif kind == "rule":
            name = str(said["chain"])
            text = _rule(said, say, table)
            table.rules.setdefault(name, []).append(Rule(text, self._because(text, name)))
        elif kind in ("set", "map"):
            name = str(said["name"])
            found = _set(said, say)
            table.sets[name] = replace(
                found,
                elements=tuple(
                    replace(one, reason=self._because(one.text, name)) for one in found.elements
                ),
                reason=self._because(f"{kind} {name}", name),
            )
        else:
            table.objects.append(NftObject(kind, str(said["name"]), tuple(_lines(kind, said, say))))

    def _because(self, text: str, holder: str) -> Because | None:
        return self._why(text, self.line, holder) if self._why is not None else None

    def ruleset(self) -> NftRuleset:
        return NftRuleset(
            tuple(
                NftTable(
                    family=family,
                    name=name,
                    chains={
                        chain: _chain(said, table.rules.get(chain, ()))
                        for chain, said in table.chains.items()
                    }
                    | table.bound,
                    sets={
                        name: _dynamic(one) if name in table.filled else one
                        for name, one in table.sets.items()
                    },
                    objects=tuple(table.objects),
                    comment=str(table.said.get("comment", "")),
                )
                for (family, name), table in self._tables.items()
            )
        )


def _rule(said: Json, say: Say, table: _Open) -> str:
    text = " ".join(map(say.statement, said["expr"]))
    if "comment" in said:
        text += f' comment "{said["comment"]}"'
    if "{\n" in text:  # a chain without a name, of which there is the text alone
        text, bound = listed.parse_rule(text, len(table.bound) + 1)
        table.bound.update(bound)
    found = statements(text)
    table.filled.update(one.set.name for one in found if isinstance(one, Dynamic))
    return " ".join(map(str, found))


def _dynamic(one: NftSet) -> NftSet:
    """Older versions of nft leave that flag away."""
    return one if "dynamic" in one.flags else replace(one, flags=_in_order(("dynamic", *one.flags)))


def _in_order(flags: Iterable[str]) -> tuple[str, ...]:
    """As the text has them, which is not as JSON does (src/rule.c set_print_declaration)."""
    return tuple(sorted(flags, key=("constant", "dynamic", "interval", "timeout").index))


def _chain(said: Json, rules: Sequence[Rule]) -> NftChain:
    name = str(said["name"])
    base = None
    if "hook" in said:
        devices = said.get("dev", ())
        base = Base(
            type=str(said.get("type", "filter")),
            hook=str(said["hook"]),
            priority=int(said["prio"]),
            policy=str(said.get("policy", "accept")),
            devices=(devices,) if isinstance(devices, str) else tuple(map(str, devices)),
        )
    return NftChain(
        chain=Chain(name, tuple(rules), base.policy.upper() if base else None),
        base=base,
        comment=str(said.get("comment", "")),
    )


def _type(said: Json) -> str:
    return said if isinstance(said, str) else " . ".join(map(str, said))


def _set(said: Json, say: Say) -> NftSet:
    found = _declared(said, say)
    # The type decides how an element is printed.
    texts = (Element(say.element(one)) for one in said.get("elem", ()))
    return replace(found, elements=tuple(_printed(found, one) for one in texts))


def _printed(one: NftSet, element: Element) -> Element:
    try:
        return Element(str(held(one, element)))
    except UnknownError:
        return element


def _declared(said: Json, say: Say) -> NftSet:
    data = _type(said["map"]) if "map" in said else ""
    key = said["type"]
    return NftSet(
        name=str(said["name"]),
        key=say(key["typeof"]) if isinstance(key, dict) else _type(key),
        data=data,
        is_typeof=isinstance(key, dict),
        policy=str(said.get("policy", "")),
        size=int(said["size"]) if "size" in said else None,
        flags=_in_order(say.several(said.get("flags", ()))),
        statements=" ".join(map(say.statement, said.get("stmt", ()))),
        auto_merge=bool(said.get("auto-merge")),
        timeout=times.written(int(said["timeout"])) if "timeout" in said else "",
        gc_interval=times.written(int(said["gc-interval"])) if "gc-interval" in said else "",
        comment=str(said.get("comment", "")),
    )


def _lines(kind: str, said: Json, say: Say) -> Iterator[str]:
    if "comment" in said:
        yield f'comment "{said["comment"]}"'
    if kind == "counter":
        yield f"packets {said['packets']} bytes {said['bytes']}"
    elif kind == "quota":
        used = f" used {_amount(said['used'])}" if said.get("used") else ""
        yield f"{'over ' if said.get('inv') else ''}{_amount(said['bytes'])}{used}"
    elif kind == "limit":
        (limit,) = statements(say.statement({"limit": said}))
        yield str(limit).removeprefix("limit ")
    elif kind == "ct helper":
        yield f'type "{said["type"]}" protocol {said["protocol"]}'
        yield f"l3proto {said['l3proto']}"
    elif kind == "flowtable":
        devices = ", ".join(say.several(said.get("dev", ())))
        yield f"hook {said['hook']} priority {priority.written(said['prio'], '', said['hook'])}"
        yield f"devices = {{ {devices} }}"
    else:
        yield from _words(said)


def _words(said: Json) -> Iterator[str]:
    """What each stands on a line of its own."""
    for word in ("protocol", "dport", "timeout", "size", "l3proto", "mss", "wscale"):
        if word in said:
            value = times.written(said[word] // 1000) if word == "timeout" else said[word]
            yield f"{word} {value}"
    if "policy" in said:
        states = ", ".join(f"{state} : {seconds}" for state, seconds in said["policy"].items())
        yield f"policy = {{ {states} }}"
    if "flags" in said:
        yield " ".join(said["flags"])


def _amount(count: int) -> str:
    """In the largest unit of which it is a whole number (src/datatype.c data_unit_parse)."""
    for unit in ("bytes", "kbytes"):
        if not count or count % 1024:
            return f"{count} {unit}"
        count //= 1024
    return f"{count} mbytes"
