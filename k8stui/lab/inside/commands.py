"""Commands of a plan → lines of ``ip -batch``: the last look at every word.

What is printed into a plan is of a checked type already: addresses, numbers, names of devices that
`k8stui.lab.planning.naming` has chosen. Should something else get here, no program is started.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from k8stui.lab.errors import LabError

_WORD = re.compile(r"[A-Za-z0-9_:][A-Za-z0-9_.:/-]*|/proc/self/fd/[0-9]+")
_SETTING = re.compile(r"net(?:/[A-Za-z0-9_][A-Za-z0-9_.-]*)+")
_SET_WORD = r"[A-Za-z0-9_:][A-Za-z0-9_.:,/+@-]*"
_SET_LINE = re.compile(
    rf"create {_SET_WORD} [a-z]+:[a-z,]+(?: (?:family inet6?|range 0-65535))?"
    rf"|add {_SET_WORD} {_SET_WORD}(?: nomatch)?"
)
_VALUE = re.compile(r"-?[0-9]{1,10}(?: [0-9]{1,10})?")


def batch(commands: Iterable[Sequence[str]]) -> str:
    """One line a command.

    Raises:
        LabError: a word that is more, or less, than a word.

    """
    return "".join(f"{' '.join(map(_word, words))}\n" for words in commands)


def _word(word: str) -> str:
    if not _WORD.fullmatch(word):
        raise LabError(f"not a word of a command: {word!r}")
    return word


def set_lines(text: str) -> str:
    """What ``ipset restore`` shall read, as it stands.

    Raises:
        LabError: a line that neither makes a set nor adds a plain element to it.

    """
    for line in text.splitlines():
        if not _SET_LINE.fullmatch(line):
            raise LabError(f"not a line about a set: {line!r}")
    return text


def setting_path(path: str) -> str:
    """The path of a setting below /proc/sys.

    Raises:
        LabError: it leads elsewhere.

    """
    if not _SETTING.fullmatch(path):
        raise LabError(f"not a network setting: {path!r}")
    return f"/proc/sys/{path}"


def setting_value(value: str) -> str:
    """The value of a setting.

    Raises:
        LabError: it is no number.

    """
    if not _VALUE.fullmatch(value):
        raise LabError(f"not the value of a setting: {value!r}")
    return value
