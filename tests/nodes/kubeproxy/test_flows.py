"""Our own rules give the verdicts that the kernel gave real packets under kube-proxy's."""

from __future__ import annotations

import pytest
import truth
from kernel.flows import disagreements, entries, flow_files
from nodes.kubeproxy.recording import Recording

from k8stui.kernel.nft.text import parse
from k8stui.kernel.nft_ruleset import NftRuleset
from k8stui.kernel.rules import Ruleset
from k8stui.nodes.kubeproxy import proxy_ruleset
from k8stui.nodes.kubeproxy.around import Around
from k8stui.nodes.kubeproxy.nftables.rules import NftablesRules

SUFFIX = {4: ".iptables", 6: ".ip6tables"}


@pytest.mark.parametrize("name", flow_files())
def test_flows_agree_with_generated_tables_of_nftables(name: str) -> None:
    def generated(version: int) -> NftRuleset:
        path = truth.folder("recordings") / name.replace(".flows.json", ".nft")
        recording = Recording(path)
        cluster, node = recording.cluster()
        around = Around(local_addresses=recording.local_addresses(node.name))
        return NftRuleset((NftablesRules(cluster, node, version, around).table,))

    if not entries(name, "nftables"):
        pytest.skip("no flows of mode nftables")
    wrong = disagreements(name, generated, "nftables")
    assert not wrong, f"{len(wrong)}:\n" + "\n".join(wrong)


@pytest.mark.parametrize("name", flow_files())
def test_flows_agree_with_recorded_tables_of_nftables(name: str) -> None:
    def recorded(version: int) -> NftRuleset:
        path = truth.folder("recordings") / name.replace(".flows.json", ".nft")
        (one,) = (t for t in parse(Recording(path).text).tables if version in t.versions)
        return NftRuleset((one,))

    if not entries(name, "nftables"):
        pytest.skip("no flows of mode nftables")
    wrong = disagreements(name, recorded, "nftables")
    assert not wrong, f"{len(wrong)}:\n" + "\n".join(wrong)


@pytest.mark.parametrize("name", flow_files())
def test_flows_agree_with_generated_rules(name: str) -> None:
    def generated(version: int) -> Ruleset:
        path = truth.folder("recordings") / name.replace(".flows.json", SUFFIX[version])
        recording = Recording(path)
        cluster, node = recording.cluster()
        addresses = recording.local_addresses(node.name)
        return proxy_ruleset(cluster, node, version, local_addresses=addresses)

    wrong = disagreements(name, generated)
    assert not wrong, f"{len(wrong)}:\n" + "\n".join(wrong)
