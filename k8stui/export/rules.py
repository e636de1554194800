"""A node's rules as iptables-save and nft print them, or as JSON with the reason for each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from k8stui.because import Because
from k8stui.kernel.ipset import IpSet
from k8stui.kernel.nft.listing import lines
from k8stui.kernel.nft_ruleset import Element, NftRuleset, NftSet, NftTable
from k8stui.kernel.rules import Chain, Rule, Ruleset
from k8stui.kernel.save import dump_lines
from k8stui.neutralise import neutralise


def save_lines(ruleset: Ruleset, table: str | None = None) -> Iterator[str]:
    """Stream what iptables-save prints (of one table: ``iptables-save -t TABLE``).

    What would steer a terminal is shown instead: a comment of a dump can hold anything.
    """
    return map(neutralise, dump_lines(_only(ruleset, table)))


def nft_lines(ruleset: NftRuleset, version: int | None = None) -> Iterator[str]:
    """Stream what ``nft list ruleset`` prints, in chunks; `version`: of one IP version alone."""
    for chunk in lines(_seeing(ruleset, version)):
        yield "\n".join(map(_indented, chunk.split("\n")))


def _indented(line: str) -> str:
    text = line.lstrip("\t")
    return line[: len(line) - len(text)] + neutralise(text)


def nft_json(ruleset: NftRuleset, node: str, version: int | None = None) -> Iterator[str]:
    """Write all sets, maps and chains with their elements, rules and reasons, in chunks."""
    import json  # noqa: PLC0415 - as in rules_json

    from k8stui.export.stream import array  # noqa: PLC0415 - as there

    yield f'{{"version": 1,\n "node": {json.dumps(node)},\n "nftables": ['
    comma = ""
    for each in _seeing(ruleset, version):
        named = f'"family": "{each.family}", "table": {json.dumps(each.name)}'
        yield f'{comma}\n  {{{named}, "sets": '
        yield from array(map(_set, each.sets.values()), indent=4)
        yield ', "chains": '
        yield from array((_chain(one.chain) for one in each.chains.values()), indent=4)
        yield "}"
        comma = ","
    yield "\n ]\n}\n"


def _seeing(ruleset: NftRuleset, version: int | None) -> Iterator[NftTable]:
    """Those tables that see packets of an IP version."""
    return (one for one in ruleset.tables if version is None or version in one.versions)


def _set(one: NftSet) -> dict[str, object]:
    return {
        one.kind: one.name,
        "type": f"{one.key} : {one.data}" if one.data else one.key,
        "because": _because(one.reason),
        "elements": [_rule(index, element) for index, element in enumerate(one.elements, start=1)],
    }


def ipset_lines(sets: Mapping[str, IpSet]) -> Iterator[str]:
    """What ``ipset save`` prints, without the numbers that are random (``initval``)."""
    for name, each in sets.items():
        yield from map(neutralise, each.save_lines(name))


def rules_json(ruleset: Ruleset, node: str, family: str, table: str | None = None) -> Iterator[str]:
    """Write all chains with their rules and reasons as one object, in chunks."""
    import json  # noqa: PLC0415 - 9 ms, not needed for the save format

    from k8stui.export.stream import array  # noqa: PLC0415 - as above

    yield f'{{"version": 1,\n "node": {json.dumps(node)},\n "family": "{family}",\n "tables": ['
    comma = ""
    for each in _only(ruleset, table):
        yield f'{comma}\n  {{"table": {json.dumps(each.name)}, "chains": '
        yield from array(map(_chain, each.chains.values()), indent=4)
        yield "}"
        comma = ","
    yield "\n ]\n}\n"


def _only(ruleset: Ruleset, table: str | None) -> Ruleset:
    if table is None:
        return ruleset
    return Ruleset({name: t for name, t in ruleset.tables.items() if name == table})


def _chain(chain: Chain) -> dict[str, object]:
    return {
        "chain": chain.name,
        "policy": chain.policy,
        "rules": [_rule(index, rule) for index, rule in enumerate(chain.rules, start=1)],
    }


def _rule(index: int, rule: Rule | Element) -> dict[str, object]:
    return {"index": index, "text": rule.text, "because": _because(rule.reason)}


def _because(reason: Because | None) -> dict[str, object] | None:
    from k8stui.export.json import origin  # noqa: PLC0415 - see rules_json

    if reason is None:
        return None
    return {
        "text": reason.text,
        "owner": reason.owner,
        "service": reason.service,
        "service_port": reason.service_port,
        "endpoint": reason.endpoint,
        "pod": reason.pod,
        "setting": reason.setting,
        "origin": origin(reason.origin),
    }
