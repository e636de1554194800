"""What a cell of the matrix shows: sign, word and ink of each result."""

from __future__ import annotations

from collections.abc import Mapping

from k8stui.export.drawing.ink import Ink
from k8stui.export.drawing.words import Sign
from k8stui.kernel.exchange import Result
from k8stui.reach.felt import PairFelt
from k8stui.reach.fold import Mark, Unheard
from k8stui.walk.outcome import RESULT_WORDS

_SIGNS = {
    Result.CONNECTED: ("✓", Ink.YES),
    Result.DENIED: ("d", Ink.NO),
    Result.NOT_SERVED: ("e", Ink.NO),
    Result.REFUSED: ("✗", Ink.NO),
    Result.UNREACHABLE: ("!", Ink.LOST),
    Result.TIMEOUT: ("–", Ink.LOST),
    Result.NO_SUCH_NAME: ("0", Ink.LOST),
    Result.UNKNOWN: ("?", Ink.MIXED),
}
MARKS: Mapping[Mark, Sign] = {
    **{result: Sign(sign, RESULT_WORDS[result], ink) for result, (sign, ink) in _SIGNS.items()},
    Unheard.CONNECTED: Sign("n", "not enforced", Ink.MIXED),
    None: Sign("~", "varies", Ink.MIXED),
}
"""By `k8stui.reach.fold.mark_of`; in ASCII ``+ d x ! - 0 ? n ~``."""


def felt_words(felt: PairFelt) -> str:
    """``refused``, or ``connected 2/3, refused 1/3``."""
    if felt.unenforced:
        return f"{RESULT_WORDS[felt.result]}, not enforced"
    if len(felt.shares) == 1:
        return RESULT_WORDS[felt.result]
    return ", ".join(f"{RESULT_WORDS[each]} {share}" for each, share in felt.shares.items())
