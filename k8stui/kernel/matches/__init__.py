"""Match modules by the name that stands after ``-m``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from k8stui.kernel import words
from k8stui.kernel.matches import chance, connection, lists, place, ports
from k8stui.kernel.matches.base import Always, Comment, MatchGrammar, Option, Test


def _comment(options: Sequence[Option]) -> tuple[Test, ...]:
    return (Comment(options[0].values[0]),)


def _accounting(options: Sequence[Option]) -> tuple[Test, ...]:
    # libxt_nfacct.c prints a blank of its own before the one of xtables_save_string
    return (Always(f"--nfacct-name  {words.quote(options[0].values[0])}"),)


MODULES: Mapping[str, MatchGrammar] = {
    "comment": MatchGrammar(arity={"--comment": 1}, build=_comment),
    "nfacct": MatchGrammar(arity={"--nfacct-name": 1}, build=_accounting),
    **ports.GRAMMARS,
    **connection.GRAMMARS,
    **place.GRAMMARS,
    **lists.GRAMMARS,
    **chance.GRAMMARS,
}
