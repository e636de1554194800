"""kube-proxy's tables of nftables against what a real one put into the kernel: byte for byte.

Only kube-proxy's random order of its service ports is taken out on both sides.
"""

from __future__ import annotations

import re

import pytest
from nodes.kubeproxy.recording import Recording, recordings

from k8stui.kernel.nft.listing import listing
from k8stui.kernel.nft_ruleset import NftRuleset
from k8stui.nodes.kubeproxy.around import Around
from k8stui.nodes.kubeproxy.nftables.rules import NftablesRules

RECORDINGS = recordings(".nft")


@pytest.mark.skipif(not RECORDINGS, reason="recordings is not on this machine")
def test_there_are_recordings() -> None:
    assert len(RECORDINGS) > 1


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda r: r.name)
def test_tables_are_those_of_a_real_kube_proxy(recording: Recording) -> None:
    cluster, node = recording.cluster()
    around = Around(local_addresses=recording.local_addresses(node.name))
    made = NftRuleset(
        tuple(NftablesRules(cluster, node, version, around).table for version in (4, 6))
    )
    assert in_order(listing(made)) == in_order(recording.text)


_TABLE = re.compile(r"^table .*?^}$", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(r"^\t(?:set|map|chain) (\S+) .*?^\t}$", re.MULTILINE | re.DOTALL)


def in_order(text: str) -> list[str]:
    """The tables, each with the blocks of service ports behind all others, by their names."""
    found = []
    for table in _TABLE.finditer(text):
        blocks = list(_BLOCK.finditer(table[0]))
        assert blocks
        head = table[0][: blocks[0].start()]
        fixed = [block[0] for block in blocks if "/" not in block[1]]
        found += [head, *fixed, *sorted(block[0] for block in blocks if "/" in block[1])]
    assert found
    return found
