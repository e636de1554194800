"""The names of priorities (nft(8), standard priority names; src/rule.c std_prio_lookup)."""

from __future__ import annotations

import re

_NAMES = {
    "raw": -300, "mangle": -150, "dstnat": -100, "filter": 0, "security": 50, "srcnat": 100,
}  # fmt: skip
_BRIDGE = {"dstnat": -300, "filter": -200, "out": 100, "srcnat": 300}
_ONLY_AT = {"dstnat": "prerouting", "srcnat": "postrouting", "out": "output"}
_NEAR = 10
"""How far from a named one a priority is still written by it."""
_WRITTEN = re.compile(r"(?:([a-z]+)|(-?[0-9]{1,10}))\s*(?:([+-])\s*([0-9]{1,10}))?")


def _names(family: str) -> dict[str, int]:
    if family in ("arp", "netdev"):
        return {"filter": 0}
    return _BRIDGE if family == "bridge" else _NAMES


def written(priority: int, family: str, hook: str, named: str = "") -> str:
    """``filter``, ``dstnat - 10``, ``-110``: as nft prints it; `named`: by that name anywhere."""
    for name, number in _names(family).items():
        is_known = name == named or _ONLY_AT.get(name, hook) == hook
        if abs(priority - number) <= _NEAR and is_known:
            if priority == number:
                return name
            return f"{name} {'+' if priority > number else '-'} {abs(priority - number)}"
    return str(priority)


def read(text: str, family: str) -> tuple[int, str]:
    """The number, and the name that it was said by; empty: none.

    Raises:
        ValueError: no priority.

    """
    found = _WRITTEN.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"no priority: {text}")
    name, number, sign, more = found.groups()
    if name is not None and name not in _names(family):
        raise ValueError(f"no priority of family {family}: {name}")
    start = _names(family)[name] if name is not None else int(number)
    return start + int(f"{sign or ''}{more or 0}"), name or ""
