"""Folders that other programs collect of a node: which file holds which command's output.

Rancher's log collector for RKE, RKE2 and k3s (rancherlabs/support-tools,
collection/rancher/v2.x/logs-collector), sosreport (sosreport/sos, report/plugins/networking.py,
firewall_tables.py), ``microk8s inspect`` (canonical/microk8s, scripts/inspect.sh), and one file a
command as it is kept by hand.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field

from k8stui.manifests import folders
from k8stui.nodes.observed import ROOT
from k8stui.nodes.state.stream import Section
from k8stui.record import record

# A path is shown as it was typed, and pathlib costs 3 ms of every walk:
# ruff: noqa: PTH118


@record(kw_only=True)
class Layout:
    """How one program lays down what it collects."""

    name: str
    files: Mapping[str, str]
    """Path in the folder → the command as `CollectedSpace` knows it."""
    unreadable: Mapping[str, str] = field(default_factory=dict)
    """Path of what cannot be read → the command that has to be run instead."""
    hosts: Sequence[str] = ()
    """Paths of files that hold the node's name."""
    namespaces: str = ""
    """Folder with one folder for each other namespace."""
    is_whole: bool = True
    """All that decides about packets is asked for."""


BY_HAND = Layout(
    name="one file a command",
    files={
        "iptables.save": "iptables-save",
        "ip6tables.save": "ip6tables-save",
        "ipset.save": "ipset save",
        "ip-addr.json": "ip -j -d addr show",
        "ip-route.json": "ip -j route show table all",
        "ip-rule.json": "ip -j -4 rule show",
        "ip-neigh.json": "ip -j neigh show",
        "fdb.json": "bridge -j fdb show",
        "sysctl.txt": "sysctl",
        "nft.json": "nft -j list ruleset",
        "nft.txt": "nft list ruleset",
        "ruleset.nft": "nft list ruleset",
        "conntrack.txt": "conntrack -L",
        "ss.txt": "ss -Hltnu",
    },
)
RANCHER = Layout(
    name="Rancher's log collector",
    files={
        "networking/iptablessave": "iptables-save",
        "networking/ip6tablessave": "ip6tables-save",
        "networking/nft_ruleset": "nft list ruleset",
        "networking/ipaddrshow": "ip addr show",
        "networking/iproute": "ip route show table all",
        "networking/iprule": "ip -4 rule show",
        "networking/ipv6rule": "ip -6 rule show",
        "networking/ipneighbour": "ip neigh show",
        "networking/sstunlp4": "ss -tunlp4",
        "networking/sstunlp6": "ss -tunlp6",
        "systeminfo/sysctla": "sysctl",
    },
    hosts=("systeminfo/hostname",),
)
_SOS = "sos_commands/networking"
SOS = Layout(
    name="sosreport",
    files={
        f"{_SOS}/ip_-d_address": "ip -d addr show",
        f"{_SOS}/ip_route_show_table_all": "ip route show table all",
        f"{_SOS}/ip_-4_rule_list": "ip -4 rule show",
        f"{_SOS}/ip_-6_rule_list": "ip -6 rule show",
        f"{_SOS}/ip_-s_-s_neigh_show": "ip neigh show",
        f"{_SOS}/bridge_-s_-s_-d_-t_fdb_show": "bridge fdb show",
        "sos_commands/firewall_tables/nft_list_ruleset": "nft list ruleset",
        "sos_commands/firewall_tables/nft_-a_list_ruleset": "nft list ruleset",
        "sos_commands/kernel/sysctl_-a": "sysctl",
    },
    unreadable={
        "sos_commands/firewall_tables/iptables_-vnxL": "iptables-save",
        "sos_commands/firewall_tables/iptables_-t_nat_-nvL": "iptables-save",
    },
    hosts=("sos_commands/host/hostname", "sos_commands/host/hostname_-f", "hostname"),
    namespaces=f"{_SOS}/namespaces",
)
_SOS_NAMESPACE = {
    "ip_-d_address_show": "ip -d addr show",
    "ip_route_show_table_all": "ip route show table all",
    "ip_-4_rule_list": "ip -4 rule show",
    "ip_-6_rule_list": "ip -6 rule show",
    "ip_-s_-s_neigh_show": "ip neigh show",
    "sysctl_-a": "sysctl",
    "iptables-save": "iptables-save",
    "ip6tables-save": "ip6tables-save",
}
"""Behind ``ip_netns_exec_NAME_``."""
MICROK8S = Layout(
    name="microk8s inspect",
    files={"network/iptables-S": "iptables-save"},
    unreadable={"network/iptables": "iptables-save", "network/ifconfig": "ip -d addr show"},
    is_whole=False,
)
_FOREIGN = (RANCHER, SOS, MICROK8S)
_FAILED = re.compile(r".*(?:not found|[Nn]o such file|[Pp]ermission denied|must be root).*")
_ONE_LINE = 400
"""Characters of what a shell says in place of output, at most."""


def layout_of(folder: str) -> Layout | None:
    """Which program's folder it is; None: none of them."""
    for layout in _FOREIGN:
        if any(folders.is_file(os.path.join(folder, path)) for path in layout.files):
            return layout
    return None


def is_by_hand(folder: str) -> bool:
    """Whether files of single commands stand there."""
    return any(folders.is_file(os.path.join(folder, name)) for name in BY_HAND.files)


def host_of(folder: str, layout: Layout) -> str:
    """The node's name; empty: nothing says it."""
    for path in layout.hosts:
        try:
            words = folders.read(os.path.join(folder, path)).decode("utf-8", "replace").split()
        except OSError:
            continue
        if words:
            return words[0]
    return ""


def sections(folder: str) -> Mapping[str, Mapping[str, Section]]:
    """What stands there, by namespace and command.

    Raises:
        OSError: a file cannot be read.

    """
    layout = layout_of(folder) or BY_HAND
    found = {ROOT: dict(_sections(folder, layout.files, ROOT))}
    for path, command in layout.unreadable.items():
        if folders.is_file(os.path.join(folder, path)):
            why = f"{path} cannot be read; run on the node: {command}"
            failed = _section(os.path.join(folder, path), ROOT, command, failure=why)
            found[ROOT].setdefault(command, failed)
    if layout.namespaces:
        for name in subfolders(os.path.join(folder, layout.namespaces)):
            inside = os.path.join(layout.namespaces, name)
            files = {
                f"{inside}/ip_netns_exec_{name}_{end}": command
                for end, command in _SOS_NAMESPACE.items()
            }
            found[name] = dict(_sections(folder, files, name))
    return found


def _sections(
    folder: str, files: Mapping[str, str], namespace: str
) -> Iterator[tuple[str, Section]]:
    for path, command in files.items():
        whole = os.path.join(folder, path)
        if folders.is_file(whole):
            text = folders.read(whole).decode(errors="surrogateescape")
            # What went wrong was written into the same file (2>&1).
            failed = len(text) < _ONE_LINE and _FAILED.match(text.strip())
            failure = text.strip().partition("\n")[0] if failed else ""
            yield command, _section(whole, namespace, command, text, failure)


def _section(file: str, namespace: str, command: str, text: str = "", failure: str = "") -> Section:
    return Section(
        file=file,
        namespace=namespace,
        command=command,
        line=1,
        text="" if failure else text,
        failure=failure,
    )


def subfolders(folder: str) -> list[str]:
    """Names of the folders in one; none where it cannot be read."""
    try:
        return [name for name, is_folder in folders.names(folder) if is_folder]
    except (OSError, ValueError):
        return []
