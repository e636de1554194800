"""Which tables of nftables' own stand in a namespace: ``nft -j list ruleset``.

They are not evaluated yet: only where they meet packets is read here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from k8stui.errors import K8sTuiError
from k8stui.kernel.namespace import NotEvaluated
from k8stui.kernel.step import Hook

_IPTABLES = frozenset({"raw", "mangle", "nat", "filter", "security"})
"""Tables that iptables-nft has made its own: its save shows them."""
_FAMILIES = {"ip": (4,), "ip6": (6,), "inet": (4, 6)}
_HOOKS = {
    "prerouting": Hook.PREROUTING,
    "input": Hook.INPUT,
    "forward": Hook.FORWARD,
    "output": Hook.OUTPUT,
    "postrouting": Hook.POSTROUTING,
}


class NftError(K8sTuiError, ValueError):
    """The text is not what the command prints."""

    line = None


def foreign_chains(text: str, *, iptables_too: bool = False) -> tuple[NotEvaluated, ...]:
    """The base chains of tables that are not iptables', where they do anything at all.

    `iptables_too`: and of those that are.

    Raises:
        NftError: not what ``nft -j list ruleset`` prints.

    """
    try:
        listed = json.loads(text)["nftables"]
        rules = {_place(one["rule"]) for one in listed if "rule" in one}
        chains = [one["chain"] for one in listed if "chain" in one]
        own = frozenset[str]() if iptables_too else _IPTABLES
        return tuple(
            found
            for chain in chains
            if chain["family"] == "inet" or chain["table"] not in own
            for found in _hooked(chain, rules)
        )
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise NftError(f"not what nft -j list ruleset prints ({type(error).__name__})") from None


def _place(rule: Mapping[str, object]) -> tuple[object, object, object]:
    return rule["family"], rule["table"], rule["chain"]


def _hooked(
    chain: Mapping[str, object], rules: set[tuple[object, object, object]]
) -> Iterator[NotEvaluated]:
    """A chain at its hook, once a family."""
    family, table, name = str(chain["family"]), str(chain["table"]), str(chain["name"])
    hook = _HOOKS.get(str(chain.get("hook")))
    if hook is None or family not in _FAMILIES:
        return
    has_rules = (chain["family"], chain["table"], chain["name"]) in rules
    if not has_rules and chain.get("policy", "accept") == "accept":
        return
    priority = chain.get("prio")
    for version in _FAMILIES[family]:
        yield NotEvaluated(
            name=f"nftables ruleset (table {family} {table}, chain {name})",
            version=version,
            hook=hook.value,
            priority=priority if isinstance(priority, int) else 0,
        )
