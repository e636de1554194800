"""``log prefix "…" level info`` (nft_log.c): the packet goes on as it was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from k8stui.kernel.nft.errors import NftError
from k8stui.kernel.nft.passage import Passage
from k8stui.kernel.nft.spoken import Json, Say, Spoken
from k8stui.kernel.nft.words import Words
from k8stui.kernel.step import StepKind

_WITH_A_VALUE = ("prefix", "group", "snaplen", "queue-threshold", "level")
_LAYERS = ("tcp", "ip")


class Log(NamedTuple):
    """What of the packet is written down, and where."""

    options: tuple[tuple[str, str], ...] = ()

    def do(self, passage: Passage, /) -> None:
        passage.visit(StepKind.RULE)

    def __str__(self) -> str:
        return " ".join(("log", *(f"{name} {value}" for name, value in self.options)))


def _read(words: Words) -> Log:
    words.expect("log")
    options = []
    while words.ahead in (*_WITH_A_VALUE, "flags"):
        name = words.take()
        value = _flags(words) if name == "flags" else words.take()
        if (name, value) != ("level", "warn"):  # that it is anyhow
            options.append((name, value))
    return Log(tuple(options))


def _flags(words: Words) -> str:
    layer = words.take()
    if layer not in (*_LAYERS, "skuid", "ether", "all"):
        raise NftError(f"not understood: log flags {layer}")
    if layer not in _LAYERS:
        return layer
    flags = [words.take()]
    while words.has(","):
        flags.append(words.take())
    return f"{layer} {','.join(flags)}"


def _said(said: Json, say: Say) -> str:
    shown = "log"
    for name, value in (said or {}).items():
        if name != "flags":
            shown += f' {name} "{value}"' if name == "prefix" else f" {name} {value}"
    layers: dict[str, list[str]] = {}
    for flag in say.several((said or {}).get("flags", ())):
        layer, _, rest = flag.partition(" ")
        layers.setdefault(layer, []).extend([rest] if rest else [])
    for layer, flags in layers.items():
        shown += " ".join(filter(None, (" flags", layer, ",".join(flags))))
    return shown


GRAMMAR = {"log": _read}
JSON: Mapping[str, Spoken] = {"log": _said}
