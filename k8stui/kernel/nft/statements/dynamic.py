"""``update @affinity { ip saddr }``: a rule puts into a set what it sees (nft_dynset.c)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from k8stui.kernel.nft.expression import Expression
from k8stui.kernel.nft.lookup import NamedSet
from k8stui.kernel.nft.passage import Passage
from k8stui.kernel.nft.spoken import Json, Say, Spoken
from k8stui.kernel.nft.statement import Statement
from k8stui.kernel.nft.statements.counter import Counter
from k8stui.kernel.nft.words import Words
from k8stui.kernel.step import StepKind

_KINDS = ("add", "update", "delete")


class Entry(NamedTuple):
    """What is put in; what stands behind the key is done for that element alone."""

    key: Expression
    timeout: str = ""
    statements: tuple[Statement, ...] = ()
    data: str = ""
    """Of a map what the key leads to, as it is written."""

    def __str__(self) -> str:
        timeout = f"timeout {self.timeout}" if self.timeout else ""
        data = f": {self.data}" if self.data else ""
        inner = filter(None, (str(self.key), timeout, *map(_carried, self.statements), data))
        return f"{{ {' '.join(inner)} }}"


def _carried(one: Statement) -> str:
    """What has been counted stands at each element."""
    return "counter" if isinstance(one, Counter) and one.name is None else str(one)


class Dynamic(NamedTuple):
    """Whoever finds in a map what a rule put there does not learn what it leads to."""

    kind: str
    set: NamedSet
    entry: Entry

    def do(self, passage: Passage, /) -> None:
        value = self.entry.key.value(passage)
        if self.kind == "delete":
            self.set.take_out(passage, value)
        else:
            self.set.put(passage, value, again=self.kind == "update")
        passage.visit(StepKind.RULE)
        for statement in self.entry.statements:
            statement.do(passage)

    def __str__(self) -> str:
        return f"{self.kind} {self.set} {self.entry}"


def entry(words: Words) -> Entry:
    """What stands within the braces, and these.

    Raises:
        NftError: it is not understood.

    """
    words.expect("{")
    key = words.expression()
    timeout = words.take() if words.has("timeout") else ""
    statements = []
    while words.ahead not in ("}", ":"):
        statements.append(words.statement())
    data = []
    if words.has(":"):
        while words.ahead != "}":
            data.append(words.take())
    words.expect("}")
    return Entry(key, timeout, tuple(statements), " ".join(data))


def _read(words: Words) -> Dynamic:
    kind = words.take()
    return Dynamic(kind, NamedSet(words.take().removeprefix("@")), entry(words))


def _said(said: Json, say: Say) -> str:
    data = (":", say(said["data"])) if "data" in said else ()
    inner = " ".join((say(said["elem"]), *map(say.statement, said.get("stmt", ())), *data))
    return f"{said['op']} {said[say.word]} {{ {inner} }}"


GRAMMAR = dict.fromkeys(_KINDS, _read)
JSON: Mapping[str, Spoken] = {"set": _said, "map": _said}
