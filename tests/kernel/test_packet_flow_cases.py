"""kube-proxy's own packet-flow tests, on rules that somebody else wrote."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
import truth
from kernel.hooks import Fate, Host, fates, packet

from k8stui.kernel.address import Address
from k8stui.kernel.rules import BUILTIN_CHAINS, Chain, Rule, Ruleset, Table
from k8stui.kernel.save import parse

_NEW = "-m conntrack --ctstate NEW"
JUMPS = {
    ("nat", "PREROUTING"): ("-j KUBE-SERVICES",),
    ("nat", "OUTPUT"): ("-j KUBE-SERVICES",),
    ("nat", "POSTROUTING"): ("-j KUBE-POSTROUTING",),
    ("filter", "INPUT"): (
        "-j KUBE-FIREWALL",
        f"{_NEW} -j KUBE-PROXY-FIREWALL",
        "-j KUBE-NODEPORTS",
        f"{_NEW} -j KUBE-EXTERNAL-SERVICES",
    ),
    ("filter", "FORWARD"): (
        f"{_NEW} -j KUBE-PROXY-FIREWALL",
        "-j KUBE-FORWARD",
        f"{_NEW} -j KUBE-SERVICES",
        f"{_NEW} -j KUBE-EXTERNAL-SERVICES",
    ),
    ("filter", "OUTPUT"): (
        "-j KUBE-FIREWALL",
        f"{_NEW} -j KUBE-PROXY-FIREWALL",
        f"{_NEW} -j KUBE-SERVICES",
    ),
}
"""docs/facts/kube-proxy.md section 4."""


@cache
def _cases() -> dict[str, dict[str, Any]]:
    folder = truth.find("packet-flow")
    if folder is None:
        return {}
    cases = {}
    for path in sorted(folder.glob("*.json")):
        for case in json.loads(path.read_text())["cases"]:
            if case["mode"] == "iptables":
                cases[case["id"]] = case
    return cases


def _with_jumps(ruleset: Ruleset) -> Ruleset:
    tables = {}
    for table in ruleset:
        chains = dict(table.chains)
        for name in BUILTIN_CHAINS[table.name]:
            rules = tuple(
                Rule(f"-A {name} {text}")
                for text in JUMPS.get((table.name, name), ())
                if text.rpartition(" ")[2] in chains
            )
            chains[name] = Chain(name, rules, "ACCEPT")
        tables[table.name] = Table(table.name, chains)
    return Ruleset(tables)


def _outcome(fate: Fate) -> str | None:
    if fate.verdict != "pass":
        return fate.verdict.upper()
    if fate.dnat:
        return fate.packet.dst.with_port(fate.packet.dport)
    return "ACCEPT" if fate.by_rule else None


@pytest.mark.parametrize("case_id", _cases())
def test_case_agrees(case_id: str) -> None:
    case = _cases()[case_id]
    host = Host(
        ruleset=_with_jumps(parse(case["rules"], file=case_id)),
        addresses=frozenset(map(Address.parse, case["local_addresses"])),
    )
    for flow in case["flows"]:
        probe = packet(flow["source"], flow["dest"], flow["protocol"], int(flow["port"]))
        seen = list(fates(host, probe))
        assert {_outcome(fate) for fate in seen} == (set(flow["expect"]) or {None}), flow
        assert {fate.marked for fate in seen} == {flow["masquerade"]}, flow
