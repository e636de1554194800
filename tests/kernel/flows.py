"""What the kernel did with real packets (flows.json), held against what some rules say."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import truth
from kernel.hooks import Fate, Host, fates, packet

from k8stui.kernel.address import Address
from k8stui.kernel.nft_ruleset import NftRuleset
from k8stui.kernel.packet import Packet
from k8stui.kernel.rules import Ruleset


def flow_files() -> list[str]:
    folder = truth.find("recordings")
    if folder is None:
        return []
    return [str(path.relative_to(folder)) for path in sorted(folder.rglob("*.flows.json"))]


@cache
def entries(name: str, mode: str = "iptables") -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads((truth.folder("recordings") / name).read_text())
    return [entry for entry in entries if entry["mode"] == mode]


def host(entry: dict[str, Any], ruleset: Ruleset | NftRuleset) -> Host:
    """The machine of a recording, with rules of one IP version."""
    return Host(
        ruleset=ruleset,
        addresses=frozenset(map(Address.parse, entry["node_addresses"])),
        pods=frozenset(map(Address.parse, entry["own_pods"])),
        pod_device=entry["pod_interface"],
        uplink=entry["uplink"],
    )


def _endpoint(fate: Fate) -> str:
    return fate.packet.dst.with_port(fate.packet.dport)


_ICMP = {
    "icmp-port-unreachable": "3/3",
    "icmp6-port-unreachable": "1/4",
}


def _error_was_lost(flow: dict[str, Any]) -> bool:
    """The recording's IPv6 peer on the link got no ICMPv6 error, in either proxy mode.

    An off-link client under the same rule did, so the neighbour look-up failed there, not the rule:
    a REJECT towards it was seen as silence.
    """
    return flow["from"] == "peer-node" and ":" in flow["source"] and flow["verdict"] == "drop"


def _disagreement(host: Host, flow: dict[str, Any], mark: int) -> str:
    """Why what the rules say is not what the kernel did; empty when it is.

    What the node sends to itself was recorded as it was sent, before it came back over lo.
    """
    probe = packet(flow["source"], flow["dest"], flow["protocol"], flow["port"])
    seen = list(fates(host, probe, mark=mark, over_loopback=False))
    verdicts = {"dnat" if fate.dnat and fate.verdict == "pass" else fate.verdict for fate in seen}
    if verdicts != {flow["verdict"]} and not (_error_was_lost(flow) and verdicts == {"reject"}):
        return f"verdict {verdicts}"
    if flow["verdict"] == "reject":
        codes = {_ICMP.get(fate.reject_with) for fate in seen}
        return "" if codes == {flow["icmp"]} else f"icmp {codes}"
    if flow["verdict"] == "dnat":
        mine = {_endpoint(fate): fate.masqueraded for fate in seen}
        theirs = {end: how["masquerade"] for end, how in flow["endpoints"].items()}
        wrong = {end: how for end, how in theirs.items() if mine.get(end) is not how}
        if wrong:
            return f"endpoints {wrong}, not in {mine}"
        if flow.get("sticky"):
            return _not_sticky(host, probe, seen)
    if flow["verdict"] == "pass" and {fate.masqueraded for fate in seen} != {flow["masquerade"]}:
        return f"masquerade {[fate.masqueraded for fate in seen]}"
    return ""


def _not_sticky(host: Host, probe: Packet, seen: list[Fate]) -> str:
    """With ClientIP affinity the next packet of the client goes where the first one went."""
    for fate in seen:
        again = {_endpoint(f) for f in fates(host, probe, recent=fate.recent, over_loopback=False)}
        if again != {_endpoint(fate)}:
            return f"after {_endpoint(fate)} comes {again}"
    return ""


def disagreements(
    name: str, rulesets: Callable[[int], Ruleset | NftRuleset], mode: str = "iptables"
) -> list[str]:
    """Every flow of a file, by what the rules of its IP version say; empty when all agree."""
    mark = 0x8 if ".mark." in name else 0x4000
    wrong = []
    for entry in entries(name, mode):
        hosts = {version: host(entry, rulesets(version)) for version in (4, 6)}
        for flow in entry["flows"]:
            why = _disagreement(hosts[6 if ":" in flow["dest"] else 4], flow, mark)
            if why:
                wrong.append(
                    f"{flow['from']} {flow['source']} -> {flow['dest']}:{flow['port']}"
                    f"/{flow['protocol']} {flow['verdict']}: {why}"
                )
    return wrong
