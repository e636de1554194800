"""What a daemon of the input is told by its arguments and its environment."""

from __future__ import annotations

import re
from collections.abc import Sequence

from k8stui.cluster.fields import prefixes
from k8stui.cluster.model import Container
from k8stui.kernel.address import Prefix

_LAST_PORT = 65535


def is_flanneld(container: Container) -> bool:
    return not container.init and any(word.endswith("flanneld") for word in container.spoken)


def listed(written: str) -> tuple[Prefix, ...]:
    """The ranges in a variable: ``10.0.0.0/8,fd00::/8``."""
    return prefixes(map(str.strip, written.split(",")))


def port(written: str) -> int | None:
    """What iptables takes for one."""
    if not re.fullmatch(r"[0-9]{1,5}", written) or int(written) > _LAST_PORT:
        return None
    return int(written)


def argument(words: Sequence[str], flag: str) -> str | None:
    """The value of ``--flag=value``, ``-flag value`` …; None: it is not given.

    Go's flag package and pflag take one dash or two (a switch alone is ``true``); the last counts.
    """
    found = None
    for word, following in zip(words, (*words[1:], "-"), strict=False):
        name, equals, value = word.partition("=")
        if name in (f"--{flag}", f"-{flag}"):
            found = value if equals else "true" if following.startswith("-") else following
    return found


def told(words: Sequence[str], flag: str, *, otherwise: bool) -> bool:
    """A switch among a program's arguments."""
    found = argument(words, flag)
    return otherwise if found is None else found.lower() not in {"false", "0", "f"}
