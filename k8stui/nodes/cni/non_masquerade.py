"""kubelet's own masquerade rule, as it was before 1.24: for what leaves the cluster.

Source: kubernetes v1.3 pkg/kubelet/container_bridge.go:ensureIPTablesMasqRule; later kubenet's
ensureMasqRule.
"""

from __future__ import annotations

from k8stui.because import Because
from k8stui.kernel.address import Prefix
from k8stui.kernel.rules import Rule
from k8stui.nodes.contribution import Contribution, Jump, TablePart
from k8stui.nodes.site import Site
from k8stui.origin import assumed

_NON_MASQUERADE = Prefix.parse("10.0.0.0/8")
"""kubelet's --non-masquerade-cidr, by default."""


def non_masquerade(site: Site, owner: str, comment: str, said: str) -> Contribution:
    """One rule: what goes to no 10.x address leaves with the node's address; not of pods alone.

    `said`: why it is assumed to be there.
    """
    pods = site.pod_network(4)
    inside = _NON_MASQUERADE if pods.address in _NON_MASQUERADE else pods
    rule = Rule(
        f'-A POSTROUTING ! -d {inside} -m comment --comment "{comment}" '
        "-m addrtype ! --dst-type LOCAL -j MASQUERADE",
        Because(
            text=f"what leaves the cluster ({inside}) leaves with the node's address",
            origin=assumed(said),
            owner="kubelet",
        ),
    )
    return Contribution(owner, {"nat": TablePart(jumps=(Jump("POSTROUTING", rule),))})
