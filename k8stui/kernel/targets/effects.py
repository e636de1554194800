"""Targets after which the chain goes on: logging, NOTRACK, TCPMSS and the like."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from k8stui.kernel import words
from k8stui.kernel.matches.base import Option
from k8stui.kernel.targets.base import GoOn, LowerMss, Target, TargetGrammar, Untrack


def _as_given(name: str, quoted: frozenset[str]) -> Callable[[Sequence[Option]], Target]:
    """Options in the order given; only strings are quoted as xtables_save_string does."""

    def build(options: Sequence[Option]) -> Target:
        parts = [name]
        for option in options:
            parts.append(option.name)
            parts += [words.quote(v) if option.name in quoted else v for v in option.values]
        return GoOn(" ".join(parts))

    return build


def _go_on(
    name: str, *flags: str, numbers: Sequence[str] = (), strings: Sequence[str] = ()
) -> TargetGrammar:
    return TargetGrammar(
        arity={**dict.fromkeys(flags, 0), **dict.fromkeys((*numbers, *strings), 1)},
        build=_as_given(name, frozenset(strings)),
    )


def _conntrack(options: Sequence[Option]) -> Target:
    if [option.name for option in options] != ["--notrack"]:
        raise ValueError("only CT --notrack is modelled")
    return Untrack("CT --notrack")


def _mss(options: Sequence[Option]) -> Target:
    if len(options) != 1:
        raise ValueError("one of --set-mss, --clamp-mss-to-pmtu is needed")
    (option,) = options
    return LowerMss(int(option.values[0]) if option.values else None)


GRAMMARS = {
    "LOG": _go_on(
        "LOG",
        "--log-tcp-sequence",
        "--log-tcp-options",
        "--log-ip-options",
        "--log-uid",
        "--log-macdecode",
        numbers=("--log-level",),
        strings=("--log-prefix",),
    ),
    "NFLOG": _go_on(
        "NFLOG",
        numbers=("--nflog-group", "--nflog-range", "--nflog-size", "--nflog-threshold"),
        strings=("--nflog-prefix",),
    ),
    "TRACE": _go_on("TRACE"),
    "TCPMSS": TargetGrammar(arity={"--clamp-mss-to-pmtu": 0, "--set-mss": 1}, build=_mss),
    "CHECKSUM": _go_on("CHECKSUM", "--checksum-fill"),
    "NOTRACK": TargetGrammar(arity={}, build=lambda _: Untrack("NOTRACK")),
    "CT": TargetGrammar(
        arity={
            "--notrack": 0,
            **dict.fromkeys(("--helper", "--timeout", "--zone", "--ctevents", "--expevents"), 1),
        },
        build=_conntrack,
    ),
}
