"""MARK and CONNMARK: every spelling comes down to the one that iptables-save prints."""

from __future__ import annotations

from collections.abc import Sequence

from k8stui.kernel.matches.base import Option
from k8stui.kernel.matches.connection import masked
from k8stui.kernel.targets.base import CopyMark, SetConnectionMark, SetMark, Target, TargetGrammar

_ALL = 0xFFFFFFFF
_SETTERS = ("--set-xmark", "--set-mark", "--and-mark", "--or-mark", "--xor-mark")


def _xmark(option: Option) -> tuple[int, int]:
    """Value and mask of a setter (libxt_MARK.c mark_tg_parse, libxt_CONNMARK.c likewise)."""
    value, mask = masked(option.values[0])
    match option.name:
        case "--set-mark":
            return value, value | mask
        case "--and-mark":
            return 0, ~value & _ALL
        case "--or-mark":
            return value, value
        case "--xor-mark":
            return value, 0
    return value, mask


def _mark(options: Sequence[Option]) -> Target:
    if len(options) != 1:
        raise ValueError("one setter is needed")
    return SetMark(*_xmark(options[0]))


def _connmark(options: Sequence[Option]) -> Target:
    given = {option.name: option for option in options}
    setters = given.keys() & set(_SETTERS)
    copies = given.keys() & {"--save-mark", "--restore-mark"}
    if len(setters) + len(copies) != 1 or len(given) != len(options):
        raise ValueError("one of the setters, --save-mark, --restore-mark is needed")
    if setters:
        if len(given) > 1:
            raise ValueError("a setter goes alone")
        return SetConnectionMark(*_xmark(options[0]))

    def mask(name: str) -> int:
        option = given.get(name) or given.get("--mask")
        return masked(option.values[0])[0] if option else _ALL

    return CopyMark("--save-mark" in copies, mask("--nfmask"), mask("--ctmask"))


GRAMMARS = {
    "MARK": TargetGrammar(arity=dict.fromkeys(_SETTERS, 1), build=_mark),
    "CONNMARK": TargetGrammar(
        arity={
            **dict.fromkeys((*_SETTERS, "--nfmask", "--ctmask", "--mask"), 1),
            "--save-mark": 0,
            "--restore-mark": 0,
        },
        build=_connmark,
    ),
}
