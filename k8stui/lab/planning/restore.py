"""A ruleset → what iptables-restore reads: printed from what was parsed, chance decided.

No rule goes to the kernel as somebody else wrote it: ``--modprobe`` names a program that iptables
runs as root, and getopt_long takes it cut short; names of extensions become names of files; names
of hosts are looked up. What is not understood is not handed on, which is said.
Sources: iptables 1.8.9, iptables/xshared.c (do_parse), extensions/libxt_statistic.c.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from functools import lru_cache
from itertools import chain as joined

from k8stui.kernel import words
from k8stui.kernel.compile import CompiledRule, compile_rule, render
from k8stui.kernel.matches import MODULES
from k8stui.kernel.matches.base import Module, Test
from k8stui.kernel.matches.chance import Chance
from k8stui.kernel.matches.header import AddressTest, DeviceTest, FragmentTest, ProtocolTest
from k8stui.kernel.matches.lists import SetTest
from k8stui.kernel.rules import Chain, Rule, Ruleset, Table
from k8stui.kernel.step import Fork
from k8stui.kernel.targets import TARGETS
from k8stui.kernel.targets.base import Jump, UnknownTarget

Place = tuple[str, str, int]
"""Table, chain, 1-based number of the rule."""

_ALWAYS, _NEVER = (
    "--mode random --probability 1.00000000000",
    "--mode random --probability 0.00000000000",
)
_SENT_AGAIN = 2
"""How often more chance may be asked: as often as the lab's clients send a SYN again, and one."""
_COUNTING = "nfacct"
"""A match that only counts, for an object that a lab has not got."""
_SHORT = frozenset({"-A", "-s", "-d", "-p", "-m", "-j", "-g", "-i", "-o", "-f"})
_OPTIONS = _SHORT.union(*(one.arity for one in (*MODULES.values(), *TARGETS.values())))
"""All that may begin with a dash."""
_FREE = frozenset({"--comment", "--log-prefix", "--nflog-prefix"})
"""Options whose value is anybody's sentence; it is quoted."""
_VALUE = re.compile(r"!|[A-Za-z0-9_.:,/+=%\[\]~*@][A-Za-z0-9_.:,/+=%\[\]~*@-]*")
_CHAIN = re.compile(r"[A-Za-z0-9_.:+~@](?:[A-Za-z0-9_.:+~@-]|/(?!\.)){0,27}")
"""Calico has a slash in names. iptables looks for a library ``libxt_NAME`` first: behind a slash no
dot, so that it is never looked for above its own folder."""
_TABLES = frozenset({"raw", "mangle", "nat", "filter", "security"})


Draws = tuple[bool, ...]
"""Whether a rule matched, each time that chance was asked. A SYN that is sent again asks again."""


def decided(forks: tuple[Fork, ...], namespace: str) -> Mapping[Place, Draws]:
    """What chance chose in one branch, by the rule.

    The rules before the one that matched did not; nobody asked those behind it.
    """
    found: dict[Place, Draws] = {}
    for fork in forks:
        if fork.namespace == namespace:
            for number, way in enumerate(fork.ways[: fork.chosen + 1]):
                if way.place is not None:
                    place = (fork.table, fork.chain.name, way.place + 1)
                    found[place] = (*found.get(place, ()), number == fork.chosen)
    return found


def restore_text(
    ruleset: Ruleset, chosen: Mapping[Place, Draws], sets: Container[str] = ()
) -> tuple[str, tuple[str, ...]]:
    """The text for iptables-restore; also the rules and chains that are not handed to it.

    Chance becomes certainty in a rule of `chosen`, so that the kernel takes the same branch.
    A rule that asks for an ipset which is not in `sets`, those that were made, is not handed on.
    """
    lines: list[str] = []
    refused: list[str] = []
    for table in ruleset:
        if table.name not in _TABLES:
            refused.append(f"*{table.name}")
            continue
        chains = [chain for chain in table.chains.values() if _CHAIN.fullmatch(chain.name)]
        refused += [f":{name}" for name in table.chains if not _CHAIN.fullmatch(name)]
        lines.append(f"*{table.name}")
        lines += [f":{chain.name} {_policy(chain)} [0:0]" for chain in chains]
        for chain in chains:
            for number, rule in enumerate(chain.rules, start=1):
                draws = chosen.get((table.name, chain.name, number), ())
                text = printed(rule, chain, table, sets, draws)
                if text is None:
                    refused.append(rule.text)
                else:
                    lines.append(text)
        lines.append("COMMIT")
    return "".join(f"{line}\n" for line in lines), tuple(refused)


def _policy(chain: Chain) -> str:
    return chain.policy if chain.policy in ("ACCEPT", "DROP") else "-"


def printed(
    rule: Rule,
    chain: Chain,
    table: Table,
    sets: Container[str] = (),
    draws: Draws = (),
) -> str | None:
    """The rule from what was parsed; None where not all of it is understood, or is there.

    `sets`: ipsets that are; `draws`: what chance has decided.
    """
    compiled = compile_rule(rule.text)
    understood = all(isinstance(match, Module) or _is_header(match) for match in compiled.matches)
    target = compiled.target
    if not understood or isinstance(target, UnknownTarget):
        return None
    if isinstance(target, Jump) and target.chain not in table.chains:
        return None
    if not all(name in sets for name in set_names(compiled)):
        return None
    kept = [match for match in compiled.matches if not _only_counts(match)]
    matches = tuple(joined.from_iterable(_decided(match, draws) for match in kept))
    text = render(chain.name, CompiledRule(matches, target, compiled.goto))
    return text if is_harmless(text) else None


def set_names(rule: CompiledRule) -> Iterator[str]:
    """Names of the ipsets that a rule asks for."""
    for match in rule.matches:
        if isinstance(match, Module):
            yield from (test.name for test in match.tests if isinstance(test, SetTest))


def _is_header(match: Test | Module) -> bool:
    return isinstance(match, (AddressTest, DeviceTest, FragmentTest, ProtocolTest))


def _only_counts(match: Test | Module) -> bool:
    return isinstance(match, Module) and match.name == _COUNTING


def _decided(match: Test | Module, draws: Draws) -> Iterator[Test | Module]:
    """The match with its chance, where it has one, that is none any more."""
    chance = match.tests[0] if isinstance(match, Module) and len(match.tests) == 1 else None
    if draws and isinstance(match, Module) and isinstance(chance, Chance):
        for text in _as_drawn(draws):
            yield match._replace(tests=(chance._replace(text=text),))
    else:
        yield match


def _as_drawn(draws: Draws) -> tuple[str, ...]:
    """Options of ``-m statistic``, of one or several of them, that match as chance did.

    ``nth`` counts how often the rule was asked, ``--packet`` from 0 (iptables-extensions(8)).
    """
    if all(draws):
        return (_ALWAYS,)
    if not any(draws):
        return (_NEVER,)
    # A SYN that is lost before chance counts for good is sent again, and asks again: the walk, in
    # which all of them end alike, has the first.
    draws = (*draws, *(draws[-1],) * _SENT_AGAIN)
    if sum(draws) == 1:
        return (f"--mode nth --every {len(draws)} --packet {draws.index(True)}",)
    # Each match that says no keeps the question from those behind it, which count one less.
    return tuple(
        f"--mode nth ! --every {len(draws) - before} --packet {place - before}"
        for before, place in enumerate(n for n, drawn in enumerate(draws) if not drawn)
    )


@lru_cache(maxsize=1 << 12)  # nodes are alike, and so are a cluster's labs
def is_harmless(text: str) -> bool:
    """Whether a printed rule has only options of known matches and targets, and plain values."""
    if not text.isprintable():
        return False
    try:
        split = [word.text for word in words.split(text)]
    except ValueError:
        return False
    for before, word in zip(["", *split], split, strict=False):
        if before in _FREE:
            continue
        if word.startswith("-") and word in _OPTIONS:
            continue
        if not _VALUE.fullmatch(word) or (
            "/" in word
            and (before == "-m" or (before in ("-j", "-g") and not _CHAIN.fullmatch(word)))
        ):
            return False
    return True
