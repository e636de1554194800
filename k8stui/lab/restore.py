"""A ruleset → what iptables-restore reads: chance decided, and no word that is an order.

Sources: iptables 1.8.9, iptables/xshared.c (do_parse: the short options) and
extensions/libxt_statistic.c.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from k8stui.kernel import words
from k8stui.kernel.rules import Ruleset
from k8stui.kernel.step import Fork

Place = tuple[str, str, int]
"""Table, chain, 1-based number of the rule."""

_STATISTIC = re.compile(
    r"--mode (?:random (?:! )?--probability \S+|nth (?:! )?--every \d+(?: --packet \d+)?)"
)
_ALWAYS, _NEVER = "1.00000000000", "0.00000000000"
_SHORT = frozenset({"-A", "-s", "-d", "-p", "-m", "-j", "-g", "-i", "-o", "-f"})
"""The short options that iptables-save prints. ``-M`` would name a program that iptables runs."""


def decided(forks: tuple[Fork, ...], namespace: str) -> Mapping[Place, bool]:
    """What chance chose in one branch, by the rule; the first time counts."""
    found: dict[Place, bool] = {}
    for fork in forks:
        if fork.namespace == namespace:
            cause = fork.cause
            found.setdefault((cause.table, cause.chain.name, cause.index), fork.matched)
    return found


def restore_text(ruleset: Ruleset, chosen: Mapping[Place, bool]) -> tuple[str, tuple[str, ...]]:
    """The text for iptables-restore; also the rules that are not handed to it.

    The probability of a rule in `chosen` becomes 1 or 0, so that the kernel takes the same branch.
    """
    lines: list[str] = []
    refused: list[str] = []
    for table in ruleset:
        lines.append(f"*{table.name}")
        lines += [f":{chain.name} {chain.policy or '-'} [0:0]" for chain in table.chains.values()]
        for chain in table.chains.values():
            for number, rule in enumerate(chain.rules, start=1):
                if not is_harmless(rule.text):
                    refused.append(rule.text)
                    continue
                matched = chosen.get((table.name, chain.name, number))
                lines.append(rule.text if matched is None else _certain(rule.text, matched))
        lines.append("COMMIT")
    return "".join(f"{line}\n" for line in lines), tuple(refused)


def _certain(text: str, matched: bool) -> str:
    probability = _ALWAYS if matched else _NEVER
    return _STATISTIC.sub(f"--mode random --probability {probability}", text, count=1)


def is_harmless(text: str) -> bool:
    """Whether the rule has only words that iptables-save prints: a dump is somebody else's text.

    ``--modprobe`` (also abbreviated, getopt_long) names a program that iptables runs as root;
    names of extensions become names of files.
    """
    if any(ord(char) < 0x20 for char in text):
        return False
    try:
        split = [word.text for word in words.split(text)]
    except ValueError:
        return False
    for before, word in zip(["", *split], split, strict=False):
        if before == "--comment":
            continue
        if re.match(r"-[^-\d]", word) and word not in _SHORT:
            return False
        name = word.partition("=")[0]
        if len(name) > 4 and "--modprobe".startswith(name) and name != "--mode":
            return False
        if before in ("-m", "-j", "-g") and "/" in word:
            return False
    return True
