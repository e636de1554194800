"""What is said when a command raises: the user's mistakes as they are, ours in one line."""

from __future__ import annotations

import re
import sys

from k8stui import __version__
from k8stui.cli.status import BAD
from k8stui.errors import explain_mistake
from k8stui.export.terminal import complain

_QUOTED = re.compile(r"""['"].*['"]""", re.DOTALL)
"""From the first quotation mark of a message to the last: a value may hold some itself."""
_WORD = re.compile(r"[(\[]?(?:[A-Za-z]+(?:\(\))?|\d{1,5})[)\],.:;]*|…")
"""What of the rest is told: plain words and small numbers; a value is rarely one of them."""


def failed(error: Exception) -> int:
    """Say what is wrong: the user's mistakes as they are, our own in one line and a file."""
    said = explain_mistake(error)
    if said is not None:
        complain(f"k8stui: {said}")
        return BAD
    complain(f"k8stui: this is a bug: {type(error).__name__}; report: {_report(error)}")
    return BAD


def _report(error: Exception) -> str:
    """Write the traceback to a file of its own (readable for the user only) and give its path."""
    import platform  # noqa: PLC0415 - only a crash needs them
    import tempfile  # noqa: PLC0415
    import traceback  # noqa: PLC0415

    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", errors="backslashreplace", prefix="k8stui-crash-", suffix=".txt",
        delete=False,
    ) as file:  # fmt: skip
        file.write(f"k8stui {__version__}, Python {platform.python_version()}, {sys.platform}\n")
        # Without locals, and without what a message quotes: both hold what the manifests say.
        for each in _chain(error):
            file.write("Traceback (most recent call last):\n")
            file.writelines(traceback.format_tb(each.__traceback__))
            file.write(f"{type(each).__name__}: {_without_values(str(each))}\n\n")
    return file.name


def _without_values(message: str) -> str:
    words = _QUOTED.sub("…", message).split()
    return " ".join(word if _WORD.fullmatch(word) else "…" for word in words)


def _chain(error: BaseException) -> list[BaseException]:
    """An error behind those that led to it."""
    found: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and one not in found:
        found.insert(0, one)
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
    return found
