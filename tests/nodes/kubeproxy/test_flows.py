"""Our own rules give the verdicts that the kernel gave real packets under kube-proxy's."""

from __future__ import annotations

import pytest
import truth
from kernel.flows import disagreements, flow_files
from nodes.kubeproxy.recording import Recording

from k8stui.kernel.rules import Ruleset
from k8stui.nodes.kubeproxy import proxy_ruleset

SUFFIX = {4: ".iptables", 6: ".ip6tables"}


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
