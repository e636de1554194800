"""kube-proxy's rules against what a real kube-proxy put into the kernel: byte for byte.

Only kube-proxy's random order is taken out on both sides (`without_chance`).
"""

from __future__ import annotations

import pytest
from nodes.kubeproxy.chance import without_chance
from nodes.kubeproxy.recording import Recording, recordings

from k8stui.kernel.save import dump
from k8stui.nodes.kubeproxy import proxy_ruleset

RECORDINGS = recordings(".iptables", ".ip6tables")


@pytest.mark.skipif(not RECORDINGS, reason="recordings is not on this machine")
def test_there_are_recordings() -> None:
    assert {r.version for r in RECORDINGS} == {4, 6}


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda r: r.name)
def test_rules_are_those_of_a_real_kube_proxy(recording: Recording) -> None:
    cluster, node = recording.cluster()
    ruleset = proxy_ruleset(
        cluster,
        node,
        recording.version,
        local_addresses=recording.local_addresses(node.name),
    )
    assert without_chance(dump(ruleset)) == without_chance(recording.text)
