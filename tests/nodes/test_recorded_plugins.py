"""Truth: what each plug-in puts on node and pod, against every case of recordings-cni."""

from __future__ import annotations

import pytest
from nodes.plugin_cases import NODES, Case, cases
from nodes.recorded import (
    devices,
    fdb,
    permanent_neighbours,
    recorded_devices,
    recorded_fdb,
    recorded_localnet,
    recorded_permanent_neighbours,
    recorded_routes,
    routes,
)

from k8stui.kernel.nft.listing import listing
from k8stui.kernel.nft_ruleset import NftRuleset
from k8stui.kernel.save import dump

CASES = cases(with_file="results.json")


def case_id(value: object) -> str:
    return value.name if isinstance(value, Case) else str(value)


def printed(text: str) -> dict[str, list[str]]:
    """The lines of each table. Which tables come first depends on the order of their creation."""
    tables: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith("*"):
            current = tables.setdefault(line, [])
        else:
            current.append(line)
    return {name: lines for name, lines in tables.items() if any(map(_is_written, lines))}


def _is_written(line: str) -> bool:
    """Whether a line says anything: a table that was only touched is as good as none."""
    return line.startswith("-A") or " - [" in line


def own(text: str) -> str:
    """Without what stood there before the plug-in came: kube-proxy's rules, a policy."""
    lines = (line for line in text.splitlines() if "KUBE-" not in line or "CNI-" in line)
    return "\n".join(line.replace(":FORWARD DROP", ":FORWARD ACCEPT") for line in lines)


@pytest.mark.parametrize("case", CASES, ids=case_id)
@pytest.mark.parametrize("node", NODES)
class TestNode:
    def test_rules(self, case: Case, node: str) -> None:
        ours = dump(case.network.ruleset(case.cluster.nodes[node], 4, "cni"))
        assert printed(ours) == printed(own(case.text(f"{node}.iptables") or ""))

    def test_nftables(self, case: Case, node: str) -> None:
        """What was recreated by hand lacks flannel's table without rules for a family not used."""
        made = case.network.nft(case.cluster.nodes[node], "cni")
        ours = NftRuleset(tuple(one for one in made.tables if one.chains))
        assert listing(ours).strip() == (case.text(f"{node}.nft") or "").strip()

    def test_devices_and_routes(self, case: Case, node: str) -> None:
        ours = case.network[node]
        expected = case.json(f"{node}.json")
        assert devices(ours) == recorded_devices(expected)
        assert routes(ours) == recorded_routes(expected["ip -j route show table all"])

    def test_neighbours_and_forwarding_entries(self, case: Case, node: str) -> None:
        ours = case.network[node]
        expected = case.json(f"{node}.json")
        assert permanent_neighbours(ours) == recorded_permanent_neighbours(expected)
        assert fdb(ours) == recorded_fdb(expected)

    def test_settings(self, case: Case, node: str) -> None:
        ours = case.network[node]
        told = {name: on for name, on in ours.sysctls.route_localnet.items() if name != "all"}
        names = [device.name for device in ours.interfaces if told.get(device.name)]
        assert len(names) == len(recorded_localnet(case.json(f"{node}.json")))


@pytest.mark.parametrize(
    ("case", "pod"), [(case, pod) for case in CASES for pod in case.pods], ids=case_id
)
def test_pod(case: Case, pod: str) -> None:
    ours = case.network[f"default/{pod}"]
    expected = case.json(f"{case.node_of(pod)}.{pod}.json")
    assert devices(ours) == recorded_devices(expected)
    assert routes(ours) == recorded_routes(expected["ip -j route show table all"])
