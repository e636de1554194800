"""Whether a terminal's character set holds what is drawn: arrows, lines and marks."""

from __future__ import annotations

import locale
import os
from collections.abc import Mapping

_DRAWN = "─│╭├└▶⇒→●○…✓"
_COERCED = frozenset({"C.UTF-8", "C.utf8", "UTF-8"})
"""What Python sets LC_CTYPE to in the locale C, also for the program itself (PEP 538)."""
_FIRST_ENVIRONMENT = "/proc/self/environ"
"""That of the program's start (proc_pid_environ(5)); there is none outside Linux."""


def can_draw(encoding: str | None) -> bool:
    """Whether a stream of this encoding can show the characters used here."""
    try:
        _DRAWN.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def wants_ascii(environ: Mapping[str, str], *, is_terminal: bool = True) -> bool:
    """Whether the user's environment asks for ASCII, or the font of the terminal holds no more.

    ``K8STUI_ASCII``, the locale C or one of another character set, the Linux console. Where no
    locale is set (a container) what Python makes of it counts: nobody has asked for C.
    """
    if environ.get("K8STUI_ASCII") or (is_terminal and environ.get("TERM") == "linux"):
        return True
    name = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or ""
    if name in ("C", "POSIX"):
        return True
    encoding = name.partition(".")[2].partition("@")[0] or locale.getpreferredencoding(False)
    return not can_draw(encoding)


def environment() -> Mapping[str, str]:
    """Give the environment as the user has it: the locale C is C, whatever Python made of it."""
    if os.environ.get("LC_CTYPE") not in _COERCED:
        return os.environ
    try:
        with open(_FIRST_ENVIRONMENT, "rb") as opened:  # noqa: PTH123 - pathlib costs 3 ms
            first = os.fsdecode(opened.read()).split("\0")
    except OSError:
        return os.environ
    was = next((line for line in first if line.startswith("LC_CTYPE=")), "")
    return {**os.environ, "LC_CTYPE": was.partition("=")[2]}
