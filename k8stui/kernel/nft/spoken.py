"""libnftables' JSON (libnftables-json(5)) put into the words of nft, for `nft.words` to read.

Each family says its own part (`JSON` of its module); what binds them is here. How a value is
printed its type decides, and that is known once the words are read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from k8stui.kernel.nft import times
from k8stui.kernel.nft.errors import NftError

Json = Any
"""What json.loads gives; a shape that libnftables does not print raises as Python has it."""

_BITS = frozenset({"&", "|", "^", "<<", ">>"})
_PLAIN = re.compile(r"[\w./:*@\\+-]+")
_DEEPEST = 40


class Say:
    """Says what a piece of JSON means; `word` is what it is called."""

    __slots__ = ("_depth", "_families", "family", "word")

    def __init__(
        self, families: Mapping[str, Spoken], family: str, word: str = "", depth: int = 0
    ) -> None:
        self._families = families
        self._depth = depth
        self.family = family
        """Of the table: what is usual there, JSON writes out."""
        self.word = word

    def statement(self, said: Json) -> str:
        """A statement, or an expression of some family.

        Raises:
            NftError: it goes too deep.

        """
        if isinstance(said, str):  # of what libnftables has no JSON for, it prints the text
            return said
        ((kind, inner),) = said.items()
        spoken = self._families.get(kind)
        if self._depth > _DEEPEST:
            raise NftError(f"too deep: {kind}")
        if spoken is None:
            return _unknown(kind, inner)
        return spoken(inner, Say(self._families, self.family, kind, self._depth + 1))

    def __call__(self, said: Json) -> str:
        """A value, or where it comes from."""
        if isinstance(said, bool):
            return "exists" if said else "missing"
        if isinstance(said, int):
            return str(said)
        if isinstance(said, str):
            return said if _PLAIN.fullmatch(said) else f'"{said}"'
        if isinstance(said, list):
            return ",".join(map(self, said))
        ((kind, inner),) = said.items()
        if kind in _BITS:
            return f" {kind} ".join(self._beside(kind, one) for one in inner)
        if kind in _BINDING:
            return _BINDING[kind](inner, self)
        return self.statement(said)

    def _beside(self, operator: str, said: Json) -> str:
        if isinstance(said, list):
            return f"({' | '.join(map(self, said))})"
        is_other = isinstance(said, dict) and bool((_BITS - {operator}) & said.keys())
        return f"({self(said)})" if is_other else self(said)

    def element(self, said: Json) -> str:
        """An element of a set or, with what it leads to, of a map."""
        if isinstance(said, list):
            key, data = said
            return f"{self(key)} : {self(data)}"
        return self(said)

    @staticmethod
    def several(said: Json) -> list[str]:
        """One word, or a list of them."""
        return [said] if isinstance(said, str) else list(said)


Spoken = Callable[[Json, Say], str]


def _unknown(kind: str, said: Json) -> str:
    if isinstance(said, dict):
        return " ".join((kind, *(str(value) for value in said.values())))
    return kind if said is None else f"{kind} {said}"


def _held(said: Json, say: Say) -> str:
    """An element with more than its key."""
    parts = [say(said["val"])]
    parts += [say.statement({kind: said[kind]}) for kind in _CARRIED if kind in said]
    parts += [f"{kind} {times.written(said[kind])}" for kind in _TIMES if kind in said]
    if "comment" in said:
        parts.append(f'comment "{said["comment"]}"')
    return " ".join(parts)


_CARRIED = ("limit", "counter", "quota", "last")
_TIMES = ("timeout", "expires")


def _range(said: Json, say: Say) -> str:
    """In quotation marks: a name may have a hyphen itself."""
    if any(isinstance(end, str) for end in said):
        return "-".join(f'"{end}"' for end in said)
    return "-".join(map(say, said))


def _field(said: Json, say: Say) -> str:
    """Of a concatenation: a name that is a value, and no beginning of an expression."""
    if isinstance(said, str) and said[:1].isalpha() and ":" not in said:
        return f'"{said}"'
    return say(said)


_BINDING: Mapping[str, Spoken] = {
    "prefix": lambda said, say: f"{say(said['addr'])}/{said['len']}",
    "range": _range,
    "concat": lambda said, say: " . ".join(_field(one, say) for one in said),
    "set": lambda said, say: f"{{ {', '.join(map(say.element, said))} }}",
    "map": lambda said, say: f"{say(said['key'])} map {say(said['data'])}",
    "elem": _held,
}
