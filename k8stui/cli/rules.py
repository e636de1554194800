"""``k8stui rules``: what iptables-save prints on a node; ``--diff``: beside a real node's."""

from __future__ import annotations

from typing import Any

import click

from k8stui.cli.options import by_node, common_options
from k8stui.cli.reading import read_world, remark
from k8stui.cli.status import FINE, FOUND
from k8stui.errors import value_of
from k8stui.export.terminal import write, write_data


@click.command("rules")
@common_options
@click.option("--node", metavar="NODE", help="Whose rules. Needed, unless --diff names it.")
@click.option(
    "--family",
    type=click.Choice(["ipv4", "ipv6"]),
    help="Without it ipv4, of nftables' tables all.",
)
@click.option("--table", type=click.Choice(["nat", "filter", "mangle", "raw"]))
@click.option(
    "--owner",
    type=click.Choice(
        ["all", "kube-proxy", "cni", "kubelet", "node-local-dns", "kube-router", "calico"]
    ),
    default="all",
    show_default=True,
    help="Only what that one would have programmed.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["save", "nft", "json", "ipset"]),
    help="Without it nft (as nft list ruleset prints) where kube-proxy's mode is nftables, or "
    "where nft alone was seen of the node; else save (as iptables-save prints).",
)
@click.option(
    "--diff",
    "dump",
    metavar="NODE[=FILE]",
    help="What is missing, extra or out of order in a real node's iptables-save, and which "
    "requests that breaks. Without FILE: in what the input shows of the node (--state, --iptables, "
    "a folder with nodes/NODE.txt).",
)
def command(
    *,
    node: str | None,
    family: str | None,
    table: str | None,
    owner: str,
    form: str | None,
    dump: str | None,
    **common: Any,
) -> int:
    """Print a node's rules as iptables-save or nft does, or compare a real node's with them."""
    if form == "ipset" and (dump is not None or table is not None):
        raise click.UsageError("--format ipset prints all sets of a node: no --table, no --diff")
    if dump is not None:
        if table is not None:
            raise click.UsageError("--diff compares all tables")
        return _differences(node, family, dump, owner=owner, form=form, common=common)
    if node is None:
        raise click.UsageError("Missing option '--node'.")
    from k8stui.cluster.proxy_configuration import NFTABLES  # noqa: PLC0415
    from k8stui.export.rules import (  # noqa: PLC0415
        ipset_lines,
        nft_json,
        nft_lines,
        rules_json,
        save_lines,
    )
    from k8stui.walk.lookup import find_node  # noqa: PLC0415

    world, status = read_world(**common)
    with value_of("--node"):
        found = find_node(world.cluster, node.removeprefix("node/"))
    if form == "ipset":
        write(f"{line}\n" for line in ipset_lines(world.network.sets(found, owner)))
        return status
    version = {"ipv4": 4, "ipv6": 6}.get(family or "")
    nft = world.network.nft(found, owner)
    ruleset = world.network.ruleset(found, version or 4, owner)
    native = bool(nft.tables) and (world.cluster.proxy.mode == NFTABLES or not ruleset.tables)
    if form == "nft" or (form is None and native and table is None):
        write(nft_lines(nft, version))
        return status
    if form == "json" and native and table is None:
        write_data(nft_json(nft, found.name, version))
    elif form == "json":
        write_data(rules_json(ruleset, found.name, family or "ipv4", table))
    else:
        write(f"{line}\n" for line in save_lines(ruleset, table))
    return status


def _differences(
    node: str | None,
    family: str | None,
    dump: str,
    *,
    owner: str,
    form: str | None,
    common: dict[str, Any],
) -> int:
    """``rules --diff``: differences are findings."""
    from k8stui.export.difference import difference_json, difference_lines  # noqa: PLC0415
    from k8stui.walk.breakage import rules_report  # noqa: PLC0415
    from k8stui.walk.lookup import find_node  # noqa: PLC0415

    name, file = dump.removeprefix("node/"), ""
    if "=" in dump:
        ((name, file),) = by_node("--diff", [dump]).items()
    if node is not None and node.removeprefix("node/") != name:
        raise click.UsageError(f"--node is {node}, but --diff names {name}")
    if file:
        given = common["iptables"]
        common["iptables"] = [one for one in given if one.partition("=")[0] != name]
    world, status = read_world(**common)
    with value_of("--diff"):
        found = find_node(world.cluster, name)
        report = rules_report(world, found, 6 if family == "ipv6" else 4, file, owner=owner)
    if file:
        remark({name: file}, {})
    if form == "json":
        write_data([difference_json(report)])
    else:
        write(f"{line}\n" for line in difference_lines(report))
    return status or (FOUND if report.differences else FINE)
