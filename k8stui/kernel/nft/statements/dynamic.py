"""``update @affinity { ip saddr }``: a rule puts into a set what it sees (nft_dynset.c)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from k8stui.kernel.nft.expression import Expression
from k8stui.kernel.nft.lookup import NamedSet
from k8stui.kernel.nft.passage import Passage
from k8stui.kernel.nft.spoken import Json, Say, Spoken
from k8stui.kernel.nft.statement import Statement
from k8stui.kernel.nft.words import Words
from k8stui.kernel.step import StepKind

_KINDS = ("add", "update", "delete")


class Dynamic(NamedTuple):
    """What stands within the braces behind the key is done for that element alone."""

    kind: str
    set: NamedSet
    key: Expression
    timeout: str = ""
    statements: tuple[Statement, ...] = ()

    def do(self, passage: Passage, /) -> None:
        value = self.key.value(passage)
        if self.kind == "delete":
            self.set.take_out(passage, value)
        else:
            self.set.put(passage, value, again=self.kind == "update")
        passage.visit(StepKind.RULE)
        for statement in self.statements:
            statement.do(passage)

    def __str__(self) -> str:
        timeout = f"timeout {self.timeout}" if self.timeout else ""
        inner = " ".join(filter(None, (str(self.key), timeout, *map(str, self.statements))))
        return f"{self.kind} {self.set} {{ {inner} }}"


def _read(words: Words) -> Dynamic:
    kind = words.take()
    named = NamedSet(words.take().removeprefix("@"))
    words.expect("{")
    key = words.expression()
    timeout = words.take() if words.has("timeout") else ""
    statements = []
    while not words.has("}"):
        statements.append(words.statement())
    return Dynamic(kind, named, key, timeout, tuple(statements))


def _said(said: Json, say: Say) -> str:
    inner = " ".join((say(said["elem"]), *map(say.statement, said.get("stmt", ()))))
    return f"{said['op']} {said['set']} {{ {inner} }}"


GRAMMAR = dict.fromkeys(_KINDS, _read)
JSON: Mapping[str, Spoken] = {"set": _said}
