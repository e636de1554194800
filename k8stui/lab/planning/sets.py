"""ipsets that rules ask → what ``ipset restore`` reads: printed from what was parsed.

Options that only count, time or size a set are left out: no packet can tell. Source: ipset(8).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from k8stui.kernel.compile import compile_rule
from k8stui.kernel.ipset import BITMAP_OF_PORTS, LIST_OF_SETS, IpSet
from k8stui.kernel.rules import Ruleset
from k8stui.lab.planning.restore import set_names

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:+@-]{0,30}")
"""Less than the kernel takes (31 bytes, whichever): a name is a word of a command here."""
_OF_NETWORKS = {
    "bitmap:ip": "hash:net",
    "hash:ip": "hash:net",
    "hash:ip,port": "hash:net,port",
    "hash:ip,port,ip": "hash:net,port,net",
    "hash:ip,port,net": "hash:net,port,net",
}
"""The kind that holds the same elements where ``netmask`` has made networks of addresses."""


def asked(rulesets: Iterable[Ruleset]) -> tuple[str, ...]:
    """Names of the sets that the rules ask for, in their order."""
    found: dict[str, None] = {}
    for ruleset in rulesets:
        for table in ruleset:
            for chain in table.chains.values():
                for rule in chain.rules:
                    found |= dict.fromkeys(set_names(compile_rule(rule.text)))
    return tuple(found)


def restore_text(
    names: Iterable[str], sets: Mapping[str, IpSet]
) -> tuple[Mapping[str, str], tuple[str, ...]]:
    """The text for ``ipset restore`` by the set that it makes; also the names that it refuses.

    Members of a list stand before it. A name that no known set has makes none.
    """
    made: dict[str, str] = {}
    refused: list[str] = []
    for name in names:
        found = sets.get(name)
        if found is None:
            continue
        family = {name: found, **found.members}
        bad = [one for one in family if not _NAME.fullmatch(one)]
        refused += bad
        if not bad:
            for one in reversed(family):
                made[one] = "".join(f"{line}\n" for line in _lines(one, family[one]))
    return made, tuple(refused)


def _lines(name: str, made: IpSet) -> Iterator[str]:
    kind = made.kind
    if made.has_networks or kind == "bitmap:ip":
        kind = _OF_NETWORKS.get(kind, kind)
    yield f"create {name} {kind}{_options(made)}"
    for member in made.members:
        yield f"add {name} {member}"
    for element, matches in made.elements():
        yield f"add {name} {element}{'' if matches else ' nomatch'}"


def _options(made: IpSet) -> str:
    if made.kind == LIST_OF_SETS:
        return ""
    if made.kind == BITMAP_OF_PORTS:
        return " range 0-65535"
    return " family inet6" if made.version == 6 else " family inet"
