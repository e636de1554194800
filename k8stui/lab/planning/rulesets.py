"""Sets, rules and tables of one namespace as texts for the programs that load them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from k8stui.kernel.namespace import NetNamespace
from k8stui.kernel.step import Fork
from k8stui.lab.errors import NotComparedError
from k8stui.lab.plan import Tools
from k8stui.lab.planning import nftables, sets
from k8stui.lab.planning.restore import decided, restore_text
from k8stui.record import record


@record(kw_only=True)
class Texts:
    """As in `k8stui.lab.plan.Space`."""

    sets: Mapping[str, str]
    rules: Mapping[str, str]
    nft: str
    notes: tuple[str, ...]
    """What is not handed on, in sentences."""


def texts(
    space: NetNamespace,
    tools: Tools,
    versions: Collection[int],
    asked: int,
    forks: tuple[Fork, ...],
) -> Texts:
    """Of the IP `versions`, with chance as it came out in `forks` where it is `asked` by one.

    Raises:
        NotComparedError: a program that would be needed is not installed.

    """
    name = space.name
    made, refused = sets.restore_text(sets.asked(space.rulesets.values()), space.sets)
    notes = [f"{name}: not handed to ipset: {one}" for one in refused]
    if made:
        _needs(tools["ipset"], name, "rules that ask for ipsets", "ipset")
    rules = {}
    for version, ruleset in space.rulesets.items():
        if version in versions:
            chosen = decided(forks, name) if version == asked else {}
            rules[str(version)], refused = restore_text(ruleset, chosen, made)
            notes += [f"{name}: not handed to iptables: {text}" for text in refused]
    own = ""
    if space.nft is not None and space.nft.tables:
        _needs(tools["nft"], name, "tables of nftables' own", "nftables")
        devices = [one.name for one in space.interfaces]
        own, refused = nftables.text(space.nft, nftables.decided(forks, name), devices)
        notes += [f"{name}: not handed to nft: {text}" for text in refused]
    return Texts(sets=made, rules=rules, nft=own, notes=tuple(notes))


def _needs(tool: str, name: str, what: str, package: str) -> None:
    if not tool:
        raise NotComparedError(
            f"{name} has {what}, and {package} is not installed",
            f"apt install {package}, or dnf install {package}",
        )
