"""Where nftables' own tables meet packets, from the plain text of ``nft list ruleset``.

Its rules are evaluated from the JSON alone (`k8stui.kernel.nft`): of the text only the hooks are
read, so that it is known where a packet's way is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from k8stui.kernel.namespace import NotEvaluated

_TABLE = re.compile(r"^table (\S+) (\S+) {", re.MULTILINE)
_BASE = re.compile(
    r"chain (\S+) {[^{}]*?type \w+ hook (prerouting|input|forward|output|postrouting)"
    r" (?:device \S+ )?priority ([^;]+);(?: policy (\w+);)?([^}]*)"
)
_FAMILIES = {"ip": (4,), "ip6": (6,), "inet": (4, 6)}
_NAMED = {"raw": -300, "mangle": -150, "dstnat": -100, "filter": 0, "security": 50, "srcnat": 100}
"""nft(8), priority names."""


def unread_chains(text: str) -> tuple[NotEvaluated, ...]:
    """The base chains that do anything at all."""
    return tuple(_unread(text))


def _unread(text: str) -> Iterator[NotEvaluated]:
    tables = list(_TABLE.finditer(text))
    for table, following in zip(tables, [*tables[1:], None], strict=True):
        family, name = table.groups()
        body = text[table.end() : following.start() if following else len(text)]
        for base in _BASE.finditer(body):
            chain, hook, priority, policy, rules = base.groups()
            if policy != "drop" and not rules.strip():
                continue
            for version in _FAMILIES.get(family, ()):
                yield NotEvaluated(
                    name=f"nftables ruleset (table {family} {name}, chain {chain}); run on the "
                    "node: nft -j list ruleset",
                    version=version,
                    hook=hook.upper(),
                    priority=_number(priority),
                )


def _number(priority: str) -> int:
    """``dstnat - 10``, ``-110``."""
    words = priority.replace("-", " -").replace("+", " +").split()
    found = _NAMED.get(words[0], 0) if words else 0
    rest = "".join(words[1:] if words and words[0] in _NAMED else words)
    try:
        return found + int(rest or "0")
    except ValueError:
        return found
